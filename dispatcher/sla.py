"""Deadlines: limits in the units of city management, counted over a work calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_SEARCH_DAYS = 3660


class Unit(StrEnum):
    """Units of a limit: 分钟, 紧急工作时 (around the clock), 工作时, 工作日, 自然日."""

    MINUTE = "minute"
    URGENT_HOUR = "urgent_hour"
    WORK_HOUR = "work_hour"
    WORK_DAY = "work_day"
    NATURAL_DAY = "natural_day"


class Light(StrEnum):
    """Traffic light of an order: in time, past the amber share of its limit, overdue."""

    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many of a unit; n > 0, fractions allowed."""

    n: float
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCalendar:
    """When people work.

    slots:           local (start, end) pairs of a day, in order, not overlapping
    work_day_hours:  what one work day counts as; None means the sum of the slots
    holidays:        days off although the week says otherwise
    extra_work_days: weekend days worked in exchange (调休)
    """

    zone: ZoneInfo
    slots: tuple[tuple[time, time], ...]
    work_day_hours: float | None
    holidays: frozenset[date]
    extra_work_days: frozenset[date]

    def is_work_day(self, day: date) -> bool:
        """Whether `day` (local) is worked: the exchange table decides before the week does."""
        if day in self.extra_work_days:
            return True
        return day.weekday() < 5 and day not in self.holidays

    def hours_per_day(self) -> float:
        """Hours that one work day stands for."""
        if self.work_day_hours is not None:
            return self.work_day_hours
        return sum((_seconds(end) - _seconds(start)) / 3600 for start, end in self.slots)


def deadline(start: datetime, limit: Limit, calendar: WorkCalendar) -> datetime:
    """Return when `limit` ends that began at `start`; aware in, aware UTC out.

    Raises ValueError when the calendar has no work time within ten years of `start`.
    """
    match limit.unit:
        case Unit.MINUTE:
            return start.astimezone(UTC) + timedelta(minutes=limit.n)
        case Unit.URGENT_HOUR:
            return start.astimezone(UTC) + timedelta(hours=limit.n)
        case Unit.NATURAL_DAY:
            local = start.astimezone(calendar.zone)
            return (local + timedelta(days=limit.n)).astimezone(UTC)
        case Unit.WORK_HOUR:
            return _add_work_time(start, timedelta(hours=limit.n), calendar)
        case Unit.WORK_DAY:
            return _add_work_time(start, timedelta(hours=limit.n * calendar.hours_per_day()), calendar)


def amber_time(start: datetime, limit: Limit, calendar: WorkCalendar, *, amber_share: float) -> datetime:
    """Return when `amber_share` (0..1) of the limit is used up, counted in the limit's own unit."""
    return deadline(start, Limit(limit.n * amber_share, limit.unit), calendar)


def light(now: datetime, *, amber_at: datetime, due_at: datetime) -> Light:
    """Return the traffic light at `now`: yellow from amber_at on, red from due_at on."""
    if now >= due_at:
        return Light.RED
    return Light.YELLOW if now >= amber_at else Light.GREEN


def _add_work_time(start: datetime, work: timedelta, calendar: WorkCalendar) -> datetime:
    for opens, closes in _work_spans(start, calendar):
        if opens + work <= closes:
            return opens + work
        work -= closes - opens
    raise ValueError(f"no work time within {_SEARCH_DAYS} days after {start.isoformat()}")


def _work_spans(start: datetime, calendar: WorkCalendar) -> Iterator[tuple[datetime, datetime]]:
    """Yield (opens, closes) in UTC from `start` on, the first one cut to begin there."""
    begin = start.astimezone(UTC)
    first_day = start.astimezone(calendar.zone).date()
    for offset in range(_SEARCH_DAYS):
        day = first_day + timedelta(days=offset)
        if not calendar.is_work_day(day):
            continue
        for slot_start, slot_end in calendar.slots:
            opens = datetime.combine(day, slot_start, calendar.zone).astimezone(UTC)
            closes = datetime.combine(day, slot_end, calendar.zone).astimezone(UTC)
            if closes > begin:
                yield max(opens, begin), closes


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second
