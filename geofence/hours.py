"""When a zone is in force: hours by day of the week and on holidays, in the site's local time.

Written as in OpenStreetMap's ``opening_hours``, of which this is the part that street signs need.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from detectors.validation import shown
from geofence.holidays import NO_HOLIDAYS, Holidays

EXPECTED = "hours such as '07:00-22:00', '22:00-06:00' or 'Mo-Fr 07:00-09:00, 17:00-19:00; Sa,Su 10:00-18:00; PH off'"
_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_HOLIDAY = len(_DAYS)
_DAY = re.compile(r"(Mo|Tu|We|Th|Fr|Sa|Su|PH)(?:-(Mo|Tu|We|Th|Fr|Sa|Su))?")
_RULE = re.compile(r"(?:([A-Z][A-Za-z]*(?:\s*[-,]\s*[A-Z][A-Za-z]*)*):?\s+)?(off|[\d:,\s-]+)")
_RANGE = re.compile(r"([01]\d|2[0-3]):([0-5]\d)\s*-\s*(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))")
_DAY_MIN = 24 * 60
# What keyboards and word processors write in place of a sign.
_MEANT = {"：": ":", "；": ";", "，": ",", "、": ","} | dict.fromkeys("－–—~～至到", "-")
# What is in force without a break for so long is in force always, as far as any dwell time goes.
_LONGEST_D = 30


@dataclass(frozen=True, slots=True)
class DayHours:
    """Ranges [start, end) in minutes after local midnight, on these days; an end that is not later is the next day's.

    days: 0 is Monday, 7 a holiday; ranges: none where the zone is off
    """

    days: frozenset[int]
    ranges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ActiveHours:
    """Hours by the day: the last rule that names a day is the one for it; a holiday's go before its weekday's."""

    rules: tuple[DayHours, ...]

    @property
    def names_holidays(self) -> bool:
        """Whether a list of holidays makes a difference."""
        return any(_HOLIDAY in rule.days for rule in self.rules)

    @property
    def overridden(self) -> list[int]:
        """Rules, counted from 1, of which every day has a later rule."""
        found: list[int] = []
        later: frozenset[int] = frozenset()
        for number, rule in reversed(list(enumerate(self.rules, 1))):
            if rule.days <= later:
                found.insert(0, number)
            later |= rule.days
        return found

    @property
    def are_ever(self) -> bool:
        """Whether there is a day on which they are in force."""
        days = {day for rule in self.rules for day in rule.days}
        return any(self._ranges_of(day) for day in days)

    def is_active(self, at: datetime, timezone: tzinfo, holidays: Holidays = NO_HOLIDAYS) -> bool:
        """Whether the aware time `at` lies in hours that are in force."""
        local = at.astimezone(timezone)
        return any(start <= local < end for start, end in self._around(local, holidays))

    def active_since(self, at: datetime, timezone: tzinfo, holidays: Holidays = NO_HOLIDAYS) -> datetime:
        """When the hours that `at` lies in began, and those that end where they begin; at most 30 days back."""
        since = local = at.astimezone(timezone)
        while local - since < timedelta(days=_LONGEST_D):
            starts = [start for start, end in self._around(since, holidays) if start < since <= end]
            if not starts:
                break
            since = min(starts)
        return since

    def _around(self, local: datetime, holidays: Holidays) -> Iterator[tuple[datetime, datetime]]:
        """The hours of a day and of the night before."""
        for day in (local.date() - timedelta(days=1), local.date()):
            midnight = datetime.combine(day, time(), local.tzinfo)
            for start, end in self._on(day, holidays):
                yield midnight + timedelta(minutes=start), midnight + timedelta(minutes=end)

    def _on(self, day: date, holidays: Holidays) -> list[tuple[int, int]]:
        named = _HOLIDAY if self.names_holidays and day in holidays.off else holidays.weekday(day)
        return [(start, end if start < end else end + _DAY_MIN) for start, end in self._ranges_of(named)]

    def _ranges_of(self, day: int) -> tuple[tuple[int, int], ...]:
        """Those of the last rule that names a day of the week, or the holiday."""
        return next((rule.ranges for rule in reversed(self.rules) if day in rule.days), ())


def parse_hours(text: str) -> ActiveHours:
    """Read ``07:00-22:00``, several ranges with commas, or rules by the day; raises ValueError that says how."""
    hours = ActiveHours(tuple(_rule(part.strip(), text) for part in text.rstrip("; ").split(";")))
    if not hours.are_ever:
        raise ValueError(f"{shown(text)} is never in force; leave the zone out instead")
    return hours


def _rule(part: str, text: str) -> DayHours:
    match = _RULE.fullmatch(part)
    if match is None:
        raise _unusable(text)
    days, hours = match.groups()
    ranges = () if hours == "off" else tuple(_range(one, text) for one in hours.split(","))
    return DayHours(_days(days, text), ranges)


def _days(days: str | None, text: str) -> frozenset[int]:
    if days is None:
        return frozenset(range(len(_DAYS)))
    named: set[int] = set()
    for one in days.replace(" ", "").split(","):
        match = _DAY.fullmatch(one)
        if match is None or (match[1] == "PH" and match[2]):
            raise _unusable(text)
        if match[1] == "PH":
            named.add(_HOLIDAY)
            continue
        first, last = _DAYS.index(match[1]), _DAYS.index(match[2] or match[1])
        named.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return frozenset(named)


def _range(part: str, text: str) -> tuple[int, int]:
    match = _RANGE.fullmatch(part.strip())
    if match is None:
        raise _unusable(text)
    start_h, start_min, end_h, end_min = (int(number) for number in match.groups() if number is not None)
    start, end = start_h * 60 + start_min, end_h * 60 + end_min
    if start == end:
        raise ValueError(f"{shown(text)} is never in force; leave hours out for a zone that always is")
    return start, end


def _unusable(text: str) -> ValueError:
    foreign = next((sign for sign in text if sign in _MEANT), None)
    why = "" if foreign is None else f": it has {foreign!r} (U+{ord(foreign):04X}) where {_MEANT[foreign]!r} should be"
    return ValueError(f"{shown(text)} is not usable{why}; it should be {EXPECTED}")
