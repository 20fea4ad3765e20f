"""What a pixel is worth on the ground, over a picture: the error that a camera's distance and tilt leave."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geofence.homography import Homography

Float64s = npt.NDArray[np.float64]

_STEP_PX = 0.5
_COLUMN_STEPS = 400


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundError:
    """Metres per pixel at points of a picture (R, C); NaN where no ground is seen.

    px:        (R, C, 2) the points
    ground_m:  (R, C, 2) [east, north] that they show
    along_m, across_m: metres by which a pixel moves a place on the ground in the worst direction (along the view,
               unless the camera looks straight down) and at a right angle to it
    """

    px: Float64s
    ground_m: Float64s
    along_m: Float64s
    across_m: Float64s


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far a pixel is worth no more than `limit_m` along the middle column: metres from the nearest ground in it.

    to_row_px: the row where that ends
    """

    limit_m: float
    to_m: float
    to_row_px: float


def ground_error(homography: Homography, size_px: tuple[int, int], *, columns: int = 16, rows: int = 9) -> GroundError:
    """Metres per pixel at the middles of a grid over the picture (width, height)."""
    width, height = size_px
    across = (np.arange(columns) + 0.5) * width / columns
    down = (np.arange(rows) + 0.5) * height / rows
    px = np.stack(np.meshgrid(across, down), axis=-1)
    along_m, across_m = metres_per_pixel(homography, px.reshape(-1, 2)).T.reshape(2, rows, columns)
    ground_m = homography.pixel_to_ground(px.reshape(-1, 2)).reshape(rows, columns, 2)
    return GroundError(px=px, ground_m=ground_m, along_m=along_m, across_m=across_m)


def metres_per_pixel(homography: Homography, px: Float64s) -> Float64s:
    """(N, 2) metres by which a pixel moves the ground place of pixels (N, 2): at most, at least. NaN for no ground."""
    steps = np.array([(_STEP_PX, 0.0), (0.0, _STEP_PX)])
    places = [homography.pixel_to_ground(px + sign * step) for step in steps for sign in (1, -1)]
    slopes = np.stack((places[0] - places[1], places[2] - places[3]), axis=-1) / (2 * _STEP_PX)
    is_ground = np.isfinite(slopes).all(axis=(1, 2))
    worth = np.full((len(slopes), 2), np.nan)
    if is_ground.any():
        worth[is_ground] = np.linalg.svd(slopes[is_ground], compute_uv=False)
    return worth


def reaches(homography: Homography, size_px: tuple[int, int], limits_m: tuple[float, ...]) -> list[Reach]:
    """How far along the middle column, from its lowest ground, a pixel stays within each of the limits."""
    width, height = size_px
    rows_px = np.linspace(height, 0.0, _COLUMN_STEPS)
    px = np.column_stack((np.full(len(rows_px), width / 2), rows_px))
    ground_m = homography.pixel_to_ground(px)
    is_ground = np.isfinite(ground_m).all(axis=1)
    if not is_ground.any():
        return []
    distance_m = np.linalg.norm(ground_m - ground_m[np.argmax(is_ground)], axis=1)
    worth_m = metres_per_pixel(homography, px)[:, 0]
    found = []
    for limit_m in limits_m:
        within = is_ground & (worth_m <= limit_m)
        if within.any():
            last = int(np.flatnonzero(within)[np.argmax(distance_m[within])])
            found.append(Reach(limit_m=limit_m, to_m=float(distance_m[last]), to_row_px=float(rows_px[last])))
    return found
