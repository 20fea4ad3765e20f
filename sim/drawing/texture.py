"""Noise that lies on the ground or a wall: tileable tables looked up in metres, fading out where pixels are coarse."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]

_SIZE = 512
# How many texels wide the soft table's blobs are.
_BLOB_TEXELS = 8


@lru_cache(maxsize=8)
def texture_of(seed: int) -> Texture:
    """The texture of a seed, kept for whoever asks again."""
    return Texture(seed)


class Texture:
    """Two tables of the same seed: fine grain and soft blobs, both of mean 0 and deviation 1."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng((seed, 7))
        self._grain = _normalised(rng.normal(0, 1, (_SIZE, _SIZE)).astype(np.float32))
        wide = np.tile(rng.normal(0, 1, (_SIZE, _SIZE)).astype(np.float32), (3, 3))
        soft = cv2.GaussianBlur(wide, (0, 0), _BLOB_TEXELS / 2)[_SIZE : 2 * _SIZE, _SIZE : 2 * _SIZE]
        self._blobs = _normalised(np.ascontiguousarray(soft))

    def grain(self, u_m: Floats, v_m: Floats, footprint_m: Floats, *, cell_m: float) -> Floats:
        """(N,) hard-edged grains of cell_m."""
        return np.asarray(_look_up(self._grain, u_m, v_m, cell_m) * _fade(footprint_m, cell_m), np.float32)

    def blobs(self, u_m: Floats, v_m: Floats, footprint_m: Floats, *, cell_m: float) -> Floats:
        """(N,) soft blobs about cell_m wide."""
        values = _look_up(self._blobs, u_m, v_m, cell_m / _BLOB_TEXELS)
        return np.asarray(values * _fade(footprint_m, cell_m), np.float32)


def _look_up(table: Floats, u_m: Floats, v_m: Floats, texel_m: float) -> Floats:
    column = np.floor(u_m / np.float32(texel_m)).astype(np.int32) & (_SIZE - 1)
    row = np.floor(v_m / np.float32(texel_m)).astype(np.int32) & (_SIZE - 1)
    return np.asarray(table[row, column], np.float32)


def _fade(footprint_m: Floats, cell_m: float) -> Floats:
    """Averaging n cells leaves 1/sqrt(n) of the noise; both axes are taken for the longer one."""
    return np.asarray(np.minimum(1.0, np.float32(cell_m) / footprint_m), np.float32)


def _normalised(table: Floats) -> Floats:
    return np.asarray((table - table.mean()) / table.std(), np.float32)
