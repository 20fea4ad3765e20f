"""Pseudo-labels: what two COCO teachers agree on, for the classes that a folder does not label."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from detectors.nms import Boxes, iou_matrix
from detectors.training.labels import NO_LABELS, Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """When a teacher's box becomes a label.

    The first teacher must be sure (min_confidence); the second must see the same class at the same place
    (min_iou), more weakly if it likes. A box at max_label_iou with a human box is the human's.
    """

    min_confidence: float = 0.5
    min_second_confidence: float = 0.2
    min_iou: float = 0.5
    max_label_iou: float = 0.5


def pseudo_labels(
    human: Labels,
    first: Boxes,
    second: Boxes,
    *,
    missing: Collection[int],
    rule: Agreement,
) -> Labels:
    """The boxes of `missing` classes that both teachers see and no human box already covers.

    All boxes are fractions of the picture, all classes street classes.
    """
    wanted = np.isin(first.class_id, list(missing)) & (first.confidence >= rule.min_confidence)
    same_place = iou_matrix(first.xyxy, second.xyxy) >= rule.min_iou
    same_class = first.class_id[:, None] == second.class_id[None, :]
    sure = second.confidence[None, :] >= rule.min_second_confidence
    agreed = wanted & (same_place & same_class & sure).any(axis=1)
    covered = (iou_matrix(first.xyxy, human.xyxy) >= rule.max_label_iou).any(axis=1)
    rows = agreed & ~covered
    return Labels(first.class_id[rows], first.xyxy[rows]) if rows.any() else NO_LABELS
