"""Boxes in a picture → polygons on the ground under the things that they show."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.classes import ClassTable
from geofence.homography import Homography

Float64s = npt.NDArray[np.float64]

EDGE_PX = 1.0
# How far up the picture the direction "away from the camera" is taken from, pixels.
AWAY_STEP_PX = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Footprints:
    """Ground polygons of the boxes that stand on visible ground.

    row:         (K,) int64, which detection each footprint belongs to; rising
    polygon_m:   (K, 4, 2) float64, [east, north]: near left, near right, far right, far left
    center_m:    (K, 2) float64, the ground point of what is seen
    foot_m:      (K, 2) float64, middle of the contact edge; does not depend on the class
    is_cut:      (K,) bool, the box touches an edge of the picture
    is_foot_cut: (K,) bool, it touches the lower edge: where it stands is not seen
    """

    row: npt.NDArray[np.int64]
    polygon_m: Float64s
    center_m: Float64s
    foot_m: Float64s
    is_cut: npt.NDArray[np.bool_]
    is_foot_cut: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.row)


def project_footprints(
    xyxy: Float64s,
    class_id: npt.NDArray[np.int32],
    *,
    homography: Homography,
    classes: ClassTable,
    size_px: tuple[int, int],
) -> Footprints:
    """(N, 4) pixel boxes and (N,) class ids → footprints; boxes at or above the horizon have none.

    The contact edge is the lower edge of the box on the ground; from there the footprint goes away from
    the camera as deep as the class is. A box wider than the mean of length and width shows the thing from
    its side, so that its width is the depth. Raises KeyError for an id that the table does not know.
    """
    boxes = np.asarray(xyxy, np.float64).reshape(-1, 4)
    left_m = homography.pixel_to_ground(boxes[:, [0, 3]])
    right_m = homography.pixel_to_ground(boxes[:, [2, 3]])
    away = _away_from_camera(boxes, homography)
    depth_m = _depth(np.linalg.norm(right_m - left_m, axis=1), class_id, classes)
    back_m = away * depth_m[:, None]
    polygon_m = np.stack((left_m, right_m, right_m + back_m, left_m + back_m), axis=1)
    row = np.flatnonzero(np.isfinite(polygon_m).all(axis=(1, 2)))
    is_foot_cut = boxes[:, 3] >= size_px[1] - EDGE_PX
    is_side_cut = (boxes[:, 0] <= EDGE_PX) | (boxes[:, 1] <= EDGE_PX) | (boxes[:, 2] >= size_px[0] - EDGE_PX)
    return Footprints(
        row=row,
        polygon_m=polygon_m[row],
        center_m=polygon_m[row].mean(axis=1),
        foot_m=polygon_m[row, :2].mean(axis=1),
        is_cut=(is_foot_cut | is_side_cut)[row],
        is_foot_cut=is_foot_cut[row],
    )


def _away_from_camera(boxes: Float64s, homography: Homography) -> Float64s:
    """(N, 2) unit vectors on the ground that point up the picture from the middle of the contact edge."""
    middle = np.column_stack(((boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]))
    behind = homography.pixel_to_ground(middle - (0.0, AWAY_STEP_PX)) - homography.pixel_to_ground(middle)
    return np.asarray(behind / np.linalg.norm(behind, axis=1, keepdims=True), np.float64)


def _depth(contact_width_m: Float64s, class_id: npt.NDArray[np.int32], classes: ClassTable) -> Float64s:
    rows = [classes.by_id[int(key)] for key in class_id]
    length_m = np.array([row.length_m for row in rows], np.float64)
    width_m = np.array([row.width_m for row in rows], np.float64)
    return np.where(contact_width_m > (length_m + width_m) / 2, width_m, length_m)
