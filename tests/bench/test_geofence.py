"""`bench geofence`: a town that its name promises, and no figure for ways that differ."""

from __future__ import annotations

import os

import numpy as np
import pytest
import shapely

from bench.errors import BenchError
from bench.geofence import BULK, LOOP, PRODUCT, as_text, bench_geofence
from bench.town import built_town, places_of
from geofence.places import GridIndex


def test_cells_are_irregular_share_borders_and_leave_gaps() -> None:
    town = built_town(cells=200, zones=40)
    shapes = [cell.polygon_m for cell in town.cells]
    assert (len(town.cells), len(town.zones)) == (200, 40)
    assert all(shape.is_valid for shape in (*shapes, *(zone.polygon_m for zone in town.zones)))
    union = shapely.union_all(shapes)
    assert union.area == pytest.approx(sum(shape.area for shape in shapes), rel=1e-9)
    assert np.std([shape.area for shape in shapes]) > 1000
    assert len(shapely.get_parts(shapely.boundary(union))) > 1


def test_all_ways_find_the_same_on_one_core() -> None:
    allowed = os.sched_getaffinity(0)
    result = bench_geofence(places=3000, cells=200, zones=100, rounds=1)
    assert os.sched_getaffinity(0) == allowed
    assert result.counts == {BULK: 3000, PRODUCT: 3000, LOOP: 6}
    assert sum(result.matches.values()) == 3000
    assert min(result.matches.values()) > 0
    assert result.matches["boundary"] > 0.03 * 3000
    told = result.to_json()
    assert told["ways"][PRODUCT]["product_is_faster"] == 1
    assert told["ways"][BULK]["places_per_s"] > 0
    assert PRODUCT in as_text(result)


def test_ways_that_differ_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    right = GridIndex.locate

    def off_by_one(self: GridIndex, ground_m: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        cells, matches = right(self, ground_m)
        cells[-1] += 1
        return cells, matches

    monkeypatch.setattr(GridIndex, "locate", off_by_one)
    with pytest.raises(BenchError, match="cell: street721 and 'shapely, STRtree in bulk' differ"):
        bench_geofence(places=1000, cells=50, zones=10, rounds=1)


def test_the_places_of_a_town_are_the_same_every_time() -> None:
    town = built_town(cells=50, zones=10)
    first, again = (places_of(town, 500, near=0.3, on_border=0.1) for _ in range(2))
    assert first.shape == (500, 2)
    assert np.array_equal(first, again)
