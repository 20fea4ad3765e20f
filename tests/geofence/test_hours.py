"""Hours in force: local time, half-open, over midnight; malformed ones say what would be right."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from geofence.hours import parse_hours

SHANGHAI = ZoneInfo("Asia/Shanghai")


def local(hour: int, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 5, 1, hour, minute, second, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "at", "is_active"),
    [
        ("07:00-22:00", local(7), True),
        ("07:00-22:00", local(6, 59, 59), False),
        ("07:00-22:00", local(21, 59, 59), True),
        ("07:00-22:00", local(22), False),
        ("22:00-06:00", local(23), True),
        ("22:00-06:00", local(5, 59), True),
        ("22:00-06:00", local(6), False),
        ("22:00-06:00", local(12), False),
        ("00:00-24:00", local(0), True),
        ("00:00-24:00", local(23, 59), True),
        ("07:00-09:00, 17:00-19:00", local(8), True),
        ("07:00-09:00, 17:00-19:00", local(12), False),
        ("07:00-09:00, 17:00-19:00", local(18), True),
    ],
)
def test_hours_are_half_open_and_local(text: str, at: datetime, is_active: bool) -> None:
    assert parse_hours(text).is_active(at, SHANGHAI) is is_active
    assert parse_hours(text).is_active(at.astimezone(UTC), SHANGHAI) is is_active


def test_the_same_moment_is_another_hour_elsewhere() -> None:
    hours = parse_hours("07:00-22:00")
    at = datetime(2026, 5, 1, 23, 30, tzinfo=UTC)  # 07:30 in Shanghai
    assert hours.is_active(at, SHANGHAI)
    assert not hours.is_active(at, ZoneInfo("UTC"))


@pytest.mark.parametrize("text", ["25:00-26:00", "7-22", "07:00", "07:60-08:00", "", "07:00-22:00,", "24:00-07:00"])
def test_malformed_hours_say_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="it should be hours such as '07:00-22:00'"):
        parse_hours(text)


def test_hours_that_are_never_in_force_are_refused() -> None:
    with pytest.raises(ValueError, match="never in force"):
        parse_hours("08:00-08:00")
