"""What a thing looks like, in a hundred numbers that light hardly changes: to know it again at the same place.

A box's picture is brought to 32 × 32 grey pixels, of which the logarithm is taken, so that light only adds to it. What
is usual within 9 pixels around is taken away and the rest divided by its spread, so that a shadow's edge or a lamp
changes a few places only. Ten by ten means of that, as one unit vector, are compared by their cosine.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

U8 = npt.NDArray[np.uint8]
I8 = npt.NDArray[np.int8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

CROP_PX = 32
NUMBERS = 100
_SIDE = 10
_REACH_PX = 4
# Logarithms of grey levels: what is darker than so many levels is noise, and so is a spread below the second.
_DARK_LEVELS, _PLAIN_SPREAD = 8.0, 0.05
# Unit vectors as signed bytes: 127 is a half, which no number of a hundred reaches.
_PER_UNIT = 254.0
_LOGARITHMS = np.log(np.arange(256, dtype=np.float32) + _DARK_LEVELS)


def crops(pictures: U8, owner: Rows, xyxy: F32) -> U8:
    """(N, 32, 32) grey pixels of N boxes in pictures (P, h, w, 3) BGR; owner: (N,) the picture of each box."""
    grey = np.empty((len(xyxy), CROP_PX, CROP_PX), np.uint8)
    for row, (place, (x0, y0, x1, y1)) in enumerate(zip(owner.tolist(), xyxy.tolist(), strict=True)):
        across, down = (x1 - x0) / CROP_PX, (y1 - y0) / CROP_PX
        to_picture = np.array([[across, 0, x0 + across / 2 - 0.5], [0, down, y0 + down / 2 - 0.5]])
        crop = cv2.warpAffine(
            pictures[place],
            to_picture,
            (CROP_PX, CROP_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY, dst=grey[row])
    return grey


def appearances(grey: U8) -> I8:
    """(N, 100) of crops (N, 32, 32)."""
    light = _LOGARITHMS[grey]
    usual = _BLUR @ light @ _BLUR.T
    spread = np.sqrt(np.maximum(_BLUR @ (light * light) @ _BLUR.T - usual * usual, 0) + _PLAIN_SPREAD**2)
    means = (_MEANS @ ((light - usual) / spread) @ _MEANS.T).reshape(-1, NUMBERS)
    means -= means.mean(axis=1, keepdims=True)
    units = means / (np.linalg.norm(means, axis=1, keepdims=True) + 1e-6)
    return _as_bytes(units)


def as_text(appearance: I8) -> str:
    """An appearance (100,) to be stored with a state."""
    return base64.b64encode(appearance.tobytes()).decode("ascii")


def to_text(vector: F64) -> str:
    """A vector (100,) of any length, as `as_text`."""
    return as_text(_as_bytes(unit(vector)))


def units_of(texts: Sequence[str | None]) -> F64:
    """(N, 100) unit vectors of stored appearances, zeros for None."""
    return unit(stacked(texts).astype(np.float64))


def stacked(texts: Sequence[str | None]) -> I8:
    """(N, 100) of stored appearances, zeros for None."""
    rows = [
        np.zeros(NUMBERS, np.int8) if text is None else np.frombuffer(base64.b64decode(text), np.int8) for text in texts
    ]
    return np.array(rows, np.int8).reshape(-1, NUMBERS)


def is_text(text: str) -> bool:
    """Whether a text is a stored appearance."""
    try:
        return len(base64.b64decode(text, validate=True)) == NUMBERS
    except ValueError:
        return False


def unit(vectors: F64) -> F64:
    """Vectors (…, 100) brought to length one; the cosine of two is how alike they look, 1 at most."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9), np.float64)


def _as_bytes(units: F32 | F64) -> I8:
    return np.clip(np.round(units * _PER_UNIT), -127, 127).astype(np.int8)


def _blur() -> F32:
    """(32, 32) means over the pixels of a line that lie within reach, mirrored at the ends."""
    weights = np.zeros((CROP_PX, CROP_PX), np.float32)
    for row in range(CROP_PX):
        for near in range(row - _REACH_PX, row + _REACH_PX + 1):
            mirrored = abs(near) if near < CROP_PX else 2 * (CROP_PX - 1) - near
            weights[row, mirrored] += 1 / (2 * _REACH_PX + 1)
    return weights


def _means() -> F32:
    """(10, 32) means of a line's tenths."""
    starts = np.arange(_SIDE)[:, None] * CROP_PX / _SIDE
    pixels = np.arange(CROP_PX)[None]
    common = np.minimum(pixels + 1, starts + CROP_PX / _SIDE) - np.maximum(pixels, starts)
    return np.asarray(np.maximum(common, 0) * _SIDE / CROP_PX, np.float32)


_BLUR, _MEANS = _blur(), _means()
