"""Matching, average precision and the choice of thresholds, beside slow independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.training.boxes import F32
from detectors.training.scoring import Scored, average_precision, best_threshold, figures, match, pool


def _scored(rows: list[tuple[float, bool]], truth_count: int) -> Scored:
    return Scored(np.array([row[0] for row in rows], np.float32), np.array([row[1] for row in rows], bool), truth_count)


def _xyxy(*rows: tuple[float, float, float, float]) -> F32:
    return np.array(rows, np.float32).reshape(-1, 4)


def test_one_truth_box_is_hit_once_and_by_the_surest() -> None:
    detected = _xyxy((0, 0, 10, 10), (0, 0, 10, 11))
    hits = match(detected, np.array([0.5, 0.9], np.float32), _xyxy((0, 0, 10, 10)), min_iou=0.5)
    assert hits.tolist() == [False, True]


def test_the_iou_limit_is_inclusive() -> None:
    half = match(_xyxy((0, 0, 10, 5)), np.array([0.9], np.float32), _xyxy((0, 0, 10, 10)), min_iou=0.5)
    less = match(_xyxy((0, 0, 10, 4.9)), np.array([0.9], np.float32), _xyxy((0, 0, 10, 10)), min_iou=0.5)
    assert (half.tolist(), less.tolist()) == ([True], [False])


def test_a_second_detection_takes_the_second_truth_box() -> None:
    detected = _xyxy((0, 0, 10, 10), (1, 0, 11, 10))
    truth = _xyxy((0, 0, 10, 10), (2, 0, 12, 10))
    assert match(detected, np.array([0.9, 0.8], np.float32), truth, min_iou=0.5).tolist() == [True, True]


def test_without_truth_every_detection_is_wrong() -> None:
    assert match(_xyxy((0, 0, 1, 1)), np.array([0.9], np.float32), _xyxy(), min_iou=0.5).tolist() == [False]


def test_perfect_detections_have_ap_one() -> None:
    assert average_precision(_scored([(0.9, True), (0.8, True)], 2)) == pytest.approx(1.0)


def test_half_the_truth_found_cleanly_earns_51_of_101_recalls() -> None:
    assert average_precision(_scored([(0.9, True)], 2)) == pytest.approx(51 / 101)


def test_nothing_found_and_nothing_to_find_have_ap_zero() -> None:
    assert average_precision(_scored([], 3)) == 0.0
    assert average_precision(_scored([(0.9, False)], 0)) == 0.0


def _slow_average_precision(rows: list[tuple[float, bool]], truth_count: int) -> float:
    points, hits = [], 0
    for rank, (_, correct) in enumerate(sorted(rows, key=lambda row: -row[0]), start=1):
        hits += correct
        points.append((hits / truth_count, hits / rank))
    best = [max((p for r, p in points if r >= level / 100 - 1e-9), default=0.0) for level in range(101)]
    return sum(best) / 101


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(0, 20))
def test_ap_agrees_with_the_coco_definition(correct: list[bool], missed: int) -> None:
    rows = [(1.0 - index / 100, flag) for index, flag in enumerate(correct)]
    truth_count = max(sum(correct) + missed, 1)
    expected = _slow_average_precision(rows, truth_count)
    assert average_precision(_scored(rows, truth_count)) == pytest.approx(expected)


def _slow_worth(rows: list[tuple[float, bool]], truth_count: int, threshold: float) -> float:
    kept = [correct for confidence, correct in rows if confidence >= threshold]
    return min(sum(kept) / max(len(kept), 1), sum(kept) / truth_count)


@given(
    st.lists(st.tuples(st.integers(10, 99), st.booleans()), min_size=1, max_size=40),
    st.integers(0, 10),
)
def test_no_other_threshold_has_a_better_worst_side(rows: list[tuple[int, bool]], missed: int) -> None:
    exact = [(float(np.float32(percent / 100)), correct) for percent, correct in rows]
    truth_count = max(sum(correct for _, correct in rows) + missed, 1)
    chosen = best_threshold(_scored(exact, truth_count))
    best = max(_slow_worth(exact, truth_count, confidence) for confidence, _ in exact)
    assert math.isclose(_slow_worth(exact, truth_count, chosen), best, abs_tol=1e-9)


def test_without_detections_the_lowest_threshold_stands() -> None:
    assert best_threshold(_scored([], 3), lowest=0.05) == 0.05


def test_detections_below_the_lowest_threshold_are_no_choice() -> None:
    assert best_threshold(_scored([(0.9, True), (0.01, True)], 2), lowest=0.05) == pytest.approx(0.9)


def test_figures_count_what_stands_at_the_threshold() -> None:
    row = figures(_scored([(0.9, True), (0.5, True), (0.5, False), (0.2, True)], 4), 0.5)
    assert (row.found, row.n) == (3, 4)
    assert row.precision == pytest.approx(2 / 3)
    assert row.recall == pytest.approx(0.5)
    assert row.f1 == pytest.approx(4 / 7)


def test_pooled_pictures_add_up() -> None:
    both = pool([_scored([(0.9, True)], 2), _scored([(0.4, False)], 1)])
    assert both.confidence.tolist() == pytest.approx([0.9, 0.4])
    assert both.correct.tolist() == [True, False]
    assert both.truth_count == 3
    assert pool([]).truth_count == 0
