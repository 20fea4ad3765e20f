"""The ground plane: metres that agree with the ellipsoid, and one swap of GeoJSON's axis order."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geofence.ground import GroundPlane, geojson_to_lat_lng

LAT, LNG = 39.915, 116.4105
PLANE = GroundPlane(LAT, LNG)
WGS84 = Geod(ellps="WGS84")
NEAR_DEG = st.floats(-0.05, 0.05)


def test_origin_is_zero() -> None:
    assert np.allclose(PLANE.to_ground(np.array([[LAT, LNG]])), 0.0, atol=1e-9)


def test_axes_are_east_then_north() -> None:
    east_of, north_of = PLANE.to_ground(np.array([[LAT, LNG + 0.001], [LAT + 0.001, LNG]]))
    assert east_of[0] > 80
    assert abs(east_of[1]) < 0.01
    assert north_of[1] > 100
    assert abs(north_of[0]) < 0.01


@given(NEAR_DEG, NEAR_DEG)
def test_plane_agrees_with_geodesic_distance(d_lat: float, d_lng: float) -> None:
    lat, lng = LAT + d_lat, LNG + d_lng
    geodesic_m = WGS84.inv(LNG, LAT, lng, lat)[2]
    plane_m = float(np.linalg.norm(PLANE.to_ground(np.array([[lat, lng]]))))
    assert plane_m == pytest.approx(geodesic_m, rel=1e-5, abs=1e-6)


@given(NEAR_DEG, NEAR_DEG)
def test_there_and_back_is_the_same_place(d_lat: float, d_lng: float) -> None:
    place = np.array([[LAT + d_lat, LNG + d_lng]])
    assert np.allclose(PLANE.to_lat_lng(PLANE.to_ground(place)), place, atol=1e-9)


def test_many_places_keep_their_rows() -> None:
    places = np.array([[LAT, LNG], [LAT + 0.01, LNG], [LAT, LNG - 0.01]])
    assert PLANE.to_ground(places).shape == (3, 2)
    assert PLANE.to_ground(np.empty((0, 2))).shape == (0, 2)


def test_geojson_positions_are_swapped_and_height_is_left_out() -> None:
    assert geojson_to_lat_lng([[116.4, 39.9], [116.5, 39.8, 44.0]]).tolist() == [[39.9, 116.4], [39.8, 116.5]]
