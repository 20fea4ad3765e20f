"""The camera of a simulated street: an ideal pinhole above flat ground.

Axes of the street: x metres to the right of the camera's foot, y metres ahead, z metres up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PinholeCamera:
    """Position and optics; the camera stands at x = y = 0 and looks along +y, tilted downwards.

    size_px: (width, height); focal_px: focal length in pixels; the principal point is the centre
    """

    size_px: tuple[int, int]
    focal_px: float
    height_m: float
    tilt_deg: float

    def project(self, street_m: FloatArray) -> FloatArray:
        """Street points (N, 3) in metres → pixels (N, 2); points behind the camera become NaN."""
        points = np.atleast_2d(np.asarray(street_m, dtype=np.float64))
        tilt = math.radians(self.tilt_deg)
        down = self.height_m - points[:, 2]
        depth = points[:, 1] * math.cos(tilt) + down * math.sin(tilt)
        below_axis = down * math.cos(tilt) - points[:, 1] * math.sin(tilt)
        scale = self.focal_px / np.where(depth > 0.1, depth, np.nan)
        width, height = self.size_px
        return np.column_stack((width / 2 + points[:, 0] * scale, height / 2 + below_axis * scale))

    def ground_under(self, px: FloatArray) -> FloatArray:
        """Pixels (N, 2) → ground points (N, 2) in metres; pixels on or above the horizon become NaN."""
        pixels = np.atleast_2d(np.asarray(px, dtype=np.float64))
        tilt = math.radians(self.tilt_deg)
        width, height = self.size_px
        right = (pixels[:, 0] - width / 2) / self.focal_px
        below = (pixels[:, 1] - height / 2) / self.focal_px
        sinking = math.sin(tilt) + below * math.cos(tilt)
        ray_m = self.height_m / np.where(sinking > 1e-3, sinking, np.nan)
        return np.column_stack((right * ray_m, (math.cos(tilt) - below * math.sin(tilt)) * ray_m))

    def pixels_per_metre(self, y_m: float) -> float:
        """Size in pixels of one upright metre that stands y_m ahead and faces the camera."""
        tilt = math.radians(self.tilt_deg)
        return self.focal_px / (y_m * math.cos(tilt) + self.height_m * math.sin(tilt))
