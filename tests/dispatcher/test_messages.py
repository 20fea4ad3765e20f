"""Case numbers: 19 digits that say where, when and which."""

from __future__ import annotations

from datetime import date

import pytest

from dispatcher.errors import CaseNumberError
from dispatcher.messages import format_case_no

DAY = date(2026, 11, 24)


def test_case_no_is_adcode_local_day_and_five_digits() -> None:
    assert format_case_no("110101", DAY, 7) == "1101012026112400007"


def test_case_no_keeps_leading_zeros_of_nothing_but_the_sequence() -> None:
    assert format_case_no("110101", DAY, 99_999) == "1101012026112499999"


@pytest.mark.parametrize("sequence", [0, 100_000, -1])
def test_sequence_outside_five_digits_is_refused(sequence: int) -> None:
    with pytest.raises(CaseNumberError, match="outside 1..99999"):
        format_case_no("110101", DAY, sequence)


@pytest.mark.parametrize("adcode", ["11010", "1101011", "11010A", "", "１１０１０１"])
def test_adcode_that_is_not_six_digits_is_refused(adcode: str) -> None:
    with pytest.raises(CaseNumberError, match="not 6 digits"):
        format_case_no(adcode, DAY, 1)
