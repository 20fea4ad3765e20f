"""JPEG bytes → pixels, no more of them than the network will see."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from detectors.letterbox import SizePx
from ingest.errors import PayloadError
from ingest.reasons import Reason

_REDUCTIONS = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
)


def decode_jpeg(jpeg: bytes, size_px: SizePx, placed_px: SizePx) -> npt.NDArray[np.uint8]:
    """A picture (H, W, 3) BGR, upright, at the smallest scale that covers what the network needs.

    A JPEG is stored in frequencies of 8 × 8 pixels: a half, a quarter or an eighth of them is decoded for a fraction
    of the work. size_px: (width, height) by its header, placed_px: what it takes in the network's input.
    Raises PayloadError.
    """
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), _reduction(size_px, placed_px))
    if pixels is None:
        raise PayloadError(Reason.UNDECODABLE_JPEG, "the header is right, the picture data is not")
    return np.asarray(pixels, np.uint8)


def is_turned(pixels: npt.NDArray[np.uint8], size_px: SizePx) -> bool:
    """Whether decoding turned a picture on its side: EXIF says that the camera was held upright."""
    height, width = pixels.shape[:2]
    return bool((width > height) != (size_px[0] > size_px[1]))


def _reduction(size_px: SizePx, placed_px: SizePx) -> int:
    for factor, flag in _REDUCTIONS:
        if size_px[0] // factor >= placed_px[0] and size_px[1] // factor >= placed_px[1]:
            return int(flag)
    return int(cv2.IMREAD_COLOR)
