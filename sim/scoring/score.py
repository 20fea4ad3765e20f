"""What the product got right and wrong against the simulator's truth: figures, lists, JSON and table rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from sim.scoring.scoring_input import Report, Truth

ALL_KINDS = "all"
_NONE = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A report and the truth that it is right about.

    opening_late_s:  opened after due_at, negative before it
    clearing_late_s: cleared after ended_at; None while either is still open
    """

    truth: Truth
    report: Report
    distance_m: float
    opening_late_s: float
    clearing_late_s: float | None

    @property
    def is_cell_wrong(self) -> bool:
        """Whether the report names another cell than the truth; outside the grid no cell is wrong."""
        return self.truth.cell is not None and self.report.cell != self.truth.cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicate:
    """A further report of a truth that another report has already told."""

    truth: Truth
    report: Report


@dataclass(frozen=True, slots=True, kw_only=True)
class FalseAlarm:
    """A report of nothing that should have been reported; the nearest truth of its kind, where there is one.

    gap_s: seconds between the report's and the truth's time, 0 where they overlap
    """

    report: Report
    reason: str
    nearest_id: str | None = None
    distance_m: float | None = None
    gap_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one kind, or of all; None where a figure is undefined.

    truths:   that were due and that a device could see; unseen: due, but seen by none
    reports:  matched + duplicates + false_alarms; reports of what no device could see are left out
    A matched report counts under the kind of its truth, a false alarm under its own.
    f1:       None where precision or recall is
    """

    kind: str
    truths: int
    unseen: int
    reports: int
    matched: int
    duplicates: int
    false_alarms: int
    wrong_cells: int
    precision: float | None
    recall: float | None
    f1: float | None
    duplicates_per_incident: float | None
    opening_late_median_s: float | None
    opening_late_p95_s: float | None
    clearing_late_median_s: float | None
    distance_median_m: float | None
    distance_max_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Everything that scoring found; each list in the order of truth or reports.

    missed: truths that were due, that a device could see, and that nobody reported
    unseen: truths that were due and that no device could see; of_unseen: reports that fit only these
    """

    matches: tuple[Match, ...]
    duplicates: tuple[Duplicate, ...]
    false_alarms: tuple[FalseAlarm, ...]
    missed: tuple[Truth, ...]
    unseen: tuple[Truth, ...]
    of_unseen: tuple[Report, ...]

    @property
    def wrong_cells(self) -> tuple[Match, ...]:
        """Matches whose report names another cell than the truth."""
        return tuple(match for match in self.matches if match.is_cell_wrong)

    @property
    def total(self) -> Figures:
        """The figures over all kinds."""
        return self._figures(ALL_KINDS, self._kinds)

    @property
    def by_kind(self) -> tuple[Figures, ...]:
        """The figures of every kind that occurs, by name."""
        return tuple(self._figures(kind, {kind}) for kind in sorted(self._kinds))

    @property
    def _kinds(self) -> set[str]:
        told = {match.truth.kind for match in self.matches}
        untold = {truth.kind for truth in (*self.missed, *self.unseen)}
        return told | untold | {alarm.report.kind for alarm in self.false_alarms}

    def _figures(self, name: str, kinds: Collection[str]) -> Figures:
        matches = [match for match in self.matches if match.truth.kind in kinds]
        missed = sum(truth.kind in kinds for truth in self.missed)
        duplicates = sum(one.truth.kind in kinds for one in self.duplicates)
        false_alarms = sum(alarm.report.kind in kinds for alarm in self.false_alarms)
        truths, reports = len(matches) + missed, len(matches) + duplicates + false_alarms
        precision, recall = _share(len(matches), reports), _share(len(matches), truths)
        opening = [match.opening_late_s for match in matches]
        clearing = [match.clearing_late_s for match in matches if match.clearing_late_s is not None]
        distance = [match.distance_m for match in matches]
        return Figures(
            kind=name,
            truths=truths,
            unseen=sum(truth.kind in kinds for truth in self.unseen),
            reports=reports,
            matched=len(matches),
            duplicates=duplicates,
            false_alarms=false_alarms,
            wrong_cells=sum(match.is_cell_wrong for match in matches),
            precision=precision,
            recall=recall,
            f1=None if precision is None or recall is None else _share(2 * len(matches), truths + reports),
            duplicates_per_incident=_share(duplicates, len(matches)),
            opening_late_median_s=_percentile(opening, 50),
            opening_late_p95_s=_percentile(opening, 95),
            clearing_late_median_s=_percentile(clearing, 50),
            distance_median_m=_percentile(distance, 50),
            distance_max_m=max(distance, default=None),
        )

    def to_json(self) -> str:
        """One line of JSON: the figures of all and of every kind, and each list."""
        return json.dumps(
            {
                ALL_KINDS: asdict(self.total),
                "kinds": {figures.kind: asdict(figures) for figures in self.by_kind},
                "matches": [_match_facts(match) for match in self.matches],
                "wrong_cells": [_cell_facts(match) for match in self.wrong_cells],
                "missed": [_truth_facts(truth) for truth in self.missed],
                "unseen": [_truth_facts(truth) for truth in self.unseen],
                "duplicates": [{"truth": one.truth.id, **_report_facts(one.report)} for one in self.duplicates],
                "false_alarms": [_alarm_facts(alarm) for alarm in self.false_alarms],
                "of_unseen": [_report_facts(report) for report in self.of_unseen],
            },
            ensure_ascii=False,
        )


def table_rows(score: Score) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(heading, cells) of each row: first the names of the columns, then every kind, at last all of them."""
    yield "kind", tuple(name for name, _ in _COLUMNS)
    for figures in (*score.by_kind, score.total):
        yield figures.kind, tuple(cell(figures) for _, cell in _COLUMNS)


def _text(value: float | None, form: str) -> str:
    return _NONE if value is None else format(value, form)


_COLUMNS: tuple[tuple[str, Callable[[Figures], str]], ...] = (
    ("truths", lambda one: str(one.truths)),
    ("reports", lambda one: str(one.reports)),
    ("matched", lambda one: str(one.matched)),
    ("precision", lambda one: _text(one.precision, ".3f")),
    ("recall", lambda one: _text(one.recall, ".3f")),
    ("F1", lambda one: _text(one.f1, ".3f")),
    ("duplicates", lambda one: str(one.duplicates)),
    ("false alarms", lambda one: str(one.false_alarms)),
    ("wrong cells", lambda one: str(one.wrong_cells)),
    ("unseen", lambda one: str(one.unseen)),
    ("opening s (median / p95)", lambda one: _two(one.opening_late_median_s, one.opening_late_p95_s, "+.1f")),
    ("clearing s (median)", lambda one: _text(one.clearing_late_median_s, "+.1f")),
    ("distance m (median / max)", lambda one: _two(one.distance_median_m, one.distance_max_m, ".2f")),
)


def _two(first: float | None, second: float | None, form: str) -> str:
    return f"{_text(first, form)} / {_text(second, form)}"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _percentile(values: Sequence[float], percent: float) -> float | None:
    return float(np.percentile(values, percent)) if values else None


def _truth_facts(truth: Truth) -> dict[str, Any]:
    return truth.model_dump(mode="json")


def _report_facts(report: Report) -> dict[str, Any]:
    return {
        "incident_id": report.incident_id,
        "kind": report.kind,
        "lat": report.lat,
        "lng": report.lng,
        "opened_at": report.opened_at.isoformat(),
        "cleared_at": None if report.cleared_at is None else report.cleared_at.isoformat(),
    }


def _match_facts(match: Match) -> dict[str, Any]:
    errors = ("distance_m", "opening_late_s", "clearing_late_s")
    return {
        "truth": match.truth.id,
        "incident_id": match.report.incident_id,
        **{name: getattr(match, name) for name in errors},
    }


def _cell_facts(match: Match) -> dict[str, Any]:
    return {
        "truth": match.truth.id,
        "incident_id": match.report.incident_id,
        "right": match.truth.cell,
        "reported": match.report.cell,
    }


def _alarm_facts(alarm: FalseAlarm) -> dict[str, Any]:
    nearest = {name: getattr(alarm, name) for name in ("reason", "nearest_id", "distance_m", "gap_s")}
    return _report_facts(alarm.report) | nearest
