"""Where a sidewalk ends and which way it runs, straight, bent, round a corner or round a block."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import shapely
from shapely import affinity

from geofence.passage import Walkway
from geofence.strip import direction_of, ends_of, is_straight, sides_of

# A sidewalk 3 m wide round a street corner, and one round three sides of a block.
CORNER = shapely.Polygon([(0, 0), (3, 0), (3, 20), (30, 20), (30, 23), (0, 23)])
BLOCK = shapely.Polygon([(0, 0), (3, 0), (3, 20), (30, 20), (30, -4), (33, -4), (33, 23), (0, 23)])
ANGLES = (0.0, 33.0, 90.0, 201.0)


def turned(shape: Any, angle_deg: float) -> Any:
    return affinity.rotate(shape, angle_deg, origin=(0, 0))


def arc(degrees: float) -> Any:
    """A sidewalk 3 m wide along a bend with a radius of 20 m, its corners a degree or two apart."""
    return shapely.LineString(
        [(20 * math.cos(math.radians(a)), 20 * math.sin(math.radians(a))) for a in np.arange(0, degrees + 1, 2)]
    ).buffer(1.5, cap_style="flat")


@pytest.mark.parametrize("angle_deg", ANGLES)
@pytest.mark.parametrize(
    ("shape", "middles"),
    [
        (shapely.box(0, 0, 3, 24), [(1.5, 0), (1.5, 24)]),
        (CORNER, [(1.5, 0), (30, 21.5)]),
        (BLOCK, [(1.5, 0), (31.5, -4)]),
    ],
)
def test_a_strip_ends_where_nobody_walks_on(shape: Any, middles: list[tuple[float, float]], angle_deg: float) -> None:
    found = sorted(end.middle for end in ends_of(turned(shape, angle_deg)))
    wanted = sorted(shapely.get_coordinates(turned(shapely.MultiPoint(middles), angle_deg)).tolist())
    assert np.allclose(found, wanted, atol=1e-6)


def test_a_quarter_of_a_circle_ends_across_the_way() -> None:
    bend = arc(90)
    assert not is_straight(bend)
    found = sorted(ends_of(bend), key=lambda end: end.middle[0])
    assert np.allclose([end.middle for end in found], [(0, 20), (20, 0)], atol=0.4)
    assert np.allclose([end.outward for end in found], [(-1, 0), (0, -1)], atol=0.12)


@pytest.mark.parametrize("angle_deg", ANGLES)
def test_the_two_borders_lead_from_end_to_end(angle_deg: float) -> None:
    shape = turned(CORNER, angle_deg)
    sides = sides_of(shape, ends_of(shape))
    assert sides is not None
    assert [round(side.length) for side in sides] == [53, 47]


@pytest.mark.parametrize("angle_deg", ANGLES)
@pytest.mark.parametrize("shape", [CORNER, BLOCK])
@pytest.mark.parametrize(
    ("box", "clear_m"),
    [
        ((0, 4, 1.7, 5), 1.3),
        ((0, 0, 1.7, 0.3), 1.3),
        ((15, 20, 16, 21.4), 1.6),
        ((15, 20, 16, 21.8), 1.2),
        ((0, 21, 3, 23), 1.0),
        ((0, 21, 1, 23), 2.236),
        ((10, 10, 20, 15), 3.0),
        ((0, 10, 3, 11), 0.0),
    ],
)
def test_a_passage_round_the_corner_is_as_wide_as_its_narrowest_place(
    shape: Any, box: tuple[float, float, float, float], clear_m: float, angle_deg: float
) -> None:
    walkway = Walkway(turned(shape, angle_deg), reach_m=3.0)
    assert walkway.clear_width_m(turned(shapely.box(*box), angle_deg)) == pytest.approx(clear_m, abs=0.03)


@pytest.mark.parametrize("angle_deg", ANGLES)
def test_things_on_two_arms_are_each_a_chain_of_their_own(angle_deg: float) -> None:
    shape = turned(CORNER, angle_deg)
    things = [turned(shapely.box(*box), angle_deg) for box in ((0, 4, 1.2, 5), (15, 20, 16, 22), (1.9, 4, 3, 5))]
    walkway = Walkway(shape, reach_m=3.0)
    assert set(walkway.narrowest_chain(things)) == {0, 2}


@pytest.mark.parametrize("angle_deg", ANGLES)
def test_every_arm_has_its_own_direction(angle_deg: float) -> None:
    direction = direction_of(turned(CORNER, angle_deg))
    for place, heading_deg in (((1.5, 8.0), 0.0), ((20.0, 21.5), 90.0), ((2.0, 1.0), 0.0)):
        found = direction.at(shapely.get_coordinates(turned(shapely.Point(place), angle_deg))[0])
        off = (math.degrees(found) - (heading_deg - angle_deg)) % 180
        assert min(off, 180 - off) < 1e-6


def test_a_zone_may_say_its_direction_itself() -> None:
    assert direction_of(CORNER, 20.0).at((20.0, 21.5)) == pytest.approx(math.radians(20))
