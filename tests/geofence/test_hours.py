"""Hours in force: local time, half-open, over midnight; malformed ones say what would be right."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from geofence.holidays import Holidays
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


@pytest.mark.parametrize(
    "text", ["08:00-08:00", "Mo-Fr 07:00-09:00; Mo-Su off", "07:00-09:00; Mo-Su off; PH off", "PH off"]
)
def test_hours_that_are_never_in_force_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="never in force"):
        parse_hours(text)


@pytest.mark.parametrize(
    ("text", "sign", "meant"),
    [
        ("07：00-22：00", "：", ":"),
        ("07:00-09:00，17:00-19:00", "，", ","),
        ("07:00-09:00、17:00-19:00", "、", ","),
        ("Mo-Fr 07:00-09:00；Sa 10:00-12:00", "；", ";"),
        ("07:00–22:00", "–", "-"),
        ("07:00至22:00", "至", "-"),
    ],
)
def test_a_sign_of_another_keyboard_is_named(text: str, sign: str, meant: str) -> None:
    with pytest.raises(ValueError, match=f"it has '{sign}' .U.* where '{meant}' should be; it should be hours such"):
        parse_hours(text)


@pytest.mark.parametrize(
    ("text", "overridden"),
    [
        ("07:00-22:00; Su off", []),
        ("Mo-Fr 07:00-09:00; Mo-Fr 17:00-19:00", [1]),
        ("Mo-Fr 07:00-09:00; Sa 10:00-12:00; 17:00-19:00", [1, 2]),
        ("Mo-Fr 07:00-09:00; Mo-We 17:00-19:00; Th,Fr off; PH off; Sa 10:00-12:00", [1]),
    ],
)
def test_a_rule_of_which_every_day_has_a_later_one_is_overridden(text: str, overridden: list[int]) -> None:
    assert parse_hours(text).overridden == overridden


# 1 May 2026 is a Friday and a day off, 9 May a Saturday that is worked.
HOLIDAYS = Holidays(frozenset({date(2026, 5, 1)}), frozenset({date(2026, 5, 9)}))


def day(number: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 5, number, hour, minute, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("text", "at", "is_active"),
    [
        ("Mo-Fr 07:00-22:00", day(8, 8), True),
        ("Mo-Fr 07:00-22:00", day(10, 8), False),
        ("Mo-Fr 07:00-22:00", day(9, 8), True),
        ("Mo-Fr 07:00-22:00", day(1, 8), True),
        ("Mo-Fr 07:00-22:00; PH off", day(1, 8), False),
        ("Mo-Fr 07:00-22:00; PH 09:00-10:00", day(1, 9, 30), True),
        ("Mo-Fr 07:00-22:00; PH 09:00-10:00", day(8, 9, 30), True),
        ("07:00-22:00; Su off", day(10, 8), False),
        ("07:00-22:00; Su off", day(8, 8), True),
        ("Sa,Su 10:00-12:00, 14:00-16:00", day(10, 15), True),
        ("Sa,Su 10:00-12:00, 14:00-16:00", day(10, 13), False),
        ("Sa-Mo 10:00-12:00", day(11, 11), True),
        ("Sa-Mo 10:00-12:00", day(12, 11), False),
        ("Fr 22:00-06:00", day(9, 5), True),
        ("Fr 22:00-06:00", day(8, 5), False),
    ],
)
def test_days_have_their_own_hours(text: str, at: datetime, is_active: bool) -> None:
    assert parse_hours(text).is_active(at, SHANGHAI, HOLIDAYS) is is_active


@pytest.mark.parametrize(
    ("text", "at", "since"),
    [
        ("07:00-22:00", day(8, 8), day(8, 7)),
        ("22:00-06:00", day(8, 5), day(7, 22)),
        ("Mo-Fr 00:00-24:00", day(13, 5), day(11, 0)),
        ("07:00-09:00, 09:00-12:00", day(8, 10), day(8, 7)),
    ],
)
def test_hours_have_been_in_force_since_their_latest_beginning(text: str, at: datetime, since: datetime) -> None:
    assert parse_hours(text).active_since(at, SHANGHAI) == since


def test_what_is_always_in_force_has_been_so_for_long() -> None:
    assert day(13, 5) - parse_hours("00:00-24:00").active_since(day(13, 5), SHANGHAI) >= timedelta(days=30)


@pytest.mark.parametrize(
    "text", ["Mo-Fr", "Mon-Fri 07:00-22:00", "PH-Su 07:00-08:00", "Fr 25:00-26:00", "off", "Mo off"]
)
def test_days_that_cannot_be_read_say_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match="it should be hours such as|never in force"):
        parse_hours(text)
