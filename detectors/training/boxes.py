"""Box conversions for labels, teachers and scoring: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
Image = npt.NDArray[np.uint8]
"""(H, W, 3) BGR"""


def centre_to_corners(cxcywh: F32) -> F32:
    """(N, 4) centre and size to (N, 4) xyxy, same unit."""
    half = cxcywh[:, 2:] / 2
    return np.concatenate((cxcywh[:, :2] - half, cxcywh[:, :2] + half), axis=1).astype(np.float32)


def corners_to_centre(xyxy: F32) -> F32:
    """(N, 4) xyxy to (N, 4) centre and size, same unit."""
    middle, size = (xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]
    return np.concatenate((middle, size), axis=1).astype(np.float32)
