"""Codes of cells: two ways to put them together, and cells of another county."""

from __future__ import annotations

import pytest

from geofence.cell_codes import GB15, LOCAL16, PROFILES, CodeProfile, foreign_codes


@pytest.mark.parametrize("profile", PROFILES.values())
def test_parts_make_up_the_whole(profile: CodeProfile) -> None:
    assert profile.is_right("1" * profile.length)
    assert not profile.is_right("1" * (profile.length - 1))
    assert profile.expected.startswith(str(profile.length))


def test_a_code_of_one_profile_is_none_of_the_other() -> None:
    assert GB15.is_right("110101001001001")
    assert not LOCAL16.is_right("110101001001001")


def test_cells_of_another_county_than_most_are_foreign() -> None:
    codes = ["110101001001001", "110101002001001", "310101001001001"]
    assert foreign_codes(codes, GB15) == ["310101001001001"]
    assert foreign_codes(codes[:2], GB15) == []
