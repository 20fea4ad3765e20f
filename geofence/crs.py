"""Coordinate systems of the points that people write down, and the way from each to WGS 84.

Maps and phones in China give GCJ-02, which lies some hundreds of metres from WGS 84: three unit grid cells or more.
So every point says which it is in, and everything behind the files is WGS 84. The offset is the published one of
GCJ-02 (a polynomial with sines over the Krasovsky 1940 ellipsoid); it has no closed inverse.
"""

from __future__ import annotations

from enum import StrEnum

import numpy as np
import numpy.typing as npt

from detectors.validation import shown

Float64s = npt.NDArray[np.float64]

_AXIS_M = 6_378_245.0
_ECCENTRICITY_2 = 0.00669342162296594323
# Each round leaves some thousandth of the error before it; three are under a millimetre.
_ROUNDS = 6
# Where the offset is applied: the rectangle that the published form uses.
_LAT_RANGE, _LNG_RANGE = (0.8293, 55.8271), (72.004, 137.8347)


class Crs(StrEnum):
    """What degrees may be in."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"


# How other programs call them; CGCS2000 and WGS 84 agree to centimetres, which no camera sees.
_ALSO = {
    "wgs84": Crs.WGS84,
    "epsg4326": Crs.WGS84,
    "crs84": Crs.WGS84,
    "ogccrs84": Crs.WGS84,
    "urnogcdefcrsogc13crs84": Crs.WGS84,
    "urnogcdefcrsogccrs84": Crs.WGS84,
    "httpwwwopengisnetdefcrsogc13crs84": Crs.WGS84,
    "urnogcdefcrsepsg4326": Crs.WGS84,
    "httpwwwopengisnetdefcrsepsg04326": Crs.WGS84,
    "wgs1984": Crs.WGS84,
    "gcswgs1984": Crs.WGS84,
    "cgcs2000": Crs.WGS84,
    "epsg4490": Crs.WGS84,
    "urnogcdefcrsepsg4490": Crs.WGS84,
    "httpwwwopengisnetdefcrsepsg04490": Crs.WGS84,
    "chinageodeticcoordinatesystem2000": Crs.WGS84,
    "gcschinageodeticcoordinatesystem2000": Crs.WGS84,
    "gcj02": Crs.GCJ02,
}
CRS_EXPECTED = f"one of {', '.join(Crs)}"


# Metres of a projection have at least so many digits before their point.
_METRES = 1000.0


def are_metres(value: float) -> bool:
    """Whether a number in the place of degrees is likely to be metres of a projection."""
    return abs(value) > _METRES


def check_lat(lat: float) -> float:
    """A latitude in degrees; raises ValueError, which says what another number looks like."""
    return _degrees(lat, 90, "a latitude", "are lat and lng swapped?")


def check_lng(lng: float) -> float:
    """A longitude in degrees; raises ValueError like `check_lat`."""
    return _degrees(lng, 180, "a longitude", "is a digit too many?")


def _degrees(value: float, limit: float, what: str, question: str) -> float:
    if -limit <= value <= limit:
        return value
    if are_metres(value):
        question = f"{value:,.0f} looks like metres of a projection: give it in WGS 84"
    raise ValueError(f"{value:g} is not usable; {what} is -{limit:g} … {limit:g} degrees: {question}")


def parse_crs(name: str) -> Crs:
    """The system called `name`, in the ways in which maps write it; raises ValueError that says what would be right."""
    known = _ALSO.get("".join(letter for letter in name.lower() if letter.isalnum()))
    if known is None:
        raise ValueError(f"crs {shown(name)} is not known; it should be {CRS_EXPECTED}")
    return known


def to_wgs84(lat_lng: Float64s, crs: Crs) -> Float64s:
    """(N, 2) degrees [lat, lng] in `crs` → WGS 84."""
    degrees = np.asarray(lat_lng, np.float64).reshape(-1, 2)
    if crs is Crs.WGS84:
        return degrees
    found = degrees.copy()
    for _ in range(_ROUNDS):
        found += degrees - to_gcj02(found)
    return found


def to_gcj02(lat_lng: Float64s) -> Float64s:
    """(N, 2) degrees [lat, lng] of WGS 84 → GCJ-02; outside China they are the same."""
    degrees = np.asarray(lat_lng, np.float64).reshape(-1, 2)
    lat, lng = degrees.T
    east, north = lng - 105.0, lat - 35.0
    root = np.sqrt(np.abs(east))
    common = (20 * np.sin(6 * np.pi * east) + 20 * np.sin(2 * np.pi * east)) * 2 / 3
    lat_offset_m = (
        -100
        + 2 * east
        + 3 * north
        + 0.2 * north**2
        + 0.1 * east * north
        + 0.2 * root
        + common
        + (20 * np.sin(np.pi * north) + 40 * np.sin(np.pi * north / 3)) * 2 / 3
        + (160 * np.sin(np.pi * north / 12) + 320 * np.sin(np.pi * north / 30)) * 2 / 3
    )
    lng_offset_m = (
        300
        + east
        + 2 * north
        + 0.1 * east**2
        + 0.1 * east * north
        + 0.1 * root
        + common
        + (20 * np.sin(np.pi * east) + 40 * np.sin(np.pi * east / 3)) * 2 / 3
        + (150 * np.sin(np.pi * east / 12) + 300 * np.sin(np.pi * east / 30)) * 2 / 3
    )
    sine = np.sin(np.radians(lat))
    bend = 1 - _ECCENTRICITY_2 * sine**2
    meridian_m = _AXIS_M * (1 - _ECCENTRICITY_2) / bend**1.5
    parallel_m = _AXIS_M / np.sqrt(bend) * np.cos(np.radians(lat))
    offset = np.degrees(np.column_stack((lat_offset_m / meridian_m, lng_offset_m / parallel_m)))
    is_in_china = (lat >= _LAT_RANGE[0]) & (lat <= _LAT_RANGE[1]) & (lng >= _LNG_RANGE[0]) & (lng <= _LNG_RANGE[1])
    return np.where(is_in_china[:, None], degrees + offset, degrees)
