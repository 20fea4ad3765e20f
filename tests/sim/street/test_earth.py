"""Street metres on earth, beside geodesics on the ellipsoid as an independent measure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Geod

from sim.street.earth import EarthFrame, UnitGrid

GEOD = Geod(ellps="WGS84")
metres = st.floats(-400, 400)
places = st.tuples(st.floats(-70, 70), st.floats(-179, 179))


@settings(max_examples=60, deadline=None)
@given(origin=places, bearing_deg=st.floats(-360, 360), x_m=metres, y_m=metres)
def test_distance_and_azimuth_from_the_origin_are_those_of_the_geodesic(
    origin: tuple[float, float], bearing_deg: float, x_m: float, y_m: float
) -> None:
    lat, lng = origin
    frame = EarthFrame(lat=lat, lng=lng, bearing_deg=bearing_deg)
    (found,) = frame.to_lat_lng(np.array([(x_m, y_m)]))
    azimuth_deg, _, distance_m = GEOD.inv(lng, lat, found[1], found[0])
    assert distance_m == pytest.approx(math.hypot(x_m, y_m), abs=1e-3)
    if distance_m > 1:
        off_deg = azimuth_deg - bearing_deg - math.degrees(math.atan2(x_m, y_m))
        assert (off_deg + 180) % 360 - 180 == pytest.approx(0, abs=0.01)


@settings(deadline=None)
@given(bearing_deg=st.floats(-360, 360), x_m=metres, y_m=metres)
def test_the_way_back_ends_where_it_began(bearing_deg: float, x_m: float, y_m: float) -> None:
    frame = EarthFrame(lat=39.9, lng=116.4, bearing_deg=bearing_deg)
    back = frame.to_local(frame.to_lat_lng(np.array([(x_m, y_m)])))
    assert back == pytest.approx(np.array([(x_m, y_m)]), abs=1e-5)


def test_a_street_of_bearing_90_goes_east() -> None:
    frame = EarthFrame(lat=39.9, lng=116.4, bearing_deg=90)
    ahead, right = frame.to_lat_lng(np.array([(0, 100), (100, 0)]))
    assert ahead[1] > 116.401
    assert ahead[0] == pytest.approx(39.9, abs=1e-6)
    assert right[0] < 39.8995
    assert right[1] == pytest.approx(116.4, abs=1e-6)


def test_no_places_are_no_places() -> None:
    frame = EarthFrame(lat=39.9, lng=116.4)
    assert frame.to_lat_lng(np.empty((0, 2))).shape == (0, 2)
    assert frame.to_local(np.empty((0, 2))).shape == (0, 2)


GRID = UnitGrid(middle=EarthFrame(lat=39.9, lng=116.4), prefix="110101001001", cell_m=100, columns=3, rows=2)


def test_cells_are_numbered_from_west_to_east_and_north_to_south() -> None:
    assert GRID.codes() == tuple(f"110101001001{number:03d}" for number in range(1, 7))
    middles = GRID.middle.to_lat_lng(np.array([(-100, 50), (0, 50), (100, 50), (-100, -50), (0, -50), (100, -50)]))
    assert GRID.cells_at(middles) == list(GRID.codes())


def test_outside_the_grid_there_is_no_cell() -> None:
    around = GRID.middle.to_lat_lng(np.array([(-151, 0), (151, 0), (0, 101), (0, -101)]))
    assert GRID.cells_at(around) == [None] * 4


@settings(deadline=None)
@given(number=st.integers(0, 5), share_x=st.floats(0.001, 0.999), share_y=st.floats(0.001, 0.999))
def test_a_point_between_the_corners_of_a_cell_lies_in_it(number: int, share_x: float, share_y: float) -> None:
    south_west, south_east, north_east, north_west = GRID.corners_of(number)
    south = south_west + share_x * (south_east - south_west)
    north = north_west + share_x * (north_east - north_west)
    assert GRID.cells_at(np.array([south + share_y * (north - south)])) == [GRID.codes()[number]]


def test_the_corners_of_a_cell_go_counter_clockwise_from_the_south_west() -> None:
    (lat0, lng0), (lat1, lng1), (lat2, lng2), (lat3, lng3) = GRID.corners_of(4)
    assert (lat0, lat2) == pytest.approx((lat1, lat3), abs=1e-7)
    assert lat0 < lat2
    assert (lng0, lng2) == pytest.approx((lng3, lng1), abs=1e-6)
    assert lng0 < lng1
    assert GEOD.inv(lng0, lat0, lng1, lat1)[2] == pytest.approx(100, abs=0.01)
