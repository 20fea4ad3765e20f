"""Exact conversions between aware UTC datetimes and whole microseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Return the microseconds since 1970 of an aware datetime, exactly."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the aware UTC datetime of microseconds since 1970; OverflowError outside years 1 to 9999."""
    return EPOCH + timedelta(microseconds=microseconds)


def to_text(instant: datetime) -> str:
    """Return RFC 3339 text in UTC with seconds, as messages to a person show it."""
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
