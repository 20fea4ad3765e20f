"""Whose clock to believe: parsing and judging the times that devices send."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from ingest.config import TimeLimits
from ingest.errors import PayloadError
from ingest.instants import EPOCH, to_text
from ingest.reasons import Reason

# Seconds since 1970 reach this in the year 5138, milliseconds reached it in 1973.
_FIRST_MILLISECONDS = 1e11
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_device_time(raw: str | float) -> datetime:
    """Return the aware UTC time of RFC 3339 text, or of seconds or milliseconds since 1970.

    PayloadError(invalid_time) for anything else.
    """
    instant = _from_text(raw) if isinstance(raw, str) else _from_number(raw)
    if instant is None:
        raise PayloadError(
            Reason.INVALID_TIME,
            f"ts is {_shown(raw)}, expected RFC 3339 with an offset such as 2026-01-31T08:00:00+08:00, "
            "or seconds or milliseconds since 1970",
        )
    return instant


def check_plausible(measured_at: datetime, received_at: datetime, limits: TimeLimits, *, what: str) -> None:
    """Raise PayloadError(implausible_time) where a device's clock is too far from the gateway's.

    what: the subject of the sentence, ``reading`` or ``picture``
    """
    age_s = (received_at - measured_at).total_seconds()
    if -limits.max_ahead_s <= age_s <= limits.max_age_s:
        return
    raise PayloadError(
        Reason.IMPLAUSIBLE_TIME,
        f"{what} says {to_text(measured_at)}, gateway clock says {to_text(received_at)}; accepted are "
        f"{limits.max_age_s:g} s before to {limits.max_ahead_s:g} s after",
    )


def _from_text(raw: str) -> datetime | None:
    if not _RFC3339.fullmatch(raw):
        return None
    try:
        return datetime.fromisoformat(raw.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _from_number(raw: float) -> datetime | None:
    try:
        seconds = raw / 1000 if abs(raw) >= _FIRST_MILLISECONDS else raw
        return EPOCH + timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None


def _shown(raw: str | float) -> str:
    if isinstance(raw, int) and abs(raw) >= 10**40:
        return "a number of more than 40 digits"
    return repr(raw)[:80]
