"""Hot path: how many looks a camera needs. Every look is an inference; the cheapest picture is the one not looked at.

One simulated day, its boxes by geometry with misses, judged by the product's own rules three times: at every frame of
five a second (reference), by Frigate's rule, and by the rules' deadlines as the gateway does it. Frigate's rule, by
its own defaults (e3fa70189): five frames a second where something moves, every frame until a tracked thing has stood
still for 50 frames, then a look every 50 frames; forgotten when not seen for 25. It is given perfect motion detection
(no rain, no shadows), and each of its looks counts once and sees the whole picture, while Frigate infers once per
moving region.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bench.machine import machine_facts
from bench.seen_boxes import BoxCamera, SeenFrame, corners_of
from bench.street_day import FRAMES_PER_S, street_hour
from detectors.adapters.lanes import usable_cores
from geofence.adapters.site_folder import load_site
from geofence.judge import judge_frame
from geofence.recorded import format_event
from geofence.sampling import SamplingSettings, delay_bound_s, is_due
from geofence.site import Site
from geofence.timeline import CameraState
from sim.adapters.site_folder import write_site
from sim.play import Play
from sim.scenario import Scenario
from sim.scoring.score import Score
from sim.scoring.scoring import score_reports
from sim.scoring.scoring_input import parse_events, parse_truth

EVERY, FRIGATE, DEADLINE = "every frame, 5/s", "Frigate's rule", "by deadline"
_HOURS_A_DAY = 24
_HOUR_S = 3600.0
_STILL_S = 50 / FRAMES_PER_S
_RECHECK_S = 50 / FRAMES_PER_S
_FORGOTTEN_S = 25 / FRAMES_PER_S
_MOTION_SHARE = 10 / (100 * 100 * 16 / 9)
"""Frigate's motion: a contour of ten pixels in a picture of one hundred rows."""

Progress = Callable[[int, int], None]


class Way(Protocol):
    """Which frames of one camera are looked at."""

    def wants(self, frame: SeenFrame, at: datetime, state: CameraState) -> bool:
        """Whether to look at a frame; state: what the rules remember of the looks so far."""


class EveryFrame:
    """Each of them."""

    def wants(self, frame: SeenFrame, at: datetime, state: CameraState) -> bool:  # noqa: ARG002
        """See `Way.wants`."""
        return True


class ByDeadline:
    """What the gateway does with `[frames] sampling = "deadline"`."""

    def __init__(self, site: Site) -> None:
        self._rules = site.config.dwell
        self._settings = SamplingSettings()

    def wants(self, frame: SeenFrame, at: datetime, state: CameraState) -> bool:  # noqa: ARG002
        """See `Way.wants`."""
        return is_due(at, state.last_frame_at, state, self._rules, self._settings)


class FrigatesRule:
    """Motion, tracking and re-checks of what stands still; see the head of this file. What is too small for its motion
    detector is not there."""

    def __init__(self) -> None:
        self._tracks: dict[str, tuple[float, float]] = {}
        """second of the last motion and of the last sight"""
        self._looked_s = -math.inf

    def wants(self, frame: SeenFrame, at: datetime, state: CameraState) -> bool:  # noqa: ARG002
        """See `Way.wants`."""
        kept = {body_id: own for body_id, own in self._tracks.items() if frame.second - own[1] < _FORGOTTEN_S}
        for body_id, is_moving, share in zip(frame.ids, frame.is_moving, frame.shares, strict=True):
            if share >= _MOTION_SHARE:
                moved_s = frame.second if is_moving or body_id not in kept else kept[body_id][0]
                kept[body_id] = (moved_s, frame.second)
        self._tracks = kept
        is_tracking = any(frame.second - moved_s < _STILL_S for moved_s, _ in kept.values())
        is_recheck = bool(kept) and frame.second - self._looked_s >= _RECHECK_S - 1e-6
        if is_tracking or is_recheck:
            self._looked_s = frame.second
            return True
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class WayResult:
    """How often one way looked, and what came of it."""

    looks: int
    score: Score

    def looks_per_h(self, camera_hours: float) -> float:
        """Inferences per camera and hour."""
        return self.looks / camera_hours


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingResult:
    """One day by every way.

    later_s: by how much later than at every frame each incident was opened
    bound_s: the stated bound of that by deadline, for a detector that misses nothing
    """

    hours: tuple[int, ...]
    cameras: int
    missed: float
    ways: dict[str, WayResult]
    later_s: dict[str, tuple[float, ...]]
    bound_s: float

    @property
    def camera_hours(self) -> float:
        """Hours times cameras."""
        return len(self.hours) * self.cameras

    def to_json(self) -> dict[str, Any]:
        """Every figure, with machine, date and commit."""
        return {
            "bench": "sampling",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **machine_facts(),
            "hours": list(self.hours),
            "cameras": self.cameras,
            "missed": self.missed,
            "bound_s": self.bound_s,
            "ways": {name: self._way_json(name) for name in self.ways},
        }

    def _way_json(self, name: str) -> dict[str, Any]:
        way, later_s = self.ways[name], self.later_s[name]
        total = way.score.total
        return {
            "looks_per_camera_hour": round(way.looks_per_h(self.camera_hours), 1),
            "truths": total.truths,
            "matched": total.matched,
            "duplicates": total.duplicates,
            "false_alarms": total.false_alarms,
            "of_things_half_in_view": len(way.score.of_unseen),
            "f1": total.f1,
            "opening_late_median_s": total.opening_late_median_s,
            "opening_late_p95_s": total.opening_late_p95_s,
            "clearing_late_median_s": total.clearing_late_median_s,
            "later_than_every_frame_p95_s": _percentile(later_s, 95),
            "later_than_every_frame_max_s": max(later_s, default=None),
        }


def bench_sampling(
    *, hours: int = 6, missed: float = 0.1, seed: int = 1, progress: Progress | None = None
) -> SamplingResult:
    """Play so many hours, spread evenly over the day, and judge them by every way; one process per core.

    missed: share of sightings that the detector misses, 0..1
    """
    chosen = tuple(number * _HOURS_A_DAY // hours for number in range(hours))
    with ProcessPoolExecutor(usable_cores(), mp_context=get_context("spawn")) as pool:
        playing = [pool.submit(play_hour, hour, missed=missed, seed=seed) for hour in chosen]
        for number, _ in enumerate(as_completed(playing), start=1):
            if progress is not None:
                progress(number, len(playing))
        played = {hour: future.result() for hour, future in zip(chosen, playing, strict=True)}
    return day_of(played, missed=missed)


def day_of(played: Mapping[int, PlayedHour], *, missed: float) -> SamplingResult:
    """All hours that were played, by the hour, as one result."""
    hours = list(played.values())
    ways = {
        name: WayResult(
            looks=sum(hour.looks[name] for hour in hours), score=_joined(hour.scores[name] for hour in hours)
        )
        for name in (EVERY, FRIGATE, DEADLINE)
    }
    return SamplingResult(
        hours=tuple(played),
        cameras=hours[0].cameras,
        missed=missed,
        ways=ways,
        later_s={name: tuple(later for hour in hours for later in hour.later_s(name)) for name in ways},
        bound_s=hours[0].bound_s + 2 / FRAMES_PER_S,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedHour:
    """What every way made of one hour."""

    cameras: int
    bound_s: float
    looks: dict[str, int]
    scores: dict[str, Score]

    def later_s(self, name: str) -> list[float]:
        """For every incident that both found: how much later it was opened than by looking at every frame."""
        own, every = (
            {match.truth.id: match.opening_late_s for match in self.scores[way].matches} for way in (name, EVERY)
        )
        return [own[truth_id] - every[truth_id] for truth_id in own.keys() & every.keys()]


def play_hour(hour: int, *, missed: float, seed: int, seconds: float = _HOUR_S) -> PlayedHour:
    """One hour of the day by every way."""
    scenario = street_hour(hour, seed=seed)
    with tempfile.TemporaryDirectory(prefix="street721-bench-") as folder:
        write_site(scenario, Path(folder))
        site = load_site(Path(folder))
    ways: dict[str, Callable[[], Way]] = {
        EVERY: EveryFrame,
        FRIGATE: FrigatesRule,
        DEADLINE: partial(ByDeadline, site),
    }
    judges = {
        name: {camera.id: _Judge(site, camera.id, make()) for camera in scenario.cameras} for name, make in ways.items()
    }
    truth = _play(scenario, site, judges, missed=missed, seed=seed, seconds=seconds)
    return PlayedHour(
        cameras=len(scenario.cameras),
        bound_s=delay_bound_s(site.config.dwell, SamplingSettings()),
        looks={name: sum(judge.looks for judge in own.values()) for name, own in judges.items()},
        scores={
            name: _joined(_scored(truth, camera_id, judge.events) for camera_id, judge in own.items())
            for name, own in judges.items()
        },
    )


@dataclass(slots=True)
class _Judge:
    """The product's rules on what one way looks at of one camera."""

    site: Site
    camera_id: str
    way: Way
    state: CameraState = field(default_factory=CameraState)
    looks: int = 0
    events: list[str] = field(default_factory=list)

    def take(self, frame: SeenFrame, at: datetime) -> None:
        """Look at the frame, if the way wants it."""
        if self.way.wants(frame, at, self.state):
            self.looks += 1
            self.state, events = judge_frame(self.site, self.camera_id, at, frame.detections, self.state)
            self.events += map(format_event, events)


def _play(
    scenario: Scenario,
    site: Site,
    judges: Mapping[str, Mapping[str, _Judge]],
    *,
    missed: float,
    seed: int,
    seconds: float,
) -> list[str]:
    """Show every frame to every judge; returns the true incidents as lines."""
    play = Play(scenario, begins_at=scenario.begins_at)
    cameras = [
        (part.id, BoxCamera(part.id, part.pinhole(), site.classes, missed=missed, seed=seed))
        for part in scenario.cameras
    ]
    ended = []
    for number in range(round(seconds * FRAMES_PER_S)):
        second = number / FRAMES_PER_S
        ended += play.judge_until(second)
        bodies = play.world.bodies_at(second)
        corners_m = corners_of(bodies)
        at = play.begins_at + timedelta(seconds=second)
        for camera_id, camera in cameras:
            frame = camera.look(second, bodies, corners_m)
            for own in judges.values():
                own[camera_id].take(frame, at)
    ended += [*play.judge_until(seconds), *play.still_open(seconds)]
    return [play.truth.event_line(number, incident) for number, incident in enumerate(ended, start=1)]


def _scored(truth: Sequence[str], camera_id: str, events: Sequence[str]) -> Score:
    """One camera for itself, against what it alone could notice: two cameras that see the same are another matter."""
    seen = [
        one.model_copy(
            update={"id": f"{camera_id} {one.id}", "sources": tuple(name for name in one.sources if name == camera_id)}
        )
        for one in parse_truth(truth)
    ]
    return score_reports(seen, parse_events(events))


def _joined(scores: Iterable[Score]) -> Score:
    every = list(scores)
    return Score(
        matches=tuple(match for score in every for match in score.matches),
        duplicates=tuple(one for score in every for one in score.duplicates),
        false_alarms=tuple(alarm for score in every for alarm in score.false_alarms),
        missed=tuple(one for score in every for one in score.missed),
        unseen=tuple(one for score in every for one in score.unseen),
        of_unseen=tuple(report for score in every for report in score.of_unseen),
    )


def _percentile(values: Sequence[float], share: float) -> float | None:
    return float(np.percentile(values, share)) if values else None


def as_text(result: SamplingResult) -> str:
    """A table to read."""
    every_per_h = result.ways[EVERY].looks_per_h(result.camera_hours)
    lines = [
        f"{len(result.hours)} hours of a day, {result.cameras} cameras at {FRAMES_PER_S:g} frames/s, "
        f"{result.missed:.0%} of sightings missed. Incidents per camera, against what it sees; "
        "half seen: reports of things that are not wholly in its picture",
        f"{'':18s} {'looks/h':>9s} {'fewer':>7s}  {'truths':>6s} {'found':>6s} {'twice':>6s} {'false':>6s} "
        f"{'half seen':>9s} {'F1':>6s}  "
        f"{'opened late (median, p95)':>26s}  {'later than every frame (p95, most)':>34s}",
    ]
    for name, way in result.ways.items():
        total, per_h = way.score.total, way.looks_per_h(result.camera_hours)
        late = f"{total.opening_late_median_s or 0:.1f} s, {total.opening_late_p95_s or 0:.1f} s"
        later_s = result.later_s[name]
        later = f"{_percentile(later_s, 95) or 0:.1f} s, {max(later_s, default=0):.1f} s"
        lines.append(
            f"{name:18s} {per_h:9.0f} {every_per_h / max(per_h, 1e-9):6.1f}x  {total.truths:6d} {total.matched:6d} "
            f"{total.duplicates:6d} {total.false_alarms:6d} {len(way.score.of_unseen):9d} {total.f1 or 0:6.3f}  "
            f"{late:>26s}  {later:>34s}"
        )
    lines.append(f"stated bound of the delay by deadline, for a detector that misses nothing: {result.bound_s:.1f} s")
    return "\n".join(lines)


def main() -> None:
    """Two hours of the day; more are `street721 bench sampling`."""
    print(as_text(bench_sampling(hours=2)))
