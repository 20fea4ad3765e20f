"""How well a detector finds what the simulator drew: its boxes against the exact ones.

Only things that can be asked for count: of a class that detectors know, large enough and visible enough. A
detection that no such thing explains is wrong, unless it is itself small, or lies on a thing of its class that is
too small or too hidden to count: then it is neither right nor wrong. So is a person on a two-wheeler: the truth
takes rider and machine as one thing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.truth import DETECTOR_CLASSES

Float64s = npt.NDArray[np.float64]

VEHICLE = "vehicle"
_VEHICLES = frozenset({"car", "motorcycle", "bus", "truck"})
_RIDDEN = frozenset({"bicycle", "motorcycle"})
MIN_IOU = 0.5
MIN_VISIBLE = 0.5
# A detection with this share of itself on a thing that does not count is left out.
_LEFT_OUT_SHARE = 0.5


class RecognitionError(Exception):
    """A line of truth cannot be used: one clear line."""


class _Tolerant(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class TrueObject(_Tolerant):
    """One object of a line of truth.jsonl."""

    name: str = Field(alias="class")
    xyxy: tuple[float, float, float, float]
    visible_fraction: float


class TrueFrame(_Tolerant):
    """One line of truth.jsonl."""

    camera_id: str
    images: tuple[str, ...]
    weather: str
    faults: tuple[str, ...] = ()
    objects: tuple[TrueObject, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBox:
    """One detection."""

    name: str
    confidence: float
    xyxy: tuple[float, float, float, float]


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of one class: things, of them found, and detections that are wrong."""

    things: int = 0
    found: int = 0
    wrong: int = 0

    @property
    def precision(self) -> float | None:
        """None without a single detection."""
        return self.found / (self.found + self.wrong) if self.found + self.wrong else None

    @property
    def recall(self) -> float | None:
        """None without a single thing."""
        return self.found / self.things if self.things else None


def parse_frames(lines: Iterable[str], *, file: str) -> Iterator[TrueFrame]:
    """The frames of truth.jsonl; raises RecognitionError with the number of a bad line."""
    for number, line in enumerate(lines, start=1):
        try:
            yield TrueFrame.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"]) or "(whole line)"
            raise RecognitionError(f"{file}: line {number}: {key}: {first['msg']}") from error


def tally_frame(
    tallies: dict[str, Tally], frame: TrueFrame, detections: Sequence[FoundBox], *, min_px: float = 32.0
) -> None:
    """Add one frame to the tallies, by class and for all vehicles as one; min_px: longer side of what counts."""
    asked_for = {item.name for item in frame.objects} & DETECTOR_CLASSES
    for name in sorted(asked_for | {item.name for item in detections}):
        _tally(tallies, name, frame, [item for item in detections if item.name == name], min_px=min_px)
    _tally(tallies, VEHICLE, frame, [item for item in detections if item.name in _VEHICLES], min_px=min_px)


def _tally(
    tallies: dict[str, Tally], name: str, frame: TrueFrame, detections: Sequence[FoundBox], *, min_px: float
) -> None:
    names = _VEHICLES if name == VEHICLE else {name}
    ridden = _RIDDEN if name == "person" else frozenset()
    wanted, others = [], []
    for item in frame.objects:
        is_fair = item.visible_fraction >= MIN_VISIBLE and _longer_side(item.xyxy) > min_px
        if item.name in names and is_fair:
            wanted.append(item.xyxy)
        elif item.name in names or item.name in ridden:
            others.append(item.xyxy)
    surest_first = sorted(detections, key=lambda item: -item.confidence)
    found, wrong = _match(_boxes(wanted), _boxes(others), surest_first, min_px)
    tally = tallies.setdefault(name, Tally())
    tally.things += len(wanted)
    tally.found += found
    tally.wrong += wrong


def _match(wanted: Float64s, others: Float64s, detections: Sequence[FoundBox], min_px: float) -> tuple[int, int]:
    """(found, wrong): the surest detection takes the free thing that it overlaps most."""
    is_free = np.ones(len(wanted), bool)
    found = wrong = 0
    for detection in detections:
        box = np.array(detection.xyxy)
        overlap = np.where(is_free, _iou(box, wanted), 0.0)
        if overlap.size and overlap.max() >= MIN_IOU:
            is_free[int(np.argmax(overlap))] = False
            found += 1
        elif _longer_side(detection.xyxy) > min_px and not (_share_on(box, others) >= _LEFT_OUT_SHARE).any():
            wrong += 1
    return found, wrong


def _boxes(rows: Sequence[tuple[float, float, float, float]]) -> Float64s:
    return np.array(rows, np.float64).reshape(-1, 4)


def _longer_side(xyxy: tuple[float, float, float, float]) -> float:
    return max(xyxy[2] - xyxy[0], xyxy[3] - xyxy[1])


def _intersection(box: Float64s, others: Float64s) -> Float64s:
    sides = np.clip(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float64)


def _area(boxes: Float64s) -> Float64s:
    return np.asarray((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1]), np.float64)


def _iou(box: Float64s, others: Float64s) -> Float64s:
    shared = _intersection(box, others)
    return np.asarray(shared / (_area(box) + _area(others) - shared), np.float64)


def _share_on(box: Float64s, others: Float64s) -> Float64s:
    return np.asarray(_intersection(box, others) / _area(box), np.float64)


def table_rows(tallies: dict[str, Tally]) -> Iterator[tuple[str, ...]]:
    """Cells (class, things, precision, recall) of every class, vehicles last."""
    for name in sorted(tallies, key=lambda item: (item == VEHICLE, item)):
        tally = tallies[name]
        yield name, str(tally.things), _text(tally.precision), _text(tally.recall)


def to_json(tallies: dict[str, dict[str, Tally]]) -> str:
    """One line of JSON: weather → class → counts and figures."""
    return json.dumps(
        {
            weather: {
                name: {
                    "things": tally.things,
                    "found": tally.found,
                    "wrong": tally.wrong,
                    "precision": tally.precision,
                    "recall": tally.recall,
                }
                for name, tally in table.items()
            }
            for weather, table in tallies.items()
        }
    )


def _text(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"
