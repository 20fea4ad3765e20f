"""Hours of the day in which a zone is in force, in the site's local time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo

EXPECTED = "hours such as '07:00-22:00', '22:00-06:00' or '07:00-09:00, 17:00-19:00'"
_RANGE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))")


@dataclass(frozen=True, slots=True)
class ActiveHours:
    """Ranges [start, end) in minutes after local midnight; a range whose end is not later spans midnight."""

    ranges: tuple[tuple[int, int], ...]

    def is_active(self, at: datetime, timezone: tzinfo) -> bool:
        """Whether the aware time `at` lies in one of the ranges."""
        local = at.astimezone(timezone)
        minute = local.hour * 60 + local.minute
        return any(
            start <= minute < end if start < end else minute >= start or minute < end for start, end in self.ranges
        )


def parse_hours(text: str) -> ActiveHours:
    """Read ``07:00-22:00`` or several ranges with commas; raises ValueError that says what would be right."""
    ranges = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if match is None:
            raise ValueError(f"{text!r} is not usable; it should be {EXPECTED}")
        start_h, start_min, *ends = (int(number) for number in match.groups() if number is not None)
        ranges.append((start_h * 60 + start_min, ends[0] * 60 + ends[1]))
        if ranges[-1][0] == ranges[-1][1]:
            raise ValueError(f"{text!r} is never in force; leave hours out for a zone that always is")
    return ActiveHours(tuple(ranges))
