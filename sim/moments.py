"""Seconds of a run as moments of a calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def moment_after(begins_at: datetime, second: float) -> datetime:
    """The aware time so many seconds after begins_at, to the microsecond, in its zone.

    Adding to a local time would skip or repeat the hour in which the clocks are changed.
    """
    return (begins_at.astimezone(UTC) + timedelta(seconds=second)).astimezone(begins_at.tzinfo)
