"""Matching by COCO's rules, beside a slow independent implementation and figures of COCO's own tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.training.matching import COCO_LIMITS, SIZES, Size, areas_px2, match, overlaps
from detectors.training.records import build_records
from detectors.training.scoring import average_precision
from tests.observed_pictures import BIN, CAR, GARBAGE, Box, observation, xyxy

_HALF = np.array([0.5])
_GOLDEN = json.loads((Path(__file__).parent / "coco_boxes.json").read_text(encoding="utf-8"))

Side = st.integers(0, 60)
Boxes = st.lists(
    st.tuples(Side, Side, st.integers(1, 60), st.integers(1, 60)).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])),
    max_size=6,
)
Detected = st.lists(st.tuples(st.integers(1, 9), Boxes.filter(len).map(lambda boxes: boxes[0])), max_size=8)


def _hits(detected: Sequence[Box], truth: Sequence[Box], size: Size = Size.ALL) -> list[bool]:
    return [bool(hit) for hit in match(xyxy(detected), xyxy(truth), _HALF).hit[SIZES.index(size), 0]]


def _counted(detected: Sequence[Box], truth: Sequence[Box], size: Size) -> list[bool]:
    return [bool(counts) for counts in match(xyxy(detected), xyxy(truth), _HALF).counted[SIZES.index(size), 0]]


def test_one_truth_box_is_hit_once_and_by_the_surest() -> None:
    assert _hits([(0, 0, 10, 11), (0, 0, 10, 10)], [(0, 0, 10, 10)]) == [True, False]


def test_the_overlap_limit_is_inclusive() -> None:
    assert _hits([(0, 0, 10, 5)], [(0, 0, 10, 10)]) == [True]
    assert _hits([(0, 0, 10, 4.9)], [(0, 0, 10, 10)]) == [False]


def test_an_overlap_of_seven_tenths_reaches_seven_tenths() -> None:
    assert overlaps(xyxy([(0, 0, 10, 7)]), xyxy([(0, 0, 10, 10)]))[0, 0] >= 0.7


def test_a_second_detection_takes_the_second_truth_box() -> None:
    assert _hits([(0, 0, 10, 10), (1, 0, 11, 10)], [(0, 0, 10, 10), (2, 0, 12, 10)]) == [True, True]


def test_of_equal_overlaps_the_last_truth_box_is_taken_as_cocos_tools_do() -> None:
    upper, lower = (0, 0, 10, 8), (0, 2, 10, 10)
    assert _hits([(0, 0, 10, 10), (0, 0, 10, 6)], [upper, lower]) == [True, True]


def test_without_truth_every_detection_is_wrong_and_counts() -> None:
    assert _hits([(0, 0, 1, 1)], []) == [False]
    assert _counted([(0, 0, 1, 1)], [], Size.ALL) == [True]


def test_nothing_detected_leaves_the_truth_to_be_found() -> None:
    matched = match(xyxy([]), xyxy([(0, 0, 40, 40)]), COCO_LIMITS)
    assert matched.hit.shape == (4, 10, 0)
    assert matched.truth_count.tolist() == [1, 0, 1, 0]


@pytest.mark.parametrize(("side_px", "size"), [(31.9, "small"), (32, "medium"), (95.9, "medium"), (96, "large")])
def test_the_lower_bound_belongs_to_a_size(side_px: float, size: str) -> None:
    counts = match(xyxy([]), xyxy([(0, 0, side_px, side_px)]), _HALF).truth_count
    assert [name.value for name, count in zip(SIZES, counts, strict=True) if count] == ["all", size]


def test_a_detection_belongs_to_the_size_of_the_box_that_it_hits() -> None:
    truth, detected = (0, 0, 31, 31), (0, 0, 33, 33)
    assert _hits([detected], [truth], Size.SMALL) == [True]
    assert _counted([detected], [truth], Size.MEDIUM) == [False]


def test_a_detection_that_hits_nothing_belongs_to_its_own_size() -> None:
    assert _counted([(0, 0, 20, 20)], [], Size.SMALL) == [True]
    assert _counted([(0, 0, 20, 20)], [], Size.MEDIUM) == [False]


def test_a_truth_box_of_the_size_is_preferred_to_a_better_one_that_is_set_aside() -> None:
    small, medium = (0, 0, 31, 31), (0, 0, 33, 33)
    assert _hits([medium], [small, medium], Size.SMALL) == [True]


def test_empty_boxes_overlap_nothing() -> None:
    assert overlaps(xyxy([(5, 5, 5, 9)]), xyxy([(5, 5, 5, 9)])).tolist() == [[0.0]]
    assert areas_px2(xyxy([(5, 5, 3, 9)])).tolist() == [0.0]


@given(Detected, Boxes)
def test_hits_agree_with_coco_spelt_out(detected: list[tuple[int, Box]], truth: list[Box]) -> None:
    boxes = [box for _, box in sorted(detected, key=lambda row: -row[0])]
    matched = match(xyxy(boxes), xyxy(truth), COCO_LIMITS)
    for row, size in enumerate(SIZES):
        for column, limit in enumerate(COCO_LIMITS.tolist()):
            hit, ignored = _slow_match(boxes, truth, limit, size)
            assert matched.hit[row, column].tolist() == hit
            assert (~matched.counted[row, column]).tolist() == ignored


@pytest.mark.parametrize(("name", "class_id"), [("car", CAR), ("garbage", GARBAGE), ("garbage_bin", BIN)])
def test_average_precision_is_what_cocos_own_tools_give(name: str, class_id: int) -> None:
    observations = [
        observation(
            [(row[0], tuple(row[1:])) for row in picture["truth"]],
            [(row[0], row[1], tuple(row[2:])) for row in picture["seen"]],
            labelled=(CAR, GARBAGE, BIN),
        )
        for picture in _GOLDEN["pictures"]
    ]
    (record,) = build_records(observations, frozenset({class_id}), 0.5)
    everywhere = np.ones(len(observations), bool)
    for size, expected in _GOLDEN["average_precision"][name].items():
        found = [average_precision(record.scored(everywhere, Size(size), limit)) for limit in range(10)]
        assert found == pytest.approx(expected, abs=1e-5)


def _slow_iou(a: Box, b: Box) -> float:
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(wide, 0) * max(high, 0)
    return shared / (_slow_area(a) + _slow_area(b) - shared)


def _slow_area(box: Box) -> float:
    return (box[2] - box[0]) * (box[3] - box[1])


def _is_other_size(box: Box, size: Size) -> bool:
    low, high = {"all": (0, 1e9), "small": (0, 1024), "medium": (1024, 9216), "large": (9216, 1e9)}[size.value]
    return not low <= _slow_area(box) < high


def _slow_match(detected: list[Box], truth: list[Box], limit: float, size: Size) -> tuple[list[bool], list[bool]]:
    """COCO's loop: boxes of the size first, a better overlap wins, an ignored box never displaces a real one."""
    order = sorted(range(len(truth)), key=lambda row: _is_other_size(truth[row], size))
    taken: set[int] = set()
    hit, ignored = [], []
    for box in detected:
        best, chosen = limit, -1
        for row in order:
            if row in taken:
                continue
            if chosen >= 0 and not _is_other_size(truth[chosen], size) and _is_other_size(truth[row], size):
                break
            if _slow_iou(box, truth[row]) >= best:
                best, chosen = _slow_iou(box, truth[row]), row
        if chosen >= 0:
            taken.add(chosen)
        on_aside = chosen >= 0 and _is_other_size(truth[chosen], size)
        hit.append(chosen >= 0 and not on_aside)
        ignored.append(on_aside or (chosen < 0 and _is_other_size(box, size)))
    return hit, ignored
