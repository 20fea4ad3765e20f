"""The cheapest maximum matching, against trying every way."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from sim.scoring.assignment import cheapest_matching

Costs = dict[tuple[int, int], float]


def _best_by_trying(costs: Mapping[tuple[int, int], float]) -> tuple[int, float]:
    """(pairs, total cost) of the best way."""
    rows = sorted({row for row, _ in costs})
    choices = [[None, *(column for own, column in costs if own == row)] for row in rows]
    best = (0, 0.0)
    for way in itertools.product(*choices):
        taken = [column for column in way if column is not None]
        if len(set(taken)) == len(taken):
            total = sum(costs[row, column] for row, column in zip(rows, way, strict=True) if column is not None)
            best = min(best, (-len(taken), total))
    return -best[0], best[1]


@given(st.dictionaries(st.tuples(st.integers(0, 4), st.integers(0, 4)), st.floats(0, 3), max_size=14))
def test_it_is_as_large_and_as_cheap_as_the_best_of_all_ways(costs: Costs) -> None:
    matching = cheapest_matching(costs)
    assert len(set(matching.values())) == len(matching)
    pairs, total = _best_by_trying(costs)
    assert len(matching) == pairs
    assert abs(sum(costs[pair] for pair in matching.items()) - total) < 1e-9


def test_a_pair_is_given_up_where_that_makes_two() -> None:
    assert cheapest_matching({(0, 0): 0.1, (0, 1): 0.2, (1, 0): 0.9}) == {0: 1, 1: 0}


def test_the_cheaper_row_gets_the_only_column() -> None:
    assert cheapest_matching({(0, 0): 0.9, (1, 0): 0.1}) == {1: 0}


def test_nothing_allowed_is_nothing_matched() -> None:
    assert cheapest_matching({}) == {}
