"""Threads over the parts of batches: every part once, a lane never twice at a time, the first error comes out."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.adapters.lanes import ThreadLanes, usable_cores
from detectors.backend import Lanes, OneLane


def _note(log: list[object], what: object, lane: int) -> None:
    assert lane >= 0
    log.append(what)


def _all_lanes() -> list[Lanes]:
    return [OneLane(), ThreadLanes(1), ThreadLanes(2), ThreadLanes(5)]


@given(sizes=st.lists(st.integers(1, 6), max_size=8))
def test_every_part_is_worked_on_once_and_its_batch_is_finished_behind_it(sizes: list[int]) -> None:
    batches = [[(number, place) for place in range(size)] for number, size in enumerate(sizes)]
    for lanes in _all_lanes():
        log: list[object] = []
        lanes.run(batches, partial(_note, log), partial(_note, log))
        assert Counter(log) == Counter([*range(len(sizes)), *(part for batch in batches for part in batch)])
        for number, batch in enumerate(batches):
            assert log.index(number) > max(log.index(part) for part in batch)


def test_lanes_work_side_by_side_each_on_its_own_batch() -> None:
    both_are_in, opened = threading.Barrier(2, timeout=20), []

    def each(part: int, lane: int) -> None:
        opened.append((lane, part // 10))
        both_are_in.wait()

    ThreadLanes(2).run([[0, 1, 2], [10, 11, 12]], each, lambda number, lane: None)
    assert len({number for lane, number in opened if lane == 0}) == 1
    assert {number for _, number in opened} == {0, 1}


def test_a_lane_without_a_batch_of_its_own_helps_another() -> None:
    both_are_in = threading.Barrier(2, timeout=20)
    ThreadLanes(2).run([[1, 2]], lambda part, lane: (both_are_in.wait(), None)[1], lambda number, lane: None)


def test_a_lane_is_never_in_two_calls() -> None:
    inside, clashes = Counter[int](), []

    def each(part: int, lane: int) -> None:
        inside[lane] += 1
        clashes.extend([lane] * (inside[lane] > 1))
        inside[lane] -= 1

    ThreadLanes(4).run([[part] for part in range(500)], each, lambda number, lane: each(0, lane))
    assert clashes == []
    assert set(inside) <= {0, 1, 2, 3}


@pytest.mark.parametrize("count", [1, 3])
def test_an_error_comes_out_and_the_lanes_work_again(count: int) -> None:
    lanes = ThreadLanes(count)
    with pytest.raises(ZeroDivisionError):
        lanes.run([[1], [0], [1]], lambda part, lane: (1 // part, None)[1], lambda number, lane: None)
    done: list[int] = []
    lanes.run([[7]], lambda part, lane: done.append(part), lambda number, lane: None)
    assert done == [7]


def test_there_is_a_core_to_use() -> None:
    assert usable_cores() >= 1
