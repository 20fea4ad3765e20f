"""One-to-one matching of rows to columns: as many pairs as possible, and of those ways the cheapest.

Successive cheapest augmenting paths (Ahuja, Magnanti, Orlin, Network Flows, section 9.7), found with Bellman and
Ford's relaxation because a path that takes a pair back gains its cost.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping

# Costs are sums of floats; a gain smaller than this is rounding, and following it could go in a circle.
_LEAST_GAIN = 1e-12

Edges = Mapping[int, list[tuple[int, float]]]


def cheapest_matching(costs: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """Row → column of a maximum matching with the smallest total cost; `costs` holds the allowed pairs."""
    edges: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for (row, column), cost in sorted(costs.items()):
        edges[row].append((column, cost))
    row_of: dict[int, int] = {}
    while path := _cheapest_path(edges, row_of, costs):
        for row, column in path:
            row_of[column] = row
    return {row: column for column, row in sorted(row_of.items(), key=lambda pair: pair[1])}


def _cheapest_path(
    edges: Edges, row_of: Mapping[int, int], costs: Mapping[tuple[int, int], float]
) -> list[tuple[int, int]]:
    """Pairs to make so that one more column is taken, at the least extra cost; empty when none can be."""
    taken = {row: column for column, row in row_of.items()}
    cost_to: dict[int, float] = {}
    row_to: dict[int, int] = {}
    waiting = deque((row, 0.0) for row in edges if row not in taken)
    while waiting:
        row, so_far = waiting.popleft()
        if row in taken and so_far > cost_to[taken[row]] - costs[row, taken[row]] + _LEAST_GAIN:
            continue  # a cheaper way to this row was found since
        for column, cost in edges[row]:
            if taken.get(row) != column and so_far + cost < cost_to.get(column, float("inf")) - _LEAST_GAIN:
                cost_to[column], row_to[column] = so_far + cost, row
                if column in row_of:
                    owner = row_of[column]
                    waiting.append((owner, cost_to[column] - costs[owner, column]))
    free = [column for column in cost_to if column not in row_of]
    return _back(min(free, key=lambda column: (cost_to[column], column)), row_to, taken) if free else []


def _back(column: int, row_to: Mapping[int, int], taken: Mapping[int, int]) -> list[tuple[int, int]]:
    path = [(row_to[column], column)]
    while (row := path[-1][0]) in taken:
        path.append((row_to[taken[row]], taken[row]))
    return path
