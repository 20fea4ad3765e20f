"""Threads that decode and infer side by side. Decoder and network both work outside Python's global lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Generic, TypeVar

MOST_LANES = 8
"""More threads than this on one inference path only get into each other's way."""

Part = TypeVar("Part")


def usable_cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0))


class ThreadLanes:
    """`detectors.backend.Lanes`: the calling thread is lane 0, the others are kept for the next call."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool = ThreadPoolExecutor(max(1, count - 1), thread_name_prefix="lane")

    def run(
        self, batches: Sequence[Sequence[Part]], each: Callable[[Part, int], None], then: Callable[[int, int], None]
    ) -> None:
        """See `detectors.backend.Lanes.run`."""
        if not batches:
            return
        work = _Work(batches, each, then)
        others = min(self._count, sum(len(batch) for batch in batches)) - 1
        helpers = [self._pool.submit(work.go_on, lane) for lane in range(1, others + 1)]
        try:
            work.go_on(0)
        finally:
            wait(helpers)
        for helper in helpers:
            helper.result()


class _Work(Generic[Part]):
    """The parts of one call. A lane stays with its batch, then opens the next one, and at the end helps others."""

    def __init__(
        self, batches: Sequence[Sequence[Part]], each: Callable[[Part, int], None], then: Callable[[int, int], None]
    ) -> None:
        self._each = each
        self._then = then
        self._lock = threading.Lock()
        self._waiting = [list(reversed(batch)) for batch in batches]
        self._unfinished = [len(batch) for batch in batches]
        self._unopened = iter(range(len(batches)))
        self._is_broken = False

    def go_on(self, lane: int) -> None:
        """Work until nothing is left, or another lane has failed."""
        number: int | None = None
        try:
            while (taken := self._take(number)) is not None:
                number, part = taken
                self._each(part, lane)
                if self._is_last(number):
                    self._then(number, lane)
        except BaseException:
            self._is_broken = True
            raise

    def _take(self, own: int | None) -> tuple[int, Part] | None:
        with self._lock:
            if self._is_broken:
                return None
            number = own if own is not None and self._waiting[own] else self._next_batch()
            return None if number is None else (number, self._waiting[number].pop())

    def _next_batch(self) -> int | None:
        if (number := next(self._unopened, None)) is not None:
            return number
        number = max(range(len(self._waiting)), key=lambda row: len(self._waiting[row]))
        return number if self._waiting[number] else None

    def _is_last(self, number: int) -> bool:
        with self._lock:
            self._unfinished[number] -= 1
            return self._unfinished[number] == 0
