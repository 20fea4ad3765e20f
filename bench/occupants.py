"""Whether a car is known again at its place, and another told from it, on real pictures.

Every vehicle that the detector finds in a picture is found again in the same picture in other light, with new noise and
new compression, so that its box trembles as detectors' boxes do. Three looks before a gap and three after it go to the
visits' own test. Another vehicle is the one of the same picture, seen from the same side and about as large. Reference:
normalised correlation of the same crops, with the limit that splits no more cars in two than street721 does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from bench.errors import BenchError
from bench.machine import machine_facts
from detectors.appearance import as_text as appearance_text
from detectors.appearance import crops
from detectors.classes import Role, load_classes
from detectors.decoding import decode_jpeg
from detectors.detector import Detector
from detectors.messages import FrameDetections
from geofence.appearances import MIN_LOOKS, first_unlike
from geofence.boxes import Box, Sighting, iou
from ingest.jpeg import check_jpeg

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]
Light = Callable[[F32, np.random.Generator], F32]

SAME_LIGHT = "same light"
_LONG_SIDE_PX = 960
_SMALLEST_PX = 24.0
_FOUND_AGAIN_IOU = 0.5
_ALIKE_SHAPE = 1.35
_NOISE = 5.0
_QUALITY = 70
_CUT_PX = 3.0


def _darker(picture: F32, chance: np.random.Generator) -> F32:
    return picture * np.float32(chance.uniform(0.2, 0.5))


def _toned(picture: F32, chance: np.random.Generator) -> F32:
    share = np.clip(picture, 0, 255) / 255
    return np.asarray(255 * share ** np.float32(chance.uniform(0.5, 2.0)), np.float32)


def _infrared(picture: F32, chance: np.random.Generator) -> F32:
    """Grey, as paint and cloth reflect it, lit by a lamp beside the lens."""
    grey = picture @ np.array((0.15, 0.25, 0.6), np.float32)
    height, width = grey.shape
    down, across = np.mgrid[:height, :width].astype(np.float32)
    off = ((across - width / 2) ** 2 + (down - 0.7 * height) ** 2) / (2 * (0.45 * width) ** 2)
    lit = grey * (0.35 + 0.65 * np.exp(-off)) * np.float32(chance.uniform(0.7, 1.2))
    return np.repeat(lit[..., None], 3, axis=2)


def _shadowed(picture: F32, chance: np.random.Generator) -> F32:
    """Stripes of hard shadow over the whole street, as wide as its cars."""
    height, width = picture.shape[:2]
    down, across = np.mgrid[:height, :width].astype(np.float32)
    angle = chance.uniform(0, np.pi)
    along = across * np.cos(angle) + down * np.sin(angle) + chance.uniform(0, 100)
    dark = np.mod(along, 120) < 60
    return np.where(dark[..., None], picture * np.float32(chance.uniform(0.4, 0.65)), picture)


def _lit(picture: F32, chance: np.random.Generator) -> F32:
    """By night, with lamps that dazzle in twelve places."""
    height, width = picture.shape[:2]
    down, across = np.mgrid[:height, :width].astype(np.float32)
    dark = picture * np.float32(0.35)
    for _ in range(12):
        x, y, radius = chance.uniform(0, width), chance.uniform(0.3 * height, height), chance.uniform(8, 40)
        dark += (200 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * radius**2)))[..., None]
    return dark


def _unchanged(picture: F32, chance: np.random.Generator) -> F32:
    return picture * np.float32(chance.uniform(0.95, 1.05))


LIGHTS: Mapping[str, Light] = {
    SAME_LIGHT: _unchanged,
    "darker": _darker,
    "other exposure": _toned,
    "infrared": _infrared,
    "hard shadows": _shadowed,
    "lamps at night": _lit,
}


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """One vehicle in one light: its appearances as text, and its crops (MIN_LOOKS, 1024) float32."""

    texts: tuple[str, ...]
    grey: F32


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupantsResult:
    """split: light → (vehicles, of them taken for another one, and by the reference); others: pairs, of them told
    apart, and by the reference; limit: the reference's."""

    pictures: int
    split: dict[str, tuple[int, int, int]]
    others: tuple[int, int, int]
    limit: float

    def to_json(self) -> dict[str, Any]:
        """Everything, with the machine."""
        return (
            {"bench": "occupants"}
            | machine_facts()
            | {
                "pictures": self.pictures,
                "vehicles_split_reference_split": {name: list(counts) for name, counts in self.split.items()},
                "pairs_told_apart_reference_told_apart": list(self.others),
                "reference_limit": round(self.limit, 3),
            }
        )


def bench_occupants(
    detector: Detector, jpegs: Sequence[bytes], *, seed: int = 0, progress: Progress | None = None
) -> OccupantsResult:
    """Look at every picture in every light. Raises BenchError when no picture shows two vehicles."""
    chance = np.random.default_rng(seed)
    same: dict[str, list[tuple[Looks, Looks]]] = {name: [] for name in LIGHTS}
    others: list[tuple[Looks, Looks]] = []
    for number, jpeg in enumerate(jpegs):
        vehicles = list(_vehicles(detector, jpeg, chance))
        for vehicle in vehicles:
            for name in LIGHTS.keys() & vehicle.later.keys():
                same[name].append((vehicle.before, vehicle.later[name]))
        others += [
            (one.before, other.later[SAME_LIGHT])
            for one in vehicles
            for other in vehicles
            if one is not other and SAME_LIGHT in other.later and _is_alike(one.xyxy, other.xyxy)
        ]
        if progress is not None:
            progress(number + 1, len(jpegs))
    if not others:
        raise BenchError("no picture shows two vehicles of about one size; take pictures of streets")
    return _result(len(jpegs), same, others)


@dataclass(frozen=True, slots=True, eq=False)
class _Vehicle:
    xyxy: Box
    before: Looks
    later: dict[str, Looks]


def _vehicles(detector: Detector, jpeg: bytes, chance: np.random.Generator) -> Iterator[_Vehicle]:
    size_px = check_jpeg(jpeg).size_px
    shrink = min(1.0, _LONG_SIDE_PX / max(size_px))
    picture = decode_jpeg(jpeg, size_px, size_px)
    picture = np.asarray(cv2.resize(picture, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA), np.uint8)
    first = _seen(detector, picture.astype(np.float32), _unchanged, chance)
    later = {name: _seen(detector, picture.astype(np.float32), light, chance) for name, light in LIGHTS.items()}
    ids = load_classes().ids_with(Role.VEHICLE)
    for row, xyxy in enumerate(first[0].found.xyxy.tolist()):
        box = (xyxy[0], xyxy[1], xyxy[2], xyxy[3])
        if int(first[0].found.class_id[row]) in ids and _is_whole(box, picture.shape):
            before = _looks(first, box)
            after = {name: looks for name, shots in later.items() if (looks := _looks(shots, box)) is not None}
            if before is not None:
                yield _Vehicle(box, before, after)


@dataclass(frozen=True, slots=True, eq=False)
class _Shot:
    pixels: U8
    found: FrameDetections


def _seen(detector: Detector, picture: F32, light: Light, chance: np.random.Generator) -> list[_Shot]:
    """Some pictures of a street in one light: noise, compression and boxes are new in each."""
    lit = light(picture, chance)
    coded = [
        cv2.imencode(".jpg", np.clip(lit + noise, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
        for noise in chance.normal(0, _NOISE, (MIN_LOOKS, *lit.shape)).astype(np.float32)
    ]
    found = detector.detect([one.tobytes() for one in coded])
    pixels = [np.asarray(cv2.imdecode(one, cv2.IMREAD_COLOR), np.uint8) for one in coded]
    return [_Shot(*pair) for pair in zip(pixels, found, strict=True)]


def _looks(shots: Sequence[_Shot], box: Box) -> Looks | None:
    """The vehicle at a place in every shot; None where one of them does not show it."""
    texts, grey = [], []
    for shot in shots:
        overlaps = [iou(box, (one[0], one[1], one[2], one[3])) for one in shot.found.xyxy.tolist()]
        row = int(np.argmax(overlaps)) if overlaps else 0
        if not overlaps or overlaps[row] < _FOUND_AGAIN_IOU or shot.found.appearance is None:
            return None
        texts.append(appearance_text(shot.found.appearance[row]))
        grey.append(crops(shot.pixels[None], np.zeros(1, np.intp), shot.found.xyxy[row : row + 1]).ravel())
    return Looks(tuple(texts), np.array(grey, np.float32))


def _is_whole(box: Box, shape: tuple[int, ...]) -> bool:
    x0, y0, x1, y1 = box
    is_inside = min(x0, y0) > _CUT_PX and x1 < shape[1] - _CUT_PX and y1 < shape[0] - _CUT_PX
    return is_inside and min(x1 - x0, y1 - y0) >= _SMALLEST_PX


def _is_alike(one: Box, other: Box) -> bool:
    """Of about one shape and size."""
    sides = [(one[2] - one[0]) / (other[2] - other[0]), (one[3] - one[1]) / (other[3] - other[1])]
    return all(1 / _ALIKE_SHAPE <= side <= _ALIKE_SHAPE for side in sides)


def _result(
    pictures: int, same: Mapping[str, list[tuple[Looks, Looks]]], others: Sequence[tuple[Looks, Looks]]
) -> OccupantsResult:
    split = {name: sum(_is_another(*pair) for pair in pairs) for name, pairs in same.items()}
    correlated = {name: np.array([_correlation(*pair) for pair in pairs]) for name, pairs in same.items()}
    every = np.sort(np.concatenate(list(correlated.values())))
    limit = float(every[sum(split.values())])
    return OccupantsResult(
        pictures=pictures,
        split={name: (len(pairs), split[name], int((correlated[name] < limit).sum())) for name, pairs in same.items()},
        others=(
            len(others),
            sum(_is_another(*pair) for pair in others),
            sum(_correlation(*pair) < limit for pair in others),
        ),
        limit=limit,
    )


def _is_another(before: Looks, after: Looks) -> bool:
    """The verdict of the visits after a gap of ten seconds."""
    at = datetime(2026, 6, 1, tzinfo=UTC)
    sightings = []
    for number, text in enumerate((*before.texts, *after.texts)):
        unseen_s = 10.0 if number == len(before.texts) else 0.0
        at += timedelta(seconds=1 + unseen_s)
        sightings.append(_sighting(at, unseen_s, text))
    return first_unlike(None, sightings) is not None


def _sighting(at: datetime, unseen_s: float, appearance: str) -> Sighting:
    return Sighting(
        at=at,
        before=at - timedelta(seconds=1),
        unseen=timedelta(seconds=unseen_s),
        age=timedelta(0),
        xyxy=(0.0, 0.0, 1.0, 1.0),
        name="car",
        confidence=1.0,
        appearance=appearance,
    )


def _correlation(before: Looks, after: Looks) -> float:
    return float(np.corrcoef(before.grey.mean(axis=0), after.grey.mean(axis=0))[0, 1])


def as_text(result: OccupantsResult) -> str:
    """A table to read."""
    rows = [f"{result.pictures} pictures; the same vehicle taken for another one, in"]
    rows += [
        f"  {name:16} street721 {split:4d} of {count}   correlation {reference:4d}"
        for name, (count, split, reference) in result.split.items()
    ]
    count, told, reference = result.others
    rows.append(
        f"another vehicle of the picture told apart: street721 {told / count:.1%} of {count} pairs, "
        f"correlation {reference / count:.1%} (limit {result.limit:.2f})"
    )
    return "\n".join(rows)
