"""A lens's radial distortion from control points on flat ground: what of their error a bent picture explains.

Flat ground alone tells k1 / focal² only; the focal length then comes from what the ground looks like (`pose.py`). Golub
& Pereyra's variable projection: for every pair of coefficients the homography is the best one, so that only they are
searched.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from geofence.consensus import fit_agreeing, most_agreeing
from geofence.errors import CalibrationError
from geofence.homography import Homography, fit_homography
from geofence.lens import Lens
from geofence.pose import DEFAULT_FOCAL_SHARE, camera_pose

Float64s = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

MIN_POINTS_FOR_LENS = 8
MIN_POINTS_FOR_K2 = 14
# How uncertain the bend may be in the picture's corner, pixels.
MAX_BEND_SIGMA_PX = 8.0
# Points are hardly measured better than this, however well they happen to fit.
_LEAST_NOISE_PX = 0.3
# A coefficient below so many standard deviations is chance.
_SIGNIFICANT = 3.0
_STARTS = tuple(0.05 * step for step in range(-12, 7))
# Share of the picture's width within which good points agree by the nearest of these.
_LOOSE_SHARE = 1 / 200
_STEP = 1e-4
_MAX_ROUNDS = 20
_LIMIT = 1.0


def fit_lens(
    px: Float64s, ground_m: Float64s, *, camera_id: str, size_px: tuple[int, int], limit_px: float
) -> tuple[Homography, Bools]:
    """The homography with a lens that the points (N, 2) agree with best, and which points agree (N,).

    Raises CalibrationError where the points do not determine a lens, or show none.
    """
    if len(px) < MIN_POINTS_FOR_LENS:
        problem = f"a lens takes {MIN_POINTS_FOR_LENS} gcps or more, there are {len(px)}; add points or leave it out"
        raise CalibrationError(camera_id, problem)
    center_px = (size_px[0] / 2, size_px[1] / 2)
    straight = Lens(focal_px=DEFAULT_FOCAL_SHARE * size_px[0], center_px=center_px)
    lens = _agreed(px, ground_m, straight, camera_id=camera_id, limits_px=_limits(size_px[0], limit_px))
    _, agree = fit_agreeing(px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens)
    _refuse_undetermined(px[agree], ground_m[agree], lens, camera_id)
    return fit_agreeing(
        px,
        ground_m,
        camera_id=camera_id,
        limit_px=limit_px,
        lens=_with_own_focal(px[agree], ground_m[agree], lens, camera_id, size_px),
    )


def _limits(width_px: int, limit_px: float) -> list[float]:
    """From one that a coarse coefficient keeps good points within, halved down to the caller's, which comes twice.

    The second time nothing is searched over points that a looser limit let in.
    """
    limits_px = [_LOOSE_SHARE * width_px]
    while limits_px[-1] > 2 * limit_px:
        limits_px.append(limits_px[-1] / 2)
    return [*(one for one in limits_px if one > limit_px), limit_px, limit_px]


def _agreed(px: Float64s, ground_m: Float64s, straight: Lens, *, camera_id: str, limits_px: list[float]) -> Lens:
    """The lens that suits the points which agree by it, found for ever fewer pixels that they may be off."""
    trials = [replace(straight, k1=float(k1)) for k1 in _STARTS]
    lens = straight
    for limit_px in limits_px:
        tried = [most_agreeing(px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=trial) for trial in trials]
        found = [one for one in tried if one is not None]
        if not found:
            break
        fit, agree = min(found, key=lambda one: (-int(one[1].sum()), one[0].rms_px))
        trials = _nearest(px[agree], ground_m[agree], fit.lens or lens, camera_id)
        lens = _simplest(px[agree], ground_m[agree], trials, camera_id)
    return lens


def _nearest(px: Float64s, ground_m: Float64s, start: Lens, camera_id: str) -> list[Lens]:
    """The closest lens with one coefficient, as far as it shows the points, and with two, as far as they are enough."""
    found = []
    for is_k2_free in (False, True)[: 1 + (len(px) >= MIN_POINTS_FOR_K2)]:
        try:
            first = start if is_k2_free else replace(start, k2=0.0)
            found.append(_searched(px, ground_m, first, camera_id, is_k2_free=is_k2_free))
        except CalibrationError:
            continue
    return found or [start]


def _simplest(px: Float64s, ground_m: Float64s, found: list[Lens], camera_id: str) -> Lens:
    """The lens with two coefficients only where the points show the second."""
    *others, last = found
    is_shown = abs(last.k2) > _SIGNIFICANT * _deviations(px, ground_m, last, camera_id, is_k2_free=True)[1]
    return last if is_shown or not others else others[0]


def _searched(px: Float64s, ground_m: Float64s, lens: Lens, camera_id: str, *, is_k2_free: bool) -> Lens:
    """Damped Gauss-Newton on the coefficients."""
    residual = _residual(px, ground_m, lens, camera_id)
    damping = 1e-3
    for _ in range(_MAX_ROUNDS):
        slopes = _slopes(px, ground_m, lens, camera_id, is_k2_free=is_k2_free)
        normal = slopes.T @ slopes
        damped = normal + damping * np.diag(np.diag(normal) + 1e-12)
        step = np.asarray(np.linalg.solve(damped, -slopes.T @ residual), np.float64)
        try:
            trial = _stepped(lens, step)
            following = _residual(px, ground_m, trial, camera_id)
        except CalibrationError:
            damping *= 10
            continue
        if following @ following < residual @ residual:
            is_done = bool(np.abs(step).max() < 1e-7)
            lens, residual, damping = trial, following, damping / 10
            if is_done:
                break
        else:
            damping *= 10
    return lens


def _stepped(lens: Lens, step: Float64s) -> Lens:
    k1, k2 = lens.k1 + float(step[0]), lens.k2 + (float(step[1]) if len(step) > 1 else 0.0)
    return replace(lens, k1=max(-_LIMIT, min(_LIMIT, k1)), k2=max(-_LIMIT, min(_LIMIT, k2)))


def _residual(px: Float64s, ground_m: Float64s, lens: Lens, camera_id: str) -> Float64s:
    """(2N,) pixels between where the best homography through this lens puts the points and where they are."""
    fit = fit_homography(px, ground_m, camera_id=camera_id, lens=lens)
    return np.asarray(np.nan_to_num(fit.ground_to_pixel(ground_m) - px, nan=1e6).reshape(-1), np.float64)


def _slopes(px: Float64s, ground_m: Float64s, lens: Lens, camera_id: str, *, is_k2_free: bool) -> Float64s:
    """(2N, 1 or 2) derivatives of the residual by the coefficients."""
    steps = [(_STEP, 0.0), (0.0, _STEP)][: 1 + is_k2_free]
    columns = [
        _residual(px, ground_m, replace(lens, k1=lens.k1 + one, k2=lens.k2 + two), camera_id)
        - _residual(px, ground_m, replace(lens, k1=lens.k1 - one, k2=lens.k2 - two), camera_id)
        for one, two in steps
    ]
    return np.column_stack(columns) / (2 * _STEP)


def _deviations(px: Float64s, ground_m: Float64s, lens: Lens, camera_id: str, *, is_k2_free: bool) -> Float64s:
    """Standard deviations of the coefficients, by the error that the points have."""
    residual = _residual(px, ground_m, lens, camera_id)
    freedom = max(1, len(residual) - 9 - is_k2_free)
    noise_px = max(_LEAST_NOISE_PX, math.sqrt(float(residual @ residual) / freedom))
    slopes = _slopes(px, ground_m, lens, camera_id, is_k2_free=is_k2_free)
    return np.asarray(noise_px * np.sqrt(np.diag(np.linalg.pinv(slopes.T @ slopes))), np.float64)


def _refuse_undetermined(px: Float64s, ground_m: Float64s, lens: Lens, camera_id: str) -> None:
    corner = float(np.hypot(*lens.center_px)) / lens.focal_px
    sigma = float(_deviations(px, ground_m, lens, camera_id, is_k2_free=False)[0])
    bend_px = corner**3 * lens.focal_px
    if sigma * bend_px > MAX_BEND_SIGMA_PX:
        problem = (
            f"the gcps leave the lens open to {sigma * bend_px:.0f} px in the picture's corners; add points near "
            "them, or leave the lens out"
        )
        raise CalibrationError(camera_id, problem)
    if abs(lens.k1) < _SIGNIFICANT * sigma and not lens.k2:
        problem = f"the gcps show no bent lens (k1 = {lens.k1:.3f} ± {sigma:.3f}); leave the lens out"
        raise CalibrationError(camera_id, problem)


def _with_own_focal(px: Float64s, ground_m: Float64s, lens: Lens, camera_id: str, size_px: tuple[int, int]) -> Lens:
    """The same bend, written with the camera's focal length where the ground tells it."""
    ideal = fit_homography(lens.unbend(px), ground_m, camera_id=camera_id)
    pose = camera_pose(ideal, size_px)
    if pose is None or not pose.is_focal_measured:
        return lens
    ratio = pose.focal_px / lens.focal_px
    k1, k2 = lens.k1 * ratio**2, lens.k2 * ratio**4
    if max(abs(k1), abs(k2)) > _LIMIT:
        return lens
    return Lens(focal_px=pose.focal_px, center_px=lens.center_px, k1=k1, k2=k2)
