"""How wide a passage standing things leave on a sidewalk.

Whoever walks along a sidewalk must cross every chain of obstacles that leads from one edge to the other, and
can do so only through the widest of its gaps. So the passage is as wide as the narrowest such chain allows:
over all chains, the smallest of their widest gaps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from sim.street.body import Body
from sim.street.street import Rect

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Passage:
    """width_m: of the passage; chain: the things between which it lies, none when the sidewalk itself is narrowest."""

    width_m: float
    chain: tuple[Body, ...]


def passage_of(walk: Rect, things: Sequence[Body]) -> Passage:
    """The passage that these things leave on a sidewalk which runs along y."""
    area = shapely.box(walk.x0, walk.y0, walk.x1, walk.y1)
    pieces = [(body, shapely.intersection(shapely.Polygon(body.footprint_m()), area)) for body in things]
    inside = [(body, piece) for body, piece in pieces if piece.area > 0]
    gaps = _gaps(walk, [piece for _, piece in inside])
    width_m, chain = _narrowest_chain(gaps)
    return Passage(width_m, tuple(inside[number][0] for number in chain))


def _gaps(walk: Rect, pieces: list[Any]) -> Float64s:
    """(N + 2, N + 2) distances; the last two rows are the sidewalk's edges at x0 and x1."""
    count = len(pieces)
    gaps = np.zeros((count + 2, count + 2))
    for row, piece in enumerate(pieces):
        gaps[row, :count] = shapely.distance(piece, pieces)
        x0, _, x1, _ = piece.bounds
        gaps[row, count:] = gaps[count:, row] = (x0 - walk.x0, walk.x1 - x1)
    gaps[count, count + 1] = gaps[count + 1, count] = walk.x1 - walk.x0
    return gaps


def _narrowest_chain(gaps: Float64s) -> tuple[float, tuple[int, ...]]:
    """Smallest largest step from the last row but one to the last row, and the rows between them."""
    start, goal = len(gaps) - 2, len(gaps) - 1
    widest = np.full(len(gaps), math.inf)
    widest[start] = 0.0
    came_from = np.full(len(gaps), -1)
    is_open = np.ones(len(gaps), bool)
    while is_open[goal]:
        row = int(np.argmin(np.where(is_open, widest, math.inf)))
        is_open[row] = False
        reached = np.maximum(widest[row], gaps[row])
        is_better = is_open & (reached < widest)
        widest[is_better] = reached[is_better]
        came_from[is_better] = row
    chain = []
    row = int(came_from[goal])
    while row != start:
        chain.append(row)
        row = int(came_from[row])
    return float(widest[goal]), tuple(reversed(chain))
