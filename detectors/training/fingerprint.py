"""Perceptual hash: finds pictures that are nearly the same, so that none is both trained on and scored."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Twin:
    """A picture seen before that is nearly the same, and in how many of 256 bits they differ."""

    name: str
    distance: int


class Fingerprints:
    """The pictures seen so far by name; `find` gives the nearest within max_distance bits."""

    def __init__(self, max_distance: int) -> None:
        self._max_distance = max_distance
        self._names: list[str] = []
        self._rows = np.empty((64, SIDE * SIDE // 8), np.uint8)

    def add(self, name: str, bits: Fingerprint) -> None:
        """Remember a picture."""
        if len(self._names) == len(self._rows):
            self._rows = np.concatenate((self._rows, np.empty_like(self._rows)))
        self._rows[len(self._names)] = bits
        self._names.append(name)

    def find(self, bits: Fingerprint) -> Twin | None:
        """The nearest picture within the distance, the first of equals; else None."""
        if not self._names:
            return None
        distance = np.bitwise_count(self._rows[: len(self._names)] ^ bits).sum(axis=1)
        nearest = int(distance.argmin())
        return Twin(self._names[nearest], int(distance[nearest])) if distance[nearest] <= self._max_distance else None
