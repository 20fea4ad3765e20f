"""Outlines on the ground → outlines in the picture, cut off in front of the lens, and how they are filled."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sim.street.pinhole import PinholeCamera

Float64s = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

_NEAR_M = 0.3
# Straight lines bend under a lens: there every edge is split this often.
_PARTS = 6
_SHIFT = 4
# Outlines are cut at this many half pictures from the axis: OpenCV's fixed point must not overflow.
_MARGIN = 3.0


def ground_outline_px(camera: PinholeCamera, polygon_m: Float64s) -> Float64s:
    """(M, 2) pixels of a convex ground polygon (N, 2) in metres; M = 0 when it lies outside the wider view."""
    return ground_outlines_px(camera, (polygon_m,))[0]


def ground_outlines_px(camera: PinholeCamera, polygons_m: Sequence[Float64s]) -> tuple[Float64s, ...]:
    """The same for many at once."""
    if not polygons_m:
        return ()
    flat = np.concatenate(polygons_m)
    return _outlines_px(camera, np.column_stack((flat, np.zeros(len(flat)))), [len(part) for part in polygons_m])


def outline_px(camera: PinholeCamera, polygon_m: Float64s) -> Float64s:
    """(M, 2) pixels of a convex flat polygon (N, 3) in metres; M = 0 when it lies outside the wider view."""
    return _outlines_px(camera, polygon_m, [len(polygon_m)])[0]


def _outlines_px(camera: PinholeCamera, points_m: Float64s, counts: list[int]) -> tuple[Float64s, ...]:
    """Pixels of polygons that lie one after the other in points (N, 3), `counts` corners each."""
    camera_m, planes = camera.to_camera(points_m), _view_planes(camera)
    ends = np.cumsum(counts)[:-1]
    is_bent = camera.k1 != 0 or camera.k2 != 0
    if not is_bent and (camera_m @ planes[:, :3].T >= planes[:, 3]).all():
        return tuple(np.split(camera.to_pixel(camera_m), ends))
    outlines = []
    for part in np.split(camera_m, ends):
        polygon = _with_points_between(part) if is_bent else part
        for plane in planes:
            polygon = _cut(polygon, plane)
        px = camera.to_pixel(polygon) if len(polygon) else np.zeros((0, 2))
        outlines.append(px[np.isfinite(px).all(axis=1)])
    return tuple(outlines)


def _with_points_between(polygon: Float64s) -> Float64s:
    steps = np.arange(_PARTS)[:, None] / _PARTS
    following = np.roll(polygon, -1, axis=0)
    return np.asarray((polygon[:, None] + (following - polygon)[:, None] * steps).reshape(-1, 3), np.float64)


def fill(target: npt.NDArray[np.uint8], px: Float64s, colour: tuple[float, ...], *, scale: float = 1.0) -> None:
    """Fill an outline (M, 2), given in picture pixels, on a canvas of `scale` pixels per picture pixel.

    Outlines that the lens cannot show (NaN) are left out.
    """
    if len(px) >= 3 and np.isfinite(px).all():
        # OpenCV counts from pixel centres, the camera from pixel corners.
        fixed = np.round((px * scale - 0.5) * (1 << _SHIFT)).astype(np.int32)
        cv2.fillPoly(target, [fixed], colour, cv2.LINE_AA, _SHIFT)


def _view_planes(camera: PinholeCamera) -> Float64s:
    """(5, 4) planes [a, b, c, d] of a wide view, camera axes: a point lies inside where a x + b y + c z >= d."""
    across, down = (_MARGIN * size / 2 / camera.focal_px for size in camera.size_px)
    sides = ((0, 0, 1, _NEAR_M), (1, 0, across, 0), (-1, 0, across, 0), (0, 1, down, 0), (0, -1, down, 0))
    return np.array(sides, np.float64)


def _cut(points: Float64s, plane: Float64s) -> Float64s:
    """The part of a convex polygon (N, 3) that lies inside a plane (4,)."""
    inside = points @ plane[:3] - plane[3]
    if (inside >= 0).all():
        return points
    kept: list[Float64s] = []
    for index, point in enumerate(points):
        if (inside[index - 1] >= 0) != (inside[index] >= 0):
            share = inside[index - 1] / (inside[index - 1] - inside[index])
            kept.append(points[index - 1] + (point - points[index - 1]) * share)
        if inside[index] >= 0:
            kept.append(point)
    return np.array(kept).reshape(-1, 3)
