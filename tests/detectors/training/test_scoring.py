"""Average precision and the choice of thresholds, beside slow independent implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.training.scoring import Scored, average_precision, best_threshold, precision_recall, worst_side


def _scored(rows: list[tuple[float, bool]], truth_count: int) -> Scored:
    return Scored(np.array([row[0] for row in rows], np.float32), np.array([row[1] for row in rows], bool), truth_count)


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
    best = [max((p for r, p in points if r >= level), default=0.0) for level in np.linspace(0, 1, 101)]
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
    chosen = best_threshold(_scored([(0.9, True), (0.01, True)], 2), lowest=0.05)
    assert chosen == pytest.approx((0.9 + 0.05) / 2)


def test_of_equally_good_thresholds_the_middle_is_taken() -> None:
    # Above 0.7 one of two is found, with at most one false box: min(precision, recall) is 0.5, as it is again at 0.6.
    rows = [(0.9, True), (0.8, False), (0.7, False), (0.6, True)]
    assert best_threshold(_scored(rows, 2)) == pytest.approx((0.9 + 0.7) / 2)


def test_equal_confidences_stand_or_fall_together() -> None:
    rows = [(0.8, True), (0.5, True), (0.5, False), (0.5, False), (0.5, False)]
    # The right half of the run is not to be had alone.
    assert best_threshold(_scored(rows, 2)) == pytest.approx((0.8 + 0.5) / 2)


def test_a_class_of_which_everything_is_wrong_still_has_a_threshold() -> None:
    assert best_threshold(_scored([(0.9, False), (0.3, False)], 2)) == pytest.approx(0.9)


def test_the_worst_side_counts_what_stands_at_the_threshold() -> None:
    scored = _scored([(0.9, True), (0.5, True), (0.5, False), (0.2, True)], 4)
    assert worst_side(scored, 0.5) == pytest.approx(2 / 4)
    assert worst_side(scored, 0.95) == 0.0
    assert worst_side(_scored([], 0), 0.5) == 0.0


def test_precision_and_recall_follow_the_confidence() -> None:
    precision, recall, confidence = precision_recall(_scored([(0.2, True), (0.9, True), (0.5, False)], 4))
    assert confidence.tolist() == pytest.approx([0.9, 0.5, 0.2])
    assert precision.tolist() == pytest.approx([1, 1 / 2, 2 / 3])
    assert recall.tolist() == pytest.approx([1 / 4, 1 / 4, 2 / 4])
