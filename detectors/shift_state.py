"""When a camera counts as shifted: a step function over comparisons with its reference.

One comparison may be wrong, and a mast sways: only several in a row, that all say so, count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from detectors.view_shift import ShiftVerdict, ViewShift


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTiming:
    """every_s: between comparisons; doubt_every_s: while the last one says something new; confirm_looks: so many in a
    row are believed; max_gap_s: comparisons farther apart are not in a row"""

    every_s: float = 20.0
    doubt_every_s: float = 5.0
    confirm_looks: int = 3
    max_gap_s: float = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftState:
    """is_shifted: what was reported and holds; against: comparisons in a row that say otherwise, the last one at
    `against_at`; compared_at: the last one of any kind"""

    is_shifted: bool = False
    against: int = 0
    against_at: datetime | None = None
    compared_at: datetime | None = None


def is_comparison_due(state: ShiftState, seen_at: datetime, timing: ShiftTiming) -> bool:
    """Whether a picture of this time (aware, event time) is to be compared."""
    if state.compared_at is None:
        return True
    wait_s = timing.doubt_every_s if state.against else timing.every_s
    return (seen_at - state.compared_at).total_seconds() >= wait_s


def advance_shift(
    state: ShiftState, found: ViewShift, seen_at: datetime, timing: ShiftTiming
) -> tuple[ShiftState, bool]:
    """The state after one more comparison, and whether what is reported has changed. A late one changes nothing."""
    if state.compared_at is not None and seen_at <= state.compared_at:
        return state, False
    state = replace(state, compared_at=seen_at)
    if found.verdict is ShiftVerdict.UNKNOWN:
        return state, False
    if (found.verdict is ShiftVerdict.SHIFTED) == state.is_shifted:
        return replace(state, against=0, against_at=None), False
    is_in_row = state.against_at is not None and (seen_at - state.against_at).total_seconds() <= timing.max_gap_s
    against = state.against + 1 if is_in_row else 1
    if against < timing.confirm_looks:
        return replace(state, against=against, against_at=seen_at), False
    return ShiftState(is_shifted=not state.is_shifted, compared_at=seen_at), True
