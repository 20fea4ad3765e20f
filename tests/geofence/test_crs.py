"""GCJ-02 and WGS 84: known pairs, there and back, and names as maps write them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geofence.crs import Crs, parse_crs, to_gcj02, to_wgs84

# WGS 84 and GCJ-02 of places in Shanghai, Shenzhen and Beijing, from the tests of eviltransform (MIT).
PAIRS = [
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
]


@pytest.mark.parametrize(("wgs84", "gcj02"), PAIRS)
def test_known_places_agree_to_a_few_centimetres(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert to_gcj02(np.array([wgs84]))[0] == pytest.approx(gcj02, abs=3e-7)
    assert to_wgs84(np.array([gcj02]), Crs.GCJ02)[0] == pytest.approx(wgs84, abs=3e-7)


@given(st.floats(18, 53), st.floats(75, 134))
def test_there_and_back_is_a_millimetre_at_most(lat: float, lng: float) -> None:
    place = np.array([[lat, lng]])
    assert to_wgs84(to_gcj02(place), Crs.GCJ02) == pytest.approx(place, abs=1e-8)


def test_outside_china_both_are_the_same() -> None:
    paris = np.array([[48.85, 2.35]])
    assert (to_gcj02(paris) == paris).all()
    assert (to_wgs84(paris, Crs.GCJ02) == paris).all()


@pytest.mark.parametrize(
    ("name", "crs"),
    [
        ("wgs84", Crs.WGS84),
        ("WGS 84", Crs.WGS84),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", Crs.WGS84),
        ("EPSG:4490", Crs.WGS84),
        ("urn:ogc:def:crs:EPSG::4490", Crs.WGS84),
        ("urn:ogc:def:crs:OGC::CRS84", Crs.WGS84),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", Crs.WGS84),
        ("http://www.opengis.net/def/crs/EPSG/0/4490", Crs.WGS84),
        ("GCS_WGS_1984", Crs.WGS84),
        ("GCS_China_Geodetic_Coordinate_System_2000", Crs.WGS84),
        ("GCJ-02", Crs.GCJ02),
    ],
)
def test_names_as_maps_write_them(name: str, crs: Crs) -> None:
    assert parse_crs(name) is crs


def test_an_unknown_system_says_what_would_be_right() -> None:
    with pytest.raises(ValueError, match="crs 'bd09' is not known; it should be one of wgs84, gcj02"):
        parse_crs("bd09")
