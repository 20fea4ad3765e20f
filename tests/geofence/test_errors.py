"""Faults that are kept, and lines that say the same of many things."""

from __future__ import annotations

import pytest

from geofence.errors import Faults, GeofenceError, grouped


def test_a_fault_is_kept_with_what_it_brings_along() -> None:
    faults, error = Faults(), GeofenceError("one")
    error.others = (GeofenceError("two"),)
    with faults.collect():
        raise error
    faults.add(GeofenceError("three"))
    with pytest.raises(GeofenceError) as caught:
        faults.raise_any()
    assert [str(one) for one in caught.value.every] == ["one", "two", "three"]


def test_an_error_of_another_kind_is_not_kept() -> None:
    with pytest.raises(ZeroDivisionError), Faults().collect():
        raise ZeroDivisionError


@pytest.mark.parametrize(("count", "lines"), [(5, 5), (6, 1)])
def test_lines_that_differ_in_numbers_and_names_only_are_told_once(count: int, lines: int) -> None:
    alike = [f"zones.geojson: features[{n}] (zone walk-{'abcdefg'[n]}): lat {n}.5 is wrong" for n in range(count)]
    told = grouped(["first", *alike, "last"])
    assert (told[0], told[-1], len(told)) == ("first", "last", lines + 2)
    if lines == 1:
        assert told[1] == f"{alike[0]} (and 5 more like it)"


def test_thousands_have_their_comma() -> None:
    assert grouped(f"cell {n} is wrong" for n in range(3600)) == ["cell 0 is wrong (and 3,599 more like it)"]
