"""What every pixel of the empty street shows: filled surface by surface, lit at the end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.drawing.shading import lit
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Light

Floats = npt.NDArray[np.float32]

# The empty street is painted this many times finer than the picture, and averaged.
FINE = 2
# Normals of everything that is flat: ground, and fronts that look to -x, +x, -y, +y.
UP, LEFT, RIGHT, BACK, AHEAD = range(5)
_NORMALS = np.array([(0, 0, 1), (-1, 0, 0), (1, 0, 0), (0, -1, 0), (0, 1, 0)], np.float32)
_ROWS_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Canvas:
    """Arrays of the fine picture, (h, w) each, written in place by whoever paints a surface.

    ray:      (h, w, 3) direction of the view, street axes
    albedo:   (h, w, 3) BGR 0..1
    emission: (h, w, 3) BGR 0..1, what shines by itself when lamps burn
    reach:    how many rays long the way to the surface is; infinite for the sky
    facing:   index of the surface's normal
    """

    camera: PinholeCamera
    ray: Floats
    albedo: Floats
    emission: Floats
    reach: Floats
    facing: npt.NDArray[np.uint8]

    @classmethod
    def blank(cls, camera: PinholeCamera) -> Canvas:
        """Nothing but rays."""
        width, height = camera.size_px[0] * FINE, camera.size_px[1] * FINE
        columns, rows = np.meshgrid(np.arange(width), np.arange(height))
        px = (np.stack((columns, rows), axis=-1).reshape(-1, 2) + 0.5) / FINE
        return cls(
            camera=camera,
            ray=np.nan_to_num(camera.rays(px)).reshape(height, width, 3).astype(np.float32),
            albedo=np.zeros((height, width, 3), np.float32),
            emission=np.zeros((height, width, 3), np.float32),
            reach=np.full((height, width), np.inf, np.float32),
            facing=np.zeros((height, width), np.uint8),
        )

    @property
    def is_sky(self) -> npt.NDArray[np.bool_]:
        """(h, w) bool."""
        return np.isinf(self.reach)

    def distance_m(self) -> Floats:
        """(h, w) metres from the lens; infinite for the sky."""
        return np.asarray(self.reach * np.linalg.norm(self.ray, axis=2), np.float32)

    def positions_m(self, rows: slice, columns: slice) -> Floats:
        """(…, 3) street metres of a part's surfaces; the sky lies very far away."""
        reach = np.minimum(self.reach[rows, columns], np.float32(1e4))
        return np.asarray(self.ray[rows, columns] * reach[..., None] + self.camera.position_m, np.float32)

    def seen_in(self, light: Light) -> Floats:
        """(h, w, 3) BGR 0..1 of all but the sky, without cast shadows and lamps."""
        distance = self.distance_m()
        colour = np.zeros_like(self.albedo)
        for top in range(0, len(colour), _ROWS_AT_ONCE):
            rows = slice(top, top + _ROWS_AT_ONCE)
            near = np.minimum(distance[rows], np.float32(2000)).reshape(-1)
            normals = _NORMALS[self.facing[rows].reshape(-1)]
            colour[rows] = lit(self.albedo[rows].reshape(-1, 3), normals, near, light).reshape(colour[rows].shape)
        return colour
