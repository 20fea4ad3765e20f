"""A shifted camera: found in every weather and through traffic, measured in pixels, never guessed."""

from __future__ import annotations

import math
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from detectors.view_shift import Grey, ShiftVerdict, shrunk, view_shift
from sim.drawing.painter import StreetPainter
from sim.street.body import Body, BodyKind
from sim.street.layout import StreetPart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Weather
from tests.drawn_street import standing

U8 = npt.NDArray[np.uint8]

FOCAL_PX = 540.0
EMPTY: tuple[Body, ...] = ()
PARKED = (
    standing(BodyKind.CAR, x_m=-1.2, y_m=9.0, look=1),
    standing(BodyKind.CAR, x_m=-1.4, y_m=16.0, look=2),
    standing(BodyKind.PEDESTRIAN, x_m=1.5, y_m=11.0, look=3),
)
RUSH = (
    standing(BodyKind.BUS, x_m=-4.0, y_m=12.0, look=4),
    standing(BodyKind.CAR, x_m=-1.3, y_m=12.5, look=5),
    standing(BodyKind.CAR, x_m=-1.3, y_m=24.0, look=6),
    standing(BodyKind.PEDESTRIAN, x_m=2.0, y_m=9.0, look=7),
)


@cache
def _painter(across_px: float, down_px: float) -> StreetPainter:
    """The street by a camera that was turned so that its middle moved by so many pixels."""
    camera = PinholeCamera(
        size_px=(640, 360),
        focal_px=FOCAL_PX,
        height_m=5.5,
        tilt_deg=20.0 - math.degrees(math.atan(down_px / FOCAL_PX)),
        heading_deg=-math.degrees(math.atan(across_px / FOCAL_PX)),
    )
    return StreetPainter(build_street(StreetPart(y_m=(-20.0, 120.0)), seed=3), camera, seed=3)


def _sent(image: U8) -> Grey:
    """As it arrives: through JPEG, whose blocks stay where they are."""
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 75])[1]
    return shrunk(np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8))


@cache
def _seen(
    bodies: tuple[Body, ...], weather: Weather, *, across_px: float = 0.0, down_px: float = 0.0, grain: int = 1
) -> Grey:
    drawn = _painter(across_px, down_px).draw(bodies, weather=weather, grain=grain, second=float(grain))
    return _sent(drawn.image)


WEATHERS = pytest.mark.parametrize("weather", list(Weather))


@WEATHERS
@pytest.mark.parametrize("before", [Weather.DAY, Weather.INFRARED])
@pytest.mark.parametrize("across_px", [0.0, 2.0])
def test_a_camera_that_holds_is_ok_in_any_weather_and_traffic(
    before: Weather, weather: Weather, across_px: float
) -> None:
    found = view_shift(_seen(PARKED, before), _seen(RUSH, weather, across_px=across_px, grain=2))
    assert found.verdict is ShiftVerdict.OK
    assert found.shift_px == pytest.approx(across_px, abs=0.7)


@WEATHERS
@pytest.mark.parametrize("before", [Weather.DAY, Weather.INFRARED])
@pytest.mark.parametrize(("across_px", "down_px"), [(8.0, 0.0), (-6.0, 6.0), (30.0, 0.0), (0.0, -30.0)])
def test_a_turned_camera_is_found_in_any_weather_and_traffic(
    before: Weather, weather: Weather, across_px: float, down_px: float
) -> None:
    moved = _seen(RUSH, weather, across_px=across_px, down_px=down_px, grain=2)
    found = view_shift(_seen(PARKED, before), moved)
    assert found.verdict is ShiftVerdict.SHIFTED
    # A turn moves the picture's rim more than its middle.
    assert found.shift_px == pytest.approx(math.hypot(across_px, down_px), rel=0.15, abs=0.7)


def _rolled(grey: Grey, degrees: float) -> Grey:
    height, width = grey.shape
    way = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    return np.asarray(cv2.warpAffine(grey, way, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8)


@pytest.mark.parametrize(("degrees", "verdict"), [(0.2, "ok"), (2.0, "shifted"), (-3.0, "shifted")])
def test_a_rolled_camera_is_found(degrees: float, verdict: str) -> None:
    reference = _seen(PARKED, Weather.DAY)
    found = view_shift(reference, _rolled(_seen(RUSH, Weather.DAY, grain=2), degrees))
    assert found.verdict == verdict
    assert found.turn_deg == pytest.approx(-degrees, abs=0.15)


def test_a_clock_and_a_name_in_the_picture_do_not_hold_it() -> None:
    pictures = []
    for across_px, clock in ((0.0, "2026-06-01 09:00:00"), (8.0, "2026-06-01 17:31:45")):
        picture = _seen(PARKED, Weather.DAY, across_px=across_px).copy()
        cv2.putText(picture, clock, (10, 24), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 255, 2)
        cv2.putText(picture, "East gate 04", (440, 345), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 255, 2)
        pictures.append(picture)
    found = view_shift(pictures[0], pictures[1])
    assert found.verdict is ShiftVerdict.SHIFTED
    assert found.shift_px == pytest.approx(8, abs=1)


def test_a_picture_that_shows_nothing_is_unknown() -> None:
    reference = _seen(PARKED, Weather.DAY)
    noise = np.random.default_rng(0).normal(120, 12, reference.shape).clip(0, 255).astype(np.uint8)
    for blind in (np.zeros_like(reference), np.full_like(reference, 200), noise, cv2.blur(noise, (9, 9))):
        assert view_shift(reference, np.asarray(blind, np.uint8)).verdict is ShiftVerdict.UNKNOWN


def test_another_place_is_unknown_not_shifted() -> None:
    camera = PinholeCamera(size_px=(640, 360), focal_px=400.0, height_m=4.0, tilt_deg=40.0, heading_deg=70.0, y_m=30.0)
    other = StreetPainter(build_street(StreetPart(y_m=(-20.0, 120.0)), seed=9), camera, seed=9)
    elsewhere = _sent(other.draw((), weather=Weather.DAY).image)
    assert view_shift(_seen(PARKED, Weather.DAY), elsewhere).verdict is ShiftVerdict.UNKNOWN


def test_pictures_of_another_shape_are_unknown() -> None:
    reference = _seen(PARKED, Weather.DAY)
    assert view_shift(reference, reference[:300]).verdict is ShiftVerdict.UNKNOWN


def test_a_picture_is_shrunk_to_640_and_grey() -> None:
    assert shrunk(np.zeros((1080, 1920, 3), np.uint8)).shape == (360, 640)
    assert shrunk(np.zeros((480, 640), np.uint8)).shape == (480, 640)
