"""The figures of one class in any part of the pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.training.bootstrap import Interval, intervals
from detectors.training.boxes import F32
from detectors.training.matching import COCO_LIMITS, Flags, Size
from detectors.training.records import VEHICLE, ClassRecord
from detectors.training.scoring import average_precision, best_threshold, worst_side
from detectors.training.thresholds import by_class_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One class in some of the pictures; fractions 0..1, a fraction of nothing is 0.

    threshold:     None for merged classes: each box counts at the threshold of its own class
    precision, recall, f1: of the detections at or above the threshold; *_95: their 95 % bootstrap intervals
    ap50, ap50_95: COCO's average precision at IoU 0.5, and its mean over 0.5, 0.55 … 0.95
    ap:            average precision at the IoU that precision and recall are counted at
    n, found:      truth boxes, detections at or above the threshold
    balance:       the best min(precision, recall) of any one threshold here; balanced_at: that threshold
    """

    threshold: float | None
    precision: float
    recall: float
    f1: float
    ap50: float
    n: int
    found: int
    ap50_95: float = 0.0
    ap: float = 0.0
    balance: float = 0.0
    balanced_at: float = 0.0
    precision_95: Interval | None = None
    recall_95: Interval | None = None
    f1_95: Interval | None = None


def figures_of(
    record: ClassRecord,
    shown: ClassRecord,
    thresholds: Mapping[str, float],
    chosen: Flags,
    drawn: F32,
    *,
    size: Size = Size.ALL,
) -> Figures:
    """The figures of one class in the chosen pictures (P,); drawn: (rounds, P) from `bootstrap.draw_rounds`.

    record: every detection above the floor, for average precision and the balance
    shown:  those that the gateway would show, for precision and recall
    """
    counts = shown.per_picture(by_class_id(thresholds), chosen, size)
    hits, found, truth = (int(value) for value in counts.sum(axis=0))
    spread = intervals(counts, drawn)
    ap = np.array([average_precision(record.scored(chosen, size, limit)) for limit in range(len(record.limits))])
    of_coco = np.isclose(record.limits[:, None], COCO_LIMITS).any(axis=1)
    scored = record.scored(chosen, size)
    balanced_at = best_threshold(scored)
    return Figures(
        threshold=None if record.name == VEHICLE else thresholds[record.name],
        precision=hits / max(found, 1),
        recall=hits / max(truth, 1),
        f1=2 * hits / max(found + truth, 1),
        ap50=float(ap[of_coco][0]),
        n=truth,
        found=found,
        ap50_95=float(ap[of_coco].mean()),
        ap=float(ap[record.limit]),
        balance=worst_side(scored, balanced_at),
        balanced_at=balanced_at,
        precision_95=spread.precision if spread else None,
        recall_95=spread.recall if spread else None,
        f1_95=spread.f1 if spread else None,
    )
