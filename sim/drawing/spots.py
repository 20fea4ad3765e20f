"""Points of ground as the pixels of a picture see them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class GroundSpots:
    """N points of ground as pixels see them.

    x_m, y_m:           (N,) street metres
    across_m, along_m:  (N,) how many metres of x and of y one pixel covers
    """

    x_m: Floats
    y_m: Floats
    across_m: Floats
    along_m: Floats

    @property
    def coarse_m(self) -> Floats:
        """(N,) side of a square with the pixel's area."""
        return np.asarray(np.sqrt(self.across_m * self.along_m), np.float32)

    def within(self, sides: tuple[float, float, float, float]) -> npt.NDArray[np.intp]:
        """Indices of the points whose pixels may touch a rectangle (x0, y0, x1, y1)."""
        x0, y0, x1, y1 = sides
        rows = np.flatnonzero((self.y_m > y0 - self.along_m) & (self.y_m < y1 + self.along_m))
        x, margin = self.x_m[rows], self.across_m[rows]
        return rows[(x > x0 - margin) & (x < x1 + margin)]

    def only(self, chosen: npt.NDArray[np.intp]) -> GroundSpots:
        """The chosen points."""
        return GroundSpots(
            x_m=self.x_m[chosen],
            y_m=self.y_m[chosen],
            across_m=self.across_m[chosen],
            along_m=self.along_m[chosen],
        )
