"""Raw network output → detections: vectorised decoding and non-maximum suppression within groups, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]


SAME_PLACE_IOU = 0.85
"""Boxes that cover each other as much as this are one thing, whatever two classes the network names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Detections of one picture in input pixels, best first: xyxy (N, 4), confidence (N,), class_id (N,)."""

    xyxy: F32
    confidence: F32
    class_id: I32


def decode_yolo(output: F32, thresholds: F32) -> Boxes:
    """One picture's raw head (4 + classes, anchors), centre boxes then class scores → candidate boxes.

    thresholds: (classes,) least confidence per class; infinity where a class is not wanted
    The best class of an anchor counts, wanted or not.
    """
    scores = output[4:]
    class_id = scores.argmax(axis=0)
    confidence = np.take_along_axis(scores, class_id[None], axis=0)[0]
    keep = confidence >= thresholds[class_id]
    centre_x, centre_y, width, height = output[:4, keep]
    half_w, half_h = width / 2, height / 2
    xyxy = np.stack((centre_x - half_w, centre_y - half_h, centre_x + half_w, centre_y + half_h), axis=1)
    return Boxes(
        xyxy=xyxy.astype(np.float32),
        confidence=confidence[keep].astype(np.float32),
        class_id=class_id[keep].astype(np.int32),
    )


def suppress(
    boxes: Boxes,
    *,
    iou_limit: float,
    groups: I32 | None = None,
    any_group_limit: float = 1.0,
    max_candidates: int = 1000,
) -> Boxes:
    """Greedy non-maximum suppression; rows come back best first.

    groups:          (classes,) the group of every class_id; boxes of one group compete. None: each class by itself
    any_group_limit: from this overlap on boxes compete whatever their groups; 1: never

    A box falls when a kept, better box of its group overlaps it by more than iou_limit. One IoU matrix of
    the max_candidates best boxes is made at once; the loop that is left runs once per kept box.
    """
    order = np.argsort(-boxes.confidence, kind="stable")[:max_candidates]
    xyxy, class_id = boxes.xyxy[order], boxes.class_id[order]
    group = class_id if groups is None else groups[class_id]
    iou = iou_matrix(xyxy, xyxy)
    overlaps = iou > np.where(group[:, None] == group[None, :], iou_limit, any_group_limit)
    standing = np.ones(len(order), bool)
    for row in range(len(order)):
        if standing[row]:
            standing[row + 1 :] &= ~overlaps[row, row + 1 :]
    kept = order[standing]
    return Boxes(xyxy=boxes.xyxy[kept], confidence=boxes.confidence[kept], class_id=boxes.class_id[kept])


def iou_matrix(first: F32, second: F32) -> F32:
    """Intersection over union of every pair: (N, 4) and (M, 4) xyxy → (N, M); empty boxes give 0."""
    top_left = np.maximum(first[:, None, :2], second[None, :, :2])
    bottom_right = np.minimum(first[:, None, 2:], second[None, :, 2:])
    sides = np.clip(bottom_right - top_left, 0, None)
    shared = sides[..., 0] * sides[..., 1]
    union = _areas(first)[:, None] + _areas(second)[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)


def _areas(xyxy: F32) -> F32:
    sides = np.clip(xyxy[:, 2:] - xyxy[:, :2], 0, None)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)
