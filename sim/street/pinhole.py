"""The camera of a simulated street: a pinhole above flat ground, with lens distortion if wanted.

Distortion is the radial part of Brown's model as OpenCV writes it: at distance r from the optical axis (in
focal lengths) a point is drawn at r · (1 + k1 r² + k2 r⁴).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

# Nearer than this to the camera's plane a point is not in the picture.
MIN_DEPTH_M = 0.1
_NEWTON_STEPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PinholeCamera:
    """Position and optics, in street metres (`street.py`).

    size_px:     (width, height); focal_px: focal length in pixels; the principal point is the centre
    tilt_deg:    below the horizontal; heading_deg: clockwise from the street's y axis
    x_m, y_m:    foot of the mast; height_m above the ground
    k1, k2:      radial distortion, 0 for none; negative draws the edges nearer to the centre (barrel)
    """

    size_px: tuple[int, int]
    focal_px: float
    height_m: float
    tilt_deg: float
    heading_deg: float = 0.0
    x_m: float = 0.0
    y_m: float = 0.0
    k1: float = 0.0
    k2: float = 0.0

    @property
    def position_m(self) -> FloatArray:
        """(3,) of the optical centre."""
        return np.array([self.x_m, self.y_m, self.height_m])

    def axes(self) -> FloatArray:
        """(3, 3) rows: unit vectors to the right of the picture, down the picture, and along the view."""
        tilt, turn = math.radians(self.tilt_deg), math.radians(self.heading_deg)
        ahead = (math.sin(turn), math.cos(turn))
        return np.array(
            [
                (math.cos(turn), -math.sin(turn), 0.0),
                (-ahead[0] * math.sin(tilt), -ahead[1] * math.sin(tilt), -math.cos(tilt)),
                (ahead[0] * math.cos(tilt), ahead[1] * math.cos(tilt), -math.sin(tilt)),
            ]
        )

    def to_camera(self, street_m: FloatArray) -> FloatArray:
        """Street points (N, 3) → (N, 3) metres right of, below and along the optical axis."""
        points = np.atleast_2d(np.asarray(street_m, dtype=np.float64))
        return np.asarray((points - self.position_m) @ self.axes().T, np.float64)

    def to_pixel(self, camera_m: FloatArray) -> FloatArray:
        """Camera points (N, 3) from `to_camera` → pixels (N, 2); points behind the camera become NaN."""
        depth = np.where(camera_m[:, 2] > MIN_DEPTH_M, camera_m[:, 2], np.nan)
        return self._lens(camera_m[:, :2] / depth[:, None])

    def project(self, street_m: FloatArray) -> FloatArray:
        """Street points (N, 3) in metres → pixels (N, 2); points behind the camera become NaN."""
        return self.to_pixel(self.to_camera(street_m))

    def ground_under(self, px: FloatArray) -> FloatArray:
        """Pixels (N, 2) → ground points (N, 2) [x, y] in metres; pixels on or above the horizon become NaN."""
        rays = self.rays(px)
        reach_m = self.height_m / np.where(rays[:, 2] < -1e-3, -rays[:, 2], np.nan)
        return np.asarray(rays[:, :2] * reach_m[:, None] + (self.x_m, self.y_m), np.float64)

    def rays(self, px: FloatArray) -> FloatArray:
        """Pixels (N, 2) → (N, 3) directions in street axes, one focal length long along the view."""
        pixels = np.atleast_2d(np.asarray(px, dtype=np.float64))
        width, height = self.size_px
        plane = self._unbend((pixels - (width / 2, height / 2)) / self.focal_px)
        return np.asarray(np.column_stack((plane, np.ones(len(plane)))) @ self.axes(), np.float64)

    def _lens(self, plane: FloatArray) -> FloatArray:
        """Ideal image plane (N, 2), focal lengths from the axis → pixels; NaN where the lens folds back."""
        width, height = self.size_px
        if self.k1 or self.k2:
            squared = np.sum(plane**2, axis=1, keepdims=True)
            is_rising = 1 + 3 * self.k1 * squared + 5 * self.k2 * squared**2 > 0
            plane = np.where(is_rising, plane * (1 + self.k1 * squared + self.k2 * squared**2), np.nan)
        return np.asarray(plane * self.focal_px + (width / 2, height / 2), np.float64)

    def _unbend(self, bent: FloatArray) -> FloatArray:
        """Distorted image plane → ideal one, by Newton's method on the radius; NaN beyond the fold."""
        if not (self.k1 or self.k2):
            return bent
        target = np.linalg.norm(bent, axis=1)
        radius = target.copy()
        for _ in range(_NEWTON_STEPS):
            excess = radius * (1 + self.k1 * radius**2 + self.k2 * radius**4) - target
            slope = 1 + 3 * self.k1 * radius**2 + 5 * self.k2 * radius**4
            radius -= excess / np.where(slope > 1e-3, slope, np.nan)
        scale = np.divide(radius, target, out=np.ones_like(radius), where=target > 1e-12)
        return np.asarray(bent * scale[:, None], np.float64)
