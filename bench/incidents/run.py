"""Every scenario through street721 and both baselines, and what each made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.incidents.catalogue import catalogue
from bench.incidents.delivery import Play, play
from bench.incidents.frame_count_loiter import frame_count_loiter
from bench.incidents.product import Told, judged_lines, told_of
from bench.incidents.scenario import Scenario
from bench.incidents.site_files import built_site, site_texts, write_folder
from bench.incidents.track_id_timer import track_id_timer
from bench.incidents.truth import truth_lines
from bench.machine import machine_facts
from geofence.site import Site
from sim.scoring.scoring import score_reports

TOLERANCE_S = 1.0
WAYS: dict[str, Callable[[Play, Site], list[Told]]] = {
    "street721": lambda played, site: told_of(judged_lines(played, site)),
    "track-id timer": track_id_timer,
    "frame-count loiter": frame_count_loiter,
}
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one way made of one scenario, or of all.

    truths:     incidents that were due; matched, duplicates, false_alarms: its reports
    wrong_cells: of the matched
    began_s:    how far each matched one's begin is from the true one, seconds; ended_s: its end, where there is one
    in_time:    of those figures, how many are right to a second or half the frame interval
    places_m:   how far from the true place
    """

    scenario: str
    way: str
    truths: int
    matched: int
    duplicates: int
    false_alarms: int
    wrong_cells: int
    began_s: tuple[float, ...]
    ended_s: tuple[float, ...]
    in_time: int
    places_m: tuple[float, ...]

    @property
    def f1(self) -> float:
        """Of events; 1 where nothing was due and nothing was told."""
        told = self.truths + self.matched + self.duplicates + self.false_alarms
        return 2 * self.matched / told if told else 1.0

    @property
    def reports_per_incident(self) -> float | None:
        """Reports of each incident that was found; None where none was."""
        return (self.matched + self.duplicates) / self.matched if self.matched else None

    @property
    def in_time_share(self) -> float | None:
        """Share of begins and ends that are right; None where there are none."""
        figures = len(self.began_s) + len(self.ended_s)
        return self.in_time / figures if figures else None


def bench_incidents(
    only: Sequence[str] = (), *, seed: int = 0, ways: Iterable[str] = tuple(WAYS), progress: Progress | None = None
) -> list[Outcome]:
    """Outcomes scenario by scenario; raises BenchError for a name that no scenario has."""
    wanted = _wanted(only, seed)
    outcomes: list[Outcome] = []
    for number, scenario in enumerate(wanted, start=1):
        played, site = play(scenario), built_site(scenario)
        outcomes += [outcome_of(scenario, way, WAYS[way](played, site), played) for way in ways]
        if progress is not None:
            progress(number, len(wanted))
    return outcomes


def write_folders(folder: Path, only: Sequence[str] = (), *, seed: int = 0) -> None:
    """Write each scenario into a folder of its name: a site, `frames.jsonl` for `judge`, `truth.jsonl` for `score`."""
    for scenario in _wanted(only, seed):
        played = play(scenario)
        taken_s = sorted({frame.second for frame in played.frames})
        streams = {
            "frames.jsonl": "".join(f"{line}\n" for line in played.lines),
            "truth.jsonl": "".join(f"{line}\n" for line in truth_lines(scenario, taken_s)),
        }
        write_folder(folder / scenario.name, site_texts(scenario) | streams)


def _wanted(only: Sequence[str], seed: int) -> list[Scenario]:
    every = catalogue(seed)
    wanted = [scenario for scenario in every if not only or scenario.name in only]
    if unknown := set(only) - {scenario.name for scenario in wanted}:
        names = ", ".join(scenario.name for scenario in every)
        raise BenchError(f"no scenario {', '.join(sorted(unknown))}; there are {names}")
    return wanted


def outcome_of(scenario: Scenario, way: str, told: Sequence[Told], played: Play) -> Outcome:
    """How right `told` is about the scenario."""
    interval_s = 1 / scenario.delivery.fps
    score = score_reports(played.truths, [one.report for one in told], slack_s=max(10.0, interval_s))
    began = {one.report.incident_id: one.began_at for one in told}
    began_s = [abs((began[match.report.incident_id] - match.truth.began_at).total_seconds()) for match in score.matches]
    ended_s = [abs(match.clearing_late_s) for match in score.matches if match.clearing_late_s is not None]
    limit_s = max(TOLERANCE_S, interval_s / 2) + 1e-3
    return Outcome(
        scenario=scenario.name,
        way=way,
        truths=len(score.matches) + len(score.missed),
        matched=len(score.matches),
        duplicates=len(score.duplicates),
        false_alarms=len(score.false_alarms),
        wrong_cells=len(score.wrong_cells),
        began_s=tuple(round(value, 3) for value in began_s),
        ended_s=tuple(round(value, 3) for value in ended_s),
        in_time=sum(value <= limit_s for value in [*began_s, *ended_s]),
        places_m=tuple(round(match.distance_m, 2) for match in score.matches),
    )


def total_of(outcomes: Sequence[Outcome], way: str) -> Outcome:
    """All scenarios together."""
    own = [outcome for outcome in outcomes if outcome.way == way]
    return Outcome(
        scenario="all",
        way=way,
        truths=sum(one.truths for one in own),
        matched=sum(one.matched for one in own),
        duplicates=sum(one.duplicates for one in own),
        false_alarms=sum(one.false_alarms for one in own),
        wrong_cells=sum(one.wrong_cells for one in own),
        began_s=tuple(value for one in own for value in one.began_s),
        ended_s=tuple(value for one in own for value in one.ended_s),
        in_time=sum(one.in_time for one in own),
        places_m=tuple(value for one in own for value in one.places_m),
    )


def as_text(outcomes: Sequence[Outcome]) -> str:
    """One row for each scenario: due, then F1, reports per incident, times right, wrong cells of every way."""
    ways = list(dict.fromkeys(outcome.way for outcome in outcomes))
    names = list(dict.fromkeys(outcome.scenario for outcome in outcomes))
    by_key = {(outcome.scenario, outcome.way): outcome for outcome in outcomes}
    head = f"{'':17}{'due':>4}" + "".join(f" | {way:^25}" for way in ways)
    lines = [head, f"{'':21}" + " |    F1  told  in time cell" * len(ways)]
    for name in names:
        rows = [by_key[name, way] for way in ways]
        lines.append(f"{name:17}{rows[0].truths:>4}" + "".join(_cells(row) for row in rows))
    totals = [total_of(outcomes, way) for way in ways]
    lines.append(f"{'all':17}{totals[0].truths:>4}" + "".join(_cells(row) for row in totals))
    for total in totals:
        errors = np.array([*total.began_s, *total.ended_s])
        if len(errors):
            lines.append(
                f"{total.way}: begin and end off by {np.median(errors):.2f} s median, "
                f"{np.percentile(errors, 95):.2f} s 95 %; place by {np.median(total.places_m):.2f} m, "
                f"{np.percentile(total.places_m, 95):.2f} m; "
                f"{total.false_alarms} false, {total.truths - total.matched} missed"
            )
    return "\n".join(lines)


def as_json(outcomes: Sequence[Outcome], *, seed: int = 0) -> dict[str, Any]:
    """Every figure, with machine, date and commit."""
    ways = list(dict.fromkeys(outcome.way for outcome in outcomes))
    return {
        "bench": "incidents",
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        **machine_facts(),
        "seed": seed,
        "scenarios": len({outcome.scenario for outcome in outcomes}),
        "all": {way: _facts(total_of(outcomes, way)) for way in ways},
        "each": [_facts(outcome) for outcome in outcomes],
    }


def main() -> None:
    """All scenarios, as a table."""
    print(as_text(bench_incidents()))


def _cells(row: Outcome) -> str:
    told = "–" if row.reports_per_incident is None else f"{row.reports_per_incident:.2f}"
    in_time = "–" if row.in_time_share is None else f"{row.in_time_share:.2f}"
    return f" | {row.f1:5.3f} {told:>5} {in_time:>8} {row.wrong_cells:>4}"


def _facts(outcome: Outcome) -> dict[str, Any]:
    facts = {key: value for key, value in asdict(outcome).items() if key not in {"began_s", "ended_s", "places_m"}}
    errors = np.array([*outcome.began_s, *outcome.ended_s])
    facts |= {"f1": round(outcome.f1, 4), "reports_per_incident": outcome.reports_per_incident}
    if len(errors):
        facts |= {
            "in_time_share": outcome.in_time_share,
            "time_error_p95_s": round(float(np.percentile(errors, 95)), 3),
            "place_error_p95_m": round(float(np.percentile(outcome.places_m, 95)), 3),
        }
    return facts
