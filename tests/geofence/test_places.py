"""Zones and cells by place, beside a plain loop over shapely's own predicates."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.messages import CellMatch
from geofence.places import BOUNDARY_M, Cell, CellPlace, GridIndex, Zone, ZoneIndex, ZoneKind


def cell(number: int, west: float, south: float, size: float = 100.0) -> Cell:
    return Cell(code=f"110101001001{number:03d}", polygon_m=shapely.box(west, south, west + size, south + size))


# 1 2
# 3 4, listed out of order: the lowest code must win by its code, not by its row.
GRID = GridIndex((cell(4, 100, 0), cell(1, 0, 100), cell(3, 0, 0), cell(2, 100, 100)))


def found(east: float, north: float) -> CellPlace:
    return GRID.ground_to_cell(np.array([[east, north]]))[0]


@pytest.mark.parametrize(
    ("place", "code", "match"),
    [
        ((50, 50), "003", CellMatch.INSIDE),
        ((150, 150), "002", CellMatch.INSIDE),
        ((100, 50), "003", CellMatch.BOUNDARY),
        ((50, 100), "001", CellMatch.BOUNDARY),
        ((100, 100), "001", CellMatch.BOUNDARY),
        ((100.0005, 50), "003", CellMatch.BOUNDARY),
        ((0, 50), "003", CellMatch.BOUNDARY),
        ((-19.9, 50), "003", CellMatch.SNAPPED),
        ((-20, 50), "003", CellMatch.SNAPPED),
        ((100, -5), "003", CellMatch.SNAPPED),
        ((210, 210), "002", CellMatch.SNAPPED),
    ],
)
def test_cell_of_a_place(place: tuple[float, float], code: str, match: CellMatch) -> None:
    assert found(*place) == CellPlace(f"110101001001{code}", match)


@pytest.mark.parametrize("place", [(-20.01, 50), (215, 215), (1000, 1000)])
def test_no_cell_further_than_twenty_metres(place: tuple[float, float]) -> None:
    assert found(*place) == CellPlace(None, CellMatch.NONE)


def test_many_places_keep_their_order() -> None:
    places = np.array([[1000.0, 0.0], [50.0, 50.0], [-10.0, 50.0], [150.0, 50.0]])
    assert [(p.code or "")[-3:] for p in GRID.ground_to_cell(places)] == ["", "003", "003", "004"]


def test_no_places_give_no_cells() -> None:
    assert GRID.ground_to_cell(np.empty((0, 2))) == []


@settings(max_examples=200)
@given(st.floats(-40, 240), st.floats(-40, 240))
def test_cells_agree_with_a_plain_loop(east: float, north: float) -> None:
    point = shapely.Point(east, north)
    # What is within a millimetre of several lies on their border.
    distances = [(c.polygon_m.distance(point), c.code) for c in GRID.cells]
    nearest_m, code = min((0.0 if away_m <= BOUNDARY_M else away_m, code) for away_m, code in distances)
    place = found(east, north)
    if nearest_m > 20.001:
        assert place.code is None
    elif nearest_m < 19.999:
        assert place.code == code
        is_inside = any(c.polygon_m.buffer(-0.002).contains(point) for c in GRID.cells)
        assert (place.match == CellMatch.INSIDE) >= is_inside


def zone(name: str, kind: ZoneKind, box: tuple[float, float, float, float]) -> Zone:
    return Zone(id=name, kind=kind, polygon_m=shapely.box(*box), hours=None, surface=None)


ZONES = ZoneIndex(
    (
        zone("kerb", ZoneKind.NO_PARKING, (0, 0, 10, 2)),
        zone("walk", ZoneKind.SIDEWALK, (0, 2, 10, 5)),
        zone("all", ZoneKind.STREET, (0, 0, 10, 5)),
    )
)


def test_zones_that_contain_a_place_include_their_borders() -> None:
    rows, zones = ZONES.containing(np.array([[5.0, 1.0], [5.0, 2.0], [50.0, 1.0]]))
    assert sorted(zip(rows.tolist(), zones.tolist(), strict=True)) == [(0, 0), (0, 2), (1, 0), (1, 1), (1, 2)]


def test_overlaps_are_the_common_areas() -> None:
    footprint = np.array([[[1.0, 1.0], [3.0, 1.0], [3.0, 4.0], [1.0, 4.0]]])
    rows, zones, overlaps = ZONES.overlapping(footprint)
    areas = {ZONES.zones[z].id: o.area for z, o in zip(zones.tolist(), overlaps, strict=True)}
    assert rows.tolist() == [0, 0, 0]
    assert areas == pytest.approx({"kerb": 2.0, "walk": 4.0, "all": 6.0})


def test_a_site_without_zones_finds_none() -> None:
    rows, zones = ZoneIndex(()).containing(np.array([[0.0, 0.0]]))
    assert (rows.tolist(), zones.tolist()) == ([], [])
