"""The empty street: paint on the ground, houses, sky, shadows, lamps."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sim.drawing.backdrop import Backdrop, paint_backdrop
from sim.drawing.ground import ground_albedo
from sim.drawing.spots import GroundSpots
from sim.drawing.standing import trees_left
from sim.street.pinhole import PinholeCamera
from sim.street.street import Bay, Rect, Tree, Zone, ZoneKind
from sim.street.weather import LIGHTS, Weather
from tests.sim.drawing.conftest import hand_made_street

_BARE = dataclasses.replace(hand_made_street(), trees=(), lamps=(), crossings=())


def _albedo_at(
    *places: tuple[float, float], zones: tuple[Zone, ...] = (), bays: tuple[Bay, ...] = ()
) -> list[list[float]]:
    """Mean albedo of half a metre along the street around every place."""
    street = dataclasses.replace(hand_made_street(zones), bays=bays)
    means = []
    for x_m, y_m in places:
        y = np.linspace(y_m - 0.25, y_m + 0.25, 40, dtype=np.float32)
        fine = np.full_like(y, 0.02)
        spots = GroundSpots(x_m=np.full_like(y, x_m), y_m=y, across_m=fine, along_m=fine)
        means.append(ground_albedo(street, spots, seed=3).mean(axis=0).tolist())
    return means


def _is_yellow(bgr: list[float]) -> bool:
    return bgr[2] > 2 * bgr[0] and bgr[1] > 1.7 * bgr[0]


def test_a_double_yellow_line_parts_the_directions_and_stops_at_the_crossing() -> None:
    left, gap, right, crossing = _albedo_at((-6.15, 20.0), (-6.0, 20.0), (-5.85, 20.0), (-6.15, 45.0))
    assert _is_yellow(left)
    assert _is_yellow(right)
    assert not _is_yellow(gap)
    assert not _is_yellow(crossing)


def test_a_no_parking_zone_has_a_yellow_line_on_its_own_kerb() -> None:
    zone = Zone(id="a", kind=ZoneKind.NO_PARKING, area=Rect(x0=-2.5, y0=10.0, x1=0.0, y1=30.0), surface="roadway")
    inside, beyond, other = _albedo_at((0.05, 20.0), (0.05, 33.0), (-12.05, 20.0), zones=(zone,))
    assert _is_yellow(inside)
    assert not _is_yellow(beyond)
    assert not _is_yellow(other)


def test_a_bay_is_framed_in_white() -> None:
    bay = Bay(id="b", area=Rect(x0=-2.5, y0=10.0, x1=0.0, y1=16.0))
    frame, middle = _albedo_at((-2.45, 12.0), (-1.2, 12.0), bays=(bay,))
    assert min(frame) > max(middle) + 0.1


def test_a_collection_point_is_paved_over_the_planting() -> None:
    zone = Zone(id="c", kind=ZoneKind.COLLECTION_POINT, area=Rect(x0=3.2, y0=10.0, x1=5.0, y1=14.0), surface="plaza")
    paved, green = _albedo_at((4.0, 12.0), (4.0, 20.0), zones=(zone,))
    assert max(paved) - min(paved) < 0.05
    assert green[1] > 1.2 * green[0]


def test_far_markings_keep_their_mean_brightness() -> None:
    # A dashed crossing seen by pixels of three metres is as bright as its bars on average.
    x = np.arange(-11.0, -1.0, 0.05, dtype=np.float32)
    means = []
    for footprint in (0.05, 3.0):
        size = np.full_like(x, footprint)
        spots = GroundSpots(x_m=x, y_m=np.full_like(x, 48.0), across_m=size, along_m=np.full_like(x, 0.5))
        means.append(float(ground_albedo(hand_made_street(), spots, seed=3)[40:-40].mean()))
    assert means[1] == pytest.approx(means[0], rel=0.06)


def _paint(camera: PinholeCamera, weather: Weather, seed: int = 3) -> Backdrop:
    return paint_backdrop(_BARE, camera, LIGHTS[weather], seed=seed)


def test_the_street_is_brighter_by_day_than_at_dusk_than_at_night(camera: PinholeCamera) -> None:
    levels = [_paint(camera, weather).image.mean() for weather in (Weather.DAY, Weather.DUSK, Weather.NIGHT)]
    assert levels[0] > 1.3 * levels[1] > 1.3 * 1.3 * levels[2]


def test_only_sunny_weather_has_sunlit_ground_and_only_dark_weather_beams(camera: PinholeCamera) -> None:
    for weather in (Weather.DAY, Weather.OVERCAST, Weather.NIGHT):
        backdrop = _paint(camera, weather)
        assert (backdrop.sunlit is not None) == (weather is Weather.DAY)
        assert (backdrop.in_beam is not None) == (weather is Weather.NIGHT)


def test_house_shadows_fall_away_from_the_sun(camera: PinholeCamera) -> None:
    backdrop = _paint(camera, Weather.DAY)
    assert backdrop.sunlit is not None
    # The sun stands at the left: the left sidewalk lies in shadow, the right one does not.
    left, right = np.round(camera.project(np.array([(-13.0, 32.0, 0.0), (1.5, 20.0, 0.0)]))).astype(int)
    assert backdrop.sunlit[left[1], left[0]] < 40
    assert backdrop.sunlit[right[1], right[0]] > 215


def test_fog_leaves_little_of_what_is_far(camera: PinholeCamera) -> None:
    level = dataclasses.replace(camera, tilt_deg=8.0)
    clear, fog = (_paint(level, weather).image.astype(float) for weather in (Weather.OVERCAST, Weather.FOG))
    column, row = np.round(level.project(np.array([[-4.0, 130.0, 0.0]]))[0]).astype(int)
    far, near = (slice(row - 2, row + 3), slice(column - 30, column + 30)), slice(160, 175)
    assert fog[far].std() < 0.35 * clear[far].std()
    assert fog[near].std() > 0.5 * clear[near].std()


def test_sky_shows_the_horizon_colour_above_the_street(camera: PinholeCamera) -> None:
    level = dataclasses.replace(camera, tilt_deg=0.0)
    top = _paint(level, Weather.DAY).image[2, 140:180].mean(axis=0)
    assert top[0] > top[2]
    assert top.min() > 120


def test_a_lamp_lights_the_ground_below_it(camera: PinholeCamera) -> None:
    street = hand_made_street()
    dark = paint_backdrop(dataclasses.replace(street, lamps=(), trees=()), camera, LIGHTS[Weather.NIGHT], seed=3)
    lit = paint_backdrop(dataclasses.replace(street, trees=()), camera, LIGHTS[Weather.NIGHT], seed=3)
    x, y = np.round(camera.project(np.array([[-0.6, 12.0, 0.0]]))[0]).astype(int)
    assert lit.image[y, x].mean() > 1.8 * dark.image[y, x].mean()


def test_no_tree_stands_right_before_the_lens(camera: PinholeCamera) -> None:
    near, far = (Tree(x_m=2.0, y_m=y_m, height_m=6.0, crown_m=2.0, look=1) for y_m in (6.0, 20.0))
    assert trees_left(dataclasses.replace(_BARE, trees=(near, far)), camera) == (far,)


def test_a_bent_lens_shows_the_same_street(camera: PinholeCamera) -> None:
    bent = dataclasses.replace(camera, k1=-0.2)
    straight = paint_backdrop(hand_made_street(), camera, LIGHTS[Weather.DAY], seed=3).image
    picture = paint_backdrop(hand_made_street(), bent, LIGHTS[Weather.DAY], seed=3).image
    places = np.array([(-6.15, 12.0, 0.0), (-4.0, 20.0, 0.0), (1.5, 18.0, 0.0)])
    for old, new in zip(camera.project(places).astype(int), bent.project(places).astype(int), strict=True):
        assert picture[new[1], new[0]].astype(int) == pytest.approx(straight[old[1], old[0]].astype(int), abs=30)


def test_another_seed_is_another_street_and_the_same_seed_the_same(camera: PinholeCamera) -> None:
    first = _paint(camera, Weather.OVERCAST).image
    assert (first == _paint(camera, Weather.OVERCAST).image).all()
    assert (first != _paint(camera, Weather.OVERCAST, seed=4).image).any()
