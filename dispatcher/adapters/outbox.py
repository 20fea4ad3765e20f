"""Delivers the events of one feed in order, at least once, whatever its transport does meanwhile."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Protocol

import structlog

from dispatcher.errors import StoreUnavailableError
from dispatcher.feeds import FEEDS
from dispatcher.messages import OrderEvent
from ingest.errors import LinkError

_log = structlog.get_logger(__name__)

BATCH = 100
FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 30.0


class Publisher(Protocol):
    """A transport that blocks until the other side has acknowledged, and raises when it has not."""

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> object:
        """Deliver one message."""
        ...


class CursorStore(Protocol):
    """Where each feed's progress is kept."""

    def feed_cursor(self, feed: str) -> int:
        """Return the last delivered event number."""
        ...

    def advance_feed(self, feed: str, seq: int) -> None:
        """Note one more delivered event."""
        ...


class EventLog(Protocol):
    """Where the events lie."""

    def events_after(self, seq: int, *, limit: int) -> Sequence[OrderEvent]:
        """Return the next events in rising order."""
        ...


class FeedMetrics(Protocol):
    """Where deliveries are counted."""

    def count_delivery(self, feed: str, *, delivered: bool) -> None:
        """Count one event that was, or was not, taken by the transport."""
        ...


class Outbox:
    """A thread that carries one feed's events from the database to its transport.

    The cursor moves after the acknowledgement, so a crash in between repeats an event with the same id.
    failures: what the publisher may raise when the world is at fault; anything else ends the thread
    """

    def __init__(
        self,
        feed: str,
        cursors: CursorStore,
        log: EventLog,
        publisher: Publisher,
        metrics: FeedMetrics,
        *,
        topic_root: str = "s721/v1",
        poll_s: float = 0.2,
        failures: tuple[type[Exception], ...] = (LinkError, OSError),
    ) -> None:
        self._feed = feed
        self._render = FEEDS[feed]
        self._cursors = cursors
        self._events = log
        self._publisher = publisher
        self._metrics = metrics
        self._topic_root = topic_root
        self._poll_s = poll_s
        self._failures: tuple[type[Exception], ...] = (*failures, StoreUnavailableError)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"outbox-{feed}", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def stop(self, timeout_s: float = 10.0) -> None:
        """Finish the event in hand and end; what is left is delivered after the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def is_running(self) -> bool:
        """Whether the thread is alive."""
        return self._thread.is_alive()

    def deliver_pending(self) -> int:
        """Deliver at most one batch; return how many events went out. Raises what the transport raises."""
        cursor = self._cursors.feed_cursor(self._feed)
        delivered = 0
        for event in self._events.events_after(cursor, limit=BATCH):
            if self._stopping.is_set():
                break
            self._deliver(event)
            delivered += 1
        return delivered

    def _deliver(self, event: OrderEvent) -> None:
        message = self._render(event, self._topic_root)
        try:
            self._publisher.publish(message.topic, message.payload, qos=message.qos, retain=message.retain)
        except self._failures:
            self._metrics.count_delivery(self._feed, delivered=False)
            raise
        self._cursors.advance_feed(self._feed, event.seq)
        self._metrics.count_delivery(self._feed, delivered=True)

    def _run(self) -> None:
        wait_s = FIRST_WAIT_S
        is_down = False
        while not self._stopping.is_set():
            try:
                delivered = self.deliver_pending()
            except self._failures as error:
                if not is_down:
                    _log.warning("feed_down", feed=self._feed, reason=str(error))
                is_down = True
                self._stopping.wait(wait_s * random.uniform(0.5, 1.0))
                wait_s = min(wait_s * 2, LONGEST_WAIT_S)
                continue
            if is_down:
                _log.info("feed_up", feed=self._feed)
            is_down, wait_s = False, FIRST_WAIT_S
            if delivered < BATCH:
                self._stopping.wait(self._poll_s)
