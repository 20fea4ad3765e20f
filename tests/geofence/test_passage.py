"""Passage along a sidewalk: its width at the narrowest place, up to the very ends, in any direction."""

from __future__ import annotations

import heapq
import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from geofence.passage import Walkway

WIDTH_M, LENGTH_M = 3.0, 24.0
Box = tuple[float, float, float, float]


def walkway(angle_deg: float = 0.0) -> Walkway:
    strip = shapely.box(0, 0, WIDTH_M, LENGTH_M)
    return Walkway(affinity.rotate(strip, angle_deg, origin=(0, 0)), reach_m=3.0)


def obstacles(*boxes: Box, angle_deg: float = 0.0) -> shapely.Geometry:
    return affinity.rotate(shapely.union_all([shapely.box(*box) for box in boxes]), angle_deg, origin=(0, 0))


@pytest.mark.parametrize("angle_deg", [0.0, 30.0, 90.0, 172.0])
@pytest.mark.parametrize(
    ("boxes", "clear_m"),
    [
        ([(0, 5, 1.4, 6)], 1.6),
        ([(0, 5, 1.7, 6)], 1.3),
        ([(0.5, 5, 1.5, 6)], 1.5),
        ([(0, 5, 3, 6)], 0.0),
        ([(-1, 5, 4, 6)], 0.0),
        ([(0, 5, 1, 6), (2, 5, 3, 6)], 1.0),
        ([(0, 0, 1.7, 0.2)], 1.3),
        ([(0, 23.8, 1.7, 26)], 1.3),
        ([(0, -1, 3, 0.1)], 0.0),
        ([(0, -3, 3, -0.01)], 3.0),
        ([(0, 4, 1.7, 5), (1.3, 9, 3, 10)], 1.3),
        ([(0, 4, 2, 5), (1, 5.5, 3, 6.5)], 0.5),
    ],
)
def test_clear_width_is_that_of_the_narrowest_place(boxes: list[Box], clear_m: float, angle_deg: float) -> None:
    in_the_way = obstacles(*boxes, angle_deg=angle_deg)
    assert walkway(angle_deg).clear_width_m(in_the_way) == pytest.approx(clear_m, abs=0.02)


@pytest.mark.parametrize(
    ("left_m", "is_passable"), [(1.6, True), (1.5, True), (1.49, False), (1.3, False), (0.0, False)]
)
def test_one_and_a_half_metres_is_the_limit_and_enough(left_m: float, is_passable: bool) -> None:
    in_the_way = obstacles((0, 10, WIDTH_M - left_m, 11))
    assert walkway().is_passable(in_the_way, 1.5) is is_passable


def test_an_empty_sidewalk_is_passable_over_its_whole_width() -> None:
    assert walkway().is_passable(shapely.Polygon(), WIDTH_M)
    assert not walkway().is_passable(shapely.Polygon(), WIDTH_M + 0.1)


def test_a_bent_sidewalk_joins_its_two_ends() -> None:
    bent = Walkway(shapely.Polygon([(0, 0), (3, 0), (6, 20), (3, 20)]), reach_m=3.0)
    assert bent.is_passable(shapely.Polygon(), 1.5)
    assert not bent.is_passable(shapely.box(0, 9, 6, 11), 1.5)
    assert not bent.is_passable(shapely.box(1.5, 9, 3.5, 11), 1.5)


def test_a_thing_behind_a_thing_blocks_only_together() -> None:
    left, right = obstacles((0, 10, 1.4, 11)), obstacles((1.6, 11.2, 3, 12))
    assert walkway().is_passable(left, 1.5)
    assert walkway().is_passable(right, 1.4)
    assert not walkway().is_passable(shapely.union(left, right), 1.5)


def widest_path_m(boxes: list[Box], step_m: float = 0.1) -> float:
    """Independent: the widest bottleneck over a raster of distances to borders and obstacles."""
    xs, ys = np.arange(step_m / 2, WIDTH_M, step_m), np.arange(-2.0, LENGTH_M + 2.0, step_m)
    east, north = np.meshgrid(xs, ys, indexing="ij")
    room = np.minimum(east, WIDTH_M - east)
    for x0, y0, x1, y1 in boxes:
        dx = np.maximum(np.maximum(x0 - east, east - x1), 0)
        dy = np.maximum(np.maximum(max(y0, 0) - north, north - min(y1, LENGTH_M)), 0)
        room = np.minimum(room, np.hypot(dx, dy))
    best = np.zeros_like(room)
    heap = [(-room[i, 0], i, 0) for i in range(len(xs))]
    heapq.heapify(heap)
    while heap:
        width, i, j = heapq.heappop(heap)
        if j == len(ys) - 1:
            return -2 * float(width)
        for di, dj in ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)):
            a, b = i + di, j + dj
            if 0 <= a < len(xs) and 0 <= b < len(ys) and min(-width, room[a, b]) > best[a, b]:
                best[a, b] = min(-width, room[a, b])
                heapq.heappush(heap, (-best[a, b], a, b))
    return 0.0


def metres(least: float, most: float) -> st.SearchStrategy[float]:
    """To the millimetre: nobody measures a street in subnormal numbers."""
    return st.integers(round(1000 * least), round(1000 * most)).map(lambda millimetres: millimetres / 1000)


BOXES = st.lists(
    st.tuples(metres(-0.5, 2.8), metres(0, 22), metres(0.3, 1.5), metres(0.3, 2.0)), min_size=1, max_size=4
)


@settings(max_examples=25, deadline=None)
@given(BOXES)
def test_clear_width_agrees_with_a_search_over_a_raster(sizes: list[tuple[float, float, float, float]]) -> None:
    boxes = [(x, y, x + across, y + along) for x, y, across, along in sizes]
    measured_m = walkway().clear_width_m(obstacles(*boxes))
    searched_m = widest_path_m(boxes)
    assert math.isclose(measured_m, searched_m, abs_tol=0.3)
