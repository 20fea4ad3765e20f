"""``holidays.toml``: the days off of a year, and the weekend days that are worked for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detectors.strict_values import DAY_EXPECTED, Day
from geofence.errors import Faults, SiteError
from geofence.site_text import refuse_invalid, toml_table

HOLIDAYS_FILE = "holidays.toml"
_MONDAY, _SATURDAY = 0, 5


@dataclass(frozen=True, slots=True)
class Holidays:
    """off: days off; worked: Saturdays and Sundays on which people work, and signs mean a working day."""

    off: frozenset[date] = frozenset()
    worked: frozenset[date] = frozenset()

    def weekday(self, day: date) -> int:
        """0 for Monday … 6 for Sunday; a worked Saturday or Sunday counts as a Monday."""
        return _MONDAY if day in self.worked else day.weekday()


NO_HOLIDAYS = Holidays()


class _HolidaysFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    off: list[Day] = Field(default=[], description=f"a list, each {DAY_EXPECTED}")
    worked: list[Day] = Field(default=[], description="a list of Saturdays and Sundays such as 2026-10-10")


def parse_holidays(text: str, *, file: str = HOLIDAYS_FILE) -> Holidays:
    """Days written in `text`; raises SiteError, one line with file, key, value and what would be right."""
    try:
        parsed = _HolidaysFile.model_validate(toml_table(text, file))
    except ValidationError as error:
        refuse_invalid(file, error, _HolidaysFile)
    faults = Faults()
    for row, day in enumerate(parsed.worked):
        if day.weekday() < _SATURDAY:
            problem = f"{day} is a {day:%A}, worked anyway; it should be a weekend day"
            faults.add(SiteError(file, f"worked[{row}]", problem))
        if day in parsed.off:
            problem = f"{day} is off as well; it should be in one of the two lists"
            faults.add(SiteError(file, f"worked[{row}]", problem))
    faults.raise_any()
    return Holidays(frozenset(parsed.off), frozenset(parsed.worked))
