"""The families of networks that can be read: how each wants its picture, and what its numbers mean."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detectors.letterbox import SizePx
from detectors.nms import Boxes, Rows
from detectors.pixels import PixelForm

F32 = npt.NDArray[np.float32]
_STRIDES = (8, 16, 32)
_MOST_END2END_ROWS = 1000


class Layout(StrEnum):
    """One picture's output; boxes in input pixels."""

    YOLO_V8_HEAD = "yolo_v8_head"
    """(4 + classes, anchors): centre x, y, width, height, then one score per class"""

    YOLOX = "yolox"
    """(cells, 5 + classes): offsets in the cell, log sizes, objectness, then one score per class"""

    YOLO_END2END = "yolo_end2end"
    """(rows, 6): x0, y0, x1, y1, confidence, class; already without duplicates"""

    @property
    def pixel_form(self) -> PixelForm:
        """How networks of the family were shown their pictures."""
        return PixelForm.BGR_BYTES if self is Layout.YOLOX else PixelForm.RGB_UNIT


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFacts:
    """What a weights file says of itself.

    fixed_px:     (width, height) when the input allows no other size, else None
    probe_px:     (width, height) of the input that gives an output of output_shape (two numbers, no batch)
    class_names:  in the order of the output, when the file carries them
    """

    fixed_px: SizePx | None
    probe_px: SizePx
    output_shape: tuple[int, int]
    class_names: tuple[str, ...] | None = None


def layouts_that_fit(facts: NetworkFacts, class_count: int) -> tuple[Layout, ...]:
    """Every layout that the output could be, with so many classes."""
    first, second = facts.output_shape
    is_of_cells = first == cell_count(facts.probe_px)
    fits = {
        Layout.YOLO_V8_HEAD: first == 4 + class_count,
        Layout.YOLOX: second == 5 + class_count and is_of_cells,
        Layout.YOLO_END2END: second == 6 and first <= _MOST_END2END_ROWS and not is_of_cells,
    }
    return tuple(layout for layout, is_fitting in fits.items() if is_fitting)


def class_count_of(facts: NetworkFacts) -> int | None:
    """How many classes the output seems to have, whatever a card says; None when it is no known layout."""
    first, second = facts.output_shape
    cells = cell_count(facts.probe_px)
    if second == cells and first > 4:
        return first - 4
    return second - 5 if first == cells and second > 5 else None


def cell_count(input_px: SizePx) -> int:
    """Cells of the three grids that cover an input of (width, height)."""
    return sum((input_px[0] // stride) * (input_px[1] // stride) for stride in _STRIDES)


def decode(layout: Layout, output: F32, thresholds: F32, *, input_px: SizePx) -> tuple[Rows, Boxes]:
    """Raw output of a batch (N, …) → candidate boxes in input pixels before suppression, and the picture of each.

    thresholds: (classes,) least confidence per class; infinity where a class is not wanted
    The best class of a place counts, wanted or not: what looks most like a dog is no person.
    """
    if layout is Layout.YOLO_V8_HEAD:
        return _decode_yolo(output, thresholds)
    if layout is Layout.YOLOX:
        return _decode_yolo(yolox_to_yolo(output, input_px), thresholds)
    return _decode_end2end(output, thresholds)


def yolox_to_yolo(output: F32, input_px: SizePx) -> F32:
    """YOLOX rows (N, cells, 5 + classes) → (N, 4 + classes, cells) as the later head has them, in input pixels."""
    corner, stride = _cells(input_px)
    centre = (output[..., :2] + corner) * stride
    size = np.exp(output[..., 2:4]) * stride
    scores = output[..., 4:5] * output[..., 5:]
    return np.concatenate((centre, size, scores), axis=-1).astype(np.float32, copy=False).transpose(0, 2, 1)


def _cells(input_px: SizePx) -> tuple[F32, F32]:
    """(cells, 2) column and row of every cell, and (cells, 1) its side in pixels; row by row, finest grid first."""
    corners, sides = [], []
    for stride in _STRIDES:
        columns, rows = np.meshgrid(np.arange(input_px[0] // stride), np.arange(input_px[1] // stride))
        corners.append(np.stack((columns, rows), axis=-1).reshape(-1, 2))
        sides.append(np.full((columns.size, 1), stride))
    return np.concatenate(corners).astype(np.float32), np.concatenate(sides).astype(np.float32)


def _decode_yolo(output: F32, thresholds: F32) -> tuple[Rows, Boxes]:
    """(N, 4 + classes, anchors), centre boxes then class scores. Only anchors with some passing score are sorted out
    further: nearly all fall at the first, one comparison over the whole batch."""
    picture, anchor = np.nonzero((output[:, 4:] >= thresholds[:, None]).any(axis=1))
    columns = output[picture, :, anchor]
    scores = columns[:, 4:]
    class_id = scores.argmax(axis=1)
    confidence = np.take_along_axis(scores, class_id[:, None], axis=1)[:, 0]
    keep = confidence >= thresholds[class_id]
    centre, half = columns[keep, :2], columns[keep, 2:4] / 2
    boxes = Boxes(
        xyxy=np.concatenate((centre - half, centre + half), axis=1).astype(np.float32, copy=False),
        confidence=confidence[keep].astype(np.float32, copy=False),
        class_id=class_id[keep].astype(np.int32),
    )
    return picture[keep], boxes


def _decode_end2end(output: F32, thresholds: F32) -> tuple[Rows, Boxes]:
    class_id = output[..., 5].round().astype(np.int32)
    is_known = (class_id >= 0) & (class_id < len(thresholds))
    least = np.where(is_known, thresholds[np.where(is_known, class_id, 0)], np.inf)
    picture, row = np.nonzero(output[..., 4] >= least)
    boxes = Boxes(
        xyxy=output[picture, row, :4].astype(np.float32),
        confidence=output[picture, row, 4].astype(np.float32),
        class_id=class_id[picture, row],
    )
    return picture, boxes
