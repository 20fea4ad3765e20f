"""Deadlines over the work calendar, with figures worked out by hand and by a minute-by-minute count."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatcher.sla import Light, Limit, Unit, WorkCalendar, amber_time, deadline, light

SHANGHAI = ZoneInfo("Asia/Shanghai")
SLOTS = WorkCalendar(
    zone=SHANGHAI,
    slots=((time(9), time(12)), (time(13, 30), time(17, 30))),
    work_day_hours=None,
    holidays=frozenset(),
    extra_work_days=frozenset(),
)
EIGHT = replace(SLOTS, work_day_hours=8.0)


def local(day: int, hour: int, minute: int = 0, *, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "limit", "calendar", "due"),
    [
        (local(27, 16, 30), Limit(4, Unit.WORK_HOUR), SLOTS, local(30, 12)),
        (local(27, 20), Limit(2, Unit.WORK_HOUR), SLOTS, local(30, 11)),
        (local(28, 10), Limit(2, Unit.URGENT_HOUR), SLOTS, local(28, 12)),
        (local(27, 16, 30), Limit(1, Unit.WORK_DAY), SLOTS, local(30, 16, 30)),
        (local(27, 16, 30), Limit(1, Unit.WORK_DAY), EIGHT, local(30, 17, 30)),
        (local(25, 12, 30), Limit(1, Unit.WORK_DAY), SLOTS, local(26, 12)),
    ],
)
def test_deadlines_of_the_domain_fixtures(start: datetime, limit: Limit, calendar: WorkCalendar, due: datetime) -> None:
    assert deadline(start, limit, calendar) == due


def test_minutes_run_around_the_clock() -> None:
    assert deadline(local(28, 23, 45), Limit(30, Unit.MINUTE), SLOTS) == local(29, 0, 15)


def test_natural_days_keep_the_time_of_day_over_a_clock_change() -> None:
    berlin = replace(SLOTS, zone=ZoneInfo("Europe/Berlin"))
    start = datetime(2026, 10, 24, 10, 0, tzinfo=berlin.zone)
    assert deadline(start, Limit(1, Unit.NATURAL_DAY), berlin) == datetime(2026, 10, 25, 10, 0, tzinfo=berlin.zone)
    assert deadline(start, Limit(1, Unit.NATURAL_DAY), berlin) - start == timedelta(hours=25)


def test_limit_that_ends_with_the_slot_is_due_at_its_end() -> None:
    assert deadline(local(24, 9), Limit(3, Unit.WORK_HOUR), SLOTS) == local(24, 12)


def test_work_that_starts_at_the_end_of_a_slot_counts_from_the_next() -> None:
    assert deadline(local(24, 12), Limit(1, Unit.WORK_HOUR), SLOTS) == local(24, 14, 30)


def test_holiday_is_skipped_and_exchange_day_is_worked() -> None:
    golden_week = replace(
        SLOTS,
        holidays=frozenset({date(2026, 10, 1), date(2026, 10, 2)}),
        extra_work_days=frozenset({date(2026, 10, 3)}),
    )
    start = local(30, 17, month=9)
    assert deadline(start, Limit(1, Unit.WORK_HOUR), golden_week) == local(3, 9, 30, month=10)
    assert deadline(start, Limit(1, Unit.WORK_HOUR), SLOTS) == local(1, 9, 30, month=10)


def test_deadline_is_utc_whatever_zone_the_start_came_in() -> None:
    start = local(27, 16, 30).astimezone(ZoneInfo("America/New_York"))
    due = deadline(start, Limit(4, Unit.WORK_HOUR), SLOTS)
    assert due == local(30, 12)
    assert due.tzinfo is UTC


def test_calendar_without_any_work_time_raises_instead_of_searching_for_ever() -> None:
    with pytest.raises(ValueError, match="no work time"):
        deadline(local(24, 9), Limit(1, Unit.WORK_HOUR), replace(SLOTS, slots=()))


def test_amber_is_counted_in_work_time_too() -> None:
    amber = amber_time(local(27, 16, 30), Limit(4, Unit.WORK_HOUR), SLOTS, amber_share=0.8)
    assert amber == local(30, 11, 12)


def test_light_changes_exactly_at_amber_and_at_due() -> None:
    amber_at, due_at, tick = local(24, 10), local(24, 12), timedelta(microseconds=1)
    lights = [
        light(moment, amber_at=amber_at, due_at=due_at) for moment in (amber_at - tick, amber_at, due_at - tick, due_at)
    ]
    assert lights == [Light.GREEN, Light.YELLOW, Light.YELLOW, Light.RED]


def count_minutes(start: datetime, minutes: int, calendar: WorkCalendar) -> datetime:
    """The same deadline the slow way: walk minute by minute and count those inside a slot."""
    moment = start
    while minutes > 0:
        clock = moment.astimezone(calendar.zone)
        inside = any(opens <= clock.time() < closes for opens, closes in calendar.slots)
        if calendar.is_work_day(clock.date()) and inside:
            minutes -= 1
        moment += timedelta(minutes=1)
    return moment


@settings(max_examples=60, deadline=None)
@given(
    start=st.datetimes(datetime(2026, 9, 20), datetime(2026, 10, 12)),
    minutes=st.integers(1, 900),
    offset_h=st.sampled_from([-5, 0, 8]),
)
def test_work_hours_agree_with_a_count_of_minutes(start: datetime, minutes: int, offset_h: int) -> None:
    calendar = replace(
        SLOTS,
        holidays=frozenset(date(2026, 10, day) for day in range(1, 8)),
        extra_work_days=frozenset({date(2026, 9, 20), date(2026, 10, 10)}),
    )
    begin = start.replace(second=0, microsecond=0, tzinfo=UTC) + timedelta(hours=offset_h)
    assert deadline(begin, Limit(minutes / 60, Unit.WORK_HOUR), calendar) == pytest.approx(
        count_minutes(begin, minutes, calendar), abs=timedelta(milliseconds=1)
    )
