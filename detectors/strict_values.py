"""Numbers, days and times in configuration files: taken only as what they are, never guessed from something else."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Strict

from detectors.validation import shown

_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
DAY_EXPECTED = "a date such as 2026-10-01"
TIME_EXPECTED = "a time with its zone, such as 2026-10-01T08:00:00+08:00"
# A spreadsheet counts days from 1900: 73,050 is the year 2100. Seconds of any year since 1970 are far more.
_LAST_SERIAL_DAY = 80_000


def _not_counted(value: object, expected: str) -> object:
    """Refuse what counts days or seconds from somewhere, as a number or in quotes."""
    if isinstance(value, date) or (isinstance(value, str) and _ISO_DAY.match(value)):
        return value
    counted = _number(value)
    if counted is None:
        raise ValueError(f"{shown(value)} is not usable; it should be {expected}")
    origin = "the day number of a spreadsheet" if 0 < counted < _LAST_SERIAL_DAY else "seconds or milliseconds of Unix"
    raise ValueError(f"{shown(value)} looks like {origin}; it should be {expected}")


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _whole(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Number = Annotated[float, Strict()]
"""A number; text and true are none."""
Whole = Annotated[int, BeforeValidator(_whole), Strict()]
"""A whole number, 960.0 as well; text and true are none."""
Day = Annotated[date, BeforeValidator(lambda value: _not_counted(value, DAY_EXPECTED))]
"""A date as TOML or ISO 8601 has it."""
Moment = Annotated[AwareDatetime, BeforeValidator(lambda value: _not_counted(value, TIME_EXPECTED))]
"""A time with its zone as TOML or ISO 8601 has it."""
