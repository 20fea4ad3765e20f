"""A camera counts as shifted after several comparisons in a row, and as ok again the same way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from detectors.shift_state import ShiftState, ShiftTiming, advance_shift, is_comparison_due
from detectors.view_shift import ShiftVerdict, ViewShift

BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
TIMING = ShiftTiming()


def after(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def run(verdicts: str, *, every_s: float = 5.0, state: ShiftState | None = None) -> tuple[ShiftState, list[int]]:
    """The state after comparisons (o: ok, s: shifted, u: unknown), and after which of them something was reported."""
    now = state or ShiftState()
    words = {"o": ShiftVerdict.OK, "s": ShiftVerdict.SHIFTED, "u": ShiftVerdict.UNKNOWN}
    reported = []
    for number, letter in enumerate(verdicts):
        found = ViewShift(verdict=words[letter], shift_px=None, turn_deg=None, tiles=(0, 0))
        now, is_new = advance_shift(now, found, after(number * every_s), TIMING)
        reported += [number] if is_new else []
    return now, reported


@pytest.mark.parametrize(
    ("verdicts", "reported"),
    [
        ("oooo", []),
        ("oss", []),
        ("osss", [3]),
        ("ossosso", []),
        ("osusus", [5]),
        ("sssss", [2]),
        ("sssooo", [2, 5]),
        ("sssoosooo", [2, 8]),
        ("uuuuuuuu", []),
        ("sssuuuuu", [2]),
    ],
)
def test_three_in_a_row_count_and_unknown_neither_way(verdicts: str, reported: list[int]) -> None:
    assert run(verdicts)[1] == reported


def test_comparisons_far_apart_are_not_in_a_row() -> None:
    assert run("sss", every_s=120.0)[1] == [2]
    assert run("ssssss", every_s=121.0)[1] == []


def test_it_looks_again_soon_while_in_doubt() -> None:
    assert is_comparison_due(ShiftState(), BEGAN, TIMING)
    calm = ShiftState(compared_at=BEGAN)
    assert [is_comparison_due(calm, after(s), TIMING) for s in (19.9, 20.0)] == [False, True]
    doubt = ShiftState(compared_at=BEGAN, against=1, against_at=BEGAN)
    assert [is_comparison_due(doubt, after(s), TIMING) for s in (4.9, 5.0)] == [False, True]


def test_a_late_comparison_changes_nothing() -> None:
    state, _ = run("ss")
    late = ViewShift(verdict=ShiftVerdict.SHIFTED, shift_px=9.0, turn_deg=0.0, tiles=(9, 9))
    assert advance_shift(state, late, after(2), TIMING) == (state, False)


def test_a_shift_is_reported_within_half_a_minute() -> None:
    """Compared every 20 s, then every 5: at worst 20 + 5 + 5."""
    now, second, reported = ShiftState(compared_at=BEGAN), 0.0, None
    shifted = ViewShift(verdict=ShiftVerdict.SHIFTED, shift_px=9.0, turn_deg=0.0, tiles=(9, 9))
    while reported is None:
        second += 0.5
        if is_comparison_due(now, after(second), TIMING):
            now, is_new = advance_shift(now, shifted, after(second), TIMING)
            reported = second if is_new else None
    assert reported == 30.0
