"""Every detection of one class over all pictures, matched once; any part of the pictures can be asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.classes import load_classes
from detectors.nms import Boxes, suppress
from detectors.training.boxes import F32, I32
from detectors.training.matching import COCO_LIMITS, F64, SIZES, Flags, Matched, Size, match
from detectors.training.observing import Observation
from detectors.training.scoring import Scored

VEHICLE = "vehicle"
"""Car, motorcycle, bus, truck and van as one class: sources disagree about vans, streets do not care."""

_MERGED = frozenset({"car", "motorcycle", "bus", "truck", "van"})
_LABELLED_TO_MERGE = _MERGED - {"van"}
_MERGE_IOU = 0.6

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassRecord:
    """N detections of one class in P pictures, surest first, matched at S sizes and L overlap limits.

    picture:     (N,) int64, row of the picture; class_id: (N,) int32, several where classes are merged
    hit, counted: (S, L, N) bool, see `matching.Matched`
    truth_count: (P, S) int64
    limit:       which of the L limits precision and recall are counted at
    """

    name: str
    confidence: F32
    class_id: I32
    picture: I64
    hit: Flags
    counted: Flags
    truth_count: I64
    limits: F64
    limit: int

    def scored(self, chosen: Flags, size: Size = Size.ALL, limit: int | None = None) -> Scored:
        """The detections that count in the chosen pictures (P,)."""
        row, column = SIZES.index(size), self.limit if limit is None else limit
        kept = chosen[self.picture] & self.counted[row, column]
        return Scored(self.confidence[kept], self.hit[row, column][kept], int(self.truth_count[chosen, row].sum()))

    def per_picture(self, thresholds: F32, chosen: Flags, size: Size = Size.ALL) -> I64:
        """(P, 3): hits, detections and truth boxes of each chosen picture; zeros elsewhere.

        thresholds: least confidence by class id
        """
        row, pictures = SIZES.index(size), len(self.truth_count)
        kept = chosen[self.picture] & self.counted[row, self.limit]
        kept &= self.confidence >= thresholds[self.class_id]
        hits = np.bincount(self.picture[kept & self.hit[row, self.limit]], minlength=pictures)
        found = np.bincount(self.picture[kept], minlength=pictures)
        return np.stack((hits, found, np.where(chosen, self.truth_count[:, row], 0)), axis=1).astype(np.int64)


def build_records(observations: Sequence[Observation], named: frozenset[int], min_iou: float) -> list[ClassRecord]:
    """One record per class that the model names and a folder labels, in order of id; the merged vehicles last."""
    is_among_them = np.isclose(COCO_LIMITS, min_iou).any()
    limits = COCO_LIMITS if is_among_them else np.sort(np.append(COCO_LIMITS, min_iou))
    parts: dict[str, list[tuple[int, Boxes, Matched]]] = {}
    for row, observation in enumerate(observations):
        for name, seen, truth in split_by_class(observation, named):
            parts.setdefault(name, []).append((row, seen, match(seen.xyxy, truth, limits)))
    order = [row.name for row in load_classes().classes] + [VEHICLE]
    limit = int(np.abs(limits - min_iou).argmin())
    return [_join(name, parts[name], len(observations), limits, limit) for name in order if name in parts]


def split_by_class(observation: Observation, named: frozenset[int]) -> Iterator[tuple[str, Boxes, F32]]:
    """Detections and truth boxes of each class that is labelled and named, then of the vehicles merged."""
    classes = load_classes().by_id
    for class_id in sorted(observation.labelled & named):
        rows = observation.class_id == class_id
        truth = observation.truth_xyxy[observation.truth_class == class_id]
        yield classes[class_id].name, _rows_of(observation, rows), truth
    merged = [row.id for row in load_classes().classes if row.name in _MERGED]
    needed = {row.id for row in load_classes().classes if row.name in _LABELLED_TO_MERGE}
    if needed <= observation.labelled and named.intersection(merged):
        seen = _rows_of(observation, np.isin(observation.class_id, merged))
        truth = observation.truth_xyxy[np.isin(observation.truth_class, merged)]
        yield (
            VEHICLE,
            suppress(seen, iou_limit=_MERGE_IOU, groups=np.zeros(max(load_classes().by_id) + 1, np.int32)),
            truth,
        )


def _join(
    name: str, parts: Sequence[tuple[int, Boxes, Matched]], pictures: int, limits: F64, limit: int
) -> ClassRecord:
    confidence = np.concatenate([seen.confidence for _, seen, _ in parts])
    order = np.argsort(-confidence, kind="stable")
    truth_count = np.zeros((pictures, len(SIZES)), np.int64)
    for row, _, matched in parts:
        truth_count[row] = matched.truth_count
    rows = np.array([row for row, _, _ in parts], np.int64)
    return ClassRecord(
        name=name,
        confidence=confidence[order],
        class_id=np.concatenate([seen.class_id for _, seen, _ in parts])[order],
        picture=np.repeat(rows, [len(seen.confidence) for _, seen, _ in parts])[order],
        hit=np.concatenate([matched.hit for _, _, matched in parts], axis=2)[..., order],
        counted=np.concatenate([matched.counted for _, _, matched in parts], axis=2)[..., order],
        truth_count=truth_count,
        limits=limits,
        limit=limit,
    )


def _rows_of(observation: Observation, rows: Flags) -> Boxes:
    return Boxes(
        xyxy=observation.xyxy[rows], confidence=observation.confidence[rows], class_id=observation.class_id[rows]
    )
