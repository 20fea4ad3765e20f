"""The thresholds that ship: one per class, chosen on labelled pictures as the gateway applies them, all together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from detectors.classes import load_classes
from detectors.training.boxes import F32
from detectors.training.observing import Observation, as_shown
from detectors.training.records import VEHICLE, ClassRecord, build_records
from detectors.training.scoring import best_threshold

_ROUNDS = 6


def choose_thresholds(
    records: Sequence[ClassRecord],
    observations: Sequence[Observation],
    given: Mapping[str, float],
    *,
    iou_limit: float,
    min_iou: float = 0.5,
) -> dict[str, float]:
    """The given thresholds, and for every other class the one that maximises its min(precision, recall) here.

    records:   every class of the observations above the floor; iou_limit: overlap from which boxes of one thing are
               rivals; min_iou: overlap with the truth from which a box is right

    One thing gets one box, so a bin's threshold takes boxes from overflow and the other way round: each class is
    chosen with its rivals at theirs, in turn, until none moves. Merged classes get none: the gateway judges each
    box by its own class.
    """
    everywhere = np.ones(len(observations), bool)
    free = [record for record in records if record.name != VEHICLE and record.name not in given]
    chosen = {**given, **{record.name: best_threshold(record.scored(everywhere)) for record in free}}
    for _ in range(_ROUNDS):
        before = dict(chosen)
        for name in [record.name for record in free]:
            chosen[name] = _best_beside_rivals(observations, chosen, name, iou_limit=iou_limit, min_iou=min_iou)
        if chosen == before:
            break
    return chosen


def by_class_id(thresholds: Mapping[str, float]) -> F32:
    """Thresholds as an array by class id; a class without one never counts."""
    table = load_classes().by_id
    found = np.full(max(table) + 1, np.inf, np.float32)
    for class_id, row in table.items():
        found[class_id] = thresholds.get(row.name, np.inf)
    return found


def _best_beside_rivals(
    observations: Sequence[Observation], chosen: Mapping[str, float], name: str, *, iou_limit: float, min_iou: float
) -> float:
    """One look is enough for every threshold of the class: a box is never suppressed by a less sure one."""
    open_to_all = by_class_id({**chosen, name: 0.0})
    shown = [as_shown(observation, open_to_all, iou_limit=iou_limit) for observation in observations]
    named = frozenset({load_classes().by_name[name].id})
    record = next(record for record in build_records(shown, named, min_iou) if record.name == name)
    return best_threshold(record.scored(np.ones(len(observations), bool)))
