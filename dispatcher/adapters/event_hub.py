"""One reader of the event log for every listener of this process: streams and pages."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence

import structlog

from dispatcher.adapters.queries import OrderQueries
from dispatcher.errors import StoreUnavailableError
from dispatcher.messages import OrderEvent

_log = structlog.get_logger(__name__)

BACKLOG = 1000
BATCH = 500


class EventHub:
    """Polls the event log once for all; lives in one event loop, between `start` and `stop`.

    The newest events are kept in memory, so that listeners which keep up cost the database nothing.
    """

    def __init__(self, queries: OrderQueries, *, poll_s: float = 0.2) -> None:
        self._queries = queries
        self._poll_s = poll_s
        self._recent: deque[OrderEvent] = deque(maxlen=BACKLOG)
        self._last_seq = 0
        self._changed = asyncio.Event()
        self._is_closed = False
        self._task: asyncio.Task[None] | None = None

    @property
    def last_seq(self) -> int:
        """Number of the newest event that this hub has seen."""
        return self._last_seq

    async def start(self) -> None:
        """Begin to poll, from the newest event on."""
        self._last_seq = await asyncio.to_thread(self._queries.last_seq)
        self._is_closed = False
        self._task = asyncio.create_task(self._poll(), name="event-hub")

    def close(self) -> None:
        """End every `follow`, so that open streams finish; call it in the hub's event loop."""
        self._is_closed = True
        self._announce()

    async def stop(self) -> None:
        """Close and stop polling."""
        self.close()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def follow(self, after: int | None) -> AsyncIterator[OrderEvent]:
        """Yield every event with a number above `after` (None: from now on), until the hub closes.

        A number beyond the newest event counts as the newest.
        """
        cursor = self._last_seq if after is None else await self._known(after)
        while not self._has_ended():
            changed = self._changed
            for event in await self._next_events(cursor):
                yield event
                cursor = event.seq
                if self._has_ended():
                    return
            if cursor >= self._last_seq and not self._has_ended():
                await changed.wait()

    async def _known(self, after: int) -> int:
        """The number, or the newest one that there is; the hub's own may be a poll behind the log."""
        if after <= self._last_seq:
            return after
        try:
            newest = await asyncio.to_thread(self._queries.last_seq)
        except StoreUnavailableError:
            newest = self._last_seq
        return min(after, newest)

    def _has_ended(self) -> bool:
        return self._is_closed

    async def _next_events(self, cursor: int) -> Sequence[OrderEvent]:
        if cursor >= self._last_seq:
            return ()
        if self._recent and self._recent[0].seq <= cursor + 1:
            return [event for event in self._recent if event.seq > cursor]
        return await asyncio.to_thread(self._queries.events_after, cursor, limit=BATCH)

    async def _poll(self) -> None:
        is_down = False
        while True:
            try:
                fresh = await asyncio.to_thread(self._queries.events_after, self._last_seq, limit=BATCH)
            except StoreUnavailableError as error:
                if not is_down:
                    _log.warning("event_log_down", reason=str(error))
                is_down = True
                fresh = ()
            else:
                if is_down:
                    _log.info("event_log_up")
                is_down = False
            if fresh:
                self._recent.extend(fresh)
                self._last_seq = fresh[-1].seq
                self._announce()
            if len(fresh) < BATCH:
                await asyncio.sleep(self._poll_s)

    def _announce(self) -> None:
        waiting, self._changed = self._changed, asyncio.Event()
        waiting.set()
