"""Cuts a picture into tiles at the scale at which the network will see it, and paints doubts over.

A traffic camera's far cars are 10 pixels high. Shrunk to the training size they are gone; a tile keeps them
at the size that they have in the gateway, for the price of a small picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from detectors.letterbox import FILL
from detectors.training.boxes import F32, Image
from detectors.training.labels import Labels
from detectors.training.matching import areas_px2

I64 = npt.NDArray[np.int64]

MIN_VISIBLE = 0.4
"""A box that a cut leaves less of is painted over: a bumper is no car to learn from."""

_MIN_OVERLAP = 0.15
_FULL_TILE = 1.1


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """A piece of a picture with the labels that fall in it, in fractions of the piece.

    rows: (len(labels),) int64, which of the picture's labels they are
    """

    image: Image
    labels: Labels
    rows: I64


def tiles(image: Image, labels: Labels, *, seen_px: int, tile_px: int) -> Iterator[Tile]:
    """The picture at the scale of `seen_px` on its long side (never enlarged), in pieces of at most `tile_px`.

    A picture that is hardly larger than a tile comes back whole and unscaled.
    """
    height, width = image.shape[:2]
    if max(height, width) <= tile_px * _FULL_TILE:
        yield Tile(image, labels, np.arange(len(labels)))
        return
    scale = min(1.0, seen_px / max(height, width))
    if scale < 1.0:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        height, width = image.shape[:2]
    for top in _starts(height, tile_px):
        for left in _starts(width, tile_px):
            yield _cut(image, labels, (left, top, min(left + tile_px, width), min(top + tile_px, height)))


def blank(image: Image, doubtful: F32, labels: Labels) -> Image:
    """A copy with the doubtful boxes (N, 4; fractions) filled with grey, but what is labelled left as it is."""
    size = np.array([image.shape[1], image.shape[0]] * 2, np.float32)
    painted = image.copy()
    for x0, y0, x1, y1 in np.round(doubtful * size).astype(int):
        painted[y0:y1, x0:x1] = FILL
    for x0, y0, x1, y1 in np.round(labels.xyxy * size).astype(int):
        painted[y0:y1, x0:x1] = image[y0:y1, x0:x1]
    return painted


def _starts(length: int, tile_px: int) -> list[int]:
    """Where tiles of tile_px begin that cover `length` evenly with some overlap."""
    if length <= tile_px:
        return [0]
    count = 1 + -(-(length - tile_px) // round(tile_px * (1 - _MIN_OVERLAP)))
    return [round(index * (length - tile_px) / (count - 1)) for index in range(count)]


def _cut(image: Image, labels: Labels, window: tuple[int, int, int, int]) -> Tile:
    left, top, right, bottom = window
    pixels = labels.xyxy * np.array([image.shape[1], image.shape[0]] * 2, np.float32)
    inside = np.clip(pixels, (left, top, left, top), (right, bottom, right, bottom)).astype(np.float32)
    whole, part = areas_px2(pixels), areas_px2(inside)
    kept = part >= MIN_VISIBLE * np.maximum(whole, 1e-6)
    piece = (inside - np.array([left, top, left, top], np.float32)) / np.array(
        [right - left, bottom - top] * 2, np.float32
    )
    found = Labels(labels.class_id[kept], piece[kept].astype(np.float32))
    slivers = piece[~kept & (part > 0)].astype(np.float32)
    return Tile(blank(image[top:bottom, left:right], slivers, found), found, np.flatnonzero(kept))
