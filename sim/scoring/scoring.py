"""Matches what the product reported to what was true on the simulated street, one to one.

A report fits a truth when its kind is right for it, it lies within `max_distance_m`, and its time overlaps the
truth's, widened by `slack_s` at both ends. As many pairs as possible are made, near and punctual ones first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from sim.scoring.assignment import cheapest_matching
from sim.scoring.score import Duplicate, FalseAlarm, Figures, Match, Score, table_rows
from sim.scoring.scoring_input import Report, ScoringError, Truth, parse_events, parse_truth
from sim.street.earth import EarthFrame

__all__ = [
    "Duplicate",
    "FalseAlarm",
    "Figures",
    "Match",
    "Report",
    "Score",
    "ScoringError",
    "Truth",
    "parse_events",
    "parse_truth",
    "score_reports",
    "table_rows",
]

# Opened this long before or after it was due weighs half as much as lying at the distance limit.
_HALF_WEIGHT_S = 30.0
# More than any near and punctual pair costs: what no device could see is told only by a report without another truth.
_UNSEEN_COST = 2.0
_FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fit:
    """How a report lies to a truth of its kind; late_s: opened after it was due, None when it never was.

    gap_s: seconds between their times, 0 where they overlap
    """

    distance_m: float
    gap_s: float
    late_s: float | None


def score_reports(
    truths: Sequence[Truth], reports: Sequence[Report], *, max_distance_m: float = 3.0, slack_s: float = 10.0
) -> Score:
    """The score of `reports`; raises ValueError for limits that are not positive (slack_s may be 0)."""
    if not max_distance_m > 0 or not slack_s >= 0:
        raise ValueError(f"max_distance_m {max_distance_m:g} must be above 0, and slack_s {slack_s:g} 0 or more")
    near = {
        pair: fit
        for pair, fit in _same_kind(truths, reports)
        if fit.distance_m <= max_distance_m and fit.gap_s <= slack_s
    }
    costs = {
        (row, column): _cost(fit.distance_m / max_distance_m, fit.late_s, truths[column])
        for (row, column), fit in near.items()
        if fit.late_s is not None and fit.late_s >= -slack_s
    }
    pairs = cheapest_matching(costs)
    told = {truths[column].id for column in pairs.values()}
    extra = _extra(pairs, costs)
    lone = sorted(set(range(len(reports))) - set(pairs) - set(extra))
    of_unseen = sorted(row for row, column in (pairs | extra).items() if not truths[column].is_seen)
    return Score(
        matches=_matches(truths, reports, pairs, near),
        duplicates=tuple(
            Duplicate(truth=truths[column], report=reports[row])
            for row, column in sorted(extra.items())
            if truths[column].is_seen
        ),
        false_alarms=_false_alarms(truths, reports, lone, near),
        missed=tuple(truth for truth in truths if truth.due_at is not None and truth.is_seen and truth.id not in told),
        unseen=tuple(truth for truth in truths if truth.due_at is not None and not truth.is_seen),
        of_unseen=tuple(reports[row] for row in of_unseen),
    )


def _same_kind(truths: Sequence[Truth], reports: Sequence[Report]) -> Iterator[tuple[tuple[int, int], _Fit]]:
    """Every (report, truth) pair whose kind is right, and how they lie to each other."""
    if not truths or not reports:
        return
    frame = EarthFrame(lat=truths[0].lat, lng=truths[0].lng)
    truth_m, report_m = (
        frame.to_local(np.array([(one.lat, one.lng) for one in places])) for places in (truths, reports)
    )
    for row, report in enumerate(reports):
        # Places are written to 1e-8 degrees: below a millimetre a distance says nothing.
        distances_m = np.hypot(*(truth_m - report_m[row]).T).round(3).tolist()
        for column, truth in enumerate(truths):
            if report.kind == truth.kind or report.kind in truth.also:
                late_s = None if truth.due_at is None else (report.opened_at - truth.due_at).total_seconds()
                yield (row, column), _Fit(distance_m=distances_m[column], gap_s=_gap_s(report, truth), late_s=late_s)


def _gap_s(report: Report, truth: Truth) -> float:
    before = truth.began_at - (report.cleared_at or _FOREVER)
    after = report.opened_at - (truth.ended_at or _FOREVER)
    return max(before.total_seconds(), after.total_seconds(), 0.0)


def _cost(distance_share: float, late_s: float, truth: Truth) -> float:
    time_share = abs(late_s) / (abs(late_s) + _HALF_WEIGHT_S)
    return distance_share + time_share + (0.0 if truth.is_seen else _UNSEEN_COST)


def _extra(pairs: Mapping[int, int], costs: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """Unmatched report → the truth that it fits best; another report has it, or the matching were not maximal."""
    best: dict[int, int] = {}
    for (row, column), _ in sorted(costs.items(), key=lambda item: (item[1], item[0])):
        if row not in pairs:
            best.setdefault(row, column)
    return best


def _matches(
    truths: Sequence[Truth], reports: Sequence[Report], pairs: Mapping[int, int], near: Mapping[tuple[int, int], _Fit]
) -> tuple[Match, ...]:
    """The pairs whose truth a device could see, in the order of the truths."""
    matches = []
    for row, column in sorted(pairs.items(), key=lambda pair: pair[1]):
        truth, report, fit = truths[column], reports[row], near[row, column]
        if not truth.is_seen:
            continue
        clearing = report.cleared_at - truth.ended_at if report.cleared_at and truth.ended_at else None
        matches.append(
            Match(
                truth=truth,
                report=report,
                distance_m=fit.distance_m,
                opening_late_s=fit.late_s or 0.0,
                clearing_late_s=None if clearing is None else clearing.total_seconds(),
            )
        )
    return tuple(matches)


def _false_alarms(
    truths: Sequence[Truth], reports: Sequence[Report], rows: Sequence[int], near: Mapping[tuple[int, int], _Fit]
) -> tuple[FalseAlarm, ...]:
    """What the reports `rows` are that no due truth explains; a near truth left for them was not due."""
    alone = [reports[row] for row in rows]
    of_kind: dict[int, list[tuple[Truth, _Fit]]] = defaultdict(list)
    for (number, column), fit in _same_kind(truths, alone):
        of_kind[rows[number]].append((truths[column], fit))
    early: dict[int, list[tuple[Truth, _Fit]]] = defaultdict(list)
    for (row, column), fit in near.items():
        early[row].append((truths[column], fit))
    return tuple(_false_alarm(reports[row], early[row], of_kind[row]) for row in rows)


def _false_alarm(
    report: Report, early: Sequence[tuple[Truth, _Fit]], of_kind: Sequence[tuple[Truth, _Fit]]
) -> FalseAlarm:
    if not of_kind:
        return FalseAlarm(report=report, reason=f"no truth of kind {report.kind}")
    # One second away counts like one metre.
    truth, fit = min(early or of_kind, key=lambda one: (one[1].distance_m + one[1].gap_s, one[0].id))
    if not early:
        reason = f"nearest truth of kind {report.kind}: {truth.id}, {fit.distance_m:.2f} m and {fit.gap_s:.1f} s away"
    elif fit.late_s is None:
        reason = f"truth not yet due: {truth.id} never lasted long enough"
    else:
        reason = f"truth not yet due: {truth.id} was due {-fit.late_s:.1f} s later"
    return FalseAlarm(report=report, reason=reason, nearest_id=truth.id, distance_m=fit.distance_m, gap_s=fit.gap_s)
