"""Radial distortion of a camera's lens, in pixels: where a straight line of the street is drawn as a curve.

Brown's model as OpenCV writes it (calib3d, "Detailed Description"): a point at r focal lengths from the principal
point of an ideal pinhole is drawn at r · (1 + k1 r² + k2 r⁴). Where that stops rising the picture would fold back
over itself; no light comes from there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64s = npt.NDArray[np.float64]

# The iteration halves its bracket at worst; this many steps reach the last bit of a float.
_MAX_STEPS = 100
_CLOSE_ENOUGH = 1e-14


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """What bends a camera's picture.

    focal_px:  focal length in pixels; center_px: principal point (x, y)
    k1, k2:    radial coefficients, without unit; negative draws the edges nearer to the centre (barrel)
    """

    focal_px: float
    center_px: tuple[float, float]
    k1: float = 0.0
    k2: float = 0.0

    def bend(self, ideal_px: Float64s) -> Float64s:
        """Pixels (N, 2) of an ideal pinhole → pixels of the picture; NaN beyond the fold."""
        plane, radius = self._polar(ideal_px)
        radius = np.where(radius < self.fold, radius, np.nan)
        return self._pixels(plane * self._stretch(radius)[:, None])

    def unbend(self, px: Float64s) -> Float64s:
        """Pixels (N, 2) of the picture → pixels of an ideal pinhole; NaN beyond the fold."""
        plane, bent = self._polar(px)
        return self._pixels(plane / self._stretch(self._ideal_radius(bent))[:, None])

    @property
    def fold(self) -> float:
        """Radius in focal lengths of the ideal picture from which on the lens shows nothing; infinite for none.

        The smallest at which the slope 1 + 3 k1 r² + 5 k2 r⁴ is 0.
        """
        spread = 9 * self.k1**2 - 20 * self.k2
        if spread < 0:
            return math.inf
        # The root next to 0, written so that it stays exact for a small or absent k2.
        divisor = -3 * self.k1 + math.copysign(math.sqrt(spread), -self.k1) if self.k1 else math.sqrt(spread)
        squares = [2 / divisor] if divisor else []
        squares += [divisor / (10 * self.k2)] if self.k2 else []
        return math.sqrt(min((square for square in squares if square > 0), default=math.inf))

    def _polar(self, px: Float64s) -> tuple[Float64s, Float64s]:
        """Offsets (N, 2) from the principal point in focal lengths, and their lengths (N,)."""
        flat = np.asarray(px, np.float64).reshape(-1, 2)
        plane = (flat - self.center_px) / self.focal_px
        return plane, np.linalg.norm(plane, axis=1)

    def _pixels(self, plane: Float64s) -> Float64s:
        return np.asarray(plane * self.focal_px + self.center_px, np.float64)

    def _stretch(self, radius: Float64s) -> Float64s:
        return 1 + self.k1 * radius**2 + self.k2 * radius**4

    def _ideal_radius(self, bent: Float64s) -> Float64s:
        """Invert r · (1 + k1 r² + k2 r⁴) up to the fold: Newton's steps, halving a bracket where they leave it."""
        low = np.zeros_like(bent)
        high = self._upper_bound(bent)
        radius = np.minimum(bent, high)
        for _ in range(_MAX_STEPS):
            excess = radius * self._stretch(radius) - bent
            low, high = np.where(excess < 0, radius, low), np.where(excess < 0, high, radius)
            slope = 1 + 3 * self.k1 * radius**2 + 5 * self.k2 * radius**4
            step = radius - excess / np.where(slope > 1e-9, slope, np.nan)
            following = np.where((step >= low) & (step <= high), step, (low + high) / 2)
            is_done = np.abs(following - radius) <= _CLOSE_ENOUGH * (1 + radius)
            radius = following
            if np.all(is_done | np.isnan(bent) | np.isnan(high)):
                break
        return radius

    def _upper_bound(self, bent: Float64s) -> Float64s:
        """A radius whose bent one is not smaller; NaN where the lens draws none so far out."""
        bound = np.minimum(np.maximum(bent, 1.0), self.fold)
        while np.any((bound * self._stretch(bound) < bent) & (bound < self.fold)):
            bound = np.minimum(2 * bound, self.fold)
        return np.where(bound * self._stretch(bound) < bent, np.nan, bound)
