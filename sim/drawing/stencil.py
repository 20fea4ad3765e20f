"""A small fine canvas for one standing thing: filled outline by outline, laid over the street, kept as a mask."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.canvas import FINE
from sim.drawing.outline import fill

Float64s = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]
_MARGIN_PX = 3.0


class Stencil:
    """Colours and cover of one thing inside its bounds, which lie in the picture; fine pixels."""

    def __init__(self, size_px: tuple[int, int], outline: Float64s) -> None:
        """`outline` (N, 2): picture pixels that the thing stays inside of."""
        finite = outline[np.isfinite(outline).all(axis=1)]
        low = finite.min(axis=0) - _MARGIN_PX if len(finite) else np.zeros(2)
        high = finite.max(axis=0) + _MARGIN_PX if len(finite) else np.zeros(2)
        self.x0, self.y0 = (int(value) for value in np.clip(np.floor(low), 0, size_px))
        self.x1, self.y1 = (int(value) for value in np.clip(np.ceil(high), 0, size_px))
        shape = ((self.y1 - self.y0) * FINE, (self.x1 - self.x0) * FINE)
        self._bgr = np.zeros((*shape, 3), np.uint8)
        self._mask = np.zeros(shape, np.uint8)

    @property
    def is_empty(self) -> bool:
        """Whether nothing of it can lie in the picture."""
        return self._mask.size == 0

    def fill(self, px: Float64s, bgr: Floats | tuple[float, float, float]) -> None:
        """Fill an outline (M, 2) in picture pixels with a colour 0..1."""
        local = px - (self.x0, self.y0)
        fill(self._bgr, local, tuple(float(np.clip(level, 0, 1)) * 255 for level in bgr), scale=FINE)
        fill(self._mask, local, (255,), scale=FINE)

    def stroke(self, ends_px: Float64s, width_px: float, bgr: Floats | tuple[float, float, float]) -> None:
        """A straight bar between two pixels (2, 2)."""
        along = ends_px[1] - ends_px[0]
        side = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6) * max(width_px, 0.7) / 2
        self.fill(np.array([ends_px[0] + side, ends_px[1] + side, ends_px[1] - side, ends_px[0] - side]), bgr)

    def lay_over(self, picture: Floats) -> None:
        """Lay it on the fine picture (h, w, 3), 0..1, in place."""
        part = picture[self.y0 * FINE : self.y1 * FINE, self.x0 * FINE : self.x1 * FINE]
        cover = self._mask[..., None].astype(np.float32) / 255
        part[:] = part * (1 - cover) + self._bgr.astype(np.float32) / 255 * cover

    def cover(self) -> Image:
        """(h, w) uint8, how much of every picture pixel it hides."""
        size = (self.x1 - self.x0, self.y1 - self.y0)
        return np.asarray(cv2.resize(self._mask, size, interpolation=cv2.INTER_AREA), np.uint8)
