"""How good are these boxes: matching, precision and recall, average precision. Pure arrays.

Matching is greedy by confidence, each detection taking the best free truth box; average precision is
COCO's. Only classes that a folder labels may be passed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.nms import iou_matrix
from detectors.training.boxes import F32

Flags = npt.NDArray[np.bool_]
F64 = npt.NDArray[np.float64]

_RECALL_POINTS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """All detections of one class over many pictures, and how many truth boxes there were.

    confidence: (N,) float32; correct: (N,) bool at one IoU limit
    """

    confidence: F32
    correct: Flags
    truth_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One class at one threshold; fractions 0..1. `n` counts truth boxes, `found` detections above it."""

    threshold: float
    precision: float
    recall: float
    f1: float
    ap50: float
    n: int
    found: int


def match(detected: F32, confidence: F32, truth: F32, *, min_iou: float) -> Flags:
    """Which detections (N, 4) hit a truth box (M, 4) of their class; a truth box is hit once, by the surest."""
    correct = np.zeros(len(detected), bool)
    if not len(truth):
        return correct
    overlap = iou_matrix(detected, truth)
    for row in np.argsort(-confidence, kind="stable"):
        column = int(overlap[row].argmax())
        if overlap[row, column] >= min_iou:
            correct[row] = True
            overlap[:, column] = -1.0
    return correct


def pool(parts: Sequence[Scored]) -> Scored:
    """The detections of several pictures as one list."""
    if not parts:
        return Scored(np.empty(0, np.float32), np.empty(0, bool), 0)
    return Scored(
        np.concatenate([part.confidence for part in parts]),
        np.concatenate([part.correct for part in parts]),
        sum(part.truth_count for part in parts),
    )


def precision_recall(scored: Scored) -> tuple[F64, F64, F32]:
    """Precision and recall after each detection, surest first, and the confidence there."""
    order = np.argsort(-scored.confidence, kind="stable")
    hits = np.cumsum(scored.correct[order], dtype=np.float64)
    precision = hits / np.arange(1, len(order) + 1)
    return precision, hits / max(scored.truth_count, 1), scored.confidence[order]


def average_precision(scored: Scored) -> float:
    """COCO's: mean over 101 recalls of the best precision at that recall or beyond; 0 without a hit."""
    precision, recall, _ = precision_recall(scored)
    if not len(recall) or not scored.truth_count:
        return 0.0
    best_beyond = np.flip(np.maximum.accumulate(np.flip(precision)))
    reached_at = np.searchsorted(recall, _RECALL_POINTS - 1e-9)
    return float(np.append(best_beyond, 0.0)[reached_at].mean())


def best_threshold(scored: Scored, *, lowest: float = 0.1) -> float:
    """The confidence that maximises min(precision, recall), `lowest` when there is nothing to choose from.

    Detections of equal confidence stand or fall together, so only the last of each run is a candidate.
    """
    precision, recall, confidence = precision_recall(scored)
    last_of_run = np.append(confidence[1:] < confidence[:-1], True)[: len(confidence)]
    eligible = last_of_run & (confidence >= lowest)
    if not eligible.any():
        return lowest
    worth = np.where(eligible, np.minimum(precision, recall), -1.0)
    return float(confidence[int(worth.argmax())])


def figures(scored: Scored, threshold: float) -> Figures:
    """Precision, recall and F1 of the detections at or above a threshold, and the AP of all of them."""
    kept = scored.confidence >= threshold
    hits, found = int(scored.correct[kept].sum()), int(kept.sum())
    precision, recall = hits / max(found, 1), hits / max(scored.truth_count, 1)
    return Figures(
        threshold=threshold,
        precision=precision,
        recall=recall,
        f1=2 * precision * recall / max(precision + recall, 1e-9),
        ap50=average_precision(scored),
        n=scored.truth_count,
        found=found,
    )
