"""What a detector would report of a simulated street, by geometry alone: boxes without drawing a picture."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.classes import ClassTable
from detectors.messages import FrameDetections
from sim.street.body import Body
from sim.street.pinhole import PinholeCamera

Float64s = npt.NDArray[np.float64]

_MIN_SIDE_PX = 8.0
_MOST_HIDDEN = 0.7
_MISSED_FOR_S = 2.0
_JITTER = 0.01


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SeenFrame:
    """A camera's frame: who is in it (with the share of the picture that each box covers, and whether it moves), and
    what a detector reports of it."""

    second: float
    ids: tuple[str, ...]
    shares: Float64s
    is_moving: npt.NDArray[np.bool_]
    detections: FrameDetections


class BoxCamera:
    """Bodies → boxes: the rectangle around a body's eight corners, without those that nearer ones hide.

    A detector misses what it has just missed: whether a thing is found is decided anew every two seconds, for every
    thing, camera and seed alike however often one looks. Boxes tremble by one percent of their size.
    """

    def __init__(self, camera_id: str, camera: PinholeCamera, classes: ClassTable, *, missed: float, seed: int) -> None:
        """missed: share of sightings that the detector misses, 0..1."""
        self._name = camera_id
        self._camera = camera
        self._ids = {name: row.id for name, row in classes.by_name.items()}
        self._missed = missed
        self._seed = seed

    def look(self, second: float, bodies: Sequence[Body], corners_m: Float64s) -> SeenFrame:
        """The frame of a second; corners_m: (N, 8, 3) of the bodies, as `corners_of` gives them."""
        boxes, depth_m = self._boxes(corners_m)
        rows = _in_view(boxes, depth_m)
        sides = boxes[rows, 2:] - boxes[rows, :2]
        width, height = self._camera.size_px
        told = [row for row in rows if bodies[row].class_name in self._ids and self._finds(bodies[row].id, second)]
        return SeenFrame(
            second=second,
            ids=tuple(bodies[row].id for row in rows),
            shares=sides[:, 0] * sides[:, 1] / (width * height),
            is_moving=np.array([bodies[row].speed_mps != 0 for row in rows], bool),
            detections=FrameDetections(
                xyxy=self._trembling(boxes[told], second),
                confidence=np.full(len(told), 0.8, np.float32),
                class_id=np.array([self._ids[bodies[row].class_name] for row in told], np.int32),
                size_px=self._camera.size_px,
            ),
        )

    def _boxes(self, corners_m: Float64s) -> tuple[Float64s, Float64s]:
        """(N, 4) boxes within the picture, without area where nothing is seen; (N,) metres along the view."""
        along = self._camera.to_camera(corners_m.reshape(-1, 3))
        corners_px = self._camera.to_pixel(along).reshape(-1, 8, 2)
        is_before = np.isfinite(corners_px).all(axis=(1, 2))
        corners_px[~is_before] = -1.0
        size_px = np.array(self._camera.size_px, np.float64)
        low, high = np.clip(corners_px.min(axis=1), 0, size_px), np.clip(corners_px.max(axis=1), 0, size_px)
        return np.concatenate((low, high), axis=1), along.reshape(-1, 8, 3)[:, :, 2].min(axis=1)

    def _finds(self, body_id: str, second: float) -> bool:
        return _chance(f"{self._seed} {self._name} {body_id} {second // _MISSED_FOR_S:.0f}") >= self._missed

    def _trembling(self, boxes: Float64s, second: float) -> npt.NDArray[np.float32]:
        chance = np.random.default_rng(zlib.crc32(f"{self._seed} {self._name} {second:.3f}".encode()))
        sides = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
        return np.asarray(boxes + sides * chance.normal(0, _JITTER, boxes.shape), np.float32)


def corners_of(bodies: Sequence[Body]) -> Float64s:
    """(N, 8, 3) corners of the bodies' boxes in street metres, the lower four first."""
    feet = np.array([body.footprint_m() for body in bodies], np.float64).reshape(-1, 4, 2)
    heights = np.array([body.height_m for body in bodies], np.float64)
    lower = np.concatenate((feet, np.zeros((len(bodies), 4, 1))), axis=2)
    upper = np.concatenate((feet, np.broadcast_to(heights[:, None, None], (len(bodies), 4, 1))), axis=2)
    return np.concatenate((lower, upper), axis=1)


def _in_view(boxes: Float64s, depth_m: Float64s) -> list[int]:
    """Rows that are large enough and not mostly behind something nearer, near to far."""
    sides = boxes[:, 2:] - boxes[:, :2]
    large = [int(row) for row in np.argsort(depth_m) if sides[row].min() >= _MIN_SIDE_PX]
    seen: list[int] = []
    for row in large:
        nearer = boxes[seen]
        common = np.minimum(nearer[:, 2:], boxes[row, 2:]) - np.maximum(nearer[:, :2], boxes[row, :2])
        hidden = np.clip(common, 0, None).prod(axis=1) / sides[row].prod()
        if not (hidden > _MOST_HIDDEN).any():
            seen.append(row)
    return seen


def _chance(words: str) -> float:
    """A number in 0..1 that follows from the words alone."""
    return zlib.crc32(words.encode()) / 2**32
