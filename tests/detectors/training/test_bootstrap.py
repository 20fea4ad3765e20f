"""Intervals from resampled pictures: groups keep their size, chance is the same every time, known cases come out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.training.bootstrap import draw_rounds, intervals

_ONE_GROUP = np.zeros(50, np.int64)


def test_every_round_draws_as_many_pictures_of_a_group_as_it_has() -> None:
    group = np.array([0, 1, 1, 0, 2, 1], np.int64)
    drawn = draw_rounds(group, rounds=40)
    assert drawn.shape == (40, 6)
    for value, size in ((0, 2), (1, 3), (2, 1)):
        assert drawn[:, group == value].sum(axis=1).tolist() == [size] * 40


def test_a_seed_always_draws_the_same() -> None:
    assert np.array_equal(draw_rounds(_ONE_GROUP, rounds=5), draw_rounds(_ONE_GROUP, rounds=5))
    assert not np.array_equal(draw_rounds(_ONE_GROUP, rounds=5), draw_rounds(_ONE_GROUP, rounds=5, seed=1))


def test_without_rounds_there_is_no_interval() -> None:
    assert intervals(np.ones((50, 3), np.int64), draw_rounds(_ONE_GROUP, rounds=0)) is None


def test_pictures_that_are_all_alike_leave_no_doubt() -> None:
    found = intervals(np.tile([2, 4, 3], (50, 1)), draw_rounds(_ONE_GROUP, rounds=100))
    assert found is not None
    assert found.precision == pytest.approx((0.5, 0.5))
    assert found.recall == pytest.approx((2 / 3, 2 / 3))
    assert found.f1 == pytest.approx((4 / 7, 4 / 7))


def test_the_interval_of_a_share_is_that_of_the_binomial_law() -> None:
    is_hit = np.arange(400) % 4 > 0
    counts = np.stack((is_hit, np.ones(400), np.ones(400)), axis=1).astype(np.int64)
    found = intervals(counts, draw_rounds(np.zeros(400, np.int64), rounds=4000))
    assert found is not None
    half_width = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    assert found.recall == pytest.approx((0.75 - half_width, 0.75 + half_width), abs=0.01)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=12))
def test_the_rounds_at_once_are_the_rounds_one_by_one(rows: list[tuple[int, int, int]]) -> None:
    counts = np.array([(hits, hits + wrong, hits + missed) for hits, wrong, missed in rows], np.int64)
    drawn = draw_rounds(np.zeros(len(rows), np.int64), rounds=30)
    recalls = []
    for one in drawn.astype(int):
        picked = [row for row, times in enumerate(one) for _ in range(times)]
        recalls.append(sum(counts[row, 0] for row in picked) / max(sum(counts[row, 2] for row in picked), 1))
    found = intervals(counts, drawn)
    assert found is not None
    assert found.recall == pytest.approx(tuple(np.percentile(recalls, (2.5, 97.5))))
