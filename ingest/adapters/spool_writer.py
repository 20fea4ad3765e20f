"""Inbox to spool: many messages per commit, acknowledged after it, in the order in which they came."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from ingest.adapters.inbox import InboundMessage, Inbox
from ingest.adapters.spool import NewMessage, Spool
from ingest.config import SpoolSettings
from ingest.dedup import DedupRing, message_digest
from ingest.errors import SpoolError
from ingest.messages import DeadLetter
from ingest.reasons import Reason
from ingest.topics import MessageKind

_log = structlog.get_logger(__name__)

_DETAILS = {
    Reason.TOO_LARGE: "{size} bytes, larger than a message may be here",
    Reason.INVALID_TOPIC: "the topic is no UTF-8; {size} bytes",
    Reason.UNKNOWN_TOPIC: "nobody reads this topic; {size} bytes",
}


class Acknowledger(Protocol):
    """Where the messages came from."""

    @property
    def up_since_s(self) -> float | None:
        """When the connection in use came up, in `time.monotonic` seconds; None while there is none."""
        ...

    def acknowledge(self, messages: list[InboundMessage]) -> int:
        """Tell the broker, in this order, that it may forget the messages; return how many it was told."""
        ...


@dataclass(frozen=True, slots=True)
class WriterStats:
    """Totals since the writer was started; the spool's counters hold them for ever."""

    received: int = 0
    stored: int = 0
    duplicate: int = 0
    rejected: int = 0
    acknowledged: int = 0


@dataclass(slots=True)
class _Batch:
    """What one commit holds."""

    messages: list[NewMessage] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    duplicates: int = 0


class SpoolWriter:
    """The thread that stores. `stop_intake` of the source ends it once the inbox is empty: then `join`.

    wake:       set after a commit, for each kind that it held
    on_failure: called once from the thread when it cannot store; `failure` then says why, and nothing
                that is not stored has been acknowledged
    """

    def __init__(
        self,
        settings: SpoolSettings,
        *,
        inbox: Inbox,
        spool: Spool,
        source: Acknowledger,
        wake: Mapping[MessageKind, threading.Event],
        on_failure: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._inbox = inbox
        self._spool = spool
        self._source = source
        self._wake = wake
        self._on_failure = on_failure
        self._ring = DedupRing(max_entries=settings.dedup_max_entries, settle_s=settings.dedup_settle_s)
        self._totals: Counter[str] = Counter()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)

    @property
    def failure(self) -> BaseException | None:
        """What ended the thread, if it was not the end of the inbox."""
        return self._failure

    @property
    def stats(self) -> WriterStats:
        """Totals since the start."""
        totals = self._totals
        return WriterStats(
            received=totals["received"],
            stored=totals["stored"],
            duplicate=totals["duplicate"],
            rejected=totals["rejected"],
            acknowledged=totals["acknowledged"],
        )

    def start(self) -> None:
        """Recall what may be redelivered, then begin storing."""
        self._ring.remember(self._spool.digests(), now_s=time.monotonic())
        self._thread.start()

    def join(self, timeout_s: float | None = None) -> bool:
        """Wait for the thread's end; False after the timeout."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while batch := self._take():
                self._store(batch)
        except (SpoolError, sqlite3.Error) as error:
            self._fail(error)
            _log.error("spool_write_failed", error=str(error), acknowledged="nothing of the failed commit")
        except BaseException as error:  # noqa: BLE001 - the top of a thread: its owner must see what ended it
            self._fail(error)
            _log.error("spool_writer_failed", error=repr(error))

    def _fail(self, error: BaseException) -> None:
        self._failure = error
        self._inbox.close()
        self._on_failure()

    def _take(self) -> list[InboundMessage]:
        return self._inbox.take(max_messages=self._settings.max_batch, window_s=self._settings.commit_window_s)

    def _store(self, inbound: list[InboundMessage]) -> None:
        now_s = time.monotonic()
        batch = self._sort(inbound, now_s)
        counts = {
            "received": len(inbound),
            "stored": len(batch.messages),
            "duplicate": batch.duplicates,
            "rejected": len(batch.dead_letters),
        }
        forgotten = self._ring.forget(now_s=now_s, connected_since_s=self._source.up_since_s)
        with self._spool.transaction() as transaction:
            transaction.add_messages(batch.messages)
            transaction.add_dead_letters(batch.dead_letters)
            transaction.add_digests(batch.digests, forget_oldest=forgotten)
            transaction.count_all(counts)
        self._totals.update(counts)
        self._totals["acknowledged"] += self._source.acknowledge(inbound)
        for kind in {message.kind for message in batch.messages}:
            if kind in self._wake:
                self._wake[kind].set()

    def _sort(self, inbound: list[InboundMessage], now_s: float) -> _Batch:
        """Tell new messages from redelivered and unusable ones; all of them will be acknowledged."""
        batch = _Batch()
        for message in inbound:
            digest = message_digest(message.topic, message.payload)
            if (message.dup or message.retain) and digest in self._ring:
                batch.duplicates += 1
                continue
            if message.qos > 0 or message.retain:
                batch.digests.append(digest)
                self._ring.remember([digest], now_s=now_s)
            if message.kind is None:
                batch.dead_letters.append(_dead_letter(message))
            else:
                batch.messages.append(NewMessage(message.kind, message.topic, message.payload, message.received_at))
        return batch


def _dead_letter(message: InboundMessage) -> DeadLetter:
    reason = message.fault or Reason.UNKNOWN_TOPIC
    return DeadLetter(
        topic=message.topic,
        payload=message.payload,
        reason=reason,
        detail=_DETAILS[reason].format(size=len(message.payload)),
        received_at=message.received_at,
    )
