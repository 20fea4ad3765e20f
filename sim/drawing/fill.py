"""Polygons to pixels: fine filling of flat faces, areas, blur along a line."""

from __future__ import annotations

import math
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.mesh import Floats

Bytes = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]
Extent = tuple[float, float, float, float]
Fill = tuple[float, float, float, float]

_FRACTION_BITS = 4
_OUTLINE_SIDE_PX = 96.0


def paint(polygons: Sequence[Floats], colours: Sequence[Fill], box: Box) -> Bytes:
    """(h, w, 4) uint8 BGR with alpha, colours multiplied by it."""
    width, height = box[2] - box[0], box[3] - box[1]
    finer = 4 if max(width, height) <= 64 else 2 if width * height <= 160_000 else 1
    canvas = np.zeros((height * finer, width * finer, 4), np.uint8)
    _fill(canvas, polygons, colours, corner=box[:2], finer=finer)
    if finer == 1:
        return canvas
    return np.asarray(cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _fill(
    canvas: Bytes,
    polygons: Sequence[Floats],
    colours: Sequence[Fill],
    *,
    corner: tuple[float, float],
    finer: float,
) -> None:
    lengths = [len(polygon) for polygon in polygons]
    # OpenCV's coordinates name the middle of a pixel, the camera's its upper left corner.
    local = (np.concatenate(polygons) - corner) * finer - 0.5
    fixed = np.rint(np.clip(local, -30_000, 30_000) * (1 << _FRACTION_BITS)).astype(np.int32)
    start = 0
    for length, colour in zip(lengths, colours, strict=True):
        if length:
            cv2.fillConvexPoly(canvas, fixed[start : start + length], colour, cv2.LINE_8, _FRACTION_BITS)
        start += length


def outline_area(polygons: Sequence[Floats], extent: Extent) -> float:
    """Square pixels of everything that the polygons cover, in the picture or not."""
    side = max(extent[2] - extent[0], extent[3] - extent[1])
    finer = min(4.0, _OUTLINE_SIDE_PX / side)
    shape = (math.ceil((extent[3] - extent[1]) * finer) + 1, math.ceil((extent[2] - extent[0]) * finer) + 1)
    canvas = np.zeros(shape, np.uint8)
    _fill(canvas, polygons, [(255.0, 0.0, 0.0, 0.0)] * len(polygons), corner=extent[:2], finer=finer)
    return float(np.count_nonzero(canvas)) / finer**2


def blurred(painted: Bytes, blur: tuple[float, float]) -> Bytes:
    """A picture as it moves by `blur` pixels [x, y] while the shutter is open, half of it to either side."""
    length = math.hypot(*blur)
    if length <= 1:
        return painted
    half = math.ceil(max(abs(blur[0]), abs(blur[1])) / 2)
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    for share in np.linspace(-0.5, 0.5, 2 * math.ceil(length) + 1).tolist():
        kernel[round(half + blur[1] * share), round(half + blur[0] * share)] += 1
    kernel /= kernel.sum()
    return np.asarray(cv2.filter2D(painted, -1, kernel, borderType=cv2.BORDER_CONSTANT), np.uint8)
