"""One frame on the ground: every detection with its class, its footprint and its zones."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.classes import ObjectClass, Role
from detectors.messages import FrameDetections
from geofence.dwell import Box
from geofence.footprint import Footprints, project_footprints
from geofence.site import Camera, Site
from geofence.visits import Surroundings, iou


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One detection that stands on visible ground.

    footprint: row in the scene's footprints; xyxy in pixels of the camera's calibrated size
    ground_m:  [east, north] of the footprint's middle, foot_m: of its contact edge's middle
    """

    footprint: int
    object_class: ObjectClass
    confidence: float
    xyxy: Box
    ground_m: tuple[float, float]
    foot_m: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """All things of one frame, the most confident first, and what else there is to see."""

    things: tuple[Thing, ...]
    footprints: Footprints
    surroundings: Surroundings

    def with_role(self, *roles: Role) -> list[Thing]:
        """Things of these roles, each once: a box much like a more confident one shows the same thing."""
        chosen: list[Thing] = []
        for thing in self.things:
            if thing.object_class.role in roles and not is_shown_by(thing, chosen):
                chosen.append(thing)
        return chosen


def is_shown_by(thing: Thing, others: list[Thing]) -> bool:
    """Whether one of `others` has nearly the same box."""
    return any(iou(thing.xyxy, other.xyxy) >= 0.5 for other in others)


def observe(site: Site, camera: Camera, detections: FrameDetections) -> Scene:
    """Put the detections of one frame on the ground; things whose foot the picture cuts off are left out."""
    boxes = detections.xyxy.astype(np.float64) * _scale(camera.size_px, detections.size_px)
    footprints = project_footprints(
        boxes, detections.class_id, homography=camera.homography, classes=site.classes, size_px=camera.size_px
    )
    foot_m = np.full((len(boxes), 2), np.nan)
    seen = ~footprints.is_foot_cut
    foot_m[footprints.row[seen]] = footprints.foot_m[seen]
    things = [
        Thing(
            footprint=number,
            object_class=site.classes.by_id[int(detections.class_id[row])],
            confidence=float(detections.confidence[row]),
            xyxy=as_box(boxes[row]),
            ground_m=as_place(footprints.center_m[number]),
            foot_m=as_place(footprints.foot_m[number]),
        )
        for number, row in enumerate(footprints.row)
        if seen[number]
    ]
    things.sort(key=lambda thing: (-thing.confidence, thing.xyxy))
    return Scene(things=tuple(things), footprints=footprints, surroundings=Surroundings(xyxy=boxes, foot_m=foot_m))


def as_box(row: npt.NDArray[np.float64]) -> Box:
    """A row of four numbers as a plain tuple."""
    x0, y0, x1, y1 = (float(value) for value in row)
    return x0, y0, x1, y1


def as_place(row: npt.NDArray[np.float64]) -> tuple[float, float]:
    """A row [east, north] as a plain tuple."""
    return float(row[0]), float(row[1])


def _scale(calibrated_px: tuple[int, int], frame_px: tuple[int, int]) -> npt.NDArray[np.float64]:
    """(4,) factors from pixels of the frame to pixels of the picture that was calibrated."""
    across, down = calibrated_px[0] / frame_px[0], calibrated_px[1] / frame_px[1]
    return np.array([across, down, across, down])
