"""Which of a camera's control points agree with each other, and which one is wrong.

Every four points (or so many of them, drawn with a fixed seed, that no wrong one hides) give a homography; the one that
most points agree with is refined over them: Fischler & Bolles, Random Sample Consensus, CACM 24 (1981), tried out in
full.
"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import numpy.typing as npt

from geofence.errors import CalibrationError
from geofence.homography import MIN_POINTS, Homography, fit_homography
from geofence.lens import Lens

Float64s = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Four points agree with anything; one more has to be a coincidence to name another point wrong.
MIN_AGREEING = 5
MIN_POINTS_TO_NAME_ONE = MIN_AGREEING + 1
_MAX_SETS = 1000
_MAX_REFINED = 12
_MAX_ROUNDS = 10
# Two ways to leave points out that fit about equally well leave open which one is wrong.
_CLEARLY_BETTER = 2.0
_NEARLY_EXACT_PX = 0.2
# A wrong point at the rim draws the fit to itself: without it the noise is so many times less, and it is so many limits
# away.
_HIDDEN_NOISE = 4.0
_HIDDEN_MISS = 2.0


def fit_agreeing(
    px: Float64s, ground_m: Float64s, *, camera_id: str, limit_px: float, lens: Lens | None = None
) -> tuple[Homography, Bools]:
    """The homography of the points that agree to within `limit_px`, and which those are (N,).

    Raises CalibrationError where the points are degenerate, where fewer than five of six or more agree (more than a
    third may not be left out), or where it stays open which ones are wrong.
    """
    whole = _fit(px, ground_m, camera_id, lens)
    everyone = np.ones(len(px), np.bool_)
    if isinstance(whole, Homography) and whole.residual_px.max() <= limit_px:
        return _without_hidden(whole, px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens) or (
            whole,
            everyone,
        )
    if len(px) < MIN_POINTS_TO_NAME_ONE:
        raise _too_few(whole, px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens)
    found = _refined(px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens)
    least = max(MIN_AGREEING, -(-2 * len(px) // 3))
    if not found or found[0][1].sum() < least:
        hint = _exchanged_hint(px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens)
        if isinstance(whole, CalibrationError):
            raise CalibrationError(camera_id, f"{whole.problem}; {hint}") if hint else whole
        raise CalibrationError(
            camera_id,
            f"fewer than {least} of {len(px)} gcps agree to within {limit_px:g} px; {hint or _again(lens)}",
        )
    _refuse_open_choice(found, camera_id)
    return found[0]


def most_agreeing(
    px: Float64s, ground_m: Float64s, *, camera_id: str, limit_px: float, lens: Lens | None = None
) -> tuple[Homography, Bools] | None:
    """What `fit_agreeing` gives, however few points agree and however open it stays which are wrong; None if none do.

    To compare lenses by, before one of them is trusted.
    """
    whole = _fit(px, ground_m, camera_id, lens)
    if isinstance(whole, Homography) and whole.residual_px.max() <= limit_px:
        return whole, np.ones(len(px), np.bool_)
    if len(px) < MIN_POINTS_TO_NAME_ONE:
        return None
    found = _refined(px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens)
    return found[0] if found else None


def _again(lens: Lens | None) -> str:
    """What to try when no points agree."""
    if lens is not None:
        return "measure again"
    return "measure again, or try calibrate --fit-lens: a lens that bends the picture does this to good points too"


def exchanged_pair(
    px: Float64s, ground_m: Float64s, *, camera_id: str, limit_px: float, lens: Lens | None = None
) -> tuple[int, int] | None:
    """The two points that have to exchange their pixels for all of them to agree; None if no or several pairs do."""
    pairs = []
    for first, second in combinations(range(len(px)), 2):
        order = np.arange(len(px))
        order[[first, second]] = second, first
        fit = _fit(px[order], ground_m, camera_id, lens)
        if isinstance(fit, Homography) and fit.residual_px.max() <= limit_px:
            pairs.append((first, second))
    return pairs[0] if len(pairs) == 1 and len(px) > MIN_POINTS else None


def _fit(px: Float64s, ground_m: Float64s, camera_id: str, lens: Lens | None) -> Homography | CalibrationError:
    try:
        return fit_homography(px, ground_m, camera_id=camera_id, lens=lens)
    except CalibrationError as error:
        return error


def _too_few(
    whole: Homography | CalibrationError,
    px: Float64s,
    ground_m: Float64s,
    *,
    camera_id: str,
    limit_px: float,
    lens: Lens | None,
) -> CalibrationError:
    """Why four or five points that do not agree are refused."""
    hint = _exchanged_hint(px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens)
    if isinstance(whole, CalibrationError):
        return CalibrationError(camera_id, f"{whole.problem}; {hint}") if hint else whole
    worst = whole.residual_px.max()
    problem = (
        f"{len(px)} gcps disagree by up to {worst:.1f} px, more than {limit_px:g} px, and which one is wrong can only "
        f"be told from {MIN_POINTS_TO_NAME_ONE} or more; {hint or 'measure again or add points'}"
    )
    return CalibrationError(camera_id, problem)


def _exchanged_hint(
    px: Float64s, ground_m: Float64s, *, camera_id: str, limit_px: float, lens: Lens | None
) -> str | None:
    pair = exchanged_pair(px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens)
    return pair and f"all agree once gcps {pair[0]} and {pair[1]} (counted from 0) exchange their px"


def _without_hidden(
    whole: Homography, px: Float64s, ground_m: Float64s, *, camera_id: str, limit_px: float, lens: Lens | None
) -> tuple[Homography, Bools] | None:
    """The fit without the one point that bends it all to itself: far from where the others put it, which agree better
    without it than without any other; None if there is no such point."""
    if len(px) < MIN_POINTS_TO_NAME_ONE:
        return None
    tried = []
    for row in range(len(px)):
        others = np.arange(len(px)) != row
        fit = _fit(px[others], ground_m[others], camera_id, lens)
        if isinstance(fit, Homography):
            tried.append((_noise_px(fit), row, fit))
    tried.sort(key=lambda one: one[0])
    if len(tried) < len(px) or _noise_px(whole) < _HIDDEN_NOISE * max(tried[0][0], _NEARLY_EXACT_PX):
        return None
    (noise_px, row, fit), (next_noise_px, _, _) = tried[:2]
    miss_px = np.linalg.norm(fit.ground_to_pixel(ground_m[row][None])[0] - px[row])
    is_clear = next_noise_px >= _CLEARLY_BETTER * max(noise_px, _NEARLY_EXACT_PX)
    # A point that is seen nowhere by the others is NaN away: not within the limit.
    return (fit, np.arange(len(px)) != row) if is_clear and not miss_px <= _HIDDEN_MISS * limit_px else None


def _noise_px(fit: Homography) -> float:
    """What each coordinate is off by, from the residuals of more than four points."""
    count = len(fit.residual_px)
    return float(np.sqrt(np.sum(fit.residual_px**2) / (2 * count - 8)))


def _refuse_open_choice(found: list[tuple[Homography, Bools]], camera_id: str) -> None:
    """Raise where another choice of as many points fits about as well."""
    best, agree = found[0]
    for other, other_agree in found[1:]:
        if other_agree.sum() == agree.sum() and other.rms_px < max(_CLEARLY_BETTER * best.rms_px, _NEARLY_EXACT_PX):
            first, second = (", ".join(map(str, np.flatnonzero(~one))) for one in (agree, other_agree))
            problem = (
                f"either gcps {first} or {second} (counted from 0) are wrong, the others cannot tell; "
                "measure these again or add points"
            )
            raise CalibrationError(camera_id, problem)


def _refined(
    px: Float64s, ground_m: Float64s, *, camera_id: str, limit_px: float, lens: Lens | None
) -> list[tuple[Homography, Bools]]:
    """Fits over points that agree, most points first, then the closest fit."""
    if lens is not None and np.isfinite(lens.unbend(px)).all(axis=1).sum() < MIN_AGREEING:
        return []
    agreement = _agreement(px, ground_m, limit_px, lens)
    unique = np.unique(agreement, axis=0)
    order = np.lexsort((*unique.T[::-1], -unique.sum(axis=1)))
    found: dict[bytes, tuple[Homography, Bools]] = {}
    for agree in unique[order][:_MAX_REFINED]:
        settled = _settled(px, ground_m, agree, camera_id=camera_id, limit_px=limit_px, lens=lens)
        if settled is not None:
            found[settled[1].tobytes()] = settled
    return sorted(found.values(), key=lambda one: (-int(one[1].sum()), one[0].rms_px))


def _settled(
    px: Float64s, ground_m: Float64s, agree: Bools, *, camera_id: str, limit_px: float, lens: Lens | None
) -> tuple[Homography, Bools] | None:
    """Fit over the points that agree, look again who agrees, until that stays."""
    for _ in range(_MAX_ROUNDS):
        if agree.sum() < MIN_AGREEING:
            return None
        fit = _fit(px[agree], ground_m[agree], camera_id, lens)
        if isinstance(fit, CalibrationError):
            return None
        again = np.linalg.norm(fit.ground_to_pixel(ground_m) - px, axis=1) <= limit_px
        if np.array_equal(again, agree):
            return fit, agree
        agree = again
    return None


def _agreement(px: Float64s, ground_m: Float64s, limit_px: float, lens: Lens | None) -> Bools:
    """(M, N) which points every set of four puts to within the limit of their pixels."""
    ideal_px = px if lens is None else lens.unbend(px)
    sets = _sets(len(px))
    middle_px, middle_m = np.nanmean(ideal_px, axis=0), ground_m.mean(axis=0)
    scale_px, scale_m = (float(np.nanmax(np.abs(p - m))) for p, m in ((ideal_px, middle_px), (ground_m, middle_m)))
    unit_px, unit_m = (ideal_px - middle_px) / scale_px, (ground_m - middle_m) / scale_m
    homogeneous = np.column_stack((unit_m, np.ones(len(unit_m))))
    rows = np.nan_to_num(np.concatenate((_rows(homogeneous, unit_px, 0), _rows(homogeneous, unit_px, 1)), axis=1))
    equations = rows[sets].reshape(len(sets), 2 * MIN_POINTS, 9)
    matrices = np.linalg.svd(equations)[2][:, -1].reshape(-1, 3, 3)
    mapped = np.einsum("mij,nj->mni", matrices, homogeneous)
    depth = mapped[:, :, 2]
    # One camera sees all four of them, and from above.
    side = np.sign(np.take_along_axis(depth, sets, axis=1))
    facing = side[:, 0]
    is_view = (side == facing[:, None]).all(axis=1) & (facing * np.linalg.det(matrices) < 0)
    ahead = np.where(depth * facing[:, None] > 1e-9, depth, np.nan)
    seen_px = mapped[:, :, :2] / ahead[:, :, None] * scale_px + middle_px
    if lens is not None:
        seen_px = lens.bend(seen_px.reshape(-1, 2)).reshape(seen_px.shape)
    return np.asarray((np.linalg.norm(seen_px - px, axis=2) <= limit_px) & is_view[:, None], np.bool_)


def _rows(homogeneous: Float64s, px: Float64s, axis: int) -> Float64s:
    """(N, 1, 9) what a point says of the matrix: its row for that axis of the pixel less pixel times depth is 0."""
    rows = np.zeros((len(px), 1, 9))
    rows[:, 0, 3 * axis : 3 * axis + 3] = homogeneous
    rows[:, 0, 6:] = -px[:, axis : axis + 1] * homogeneous
    return rows


def _sets(count: int) -> npt.NDArray[np.int64]:
    """(M, 4) every four of the points, or many drawn with a fixed seed."""
    if comb(count, MIN_POINTS) <= _MAX_SETS:
        return np.array(list(combinations(range(count), MIN_POINTS)), np.int64)
    chance = np.random.default_rng(count)
    return np.argsort(chance.random((_MAX_SETS, count)), axis=1)[:, :MIN_POINTS]
