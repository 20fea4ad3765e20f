"""Pseudo-labels: what two COCO teachers agree on, and the places where they leave a doubt."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from detectors.nms import Boxes, iou_matrix
from detectors.training.boxes import F32
from detectors.training.labels import NO_LABELS, Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """When a teacher's box becomes a label, and when it becomes a doubt.

    The first teacher must be sure (min_confidence); the second must see the same class at the same place
    (min_iou), more weakly if it likes. A box at max_label_iou with a human box is the human's. What one
    teacher alone sees at min_doubt_confidence is a doubt, unless it fills more than max_doubt_share of the
    picture: then too little would be left to learn from.
    """

    min_confidence: float = 0.5
    min_second_confidence: float = 0.2
    min_iou: float = 0.5
    max_label_iou: float = 0.5
    min_doubt_confidence: float = 0.35
    max_doubt_share: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """What the teachers say of one picture.

    labels:     boxes that both see, of classes that nobody labelled
    confidence: (len(labels), 2) float32, the first's and the second's
    doubtful:   (N, 4) float32, fractions of the picture: something may stand there that has no label, so
                neither "there is one" nor "there is none" may be taught
    """

    labels: Labels
    confidence: F32
    doubtful: F32


NO_OPINION = Opinion(NO_LABELS, np.empty((0, 2), np.float32), np.empty((0, 4), np.float32))


def weigh(
    human: Labels,
    first: Boxes,
    second: Boxes,
    *,
    missing: Collection[int],
    rule: Agreement,
) -> Opinion:
    """Both teachers' boxes beside the human ones: what becomes a label, what stays doubtful.

    missing: the classes that the picture's folder does not label. Of a class that it does label, a box that
    both teachers see and no human drew is a doubt too: annotators forget.
    All boxes are fractions of the picture, all classes street classes.
    """
    same = (iou_matrix(first.xyxy, second.xyxy) >= rule.min_iou) & (first.class_id[:, None] == second.class_id[None, :])
    seen_twice = (same & (second.confidence[None, :] >= rule.min_second_confidence)).any(axis=1)
    agreed = seen_twice & (first.confidence >= rule.min_confidence) & ~_covered(first, human, rule)
    wanted = np.isin(first.class_id, list(missing))
    labels = agreed & wanted
    sure_alone = (first.confidence >= rule.min_doubt_confidence) & wanted & ~labels & ~_covered(first, human, rule)
    doubts = [first.xyxy[(agreed & ~wanted) | sure_alone]]
    others = np.isin(second.class_id, list(missing)) & (second.confidence >= rule.min_doubt_confidence)
    others &= ~(same & labels[:, None]).any(axis=0) & ~_covered(second, human, rule)
    doubts.append(second.xyxy[others])
    found = Labels(first.class_id[labels], first.xyxy[labels]) if labels.any() else NO_LABELS
    second_confidence = np.where(same, second.confidence[None, :], 0).max(axis=1, initial=0)
    confidence = np.stack((first.confidence, second_confidence), axis=1)[labels].astype(np.float32)
    return Opinion(found, confidence, _small_enough(np.concatenate(doubts), rule.max_doubt_share))


def _covered(boxes: Boxes, human: Labels, rule: Agreement) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return np.asarray((iou_matrix(boxes.xyxy, human.xyxy) >= rule.max_label_iou).any(axis=1))


def _small_enough(xyxy: F32, max_share: float) -> F32:
    sides = xyxy[:, 2:] - xyxy[:, :2]
    return xyxy[sides[:, 0] * sides[:, 1] <= max_share]
