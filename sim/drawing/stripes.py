"""Edges, bands and rows of bands without stair steps: how much of a pixel's footprint a marking covers.

A pixel far down the street covers metres of ground; each function integrates its marking over the footprint.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


def band(at: Floats, footprint: Floats, low: float, high: float) -> Floats:
    """Share (N,) of the footprints around `at` that lies between low and high; all in metres."""
    half = footprint / 2
    overlap = np.minimum(at + half, np.float32(high)) - np.maximum(at - half, np.float32(low))
    return np.asarray(np.clip(overlap / footprint, 0, 1), np.float32)


def pulse(at: Floats, footprint: Floats, *, period: float, low: float, high: float) -> Floats:
    """The same for a band from low to high that comes back every `period` metres; high - low <= period."""
    half = footprint / 2
    width = np.float32(high - low)
    start = at - np.float32(low)
    whole = _filled(start + half, period, width) - _filled(start - half, period, width)
    return np.asarray(np.clip(whole / footprint, 0, 1), np.float32)


def _filled(until: npt.NDArray[np.floating], period: float, width: np.float32) -> Floats:
    """Metres covered by bands [0, width) of every period between 0 and `until`."""
    turns = np.floor(until / np.float32(period))
    rest = until - turns * np.float32(period)
    return np.asarray(turns * width + np.minimum(rest, width), np.float32)


def mix(albedo: Floats, cover: Floats, colour: Floats | tuple[float, float, float]) -> None:
    """Lay a colour, (3,) or (N, 3), on albedo (N, 3) in place, as much as `cover` (N,) says."""
    touched = np.flatnonzero(cover > 0.004)
    paint = np.asarray(colour, np.float32)
    if paint.ndim == 2:
        paint = paint[touched]
    under = albedo[touched]
    albedo[touched] = under + (paint - under) * cover[touched, None]
