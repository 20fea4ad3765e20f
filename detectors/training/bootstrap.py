"""How far chance could move a figure: 95 % intervals from resampled pictures, all rounds at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.training.boxes import F32
from detectors.training.matching import F64

Interval = tuple[float, float]
"""Lowest and highest value of the middle 95 % of all rounds."""

_PERCENTILES = (2.5, 97.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervals:
    """What 95 % of the rounds gave."""

    precision: Interval
    recall: Interval
    f1: Interval


def draw_rounds(group: npt.NDArray[np.int64], *, rounds: int, seed: int = 0) -> F32:
    """(rounds, P): how often each of P pictures is drawn with replacement; every group keeps its number.

    group: (P,) the group of each picture
    """
    random = np.random.default_rng(seed)
    drawn = np.zeros((rounds, len(group)), np.float32)
    for value in np.unique(group):
        rows = np.flatnonzero(group == value)
        drawn[:, rows] = random.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), size=rounds)
    return drawn


def intervals(counts: npt.NDArray[np.int64], drawn: F32) -> Intervals | None:
    """The intervals of what was counted per picture; None without rounds.

    counts: (P, 3) hits, detections, truth boxes
    """
    if not len(drawn):
        return None
    hits, found, truth = (drawn @ counts.astype(np.float32)).astype(np.float64).T
    return Intervals(
        precision=_middle(hits / np.maximum(found, 1)),
        recall=_middle(hits / np.maximum(truth, 1)),
        f1=_middle(2 * hits / np.maximum(found + truth, 1)),
    )


def _middle(values: F64) -> Interval:
    low, high = np.percentile(values, _PERCENTILES)
    return float(low), float(high)
