"""Readings from the spool to a time-series store; a slow or absent store never holds up anything else.

The spool's cursor passes a row only when the store has had it for a while: an accepted write is not yet
on the store's disk. After a failure or a restart everything behind the cursor is sent again, and the
same line written twice is stored once.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import structlog

from ingest.adapters.influx_client import InfluxClient, StoreMark, StoreUnavailable, WriteRefused
from ingest.adapters.mqtt_connection import Backoff
from ingest.adapters.spool import Spool, StoredReading
from ingest.config import SinkSettings
from ingest.line_protocol import to_line
from ingest.messages import DeadLetter
from ingest.reasons import Reason

_log = structlog.get_logger(__name__)

CONSUMER = "sink"

_CONFIRM_EVERY_S = 1.0


class _Sent(NamedTuple):
    """A write that the store has accepted: when, and up to which row."""

    at_s: float
    last_id: int


class _Line(NamedTuple):
    """A reading on its way, as text."""

    stored: StoredReading
    text: str


@dataclass(frozen=True, slots=True)
class SinkStats:
    """Totals since the start. sent counts repetitions too; confirmed_id is the durable cursor."""

    sent: int
    rejected: int
    failures: int
    sent_id: int
    confirmed_id: int


class InfluxSink:
    """The thread that ships readings. `failure` says what ended it, if it was not `close`."""

    def __init__(self, settings: SinkSettings, *, spool: Spool, site: str) -> None:
        self._settings = settings
        self._spool = spool
        self._site = site
        self._client = InfluxClient(settings)
        self._backoff = Backoff(first_s=settings.min_backoff_s, max_s=settings.max_backoff_s, stable_s=0.0)
        self._stopping = threading.Event()
        self._confirmed_id = spool.cursor(CONSUMER)
        self._sent_id = self._confirmed_id
        self._unconfirmed: deque[_Sent] = deque()
        self._rejected_ids: set[int] = set()
        self._mark = StoreMark(None)
        self._confirm_again_s = 0.0
        self._is_up: bool | None = None
        self._sent = 0
        self._rejected = 0
        self._failures = 0
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="influx-sink", daemon=True)

    @property
    def failure(self) -> BaseException | None:
        """What ended the thread, if it was not `close`."""
        return self._failure

    @property
    def is_up(self) -> bool:
        """True when the store took the last write or answered the last question."""
        return bool(self._is_up)

    @property
    def stats(self) -> SinkStats:
        """Totals since the start."""
        return SinkStats(self._sent, self._rejected, self._failures, self._sent_id, self._confirmed_id)

    def start(self) -> None:
        """Begin shipping; returns at once, whether the store is there or not."""
        self._thread.start()

    def close(self) -> None:
        """End the thread after the write under way. What is not confirmed is sent again next time."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._client.close()

    def _run(self) -> None:
        failures = 0
        try:
            while not self._stopping.is_set():
                try:
                    is_idle = self._step()
                    failures = 0
                    wait_s = self._settings.poll_s if is_idle else 0.0
                except StoreUnavailable as error:
                    failures += 1
                    self._went_down(error)
                    wait_s = max(self._backoff.delay_s(failures), min(error.retry_after_s or 0.0, 300.0))
                self._stopping.wait(wait_s)
        except BaseException as error:  # noqa: BLE001 - the top of a thread: its owner must see what ended it
            self._failure = error
            _log.error("sink_thread_failed", store=self._settings.url, error=repr(error))

    def _step(self) -> bool:
        """Confirm what is old enough, send the next rows; return True when there were none."""
        now_s = time.monotonic()
        is_due = self._is_due(now_s)
        if is_due or not self._is_up:
            self._mark = self._ask()
        if is_due:
            self._confirm(now_s)
        rows = self._spool.readings_after(self._sent_id, limit=self._settings.max_lines)
        if not rows:
            return True
        self._write(self._lines(rows))
        self._sent_id = rows[-1].id
        self._unconfirmed.append(_Sent(time.monotonic(), self._sent_id))
        return False

    def _is_due(self, now_s: float) -> bool:
        """True when the oldest unconfirmed write is old enough, and the store was not asked just now."""
        if not self._unconfirmed or now_s < self._confirm_again_s:
            return False
        return now_s - self._unconfirmed[0].at_s >= self._settings.margin_s

    def _ask(self) -> StoreMark:
        """Ask the store which process it is; send everything unconfirmed again when it is a new one."""
        if not self._is_up and not self._client.ping():
            raise StoreUnavailable("unreachable", "no answer to ping")
        mark = self._client.mark()
        if self._unconfirmed and mark != self._mark:
            _log.warning("sink_store_restarted", store=self._settings.url, again_from_id=self._confirmed_id)
            self._rewind()
        if not self._is_up:
            self._is_up = True
            _log.info("sink_up", store=self._settings.url, from_id=self._sent_id)
        return mark

    def _confirm(self, now_s: float) -> None:
        """Move the durable cursor past the rows that the same process of the store has had long enough."""
        self._confirm_again_s = now_s + _CONFIRM_EVERY_S
        confirmed_id = self._confirmed_id
        while self._unconfirmed and now_s - self._unconfirmed[0].at_s >= self._settings.margin_s:
            confirmed_id = self._unconfirmed.popleft().last_id
        if confirmed_id == self._confirmed_id:
            return
        with self._spool.transaction() as transaction:
            transaction.advance(CONSUMER, confirmed_id)
        self._confirmed_id = confirmed_id
        self._rejected_ids = {id_ for id_ in self._rejected_ids if id_ > confirmed_id}

    def _lines(self, rows: Sequence[StoredReading]) -> list[_Line]:
        lines = []
        for stored in rows:
            try:
                lines.append(_Line(stored, to_line(stored.reading, site=self._site)))
            except ValueError as error:
                self._reject(_Line(stored, repr(stored.reading)), str(error))
        return lines

    def _write(self, lines: Sequence[_Line]) -> None:
        """Write lines, halving a refused batch until the lines at fault stand alone."""
        if not lines:
            return
        try:
            self._client.write([line.text for line in lines])
            self._sent += len(lines)
        except WriteRefused as error:
            if len(lines) == 1:
                self._reject(lines[0], str(error))
                return
            middle = len(lines) // 2
            self._write(lines[:middle])
            self._write(lines[middle:])

    def _reject(self, line: _Line, detail: str) -> None:
        if line.stored.id in self._rejected_ids:
            return
        letter = DeadLetter(
            topic=f"{CONSUMER}/{line.stored.reading.sensor_id}",
            payload=line.text.encode("utf-8"),
            reason=Reason.SINK_REFUSED,
            detail=detail,
            received_at=datetime.now(UTC),
        )
        with self._spool.transaction() as transaction:
            transaction.add_dead_letters([letter])
        self._rejected_ids.add(line.stored.id)
        self._rejected += 1

    def _went_down(self, error: StoreUnavailable) -> None:
        self._failures += 1
        self._rewind()
        if self._is_up is not False:
            _log.warning("sink_down", store=self._settings.url, reason=error.reason, detail=error.detail)
        self._is_up = False

    def _rewind(self) -> None:
        self._unconfirmed.clear()
        self._sent_id = self._confirmed_id
