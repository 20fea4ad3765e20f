"""What a detector says of a frame: boxes of the visible parts of solid things, and its mistakes.

A thing that others hide in part gets the box of what is left to see, as real detectors box it; one of which less than
three tenths is left gets none. What hides is each nearer thing's outline, exactly.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from bench.incidents.scenario import Flicker, Noise, Scenario
from bench.seen_boxes import corners_of
from sim.street.body import SIZE_M, VEHICLES, Body, BodyKind
from sim.street.pinhole import PinholeCamera
from sim.truth import MIN_SIDE_PX, MIN_VISIBLE

Box = tuple[float, float, float, float]

_VEHICLE_WORDS = ("car", "truck", "van")
_CONFIDENCE_SPREAD = 0.06
_FALSE_CONFIDENCE = (0.25, 0.55)
_FALSE_KINDS = (
    BodyKind.CAR,
    BodyKind.TRUCK,
    BodyKind.GARBAGE,
    BodyKind.BIN,
    BodyKind.BICYCLE,
    BodyKind.PEDESTRIAN,
)
_FALSE_WITHIN_M = 60.0
_GLARE_BOXES = 3
_SECOND_BOX_JITTER = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One line of a detector's answer."""

    class_name: str
    confidence: float
    xyxy: Box


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenBody:
    """A body, the box of its visible part within the picture, and how much of it is visible."""

    body: Body
    xyxy: Box
    visible: float


def visible_boxes(camera: PinholeCamera, bodies: Sequence[Body]) -> list[SeenBody]:
    """All bodies of which anything is in the picture, near to far."""
    if not bodies:
        return []
    corners_m = corners_of(bodies)
    along = camera.to_camera(corners_m.reshape(-1, 3))
    corners_px = camera.to_pixel(along).reshape(-1, 8, 2)
    depth_m = along.reshape(-1, 8, 3)[:, :, 2].mean(axis=1)
    picture = shapely.box(0, 0, *camera.size_px)
    nearer: list[Any] = []
    seen = []
    for row in np.argsort(depth_m).tolist():
        if not np.isfinite(corners_px[row]).all():
            continue
        outline = shapely.MultiPoint(corners_px[row]).convex_hull.intersection(picture)
        if outline.area == 0:
            continue
        left = outline.difference(shapely.union_all(nearer)) if nearer else outline
        nearer.append(outline)
        if left.area > 0:
            seen.append(SeenBody(body=bodies[row], xyxy=left.bounds, visible=left.area / outline.area))
    return seen


class Detector:
    """A detector's eye for one scenario; the same scenario gives the same answers."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._noise: Noise = scenario.noise
        self._camera = scenario.camera
        self._chance = np.random.default_rng(scenario.chance_key)
        self._phantoms = [(flicker, _phantom(flicker)) for flicker in self._noise.flickers]

    def look(self, second: float) -> list[Detection]:
        """Its answer to the frame of that second."""
        bodies = [body for actor in self._scenario.actors if (body := actor.at(second)) is not None]
        found: list[Detection] = []
        for seen in visible_boxes(self._camera, bodies):
            if is_found_at_best(seen) and not self._misses(seen.body.id, second):
                found += self._boxes_of(seen)
        for flicker, body in self._phantoms:
            if self._chance.random() < flicker.share:
                found += self._told(body, flicker.confidence)
        found += [box for _ in range(self._false_count(second)) for box in self._false_box()]
        return [one for one in found if _has_area(one.xyxy)]

    def _misses(self, body_id: str, second: float) -> bool:
        if not self._noise.missed_for_s:
            return bool(self._chance.random() < self._noise.missed)
        words = f"{self._scenario.chance_key} {body_id} {second // self._noise.missed_for_s:.0f}"
        return zlib.crc32(words.encode()) / 2**32 < self._noise.missed

    def _boxes_of(self, seen: SeenBody) -> list[Detection]:
        word = seen.body.class_name
        if seen.body.kind in VEHICLES and self._chance.random() < self._noise.flips:
            word = str(self._chance.choice([other for other in _VEHICLE_WORDS if other != word]))
        confidence = self._confidence(self._noise.confidence)
        boxes = [Detection(class_name=word, confidence=confidence, xyxy=self._trembling(seen.xyxy, self._noise.jitter))]
        if self._chance.random() < self._noise.doubled:
            twin = self._trembling(seen.xyxy, _SECOND_BOX_JITTER)
            boxes.append(Detection(class_name=word, confidence=max(0.25, confidence - 0.2), xyxy=twin))
        return boxes

    def _confidence(self, mean: float) -> float:
        return round(float(np.clip(self._chance.normal(mean, _CONFIDENCE_SPREAD), 0.05, 0.99)), 3)

    def _trembling(self, xyxy: Box, jitter: float) -> Box:
        x0, y0, x1, y1 = xyxy
        width, height = self._camera.size_px
        shift = self._chance.normal(0, jitter, 4) * (x1 - x0, y1 - y0, x1 - x0, y1 - y0)
        moved = np.clip(np.array(xyxy) + shift, 0, (width, height, width, height))
        return tuple(np.round(moved, 2).tolist())

    def _told(self, body: Body, confidence: float) -> list[Detection]:
        return [
            Detection(
                class_name=body.class_name,
                confidence=self._confidence(confidence),
                xyxy=self._trembling(seen.xyxy, self._noise.jitter),
            )
            for seen in visible_boxes(self._camera, [body])
        ]

    def _false_count(self, second: float) -> int:
        count = int(self._chance.poisson(self._noise.false_boxes)) if self._noise.false_boxes else 0
        if self._noise.glare is not None:
            every_s, for_s = self._noise.glare
            count += _GLARE_BOXES if second % every_s < for_s else 0
        return count

    def _false_box(self) -> list[Detection]:
        """A box of a thing of usual size at a place of the ground that is in the picture."""
        width, height = self._camera.size_px
        px = self._chance.uniform((0, 0.15 * height), (width, 0.95 * height))
        place = self._camera.ground_under(px[None])[0]
        if not np.isfinite(place).all() or np.linalg.norm(place - self._camera.position_m[:2]) > _FALSE_WITHIN_M:
            return []
        kind = _FALSE_KINDS[int(self._chance.integers(len(_FALSE_KINDS)))]
        body = _body(kind, float(place[0]), float(place[1]), heading_deg=float(self._chance.uniform(0, 180)))
        return self._told(body, float(self._chance.uniform(*_FALSE_CONFIDENCE)))


def is_found_at_best(seen: SeenBody) -> bool:
    """Whether a detector that misses nothing finds it: large enough, and enough of it to be seen."""
    x0, y0, x1, y1 = seen.xyxy
    return seen.visible >= MIN_VISIBLE and min(x1 - x0, y1 - y0) >= MIN_SIDE_PX


def _phantom(flicker: Flicker) -> Body:
    return _body(flicker.kind, flicker.x_m, flicker.y_m, heading_deg=0.0)


def _body(kind: BodyKind, x_m: float, y_m: float, *, heading_deg: float) -> Body:
    length_m, width_m, height_m = SIZE_M[kind]
    return Body(
        id="nothing",
        kind=kind,
        x_m=x_m,
        y_m=y_m,
        heading_deg=heading_deg,
        length_m=length_m,
        width_m=width_m,
        height_m=height_m,
    )


def _has_area(xyxy: Box) -> bool:
    return xyxy[0] < xyxy[2] and xyxy[1] < xyxy[3]
