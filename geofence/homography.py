"""Pixels ↔ ground metres of a fixed camera over flat ground, from control points and, where known, its lens.

Normalised direct linear transform and Gauss-Newton on the reprojection error: Hartley & Zisserman,
Multiple View Geometry, 2nd ed., algorithms 4.2 and 4.3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geofence.errors import CalibrationError
from geofence.lens import Lens

Float64s = npt.NDArray[np.float64]

MIN_POINTS = 4
# Points whose spread across their common line is below this share of the spread along it are "on one line".
COLLINEAR_RATIO = 0.01
# Near the horizon a pixel is kilometres; below this share of the control points' depth it is no place.
MIN_RELATIVE_DEPTH = 1e-3


@dataclass(frozen=True, slots=True, eq=False)
class Homography:
    """A camera's view of the ground.

    ground_to_pixel_matrix, pixel_to_ground_matrix: (3, 3) float64, scaled so that the third homogeneous
        coordinate is positive for what the camera sees and 1 on average over the control points; their
        pixels are those of an ideal pinhole
    residual_px: (N,) distance of every control point from where the fit puts it, in pixels of the real picture
    lens:        between the ideal picture and the real one, None for a camera that needs none
    """

    ground_to_pixel_matrix: Float64s
    pixel_to_ground_matrix: Float64s
    residual_px: Float64s
    lens: Lens | None = None

    @property
    def rms_px(self) -> float:
        """Root mean square of the reprojection error, pixels."""
        return float(np.sqrt(np.mean(self.residual_px**2)))

    def pixel_to_ground(self, px: Float64s) -> Float64s:
        """(N, 2) pixels → (N, 2) metres [east, north]; NaN at and above the horizon, and where the lens shows none."""
        return _project(self.pixel_to_ground_matrix, px if self.lens is None else self.lens.unbend(px))

    def ground_to_pixel(self, ground_m: Float64s) -> Float64s:
        """(N, 2) metres [east, north] → (N, 2) pixels; NaN behind the camera's plane and where the lens shows none."""
        return _bent(_project(self.ground_to_pixel_matrix, ground_m), self.lens)


def fit_homography(
    px: Float64s,
    ground_m: Float64s,
    *,
    camera_id: str,
    lens: Lens | None = None,
) -> Homography:
    """Fit (N, 2) pixels to (N, 2) ground metres; raises CalibrationError on degenerate or bad points."""
    seen_px = np.asarray(px, np.float64).reshape(-1, 2)
    pixels = seen_px if lens is None else _unbent(seen_px, lens, camera_id)
    metres = np.asarray(ground_m, np.float64).reshape(-1, 2)
    _refuse_degenerate(pixels, metres, camera_id)
    to_unit_px, to_unit_m = _normalisation(pixels), _normalisation(metres)
    unit_px, unit_m = _apply(to_unit_px, pixels), _apply(to_unit_m, metres)
    unit = _refine(_direct_linear_transform(unit_m, unit_px), unit_m, unit_px)
    matrix = np.asarray(np.linalg.inv(to_unit_px) @ unit @ to_unit_m, np.float64)
    forward = _scaled(matrix, metres, camera_id)
    if np.linalg.det(forward) >= 0:
        raise CalibrationError(camera_id, "gcps show the ground from below; two points have their px exchanged")
    # A point that the fit puts where the lens shows nothing is infinitely wrong.
    residual_px = np.nan_to_num(np.linalg.norm(_bent(_project(forward, metres), lens) - seen_px, axis=1), nan=np.inf)
    backward = _scaled(np.asarray(np.linalg.inv(matrix), np.float64), pixels, camera_id)
    return Homography(forward, backward, residual_px, lens)


def _unbent(px: Float64s, lens: Lens, camera_id: str) -> Float64s:
    """The ideal pixels of all points; raises CalibrationError for one that this lens cannot show."""
    ideal_px = lens.unbend(px)
    lost = np.flatnonzero(np.isnan(ideal_px).any(axis=1))
    if len(lost):
        x, y = px[lost[0]]
        problem = (
            f"gcps[{lost[0]}] px=[{x:g}, {y:g}] lies where a lens of k1 = {lens.k1:g}, k2 = {lens.k2:g}, "
            f"focal_px = {lens.focal_px:g} shows nothing; measure the lens again, or leave the point out"
        )
        raise CalibrationError(camera_id, problem)
    return ideal_px


def _bent(ideal_px: Float64s, lens: Lens | None) -> Float64s:
    return ideal_px if lens is None else lens.bend(ideal_px)


def _refuse_degenerate(px: Float64s, ground_m: Float64s, camera_id: str) -> None:
    """A homography is determined by four points of which no three lie on one line.

    Among N points four such exist unless all of them, or all but one, lie on one line.
    """
    if len(px) != len(ground_m) or len(px) < MIN_POINTS:
        raise CalibrationError(camera_id, f"gcps has {len(px)} points; at least {MIN_POINTS} are needed")
    for where, points in (("in the picture", px), ("on the ground", ground_m)):
        for left_out in np.flatnonzero(_are_collinear_without(points)):
            numbers = ", ".join(str(n) for n in range(len(points)) if n != left_out)
            problem = f"gcps {numbers} (counted from 0) lie on one line {where}; move or add points off it"
            raise CalibrationError(camera_id, problem)


def _are_collinear_without(points: Float64s) -> npt.NDArray[np.bool_]:
    """(N,) whether the others lie on one line."""
    rows = np.arange(len(points) - 1)
    others = points[rows + (rows >= np.arange(len(points))[:, None])]
    spread = np.linalg.svd(others - others.mean(axis=1, keepdims=True), compute_uv=False)
    return np.asarray(spread[:, 1] <= COLLINEAR_RATIO * spread[:, 0], np.bool_)


def _normalisation(points: Float64s) -> Float64s:
    """(3, 3) similarity that moves the centroid to 0 and the mean distance from it to √2."""
    centre = points.mean(axis=0)
    scale = math.sqrt(2) / float(np.mean(np.linalg.norm(points - centre, axis=1)))
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _direct_linear_transform(source: Float64s, target: Float64s) -> Float64s:
    """(3, 3) least-squares solution of target × (H source) = 0."""
    homogeneous = np.column_stack((source, np.ones(len(source))))
    zeros = np.zeros_like(homogeneous)
    rows_x = np.hstack((homogeneous, zeros, -target[:, :1] * homogeneous))
    rows_y = np.hstack((zeros, homogeneous, -target[:, 1:] * homogeneous))
    solution = np.linalg.svd(np.vstack((rows_x, rows_y)))[2][-1].reshape(3, 3)
    return np.asarray(solution / np.linalg.norm(solution), np.float64)


def _refine(matrix: Float64s, source: Float64s, target: Float64s, max_steps: int = 30) -> Float64s:
    """Gauss-Newton on the squared reprojection error; the free scale is settled by the minimum-norm step."""
    cost = _cost(matrix, source, target)
    for _ in range(max_steps):
        residual, jacobian = _linearised(matrix, source, target)
        step = np.linalg.lstsq(jacobian, -residual, rcond=1e-10)[0].reshape(3, 3)
        trial = matrix + step
        trial /= np.linalg.norm(trial)
        trial_cost = _cost(trial, source, target)
        if not trial_cost < cost * (1 - 1e-12):
            break
        matrix, cost = trial, trial_cost
    return matrix


def _cost(matrix: Float64s, source: Float64s, target: Float64s) -> float:
    return float(np.sum((_apply(matrix, source) - target) ** 2))


def _linearised(matrix: Float64s, source: Float64s, target: Float64s) -> tuple[Float64s, Float64s]:
    """Residuals (2N,) and their derivatives (2N, 9) by the matrix entries."""
    homogeneous = np.column_stack((source, np.ones(len(source))))
    mapped = homogeneous @ matrix.T
    depth = mapped[:, 2:]
    position = mapped[:, :2] / depth
    by_entry = homogeneous / depth
    zeros = np.zeros_like(by_entry)
    rows_x = np.hstack((by_entry, zeros, -position[:, :1] * by_entry))
    rows_y = np.hstack((zeros, by_entry, -position[:, 1:] * by_entry))
    return (position - target).T.reshape(-1), np.vstack((rows_x, rows_y))


def _apply(matrix: Float64s, points: Float64s) -> Float64s:
    mapped = np.column_stack((points, np.ones(len(points)))) @ matrix.T
    return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def _scaled(matrix: Float64s, points: Float64s, camera_id: str) -> Float64s:
    """The matrix with depth positive, and 1 on average, over `points`; raises when they straddle the horizon."""
    depth = np.column_stack((points, np.ones(len(points)))) @ matrix[2]
    if np.min(depth) <= 0 <= np.max(depth):
        raise CalibrationError(camera_id, "gcps cannot all be seen by one camera; check px, lat and lng of each")
    return np.asarray(matrix / np.mean(depth), np.float64)


def _project(matrix: Float64s, points: Float64s) -> Float64s:
    """Apply a scaled matrix; NaN where the depth is not positive enough to be a place."""
    flat = np.asarray(points, np.float64).reshape(-1, 2)
    mapped = np.column_stack((flat, np.ones(len(flat)))) @ matrix.T
    depth = np.where(mapped[:, 2] > MIN_RELATIVE_DEPTH, mapped[:, 2], np.nan)
    return np.asarray(mapped[:, :2] / depth[:, None], np.float64)
