"""Box arithmetic for labels, teachers and scoring: arrays in, arrays out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

PAD_GREY = 114


def iou_matrix(first: Boxes, second: Boxes) -> Boxes:
    """Intersection over union of every pair: (N, 4) and (M, 4) xyxy give (N, M); empty boxes give 0."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    overlap = np.prod(np.clip(bottom_right - top_left, 0, None), axis=2)
    union = area(first)[:, None] + area(second)[None, :] - overlap
    return np.divide(overlap, union, out=np.zeros_like(overlap), where=union > 0)


def area(boxes: Boxes) -> Boxes:
    """Area of each xyxy box, 0 when it is turned inside out."""
    return np.prod(np.clip(boxes[:, 2:] - boxes[:, :2], 0, None), axis=1)


def centre_to_corners(cxcywh: Boxes) -> Boxes:
    """(N, 4) centre and size to (N, 4) xyxy, same unit."""
    half = cxcywh[:, 2:] / 2
    return np.concatenate((cxcywh[:, :2] - half, cxcywh[:, :2] + half), axis=1)


def corners_to_centre(xyxy: Boxes) -> Boxes:
    """(N, 4) xyxy to (N, 4) centre and size, same unit."""
    return np.concatenate(((xyxy[:, :2] + xyxy[:, 2:]) / 2, xyxy[:, 2:] - xyxy[:, :2]), axis=1)


def suppress(xyxy: Boxes, confidence: Boxes, class_id: npt.NDArray[np.int64], *, max_iou: float) -> npt.NDArray[np.int64]:
    """Rows that survive greedy suppression within each class, best confidence first."""
    order = np.argsort(-confidence, kind="stable")
    kept: list[int] = []
    for row in order:
        rivals = [other for other in kept if class_id[other] == class_id[row]]
        if not rivals or iou_matrix(xyxy[[row]], xyxy[rivals]).max() <= max_iou:
            kept.append(int(row))
    return np.array(kept, np.int64)


def letterbox_geometry(size_px: tuple[int, int], long_side_px: int, stride: int) -> tuple[float, tuple[int, int]]:
    """Scale for a (width, height) picture and the (width, height) of the padded input, multiples of stride."""
    width, height = size_px
    scale = long_side_px / max(width, height)
    padded = [-(-round(side * scale) // stride) * stride for side in (width, height)]
    return scale, (padded[0], padded[1])
