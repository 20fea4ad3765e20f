"""Suppression of what was found twice: class-aware, over all pictures of a batch at once, in numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
I32 = npt.NDArray[np.int32]
Rows = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]

SAME_PLACE_IOU = 0.85
"""Boxes that cover each other as much as this are one thing, whatever two classes the network names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boxes:
    """Detections of one picture, or of several, in input pixels: xyxy (N, 4), confidence (N,), class_id (N,)."""

    xyxy: F32
    confidence: F32
    class_id: I32

    def rows(self, rows: Rows) -> Boxes:
        """Some of them, in the order asked for."""
        return Boxes(xyxy=self.xyxy[rows], confidence=self.confidence[rows], class_id=self.class_id[rows])


def suppress(
    boxes: Boxes,
    *,
    iou_limit: float,
    groups: I32 | None = None,
    any_group_limit: float = 1.0,
    max_candidates: int = 1000,
) -> Boxes:
    """Greedy non-maximum suppression of one picture's boxes; rows come back best first. See `surviving_rows`."""
    everywhere = np.zeros(len(boxes.confidence), np.intp)
    rows = surviving_rows(
        boxes,
        everywhere,
        iou_limit=iou_limit,
        groups=groups,
        any_group_limit=any_group_limit,
        max_candidates=max_candidates,
    )
    return boxes.rows(rows)


def surviving_rows(
    boxes: Boxes,
    picture: Rows,
    *,
    iou_limit: float,
    groups: I32 | None = None,
    any_group_limit: float = 1.0,
    max_candidates: int = 1000,
) -> Rows:
    """Rows of `boxes` that greedy suppression keeps, picture by picture, the best of each first.

    picture:         (N,) the picture of every box; boxes of different pictures never meet
    groups:          (classes,) the group of every class_id; boxes of one group compete. None: each class by itself
    any_group_limit: from this overlap on boxes compete whatever their groups; 1: never
    max_candidates:  of each picture only so many, the best, are looked at

    A box falls when a kept, better box of its group in its picture overlaps it by more than iou_limit.
    """
    order = np.lexsort((-boxes.confidence, picture))
    pictures, place, rank = _places(picture[order])
    order, place, rank = (values[rank < max_candidates] for values in (order, place, rank))
    if not len(order):
        return order
    group = boxes.class_id if groups is None else groups[boxes.class_id]
    size = int(rank.max()) + 1
    padded_xyxy = np.zeros((4, pictures, size), np.float32)
    padded_group = np.full((pictures, size), -1, np.intp)
    padded_xyxy[:, place, rank] = boxes.xyxy[order].T
    padded_group[place, rank] = group[order]
    is_kept = _best_ones(padded_xyxy, padded_group, np.float32(iou_limit), np.float32(any_group_limit))
    kept: Rows = order[is_kept[place, rank]]
    return kept


def iou_matrix(first: F32, second: F32) -> F32:
    """Intersection over union of every pair: (…, N, 4) and (…, M, 4) xyxy → (…, N, M); empty boxes give 0."""
    top_left = np.maximum(first[..., :, None, :2], second[..., None, :, :2])
    sides = np.minimum(first[..., :, None, 2:], second[..., None, :, 2:])
    sides -= top_left
    np.maximum(sides, 0, out=sides)
    shared = sides[..., 0] * sides[..., 1]
    union = _areas(first)[..., :, None] + _areas(second)[..., None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float32)


def _places(picture: Rows) -> tuple[int, Rows, Rows]:
    """Of sorted picture numbers: how many different ones, and for each row which of them and its rank in it."""
    is_first = np.ones(len(picture), bool)
    is_first[1:] = picture[1:] != picture[:-1]
    place = np.cumsum(is_first) - 1
    rank = np.arange(len(picture)) - np.flatnonzero(is_first)[place]
    return int(is_first.sum()), place, rank


def _best_ones(xyxy: F32, group: Rows, iou_limit: np.float32, any_group_limit: np.float32) -> Flags:
    """(P, K) which boxes stay, of (4, P, K) sides, each picture's best box first; group -1 is padding.

    The greedy loop for all pictures in step: the best box that is left of every picture is kept, and what it covers
    too far falls. There are as many rounds as the fullest picture has things, each over P x K boxes at once.
    """
    top_left, bottom_right = xyxy[:2], xyxy[2:]
    area = np.maximum(bottom_right - top_left, 0).prod(axis=0)
    kept = np.zeros(group.shape, np.bool_)
    is_left = group >= 0
    picture = np.arange(len(group))
    while is_left.any():
        best = is_left.argmax(axis=1)
        kept[picture, best] |= is_left[picture, best]
        sides = np.minimum(bottom_right, bottom_right[:, picture, best, None])
        sides -= np.maximum(top_left, top_left[:, picture, best, None])
        np.maximum(sides, 0, out=sides)
        shared = sides[0] * sides[1]
        limit = np.where(group == group[picture, best, None], iou_limit, any_group_limit)
        is_left &= shared <= limit * (area + area[picture, best, None] - shared)
        is_left[picture, best] = False
    return kept


def _areas(xyxy: F32) -> F32:
    sides = np.clip(xyxy[..., 2:] - xyxy[..., :2], 0, None)
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)
