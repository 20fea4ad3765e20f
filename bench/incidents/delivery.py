"""From seconds of a scenario to what arrives: frames with the times that the camera says, in the order they come."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from bench.incidents.boxes import Detection, Detector
from bench.incidents.scenario import CAMERA_ID, Delivery, Scenario
from bench.incidents.truth import truths_of
from sim.moments import moment_after
from sim.scoring.scoring_input import Truth

_LEAST_INTERVAL = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame as it arrives; second: when it was taken, captured_at: what the camera says."""

    second: float
    captured_at: datetime
    detections: tuple[Detection, ...]

    def line(self, size_px: tuple[int, int]) -> str:
        """A line for `street721 judge`."""
        return json.dumps(
            {
                "camera_id": CAMERA_ID,
                "captured_at": self.captured_at.isoformat(),
                "size_px": list(size_px),
                "detections": [
                    {"class": one.class_name, "confidence": one.confidence, "xyxy": list(one.xyxy)}
                    for one in self.detections
                ],
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """A scenario that has been played: its frames in the order they arrive, and what was true."""

    scenario: Scenario
    frames: tuple[Frame, ...]
    truths: tuple[Truth, ...]

    @property
    def lines(self) -> list[str]:
        """The frames as `street721 judge` reads them."""
        return [frame.line(self.scenario.camera.size_px) for frame in self.frames]


def play(scenario: Scenario) -> Play:
    """Take, look at and deliver all frames of a scenario."""
    chance = np.random.default_rng((scenario.chance_key, 1))
    taken_s = frame_seconds(scenario.delivery, scenario.seconds, chance)
    detector = Detector(scenario)
    offsets_s = _clock_errors(scenario.delivery, taken_s)
    frames = [
        Frame(
            second=second,
            captured_at=_stamp(scenario, second + offset_s),
            detections=tuple(detector.look(second)),
        )
        for second, offset_s in zip(taken_s, offsets_s, strict=True)
    ]
    arrived = _arriving(frames, scenario.delivery, chance)
    return Play(scenario=scenario, frames=tuple(arrived), truths=tuple(truths_of(scenario, taken_s)))


def frame_seconds(delivery: Delivery, seconds: float, chance: np.random.Generator) -> list[float]:
    """When the camera takes its frames, to the millisecond."""
    interval_s = 1 / delivery.fps
    taken: list[float] = []
    second = 0.0
    number = 0
    while second < seconds:
        if not any(from_s <= second < until_s for from_s, until_s in delivery.silent):
            taken.append(round(second, 3))
        number += 1
        if delivery.jitter:
            second += interval_s * max(_LEAST_INTERVAL, 1 + chance.normal(0, delivery.jitter))
        else:
            second = number * interval_s
    return taken


def _stamp(scenario: Scenario, second: float) -> datetime:
    return moment_after(scenario.begins_at.astimezone(ZoneInfo(scenario.timezone)), second)


def _clock_errors(delivery: Delivery, taken_s: Sequence[float]) -> list[float]:
    errors_s = [0.0] * len(taken_s)
    for jump in delivery.jumps:
        first = next((row for row, second in enumerate(taken_s) if second >= jump.from_s), len(taken_s))
        for row in range(first, min(first + jump.frames, len(taken_s))):
            errors_s[row] = jump.offset_s
    return errors_s


def _arriving(frames: Sequence[Frame], delivery: Delivery, chance: np.random.Generator) -> list[Frame]:
    arrivals = []
    for number, frame in enumerate(frames):
        late_s = chance.uniform(0, delivery.late_s) if chance.random() < delivery.late else 0.0
        arrivals.append((frame.second + late_s, number, frame))
        if chance.random() < delivery.doubled:
            arrivals.append((frame.second + late_s + chance.uniform(0, delivery.late_s), number, frame))
    return [frame for _, _, frame in sorted(arrivals, key=lambda arrival: arrival[:2])]


def seconds_until(scenario: Scenario, at: datetime) -> float:
    """The offset that makes the scenario's beginning that time."""
    return (at - scenario.begins_at) / timedelta(seconds=1)
