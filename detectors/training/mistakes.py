"""What is taken for what, and the worst mistakes per class: sure false alarms and large things missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detectors.classes import load_classes
from detectors.training.boxes import F32, I32
from detectors.training.matching import F64, areas_px2, assign, overlaps
from detectors.training.observing import Observation
from detectors.training.thresholds import by_class_id

BACKGROUND = "background"
_BESIDE_IOU = 0.1
_MOST_PER_PICTURE = 2


class Wrong(StrEnum):
    """The two ways to be wrong about one thing."""

    FALSE_ALARM = "false_alarm"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pairs:
    """The detections of one picture that count, and the truth box that each is paired with.

    kept:  (K,) int64, rows of the observation's detections at or above their threshold
    truth: (K,) int32, row of the truth box, -1 for none; first of its own class, of what is left of any class
    truth_rows: rows of the truth boxes of classes that the model names
    """

    observation: Observation
    kept: npt.NDArray[np.int64]
    truth: I32
    truth_rows: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mistake:
    """One wrong box: whose class, where (xyxy in pixels), how sure (None when missed), and what the matter was."""

    wrong: Wrong
    name: str
    pairs: Pairs
    xyxy: tuple[float, float, float, float]
    confidence: float | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confusion:
    """counts (C + 1, C + 1): truth boxes by row, detections by column; the last of both is the background."""

    names: tuple[str, ...]
    counts: npt.NDArray[np.int64]


def pair(observation: Observation, thresholds: Mapping[str, float], named: frozenset[int], min_iou: float) -> Pairs:
    """Pair the detections that count with truth boxes, each with one at most."""
    ids = list(named)
    counts = observation.confidence >= by_class_id(thresholds)[observation.class_id]
    kept = np.flatnonzero(counts & np.isin(observation.class_id, ids))
    truth_rows = np.flatnonzero(np.isin(observation.truth_class, ids))
    overlap = overlaps(observation.xyxy[kept], observation.truth_xyxy[truth_rows])
    same = observation.class_id[kept][:, None] == observation.truth_class[truth_rows][None, :]
    truth = _assign(np.where(same, overlap, 0.0), min_iou)
    left = np.where(np.isin(np.arange(len(truth_rows)), truth), 0.0, overlap)
    left[truth >= 0] = 0.0
    truth = np.where(truth >= 0, truth, _assign(left, min_iou))
    rows = np.where(truth >= 0, np.append(truth_rows, -1)[truth], -1)
    return Pairs(observation=observation, kept=kept, truth=rows.astype(np.int32), truth_rows=truth_rows)


def confuse(pairs: Sequence[Pairs], named: frozenset[int]) -> Confusion:
    """Count what was taken for what; a lone detection of a class that its folder does not label is left out."""
    table = load_classes()
    ids = [row.id for row in table.classes if row.id in named]
    column = {class_id: index for index, class_id in enumerate(ids)}
    counts = np.zeros((len(ids) + 1, len(ids) + 1), np.int64)
    for one in pairs:
        seen = one.observation
        for row, truth in zip(one.kept.tolist(), one.truth.tolist(), strict=True):
            class_id = int(seen.class_id[row])
            if truth >= 0:
                counts[column[int(seen.truth_class[truth])], column[class_id]] += 1
            elif class_id in seen.labelled:
                counts[-1, column[class_id]] += 1
        for row in _missed(one):
            counts[column[int(seen.truth_class[row])], -1] += 1
    return Confusion(names=(*(table.by_id[class_id].name for class_id in ids), BACKGROUND), counts=counts)


def worst_mistakes(
    pairs: Sequence[Pairs], thresholds: Mapping[str, float], *, min_iou: float, per_class: int = 8
) -> list[Mistake]:
    """Per class the surest false alarms and the largest things missed, at most two of a kind from one picture."""
    found: dict[tuple[int, Wrong], list[tuple[float, int, int]]] = {}
    for number, one in enumerate(pairs):
        for class_id, wrong, weight, row in _wrong_boxes(one):
            found.setdefault((class_id, wrong), []).append((weight, number, row))
    return [
        _explain(pairs[number], row, wrong, thresholds, min_iou)
        for (_, wrong), rows in sorted(found.items())
        for number, row in _heaviest(rows, per_class)
    ]


def _wrong_boxes(one: Pairs) -> Iterator[tuple[int, Wrong, float, int]]:
    """(class, kind, how bad, row) of each wrong box; badness is confidence, or the share of the picture."""
    seen = one.observation
    for row, truth in zip(one.kept.tolist(), one.truth.tolist(), strict=True):
        class_id = int(seen.class_id[row])
        is_right = truth >= 0 and int(seen.truth_class[truth]) == class_id
        if not is_right and class_id in seen.labelled:
            yield class_id, Wrong.FALSE_ALARM, float(seen.confidence[row]), row
    share = areas_px2(seen.truth_xyxy) / (seen.size_px[0] * seen.size_px[1])
    right = {truth for row, truth in zip(one.kept, one.truth, strict=True) if _is_same(seen, int(row), int(truth))}
    for row in one.truth_rows.tolist():
        if row not in right:
            yield int(seen.truth_class[row]), Wrong.MISSED, float(share[row]), row


def _heaviest(rows: list[tuple[float, int, int]], count: int) -> list[tuple[int, int]]:
    taken: Counter[int] = Counter()
    chosen: list[tuple[int, int]] = []
    for _, number, row in sorted(rows, key=lambda one: (-one[0], one[1], one[2])):
        if len(chosen) < count and taken[number] < _MOST_PER_PICTURE:
            taken[number] += 1
            chosen.append((number, row))
    return chosen


def _explain(one: Pairs, row: int, wrong: Wrong, thresholds: Mapping[str, float], min_iou: float) -> Mistake:
    seen, is_alarm = one.observation, wrong is Wrong.FALSE_ALARM
    box: F32 = (seen.xyxy if is_alarm else seen.truth_xyxy)[row]
    class_id = int((seen.class_id if is_alarm else seen.truth_class)[row])
    name = load_classes().by_id[class_id].name
    x0, y0, x1, y1 = (float(side) for side in box)
    return Mistake(
        wrong=wrong,
        name=name,
        pairs=one,
        xyxy=(x0, y0, x1, y1),
        confidence=float(seen.confidence[row]) if is_alarm else None,
        reason=_why_alarm(one, box, class_id, min_iou)
        if is_alarm
        else _why_missed(one, box, class_id, thresholds.get(name, 1.0), min_iou),
    )


def _why_alarm(one: Pairs, box: F32, class_id: int, min_iou: float) -> str:
    seen = one.observation
    overlap = overlaps(box[None], seen.truth_xyxy)[0]
    same = seen.truth_class == class_id
    nearest = float(overlap[same].max(initial=0.0))
    if nearest >= min_iou:
        return "a second box on one thing"
    other = np.where(same, 0.0, overlap)
    if other.max(initial=0.0) >= min_iou:
        return f"labelled {_name(seen.truth_class[int(other.argmax())])}"
    if nearest >= _BESIDE_IOU:
        return f"overlaps a labelled one by only {nearest:.2f}"
    return "nothing of its class is labelled here"


def _why_missed(one: Pairs, box: F32, class_id: int, threshold: float, min_iou: float) -> str:
    seen = one.observation
    overlap = overlaps(box[None], seen.xyxy)[0]
    same, kept = seen.class_id == class_id, np.isin(np.arange(len(seen.class_id)), one.kept)
    called = np.where(kept & ~same, overlap, 0.0)
    if called.max(initial=0.0) >= min_iou:
        row = int(called.argmax())
        return f"called {_name(seen.class_id[row])} ({seen.confidence[row]:.2f})"
    weak = same & ~kept & (overlap >= min_iou)
    if weak.any():
        return f"seen at {seen.confidence[weak].max():.2f}, below the threshold {threshold:.2f}"
    beside = float(overlap[same & kept].max(initial=0.0))
    if beside >= min_iou:
        return "one box for several things"
    return f"a box overlaps it by only {beside:.2f}" if beside >= _BESIDE_IOU else "not seen"


def _missed(one: Pairs) -> list[int]:
    return sorted(set(one.truth_rows.tolist()) - set(one.truth.tolist()))


def _is_same(seen: Observation, row: int, truth: int) -> bool:
    return truth >= 0 and bool(seen.truth_class[truth] == seen.class_id[row])


def _name(class_id: np.int32) -> str:
    return load_classes().by_id[int(class_id)].name


def _assign(overlap: F64, min_iou: float) -> I32:
    taken: I32 = assign(overlap, np.array([min_iou]), np.zeros((1, overlap.shape[1]), bool))[0, 0]
    return taken
