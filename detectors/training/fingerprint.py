"""Perceptual hash: finds pictures that are nearly the same, so that none is both trained on and scored."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from detectors.training.boxes import Image

SIDE = 16
"""16 x 16 brightness differences, 256 bits: fine enough to tell frames of one fixed camera apart."""

Fingerprint = npt.NDArray[np.uint8]


def fingerprint(image: Image) -> Fingerprint:
    """256 bits, packed into (32,) uint8: is each patch brighter than its left neighbour."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    small = np.asarray(cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA))
    return np.packbits(small[:, 1:] > small[:, :-1])


class Fingerprints:
    """The pictures seen so far by name; `find` gives one within max_distance bits."""

    def __init__(self, max_distance: int) -> None:
        self._max_distance = max_distance
        self._names: list[str] = []
        self._rows: list[Fingerprint] = []

    def add(self, name: str, bits: Fingerprint) -> None:
        """Remember a picture."""
        self._names.append(name)
        self._rows.append(bits)

    def find(self, bits: Fingerprint) -> str | None:
        """The name of the nearest picture within the distance, else None."""
        if not self._rows:
            return None
        distance = np.bitwise_count(np.stack(self._rows) ^ bits).sum(axis=1)
        nearest = int(distance.argmin())
        return self._names[nearest] if distance[nearest] <= self._max_distance else None
