"""Decoding of the raw head and suppression, beside a slow independent implementation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from detectors.nms import Boxes, iou_matrix, suppress, surviving_rows

F32 = npt.NDArray[np.float32]


def _slow_iou(a: F32, b: F32) -> float:
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return float(width * height / union) if union > 0 else 0.0


def _slow_nms(boxes: Boxes, iou_limit: float, groups: list[int], any_group_limit: float = 1.0) -> list[int]:
    kept: list[int] = []
    for row in sorted(range(len(boxes.confidence)), key=lambda item: (-boxes.confidence[item], item)):
        limits = [
            iou_limit if groups[boxes.class_id[other]] == groups[boxes.class_id[row]] else any_group_limit
            for other in kept
        ]
        overlaps = [_slow_iou(boxes.xyxy[row], boxes.xyxy[other]) for other in kept]
        if all(overlap <= limit for overlap, limit in zip(overlaps, limits, strict=True)):
            kept.append(row)
    return kept


@st.composite
def _boxes(draw: st.DrawFn) -> Boxes:
    rows = draw(st.integers(0, 25))
    corners = draw(hnp.arrays(np.float32, (rows, 2), elements=st.integers(0, 50).map(float)))
    sides = draw(hnp.arrays(np.float32, (rows, 2), elements=st.integers(1, 40).map(float)))
    confidence = draw(hnp.arrays(np.float32, rows, elements=st.integers(1, 99).map(lambda n: n / 100)))
    class_id = draw(hnp.arrays(np.int32, rows, elements=st.integers(0, 2)))
    return Boxes(xyxy=np.hstack((corners, corners + sides)), confidence=confidence, class_id=class_id)


@given(boxes=_boxes(), iou_limit=st.sampled_from([0.31, 0.49, 0.7]))
def test_suppression_equals_the_textbook_loop(boxes: Boxes, iou_limit: float) -> None:
    kept = suppress(boxes, iou_limit=iou_limit)
    expected = _slow_nms(boxes, iou_limit, [0, 1, 2])
    np.testing.assert_array_equal(kept.xyxy, boxes.xyxy[expected])
    np.testing.assert_array_equal(kept.confidence, boxes.confidence[expected])


@given(boxes=_boxes(), iou_limit=st.sampled_from([0.31, 0.49, 0.7]), any_group_limit=st.sampled_from([0.49, 0.83, 1.0]))
def test_suppression_in_groups_equals_the_textbook_loop(boxes: Boxes, iou_limit: float, any_group_limit: float) -> None:
    kept = suppress(boxes, iou_limit=iou_limit, groups=np.array([5, 0, 5], np.int32), any_group_limit=any_group_limit)
    expected = _slow_nms(boxes, iou_limit, [5, 0, 5], any_group_limit)
    np.testing.assert_array_equal(kept.xyxy, boxes.xyxy[expected])
    np.testing.assert_array_equal(kept.class_id, boxes.class_id[expected])


def test_of_two_readings_of_one_thing_the_more_confident_stays() -> None:
    boxes = Boxes(
        xyxy=np.array([[0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 8]], np.float32),
        confidence=np.array([0.5, 0.8, 0.7], np.float32),
        class_id=np.array([0, 1, 2], np.int32),
    )
    assert suppress(boxes, iou_limit=0.5, groups=np.array([3, 3, 4], np.int32)).class_id.tolist() == [1, 2]


def test_a_rival_at_the_limit_stays() -> None:
    boxes = Boxes(
        xyxy=np.array([[0, 0, 10, 10], [0, 0, 10, 5]], np.float32),
        confidence=np.array([0.8, 0.7], np.float32),
        class_id=np.array([0, 1], np.int32),
    )
    assert len(suppress(boxes, iou_limit=0.5, groups=np.zeros(2, np.int32)).confidence) == 2


def test_overlapping_boxes_of_different_classes_both_stay() -> None:
    boxes = Boxes(
        xyxy=np.array([[0, 0, 10, 10], [0, 0, 10, 10]], np.float32),
        confidence=np.array([0.9, 0.8], np.float32),
        class_id=np.array([6, 7], np.int32),
    )
    assert suppress(boxes, iou_limit=0.5).class_id.tolist() == [6, 7]


def test_touching_boxes_have_no_overlap_and_empty_boxes_give_zero_not_nan() -> None:
    boxes = np.array([[0, 0, 10, 10], [10, 0, 20, 10], [5, 5, 5, 5]], np.float32)
    np.testing.assert_allclose(iou_matrix(boxes, boxes), [[1, 0, 0], [0, 1, 0], [0, 0, 0]])


def test_only_the_best_candidates_are_compared() -> None:
    rows = 50
    xyxy = np.column_stack((np.arange(rows) * 20, np.zeros(rows), np.arange(rows) * 20 + 10, np.full(rows, 10)))
    boxes = Boxes(
        xyxy=xyxy.astype(np.float32),
        confidence=np.linspace(0.1, 0.9, rows).astype(np.float32),
        class_id=np.zeros(rows, np.int32),
    )
    kept = suppress(boxes, iou_limit=0.5, max_candidates=10)
    assert kept.confidence.tolist() == boxes.confidence[::-1][:10].tolist()


@given(parts=st.lists(_boxes(), min_size=1, max_size=5), limit=st.sampled_from([0.31, 0.7]), most=st.integers(1, 25))
def test_a_batch_is_suppressed_as_its_pictures_are_one_by_one(parts: list[Boxes], limit: float, most: int) -> None:
    picture = np.repeat(np.arange(len(parts)), [len(part.confidence) for part in parts])
    shuffled = np.argsort(picture % 2, kind="stable")  # of equals the first wins: a picture's own order stays
    together = Boxes(
        xyxy=np.concatenate([part.xyxy for part in parts]),
        confidence=np.concatenate([part.confidence for part in parts]),
        class_id=np.concatenate([part.class_id for part in parts]),
    ).rows(shuffled)
    rows = surviving_rows(together, picture[shuffled], iou_limit=limit, max_candidates=most)
    kept, owner = together.rows(rows), picture[shuffled][rows]
    for number, part in enumerate(parts):
        alone = suppress(part, iou_limit=limit, max_candidates=most)
        np.testing.assert_array_equal(kept.xyxy[owner == number], alone.xyxy)
        np.testing.assert_array_equal(kept.class_id[owner == number], alone.class_id)


def test_a_chain_of_boxes_falls_every_second() -> None:
    count = 40
    x0 = np.arange(count) * 4.0
    xyxy = np.stack((x0, np.zeros(count), x0 + 10, np.full(count, 10)), axis=1).astype(np.float32)  # IoU 6 / 14
    boxes = Boxes(
        xyxy=xyxy, confidence=np.linspace(0.9, 0.5, count, dtype=np.float32), class_id=np.zeros(count, np.int32)
    )
    np.testing.assert_array_equal(suppress(boxes, iou_limit=0.4).xyxy, xyxy[::2])
