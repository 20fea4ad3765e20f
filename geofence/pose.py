"""Where a camera stands and how it looks, from its view of the ground: so that what has height can be drawn too.

The homography of a ground plane is K [r1 r2 t], with r1 and r2 of length 1 and at a right angle, which gives the focal
length of square pixels: Hartley & Zisserman, Multiple View Geometry, 2nd ed., section 8.6 and example 8.18.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geofence.homography import Homography
from geofence.lens import Lens

Float64s = npt.NDArray[np.float64]

# Share of the picture's width, where its own is not to be found: a lens that shows 64 degrees.
DEFAULT_FOCAL_SHARE = 0.8
# How uncertain a focal length may be (its logarithm) if each of six control points is off by a pixel.
MAX_FOCAL_SIGMA = 0.15
# Where the best pinhole lies so far from the homography (share of the picture's width), it was no picture of a pinhole.
MAX_MISFIT_SHARE = 0.03
# Ground is compared where it is this many times as far as the control points, so that no guess weighs in.
_DEPTHS = (0.2, 3.0)
_GRID = 13
_MIN_SAMPLES = 6
_STARTS = (0.4, 0.8, 1.6, 3.2)
_MIN_DEPTH_M = 0.1


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pose:
    """A pinhole above the ground plane.

    axes:        (3, 3) rows: unit vectors to the right of the picture, down the picture, along the view,
                 in [east, north, up]
    position_m:  (3,) optical centre [east, north, up]
    focal_px, center_px: focal length and principal point, pixels
    is_focal_measured: False where the ground does not tell it (a view straight down) and a usual one was taken:
                 what stands on the ground is then drawn too high or too low, the ground itself is right
    misfit_px:   root mean square distance between the homography and this pinhole over the ground in the picture
    """

    axes: Float64s
    position_m: Float64s
    focal_px: float
    center_px: tuple[float, float]
    is_focal_measured: bool
    misfit_px: float
    lens: Lens | None = None

    @property
    def height_m(self) -> float:
        """Optical centre above the ground, metres."""
        return float(self.position_m[2])

    @property
    def tilt_deg(self) -> float:
        """How far the camera looks below the horizontal, degrees; 90 is straight down."""
        return math.degrees(math.asin(max(-1.0, min(1.0, -float(self.axes[2, 2])))))

    def project(self, points_m: Float64s) -> Float64s:
        """(N, 3) metres [east, north, up] → (N, 2) pixels; NaN behind the camera and where the lens shows none."""
        points = np.asarray(points_m, np.float64).reshape(-1, 3)
        ideal_px = _view((points - self.position_m) @ self.axes.T, self.focal_px, self.center_px)
        return ideal_px if self.lens is None else self.lens.bend(ideal_px)


def camera_pose(homography: Homography, size_px: tuple[int, int]) -> Pose | None:
    """The pinhole that sees the ground as the homography does; None if there is none, as for a stretched picture.

    size_px: (width, height) of the picture that the homography belongs to; its middle is the principal point unless
        the homography has a lens, which then gives the focal length as well
    """
    lens = homography.lens
    center_px = (size_px[0] / 2, size_px[1] / 2) if lens is None else lens.center_px
    ideal_px, ground_m = _samples(homography, size_px)
    if len(ground_m) < _MIN_SAMPLES:
        return None
    # Numbers stay small near a place that is seen, wherever the plane has its origin.
    anchor_m = ground_m.mean(axis=0)
    scene = _Scene(ideal_px - center_px, ground_m - anchor_m)
    matrix = _around(homography.ground_to_pixel_matrix, anchor_m, center_px)
    fit, is_measured = _best(scene, matrix, size_px[0], None if lens is None else lens.focal_px)
    if fit is None or not fit.misfit_px <= MAX_MISFIT_SHARE * size_px[0]:
        return None
    position_m = -fit.axes.T @ fit.offset + [*anchor_m, 0.0]
    if position_m[2] <= 0:
        return None
    return Pose(
        axes=fit.axes,
        position_m=position_m,
        focal_px=fit.focal_px,
        center_px=center_px,
        is_focal_measured=is_measured,
        misfit_px=fit.misfit_px,
        lens=lens,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """Pixels (N, 2) from the principal point, and the ground (N, 2) that is seen there, metres from the anchor."""

    px: Float64s
    ground_m: Float64s

    def residual(self, focal_px: float, axes: Float64s, offset: Float64s) -> Float64s:
        """(2N,) pixels between where a pinhole shows the ground and where it is seen; infinite behind the camera."""
        seen = _view(self.ground_m @ axes[:, :2].T + offset, focal_px, (0.0, 0.0))
        return np.asarray(np.nan_to_num(seen - self.px, nan=np.inf).reshape(-1), np.float64)


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """A pinhole: axes as in `Pose`, offset (3,) of the anchor from the optical centre in camera axes, metres."""

    focal_px: float
    axes: Float64s
    offset: Float64s
    misfit_px: float

    def moved(self, scene: _Scene, step: Float64s) -> _Fit:
        """After a step (7,): logarithm of the focal length, turn, way."""
        focal_px = self.focal_px * math.exp(max(-1.0, min(1.0, float(step[0]))))
        return _fitted(scene, focal_px, _turn(step[1:4]) @ self.axes, self.offset + step[4:])


def _fitted(scene: _Scene, focal_px: float, axes: Float64s, offset: Float64s) -> _Fit:
    squares = scene.residual(focal_px, axes, offset) ** 2
    return _Fit(focal_px, axes, offset, math.sqrt(2 * float(np.mean(squares))))


def _samples(homography: Homography, size_px: tuple[int, int]) -> tuple[Float64s, Float64s]:
    """A grid of pixels that show ground not much nearer or farther than the control points: ideal ones, metres."""
    across, down = (np.linspace(0.0, side, _GRID) for side in size_px)
    px = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
    ground_m = homography.pixel_to_ground(px)
    ideal_px = px if homography.lens is None else homography.lens.unbend(px)
    depth = np.column_stack((ground_m, np.ones(len(ground_m)))) @ homography.ground_to_pixel_matrix[2]
    is_near = (depth > _DEPTHS[0]) & (depth < _DEPTHS[1]) & np.isfinite(ideal_px).all(axis=1)
    return ideal_px[is_near], ground_m[is_near]


def _around(matrix: Float64s, anchor_m: Float64s, center_px: tuple[float, float]) -> Float64s:
    """The homography with its origins at the anchor and at the principal point."""
    to_anchor, from_center = np.eye(3), np.eye(3)
    to_anchor[:2, 2] = anchor_m
    from_center[:2, 2] = -center_px[0], -center_px[1]
    return np.asarray(from_center @ matrix @ to_anchor, np.float64)


def _best(scene: _Scene, matrix: Float64s, width: int, known_focal_px: float | None) -> tuple[_Fit | None, bool]:
    """The closest pinhole, and whether its focal length is known rather than assumed."""
    if known_focal_px is not None:
        return _refined(scene, _decomposed(scene, matrix, known_focal_px), is_focal_free=False), True
    shares = [share * width for share in _STARTS]
    starts = [_decomposed(scene, matrix, focal_px) for focal_px in (*_orthogonal_focal(matrix), *shares)]
    fit = _refined(scene, min(starts, key=lambda start: start.misfit_px), is_focal_free=True)
    if fit is not None and _focal_sigma(scene, fit) <= MAX_FOCAL_SIGMA:
        return fit, True
    usual = _decomposed(scene, matrix, DEFAULT_FOCAL_SHARE * width)
    return _refined(scene, usual, is_focal_free=False), False


def _orthogonal_focal(matrix: Float64s) -> list[float]:
    """The focal length by which the first two columns are equally long and at a right angle; none if there is none."""
    (a1, a2), (b1, b2), (c1, c2) = matrix[:, :2]
    by_pixels = np.array([a1 * a2 + b1 * b2, a1**2 + b1**2 - a2**2 - b2**2])
    by_depth = np.array([c1 * c2, c1**2 - c2**2])
    weight = float(by_pixels @ by_pixels)
    inverse_square = -float(by_pixels @ by_depth) / weight if weight > 0 else 0.0
    return [1 / math.sqrt(inverse_square)] if inverse_square > 0 else []


def _decomposed(scene: _Scene, matrix: Float64s, focal_px: float) -> _Fit:
    """The rotation nearest to the columns of the homography for this focal length, and the way to the anchor."""
    columns = matrix / np.array([[focal_px], [focal_px], [1.0]])
    left, lengths, right = np.linalg.svd(columns[:, :2], full_matrices=False)
    ground_axes = left @ right
    axes = np.column_stack((ground_axes, np.cross(ground_axes[:, 0], ground_axes[:, 1])))
    return _fitted(scene, focal_px, axes, np.asarray(columns[:, 2] / np.mean(lengths), np.float64))


def _refined(scene: _Scene, start: _Fit, *, is_focal_free: bool, max_steps: int = 50) -> _Fit | None:
    """Levenberg-Marquardt on the pixel distances; None where the start shows nothing."""
    if not math.isfinite(start.misfit_px):
        return None
    fit, damping = start, 1e-3
    first = 0 if is_focal_free else 1
    for _ in range(max_steps):
        slopes = _slopes(scene, fit)[:, first:]
        residual = scene.residual(fit.focal_px, fit.axes, fit.offset)
        normal = slopes.T @ slopes
        damped = normal + damping * np.diag(np.diag(normal) + 1e-12)
        step = np.zeros(7)
        step[first:] = np.linalg.solve(damped, -slopes.T @ residual)
        trial = fit.moved(scene, step)
        is_better = trial.misfit_px < fit.misfit_px
        is_done = is_better and trial.misfit_px > fit.misfit_px * (1 - 1e-9)
        fit = trial if is_better else fit
        damping = max(damping / 10, 1e-12) if is_better else damping * 10
        if is_done or damping > 1e8 or fit.misfit_px < 1e-9:
            break
    return fit


def _slopes(scene: _Scene, fit: _Fit) -> Float64s:
    """(2N, 7) derivatives of the residual by the numbers of a step."""
    in_camera = scene.ground_m @ fit.axes[:, :2].T + fit.offset
    depth = in_camera[:, 2:]
    plane = in_camera[:, :2] / depth
    # What a change of the camera point (right, below, along) does to the pixel.
    zeros = np.zeros_like(depth)
    by_point = np.stack(
        (
            np.hstack((1 / depth, zeros, -plane[:, :1] / depth)),
            np.hstack((zeros, 1 / depth, -plane[:, 1:] / depth)),
        ),
        axis=1,
    )
    turned = in_camera - fit.offset
    by_turn = np.stack([np.cross(axis, turned) for axis in np.eye(3)], axis=-1)
    by_focal = fit.focal_px * plane[:, :, None]
    slopes = np.concatenate((by_focal, fit.focal_px * by_point @ by_turn, fit.focal_px * by_point), axis=2)
    return np.asarray(slopes.reshape(-1, 7), np.float64)


def _focal_sigma(scene: _Scene, fit: _Fit) -> float:
    """Standard deviation of the focal length's logarithm if six points like these were off by a pixel each way."""
    slopes = _slopes(scene, fit)
    normal = slopes.T @ slopes * (_MIN_SAMPLES / len(scene.px))
    scale = np.sqrt(np.diag(normal))
    if not np.all(scale > 0):
        return math.inf
    variances = np.linalg.pinv(normal / np.outer(scale, scale), rcond=1e-14)
    return math.sqrt(max(0.0, float(variances[0, 0]))) / float(scale[0])


def _turn(vector: Float64s) -> Float64s:
    """(3, 3) rotation by a vector (3,) along its axis, as long as its angle: Rodrigues' formula."""
    angle = float(np.linalg.norm(vector))
    if angle < 1e-15:
        return np.eye(3)
    x, y, z = vector / angle
    cross = np.array([(0.0, -z, y), (z, 0.0, -x), (-y, x, 0.0)])
    return np.asarray(np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross, np.float64)


def _view(camera_m: Float64s, focal_px: float, center_px: tuple[float, float]) -> Float64s:
    """Camera points (N, 3) → ideal pixels (N, 2); NaN behind the camera."""
    depth = np.where(camera_m[:, 2] > _MIN_DEPTH_M, camera_m[:, 2], np.nan)
    return np.asarray(camera_m[:, :2] / depth[:, None] * focal_px + center_px, np.float64)
