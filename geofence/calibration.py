"""From control points to a camera's view of the ground, with what can be said about its error.

`site.toml` is taken as it is; here its control points, or new ones, are put on trial: which of them are wrong, how far
the others are off, and what the view is worth where none of them lies.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from geofence.consensus import exchanged_pair, fit_agreeing
from geofence.errors import CalibrationError
from geofence.homography import MIN_POINTS, Homography, fit_homography
from geofence.lens import Lens
from geofence.lens_fit import fit_lens as fit_with_lens

Float64s = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# Below this share of the picture between the points most of it is a guess; below the least it is one wherever somebody
# looks.
LEAST_COVERED_SHARE = 0.1
REFUSED_SHARE = 0.01
# Nearer than this two points are one.
_TWIN_PX, _TWIN_M = 1.0, 0.02
# A point that the others miss by so many times the limit is doubtful, though the fit with it looks good.
_DOUBTFUL = 3.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calibration:
    """A fit over the points that agree, and the error of each of the N points.

    is_used:            (N,) False for a point that disagrees with the others and was left out
    residual_px, residual_m: (N,) distance from where the fit puts the point, in the picture and on the ground;
                        NaN where the fit shows it nowhere
    left_out_px, left_out_m: (N,) the same by a fit without that point: the error to expect at a place that was not
                        measured; NaN where the other points give no fit
    covered_share:      of the picture between the points used
    warnings:           what to know before relying on it, one line each
    """

    homography: Homography
    px: Float64s
    ground_m: Float64s
    is_used: Bools
    residual_px: Float64s
    residual_m: Float64s
    left_out_px: Float64s
    left_out_m: Float64s
    covered_share: float
    warnings: tuple[str, ...]

    @property
    def rms_px(self) -> float:
        """Root mean square residual of the points used, pixels."""
        return _rms(self.residual_px[self.is_used])

    @property
    def rms_m(self) -> float:
        """Root mean square residual of the points used, metres."""
        return _rms(self.residual_m[self.is_used])

    @property
    def left_out_rms_px(self) -> float | None:
        """Root mean square error at a point that the fit does not know, pixels; None where no point can be spared."""
        known = self.left_out_px[self.is_used & np.isfinite(self.left_out_px)]
        return _rms(known) if len(known) else None


def calibrate(
    px: Float64s,
    ground_m: Float64s,
    *,
    camera_id: str,
    size_px: tuple[int, int],
    limit_px: float = 5.0,
    lens: Lens | None = None,
    is_lens_wanted: bool = False,
) -> Calibration:
    """Fit (N, 2) pixels to (N, 2) ground metres [east, north], leaving out points that the others contradict.

    limit_px: points agree that are no farther from the fit; lens: known already; is_lens_wanted: find it instead.
    Raises CalibrationError, one line, where the points determine no view, or leave open which of them are wrong.
    """
    pixels = np.asarray(px, np.float64).reshape(-1, 2)
    metres = np.asarray(ground_m, np.float64).reshape(-1, 2)
    _refuse_few(pixels, camera_id)
    _refuse_twins(pixels, metres, camera_id)
    if is_lens_wanted:
        fit, is_used = fit_with_lens(pixels, metres, camera_id=camera_id, size_px=size_px, limit_px=limit_px)
    else:
        fit, is_used = fit_agreeing(pixels, metres, camera_id=camera_id, limit_px=limit_px, lens=lens)
    covered_share = _covered_share(pixels[is_used], size_px)
    if covered_share < REFUSED_SHARE:
        problem = (
            f"gcps span {covered_share:.1%} of the picture, so a pixel's error there is metres elsewhere; "
            f"spread them over {LEAST_COVERED_SHARE:.0%} of it or more"
        )
        raise CalibrationError(camera_id, problem)
    left_out = _left_out(pixels, metres, is_used, camera_id, fit.lens)
    residual_px = np.linalg.norm(fit.ground_to_pixel(metres) - pixels, axis=1)
    return Calibration(
        homography=fit,
        px=pixels,
        ground_m=metres,
        is_used=is_used,
        residual_px=residual_px,
        residual_m=np.linalg.norm(fit.pixel_to_ground(pixels) - metres, axis=1),
        left_out_px=left_out[:, 0],
        left_out_m=left_out[:, 1],
        covered_share=covered_share,
        warnings=(
            *_wrong_points(pixels, metres, is_used, residual_px, camera_id=camera_id, limit_px=limit_px, lens=fit.lens),
            *_weaknesses(is_used, left_out[:, 0], covered_share, limit_px),
        ),
    )


def _rms(values: Float64s) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _refuse_few(px: Float64s, camera_id: str) -> None:
    if len(px) < MIN_POINTS:
        problem = f"there are {len(px)} gcps; at least {MIN_POINTS} are needed, 6 or more to find a wrong one"
        raise CalibrationError(camera_id, problem)


def _refuse_twins(px: Float64s, ground_m: Float64s, camera_id: str) -> None:
    """A point given twice counts twice, or contradicts itself."""
    for second in range(len(px)):
        for first in range(second):
            apart_px = float(np.linalg.norm(px[first] - px[second]))
            apart_m = float(np.linalg.norm(ground_m[first] - ground_m[second]))
            if apart_px >= _TWIN_PX and apart_m >= _TWIN_M:
                continue
            names = f"gcps {first} and {second} (counted from 0)"
            if apart_px < _TWIN_PX and apart_m < _TWIN_M:
                raise CalibrationError(camera_id, f"{names} are the same point; give it once")
            if apart_px < _TWIN_PX:
                raise CalibrationError(camera_id, f"{names} have one px but places {apart_m:.2f} m apart; one is wrong")
            raise CalibrationError(camera_id, f"{names} have one place but px {apart_px:.0f} apart; one is wrong")


def _left_out(px: Float64s, ground_m: Float64s, is_used: Bools, camera_id: str, lens: Lens | None) -> Float64s:
    """(N, 2) pixels and metres between each point and where the other points used put it; NaN where they do not."""
    errors = np.full((len(px), 2), np.nan)
    for row in range(len(px)):
        others = is_used.copy()
        others[row] = False
        try:
            fit = fit_homography(px[others], ground_m[others], camera_id=camera_id, lens=lens)
        except CalibrationError:
            continue
        errors[row, 0] = np.linalg.norm(fit.ground_to_pixel(ground_m[row][None])[0] - px[row])
        errors[row, 1] = np.linalg.norm(fit.pixel_to_ground(px[row][None])[0] - ground_m[row])
    return errors


def _covered_share(px: Float64s, size_px: tuple[int, int]) -> float:
    """Share of the picture inside the hull of the points."""
    hull = cv2.convexHull(px.astype(np.float32))
    return float(cv2.contourArea(hull)) / (size_px[0] * size_px[1])


def _wrong_points(
    px: Float64s,
    ground_m: Float64s,
    is_used: Bools,
    residual_px: Float64s,
    *,
    camera_id: str,
    limit_px: float,
    lens: Lens | None,
) -> list[str]:
    """A line for every point that was left out, or for two that were exchanged."""
    wrong = np.flatnonzero(~is_used)
    pair = exchanged_pair(px, ground_m, camera_id=camera_id, limit_px=limit_px, lens=lens) if len(wrong) == 2 else None
    if pair is not None:
        return [f"gcps {pair[0]} and {pair[1]} (counted from 0) have their px exchanged, and were left out"]
    return [
        f"gcps[{row}] px=[{px[row, 0]:g}, {px[row, 1]:g}] is "
        + (f"{residual_px[row]:.1f} px from" if np.isfinite(residual_px[row]) else "nowhere near")
        + " where the other points put it, and was left out: measure it again"
        for row in wrong
    ]


def _weaknesses(is_used: Bools, left_out_px: Float64s, covered_share: float, limit_px: float) -> list[str]:
    found = []
    count = int(is_used.sum())
    if count == MIN_POINTS:
        found.append(f"{MIN_POINTS} points fit exactly, right or wrong; add at least two to see an error")
    elif count < len(is_used) or count == MIN_POINTS + 1:
        found += [f"only {count} points agree: another wrong one would not be found; add points"] if count < 6 else []
    if covered_share < LEAST_COVERED_SHARE:
        found.append(
            f"the points span {covered_share:.0%} of the picture; outside of them it is a guess: add some there"
        )
    doubtful = is_used & (np.nan_to_num(left_out_px) > _DOUBTFUL * limit_px)
    found += [
        f"gcps[{row}] lies {left_out_px[row]:.0f} px from where the others alone put it: "
        "it is wrong, or nothing else holds the view there; check it or add a point near it"
        for row in np.flatnonzero(doubtful)
    ]
    return found
