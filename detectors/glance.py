"""A glance: a few hundred pixels of a picture, always the same places. Cheap to take, enough to know a view by."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Glance = npt.NDArray[np.uint8]
"""(28, 50, 3) BGR"""

ROWS, COLUMNS = 28, 50


def glance_of(picture_bgr: npt.NDArray[np.uint8]) -> Glance:
    """Pixels at the middles of a grid over the picture (H, W, 3), whatever its size.

    Single pixels, not averages: two live pictures of an empty street differ in their noise, which an average hides.
    """
    height, width = picture_bgr.shape[:2]
    rows = (2 * np.arange(ROWS) + 1) * height // (2 * ROWS)
    columns = (2 * np.arange(COLUMNS) + 1) * width // (2 * COLUMNS)
    return np.asarray(picture_bgr[rows[:, None], columns[None]])


def equal_share(first: Glance, second: Glance) -> float:
    """Share of the places that are the same to the last bit, 0..1."""
    return float((first == second).all(axis=2).mean())
