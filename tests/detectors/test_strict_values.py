"""Numbers, days and times are taken as what they are."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pydantic import TypeAdapter, ValidationError

from detectors.strict_values import Day, Moment, Number, Whole

NUMBER, WHOLE = TypeAdapter[float](Number), TypeAdapter[int](Whole)
DAY, MOMENT = TypeAdapter[date](Day), TypeAdapter[datetime](Moment)


def test_a_whole_number_is_a_number_and_text_is_none() -> None:
    assert NUMBER.validate_python(300) == 300.0
    assert WHOLE.validate_python(960.0) == 960
    for value in (True, "300"):
        with pytest.raises(ValidationError):
            NUMBER.validate_python(value)
        with pytest.raises(ValidationError):
            WHOLE.validate_python(value)


def test_dates_and_times_of_toml_and_iso_are_taken() -> None:
    assert DAY.validate_python(date(2026, 10, 1)) == DAY.validate_python("2026-10-01") == date(2026, 10, 1)
    at = datetime(2026, 10, 1, tzinfo=UTC)
    assert MOMENT.validate_python(at) == MOMENT.validate_python("2026-10-01T08:00:00+08:00") == at


@pytest.mark.parametrize(
    ("value", "origin"),
    [
        (46296, "the day number of a spreadsheet"),
        ("46296.33", "the day number of a spreadsheet"),
        (86400, "seconds or milliseconds of Unix"),
        (1790812800000, "seconds or milliseconds of Unix"),
        ("1790812800", "seconds or milliseconds of Unix"),
    ],
)
def test_what_counts_from_somewhere_is_refused_and_named(value: object, origin: str) -> None:
    with pytest.raises(ValidationError, match=f"looks like {origin}; it should be a time with its zone, such as 2026-"):
        MOMENT.validate_python(value)
    with pytest.raises(ValidationError, match=f"looks like {origin}; it should be a date such as 2026-10-01"):
        DAY.validate_python(value)


@pytest.mark.parametrize("value", [True, "2026/10/1 8:00", "1 October", None, []])
def test_what_is_no_time_at_all_says_what_would_be_right(value: object) -> None:
    with pytest.raises(ValidationError, match="is not usable; it should be a time with its zone"):
        MOMENT.validate_python(value)
