"""Which detection hits which truth box, by COCO's rules: greedy by confidence, per overlap limit and object size.

One class in one picture at a time. A truth box of another size is set aside: a detection that hits it is neither
right nor wrong, and a detection that hits nothing counts at its own size.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detectors.training.boxes import F32, I32

Flags = npt.NDArray[np.bool_]
F64 = npt.NDArray[np.float64]

COCO_LIMITS: F64 = np.linspace(0.5, 0.95, 10)
"""The overlaps that COCO averages over."""


class Size(StrEnum):
    """COCO's object sizes by the area of the box in pixels of the picture; the lower bound belongs to a size."""

    ALL = "all"
    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"


SIZES = tuple(Size)
_AREA_FROM_PX2 = np.array([0.0, 0.0, 32.0**2, 96.0**2])
_AREA_BELOW_PX2 = np.array([np.inf, 32.0**2, 96.0**2, np.inf])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Matched:
    """Detections of one class in one picture, at S sizes and L overlap limits.

    hit:         (S, L, N) bool, found a truth box of that size
    counted:     (S, L, N) bool, False where a detection is neither right nor wrong
    truth_count: (S,) int64
    """

    hit: Flags
    counted: Flags
    truth_count: npt.NDArray[np.int64]


def match(detected: F32, truth: F32, limits: F64) -> Matched:
    """Match detections (N, 4), surest first, with truth (M, 4), both xyxy in pixels of the picture."""
    set_aside = ~_of_size(truth)
    partner = assign(overlaps(detected, truth), limits, set_aside)
    size_rows = np.arange(len(SIZES))[:, None, None]
    found = partner >= 0
    on_aside = found & (set_aside[size_rows, partner] if len(truth) else False)
    of_other_size = ~found & ~_of_size(detected)[:, None, :]
    return Matched(
        hit=found & ~on_aside,
        counted=~on_aside & ~of_other_size,
        truth_count=np.asarray((~set_aside).sum(axis=1), np.int64),
    )


def assign(overlap: F64, limits: F64, set_aside: Flags) -> I32:
    """The truth box that each detection takes, or -1: (S, L, N) int32.

    overlap:   (N, M), detections surest first
    set_aside: (S, M) truth boxes that are taken only when no other one is left
    Of equal overlaps the last truth box is taken, as COCO's tools do.
    """
    sizes, truths = set_aside.shape
    partner = np.full((sizes, len(limits), len(overlap)), -1, np.int32)
    if not truths:
        return partner
    free = np.ones((sizes, len(limits), truths), bool)
    needed = np.minimum(limits, 1 - 1e-10)[None, :, None]
    preference = np.where(set_aside, 0.0, 2.0)[:, None, :]
    for row in np.flatnonzero(overlap.max(axis=1, initial=0.0) >= needed.min()):
        within = free & (overlap[row] >= needed)
        size, limit = np.nonzero(within.any(axis=2))
        worth = np.where(within, overlap[row] + preference, -1.0)[size, limit]
        taken = truths - 1 - worth[:, ::-1].argmax(axis=1)
        partner[size, limit, row] = taken
        free[size, limit, taken] = False
    return partner


def overlaps(first: F32, second: F32) -> F64:
    """Intersection over union (N, M) in double precision: in single precision an overlap of 0.7 is below 0.7."""
    shared = shared_px2(first, second)
    union = areas_px2(first)[:, None] + areas_px2(second)[None, :] - shared
    return np.asarray(np.divide(shared, union, out=np.zeros_like(shared), where=union > 0), np.float64)


def shared_px2(first: F32, second: F32) -> F64:
    """Area (N, M) that each box of one list has in common with each of the other."""
    first_xyxy, second_xyxy = np.asarray(first, np.float64), np.asarray(second, np.float64)
    top_left = np.maximum(first_xyxy[:, None, :2], second_xyxy[None, :, :2])
    bottom_right = np.minimum(first_xyxy[:, None, 2:], second_xyxy[None, :, 2:])
    return np.asarray(np.clip(bottom_right - top_left, 0, None).prod(axis=2), np.float64)


def areas_px2(xyxy: F32) -> F64:
    """Area of each box (N, 4)."""
    corners = np.asarray(xyxy, np.float64)
    return np.asarray(np.clip(corners[:, 2:] - corners[:, :2], 0, None).prod(axis=1), np.float64)


def _of_size(xyxy: F32) -> Flags:
    area = areas_px2(xyxy)[None, :]
    return np.asarray((area >= _AREA_FROM_PX2[:, None]) & (area < _AREA_BELOW_PX2[:, None]))
