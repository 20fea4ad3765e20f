"""Days off and worked weekends; malformed lists are one line each."""

from __future__ import annotations

from datetime import date

import pytest

from geofence.errors import SiteError
from geofence.holidays import parse_holidays

GOOD = "off = [2026-10-01, 2026-10-02]\nworked = [2026-10-10]\n"


def test_a_worked_saturday_counts_as_a_monday() -> None:
    holidays = parse_holidays(GOOD)
    assert holidays.off == {date(2026, 10, 1), date(2026, 10, 2)}
    assert holidays.weekday(date(2026, 10, 10)) == 0
    assert holidays.weekday(date(2026, 10, 11)) == 6


def test_all_worked_weekdays_are_told() -> None:
    with pytest.raises(SiteError) as caught:
        parse_holidays("worked = [2026-10-08, 2026-10-09]")
    assert [error.key for error in caught.value.every if isinstance(error, SiteError)] == ["worked[0]", "worked[1]"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("off = [", "holidays.toml: (whole file): not TOML"),
        ("days = []", "holidays.toml: days"),
        ('off = ["1 October"]', "holidays.toml: off[0]"),
        (
            "off = [86400]",
            "holidays.toml: off[0]: 86400 looks like seconds or milliseconds of Unix; it ",
        ),
        ("worked = [2026-10-12]", "holidays.toml: worked[0]: 2026-10-12 is a Monday, worked anyway"),
        ("off = [2026-10-10]\nworked = [2026-10-10]", "holidays.toml: worked[0]: 2026-10-10 is off as well"),
    ],
)
def test_a_fault_is_one_clear_line(text: str, says: str) -> None:
    with pytest.raises(SiteError) as caught:
        parse_holidays(text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
