"""Keeps the spool small: done messages go at once, readings after their time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

from ingest.adapters.influx_sink import InfluxSink
from ingest.adapters.spool import Spool

_READINGS_EVERY_S = 60.0


class Janitor:
    """`step` is called every few seconds by one thread."""

    def __init__(self, spool: Spool, *, sink_cursor: InfluxSink | None, keep_hours: float) -> None:
        """sink_cursor: readings that it has not confirmed are kept, however old."""
        self._spool = spool
        self._sink = sink_cursor
        self._keep = timedelta(hours=keep_hours)
        self._readings_due_s = 0.0

    def step(self) -> bool:
        """Tidy once; never more to do at once."""
        self._spool.trim()
        if time.monotonic() >= self._readings_due_s:
            confirmed_id = None if self._sink is None else self._sink.stats.confirmed_id
            self._spool.drop_readings_before(datetime.now(UTC) - self._keep, up_to_id=confirmed_id)
            self._readings_due_s = time.monotonic() + _READINGS_EVERY_S
        return False
