"""Cells and zones of many places at once, beside brute force: whatever the polygons, wherever the places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import example, given, settings
from hypothesis import strategies as st
from shapely import affinity

from geofence.buckets import ASK, MAX_BUCKETS, OUTSIDE, Buckets
from geofence.places import MATCHES, Cell, GridIndex, Zone, ZoneIndex, ZoneKind
from tests.geofence.brute_force import cells_by_hand, zones_by_hand

Float64s = npt.NDArray[np.float64]

NOWHERE = np.array([[np.nan, 0], [0, np.nan], [np.nan, np.nan], [np.inf, 0], [0, -np.inf], [1e9, 1e9], [-1e300, 0]])


@dataclass(frozen=True, kw_only=True)
class Town:
    """How a random town is drawn."""

    seed: int
    side_m: float
    turned_deg: float
    away_m: float
    jitter: float
    across: int
    along: int


TOWNS = st.builds(
    Town,
    seed=st.integers(0, 2**32 - 1),
    side_m=st.sampled_from([0.01, 0.5, 7.0, 100.0, 3000.0]),
    turned_deg=st.sampled_from([0.0, 0.001, 17.0, 45.0, 90.0, 133.3]),
    away_m=st.sampled_from([0.0, 1234.567, -48_000.1]),
    jitter=st.sampled_from([0.0, 1e-6, 0.2, 0.4]),
    across=st.integers(1, 6),
    along=st.integers(1, 4),
)


def blocks(town: Town) -> list[Any]:
    """Cells that share borders, some left out, one with a hole, one drawn twice."""
    rng = np.random.default_rng(town.seed)
    corner = np.stack(np.meshgrid(np.arange(town.across + 1.0), np.arange(town.along + 1.0)), axis=-1)
    corner += rng.uniform(-town.jitter, town.jitter, corner.shape)
    rings = [
        [corner[y, x], corner[y, x + 1], corner[y + 1, x + 1], corner[y + 1, x]]
        for y in range(town.along)
        for x in range(town.across)
    ]
    kept = [shapely.Polygon(ring) for ring in rings if rng.random() > 0.15] or [shapely.Polygon(rings[0])]
    kept[0] = shapely.Polygon(kept[0].exterior, [affinity.scale(kept[0], 0.3, 0.3).exterior])
    return _placed([*kept, kept[-1]], town)


def overlapping(town: Town) -> list[Any]:
    """Zones that overlap: stars, slivers, rings, one inside the other."""
    rng = np.random.default_rng(town.seed + 1)
    zones = []
    for number in range(8):
        bearing = np.sort(rng.uniform(0, 2 * np.pi, rng.integers(3, 12)))
        spike = rng.uniform(0.2, 2.0, (len(bearing), 1)) * np.column_stack((np.cos(bearing), np.sin(bearing)))
        middle = rng.uniform(0, (town.across, town.along))
        star = shapely.Polygon(middle + spike)
        if number % 4 == 1:
            star = affinity.scale(shapely.box(*middle, *(middle + 1)), 3.0, 1e-4)
        if number % 4 == 2:
            star = shapely.Point(*middle).buffer(1.0, quad_segs=3) - shapely.Point(*middle).buffer(0.7, quad_segs=3)
        if star.is_valid and star.geom_type == "Polygon":
            zones.append(star)
    return _placed([*zones, *zones[:1]], town)


def _placed(polygons: Sequence[Any], town: Town) -> list[Any]:
    scaled = [affinity.scale(one, town.side_m, town.side_m, origin=(0, 0)) for one in polygons]
    turned = [affinity.rotate(one, town.turned_deg, origin=(0, 0)) for one in scaled]
    return [affinity.translate(one, town.away_m, -town.away_m / 3) for one in turned]


def telling_places(polygons: Sequence[Any], town: Town) -> Float64s:
    """Corners, borders, a millimetre and twenty metres beside them, anywhere, nowhere."""
    rng = np.random.default_rng(town.seed + 2)
    lines = [shapely.get_coordinates(ring) for one in polygons for ring in (one.exterior, *one.interiors)]
    begins, ends = (np.concatenate([line[piece] for line in lines]) for piece in (slice(-1), slice(1, None)))
    on_border = begins + rng.random((len(begins), 1)) * (ends - begins)
    away = (ends - begins)[:, ::-1] * (1, -1)
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)
    beside = [
        on_border + sign * gap_m * away
        for sign in (1, -1)
        for gap_m in (1e-9, 0.0005, 0.000999, 0.001, 0.001001, 0.002, 0.0021, 19.999, 20.0, 20.001)
    ]
    low, high = begins.min(axis=0), begins.max(axis=0)
    anywhere = rng.uniform(low - 25, high + 25, (150, 2)), rng.uniform(low, high, (150, 2))
    return np.concatenate([begins, on_border, *beside, *anywhere, NOWHERE])


def grid_of(polygons: Sequence[Any]) -> GridIndex:
    return GridIndex(tuple(Cell(code=f"{number:015d}", polygon_m=one) for number, one in enumerate(polygons)))


def zones_of(polygons: Sequence[Any]) -> ZoneIndex:
    return ZoneIndex(
        tuple(
            Zone(id=str(number), kind=ZoneKind.STREET, polygon_m=one, hours=None, surface=None)
            for number, one in enumerate(polygons)
        )
    )


def located(index: GridIndex, places_m: Float64s) -> list[tuple[int, str]]:
    cells, matches = index.locate(places_m)
    assert [cells.dtype.str, matches.dtype.str] == ["<i8", "|u1"]
    return [(cell, MATCHES[match].value) for cell, match in zip(cells.tolist(), matches.tolist(), strict=True)]


def contained(index: ZoneIndex, places_m: Float64s) -> list[tuple[int, int]]:
    rows, zones = index.containing(places_m)
    return list(zip(rows.tolist(), zones.tolist(), strict=True))


@settings(max_examples=150, deadline=None)
@given(TOWNS)
@example(Town(seed=0, side_m=100.0, turned_deg=0.0, away_m=0.0, jitter=0.0, across=6, along=4))
@example(Town(seed=7, side_m=3000.0, turned_deg=0.001, away_m=-48_000.1, jitter=1e-6, across=6, along=1))
def test_cells_are_those_of_brute_force(town: Town) -> None:
    polygons = blocks(town)
    places_m = telling_places(polygons, town)
    assert located(grid_of(polygons), places_m) == cells_by_hand(polygons, places_m)


@settings(max_examples=150, deadline=None)
@given(TOWNS)
@example(Town(seed=1, side_m=3000.0, turned_deg=45.0, away_m=1234.567, jitter=0.4, across=2, along=2))
def test_zones_are_those_of_brute_force(town: Town) -> None:
    polygons = [*overlapping(town), *blocks(town)]
    places_m = telling_places(polygons, town)
    assert contained(zones_of(polygons), places_m) == zones_by_hand(polygons, places_m)


_CORNERS = st.tuples(st.integers(0, 12), st.integers(0, 12))
_TRIANGLES = (
    st.lists(_CORNERS, min_size=3, max_size=3, unique=True).map(shapely.Polygon).filter(lambda one: one.area > 0)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_TRIANGLES, min_size=1, max_size=8))
def test_polygons_that_share_corners_overlap_and_repeat_keep_every_tie(polygons: list[Any]) -> None:
    side = np.concatenate([np.arange(-21.0, 0.0), np.arange(0.0, 12.5, 0.5), np.arange(13.0, 35.0)])
    places_m = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    assert located(grid_of(polygons), places_m) == cells_by_hand(polygons, places_m)
    assert contained(zones_of(polygons), places_m) == zones_by_hand(polygons, places_m)


def test_a_place_is_found_alike_alone_and_among_many() -> None:
    town = Town(seed=3, side_m=7.0, turned_deg=17.0, away_m=0.0, jitter=0.2, across=4, along=4)
    polygons = blocks(town)
    grid, zones = grid_of(polygons), zones_of(polygons)
    places_m = telling_places(polygons, town)
    assert [located(grid, place[None])[0] for place in places_m] == located(grid, places_m)
    alone = [(row, zone) for row, place in enumerate(places_m) for _, zone in contained(zones, place[None])]
    assert alone == contained(zones, places_m)


@pytest.mark.parametrize("count", [1, 200])
def test_a_place_that_is_nan_has_no_cell_and_no_zone(count: int) -> None:
    polygons = [shapely.box(-10, -10, 10, 10)]
    places_m = np.tile([[np.nan, 0.0]], (count, 1))
    assert located(grid_of(polygons), places_m) == [(-1, "none")] * count
    assert contained(zones_of(polygons), places_m) == []


@pytest.mark.parametrize("count", [0, 1, 200])
def test_a_site_without_cells_or_zones_finds_none(count: int) -> None:
    places_m = np.zeros((count, 2))
    assert located(grid_of([]), places_m) == [(-1, "none")] * count
    assert contained(zones_of([]), places_m) == []


def test_most_of_a_town_is_answered_without_asking_geometry() -> None:
    polygons = np.array([shapely.box(x, y, x + 100, y + 100) for x in range(0, 2000, 100) for y in range(0, 2000, 100)])
    asked: list[int] = []

    def first_that_contains(ground_m: Float64s) -> npt.NDArray[np.int64]:
        asked.append(len(ground_m))
        east, north = np.floor(ground_m / 100).astype(np.int64).T
        is_in_town = (east >= 0) & (east < 20) & (north >= 0) & (north < 20)
        return np.where(is_in_town, 20 * east + north, OUTSIDE)

    buckets = Buckets.build(polygons, first_that_contains)
    places_m = np.random.default_rng(1).uniform(0, 2000, (100_000, 2))
    found = buckets.at(places_m)
    assert np.mean(found == ASK) < 0.05
    clear = found != ASK
    assert np.array_equal(found[clear], first_that_contains(places_m[clear]))
    assert asked[0] < buckets.answers.size / 20


@pytest.mark.parametrize(
    "polygons",
    [
        [shapely.box(0, 0, 100_000, 0.01)],
        [shapely.box(0, 0, 1, 1), shapely.box(99_999, 99_999, 100_000, 100_000)],
        [shapely.box(x, 0, x + 0.5, 100_000) for x in range(100)],
    ],
)
def test_memory_is_bounded_whatever_the_borders(polygons: list[Any]) -> None:
    buckets = Buckets.build(np.array(polygons), lambda ground_m: np.zeros(len(ground_m), np.int64), reach_m=20.0)
    assert buckets.answers.size <= 1.5 * MAX_BUCKETS
    assert buckets.nbytes == 2 * buckets.answers.size
    edge = np.concatenate([buckets.answers[[0, -1]].ravel(), buckets.answers[:, [0, -1]].ravel()])
    assert set(edge.tolist()) == {0}
