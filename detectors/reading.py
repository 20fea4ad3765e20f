"""From a network's raw output to the boxes that stay: what is read how, what is sure enough, what is found twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.layouts import Layout, decode
from detectors.letterbox import SizePx
from detectors.nms import Boxes, Rows, surviving_rows

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadReading:
    """How the output of one model is read.

    thresholds:      (classes,) least confidence, infinity for what nobody asks for
    groups:          (classes,) equal where boxes are readings of the same thing
    iou_limit:       overlap from which the better box of a group takes the other's place
    any_group_limit: the same whatever their groups; 1: never
    has_doubles:     False for a network that leaves none
    """

    layout: Layout
    thresholds: F32
    groups: I32
    iou_limit: float
    any_group_limit: float
    has_doubles: bool

    def kept(self, output: F32, *, input_px: SizePx) -> tuple[Rows, Boxes]:
        """Raw output of a batch (N, …) → the boxes that stay in input pixels, and the picture of each; the best of
        each picture come first."""
        picture, boxes = decode(self.layout, output, self.thresholds, input_px=input_px)
        rows = self._surviving(boxes, picture)
        return picture[rows], boxes.rows(rows)

    def _surviving(self, boxes: Boxes, picture: Rows) -> Rows:
        if not self.has_doubles:
            return np.lexsort((-boxes.confidence, picture))
        return surviving_rows(
            boxes, picture, iou_limit=self.iou_limit, groups=self.groups, any_group_limit=self.any_group_limit
        )
