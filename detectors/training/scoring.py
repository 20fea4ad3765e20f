"""How good are matched detections: precision, recall, average precision, the best threshold. Pure arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.training.boxes import F32
from detectors.training.matching import F64, Flags

_RECALL_POINTS = np.linspace(0.0, 1.0, 101)
"""As COCO's tools have them, rounding and all: 0.95 is a little more than 19 of 20, and counts as not reached."""


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """All detections of one class over many pictures, and how many truth boxes there were.

    confidence: (N,) float32; correct: (N,) bool at one overlap limit
    """

    confidence: F32
    correct: Flags
    truth_count: int


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
    reached_at = np.searchsorted(recall, _RECALL_POINTS)
    return float(np.append(best_beyond, 0.0)[reached_at].mean())


def best_threshold(scored: Scored, *, lowest: float = 0.1) -> float:
    """The confidence that maximises min(precision, recall), `lowest` when there is nothing to choose from.

    Detections of equal confidence stand or fall together, so only the last of each run is a candidate. Where
    thresholds beside each other are equally good, the middle of their range is taken: its ends hang on one box each.
    """
    precision, recall, confidence = precision_recall(scored)
    last_of_run = np.append(confidence[1:] < confidence[:-1], True)[: len(confidence)]
    eligible = last_of_run & (confidence >= lowest)
    if not eligible.any():
        return lowest
    worth, candidates = np.minimum(precision, recall)[eligible], confidence[eligible]
    first = int(worth.argmax())
    if worth[first] == 0:
        return float(candidates[0])
    is_worse = np.flatnonzero(worth[first:] < worth[first])
    next_below = candidates[first + is_worse[0]] if len(is_worse) else lowest
    return float((candidates[first] + next_below) / 2)


def worst_side(scored: Scored, threshold: float) -> float:
    """min(precision, recall) of the detections at or above a threshold; 0 when nothing is found or to be found."""
    kept = scored.confidence >= threshold
    hits = int(scored.correct[kept].sum())
    return hits / max(int(kept.sum()), scored.truth_count, 1)
