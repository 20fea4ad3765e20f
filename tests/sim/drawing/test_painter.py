"""Whole pictures and the truth about them."""

from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from sim.drawing import painter as painter_module
from sim.drawing.painter import DrawnFrame, Shown, StreetPainter
from sim.street.body import Body, BodyKind
from sim.street.pinhole import PinholeCamera
from sim.street.street import Street
from sim.street.weather import Weather
from tests.sim.drawing.conftest import MakeBody, hand_made_street

_OPEN = dataclasses.replace(hand_made_street(), trees=(), lamps=(), crossings=())


@pytest.fixture(scope="module")
def painter(camera: PinholeCamera) -> StreetPainter:
    """Of the street without trees and posts."""
    return StreetPainter(_OPEN, camera, seed=3)


def _only(frame: DrawnFrame, body: Body) -> Shown:
    found = [shown for shown in frame.shown if shown.body == body]
    assert len(found) == 1
    return found[0]


def _ids(frame: DrawnFrame) -> list[str]:
    return [shown.body.id for shown in frame.shown]


def test_a_picture_has_the_cameras_size_and_shows_what_stands_in_view(
    painter: StreetPainter, make_body: MakeBody
) -> None:
    car, behind = make_body(BodyKind.CAR, -4.0, 18.0), make_body(BodyKind.CAR, -4.0, -15.0)
    frame = painter.draw([behind, car], weather=Weather.OVERCAST)
    assert frame.image.shape == (180, 320, 3)
    assert frame.image.dtype == np.uint8
    assert [shown.body for shown in frame.shown] == [car]


def test_a_lone_body_is_wholly_visible_and_its_box_surrounds_the_changed_pixels(
    painter: StreetPainter, make_body: MakeBody
) -> None:
    walker = make_body(BodyKind.PEDESTRIAN, -4.0, 14.0, height_m=1.8)
    empty = painter.draw([], weather=Weather.OVERCAST).image.astype(int)
    frame = painter.draw([walker], weather=Weather.OVERCAST)
    shown = _only(frame, walker)
    assert shown.xyxy == shown.full_xyxy
    assert shown.visible_fraction == pytest.approx(1.0, abs=0.05)
    x0, y0, x1, y1 = shown.xyxy
    changed = np.abs(frame.image - empty).sum(axis=2) > 60
    assert changed[: int(y0) - 1].sum() == 0
    # Its feet stand in their own shadow, which is no part of the box.
    rows, columns = np.nonzero(changed[: int((y0 + y1) / 2)])
    assert (columns.min(), rows.min(), columns.max() + 1) == pytest.approx((x0, y0, x1), abs=2)


def test_a_bus_before_a_car_hides_it_and_the_full_box_stays(painter: StreetPainter, make_body: MakeBody) -> None:
    car = make_body(BodyKind.CAR, -4.2, 30.0)
    alone = _only(painter.draw([car], weather=Weather.OVERCAST), car)
    bus = make_body(BodyKind.BUS, -3.0, 18.0)
    behind = painter.draw([bus, car], weather=Weather.OVERCAST)
    assert _ids(behind)[-1] == bus.id
    if car.id in _ids(behind):
        hidden = _only(behind, car)
        assert hidden.visible_fraction < alone.visible_fraction - 0.3
        assert hidden.full_xyxy == alone.full_xyxy
    beside = _only(painter.draw([make_body(BodyKind.BUS, -9.5, 18.0), car], weather=Weather.OVERCAST), car)
    assert beside.visible_fraction == pytest.approx(alone.visible_fraction)


def test_a_body_wholly_behind_another_is_not_shown(painter: StreetPainter, make_body: MakeBody) -> None:
    wall = make_body(BodyKind.BUS, -4.0, 16.0, length_m=2.0, width_m=7.0, height_m=3.6)
    bag = make_body(BodyKind.BAG, -4.0, 19.0)
    assert _ids(painter.draw([bag, wall], weather=Weather.OVERCAST)) == [wall.id]


def test_half_of_a_body_outside_the_picture_counts_as_not_visible(painter: StreetPainter, make_body: MakeBody) -> None:
    fractions = []
    for x_m in np.arange(-12.0, -4.0, 0.5):
        frame = painter.draw([make_body(BodyKind.VAN, float(x_m), 9.5)], weather=Weather.OVERCAST)
        fractions.append(frame.shown[0].visible_fraction if frame.shown else 0.0)
    assert fractions[0] < 0.2
    assert fractions[-1] == pytest.approx(1.0, abs=0.05)
    assert all(later >= sooner - 0.03 for sooner, later in pairwise(fractions))


def test_a_tree_hides_what_stands_behind_it_and_not_what_stands_before_it(
    camera: PinholeCamera, make_body: MakeBody
) -> None:
    painter = StreetPainter(dataclasses.replace(hand_made_street(trees_x_m=-1.0), crossings=()), camera, seed=3)
    behind, before = make_body(BodyKind.PEDESTRIAN, -1.0, 16.6), make_body(BodyKind.PEDESTRIAN, -1.0, 15.0)
    hidden = _only(painter.draw([behind], weather=Weather.OVERCAST), behind)
    assert hidden.visible_fraction < 0.85
    free = _only(painter.draw([before], weather=Weather.OVERCAST), before)
    assert free.visible_fraction == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("weather", list(Weather))
def test_a_picture_does_not_depend_on_what_was_drawn_before(
    weather: Weather, street: Street, camera: PinholeCamera, make_body: MakeBody
) -> None:
    crowd = [make_body(BodyKind.CAR, -4.2, 14.0 + 7 * n, look=n, is_running=True, speed_mps=5.0) for n in range(4)]
    used = StreetPainter(street, camera, seed=3)
    used.draw(crowd[1:], weather=weather, second=9.0, grain=9)
    used.draw([], weather=Weather.OVERCAST)
    wanted = used.draw(crowd, weather=weather, second=2.0, grain=4)
    fresh = StreetPainter(street, camera, seed=3).draw(crowd, weather=weather, second=2.0, grain=4)
    assert (wanted.image == fresh.image).all()
    assert wanted.shown == fresh.shown


def test_vibration_moves_picture_and_boxes_alike(painter: StreetPainter, make_body: MakeBody) -> None:
    car = make_body(BodyKind.CAR, -4.0, 18.0)
    still = painter.draw([car], weather=Weather.OVERCAST)
    moved = painter.draw([car], weather=Weather.OVERCAST, shift_px=(3.0, -2.0))
    assert _only(moved, car).xyxy == pytest.approx(np.array(_only(still, car).xyxy) + (3, -2, 3, -2))
    inner = np.abs(moved.image[18:158, 23:303].astype(int) - still.image[20:160, 20:300].astype(int))
    assert inner.mean() < 4
    assert inner.mean() < np.abs(still.image[20:160, 23:303].astype(int) - still.image[22:162, 20:300]).mean()


def test_a_body_shaken_out_of_the_picture_is_not_shown(painter: StreetPainter, make_body: MakeBody) -> None:
    car = make_body(BodyKind.CAR, -4.0, 18.0)
    assert painter.draw([car], weather=Weather.OVERCAST, shift_px=(400.0, 0.0)).shown == ()


def test_the_sun_casts_a_shadow_on_the_side_away_from_it(painter: StreetPainter, make_body: MakeBody) -> None:
    stall = make_body(BodyKind.STALL, -4.5, 14.0)
    for weather, is_darker in ((Weather.DAY, True), (Weather.OVERCAST, False)):
        empty = painter.draw([], weather=weather).image.astype(float)
        drawn = painter.draw([stall], weather=weather).image.astype(float)
        # The sun of the day stands behind the left shoulder: shadows fall to the right and away.
        x, y = np.round(painter._camera.project(np.array([[-3.4, 14.4, 0.0]]))[0]).astype(int)
        ratio = drawn[y - 1 : y + 2, x - 1 : x + 2].mean() / empty[y - 1 : y + 2, x - 1 : x + 2].mean()
        assert (ratio < 0.85) == is_darker


def test_the_ground_under_a_body_is_dark_in_any_weather(painter: StreetPainter, make_body: MakeBody) -> None:
    car = make_body(BodyKind.CAR, -4.5, 16.0)
    x, y = np.round(painter._camera.project(np.array([[-4.5, 13.68, 0.0]]))[0]).astype(int)
    for weather in (Weather.OVERCAST, Weather.RAIN):
        empty = painter.draw([], weather=weather).image.astype(float)[y, x - 3 : x + 4].mean()
        assert painter.draw([car], weather=weather).image.astype(float)[y, x - 3 : x + 4].mean() < 0.92 * empty


def test_headlights_light_the_road_ahead_at_night_only_when_running(
    painter: StreetPainter, make_body: MakeBody
) -> None:
    x, y = np.round(painter._camera.project(np.array([[-7.75, 14.0, 0.0]]))[0]).astype(int)

    def road(is_running: bool) -> float:
        car = make_body(BodyKind.CAR, -7.75, 24.0, heading_deg=180.0, is_running=is_running)
        picture = painter.draw([car], weather=Weather.NIGHT).image.astype(float)
        return float(picture[y - 2 : y + 3, x - 2 : x + 3].mean())

    assert road(True) > road(False) + 12


def test_the_signal_shows_its_colour(street: Street, make_body: MakeBody) -> None:
    camera = PinholeCamera(size_px=(320, 180), focal_px=600.0, height_m=5.5, tilt_deg=6.0, x_m=-1.0, y_m=20.0)
    painter = StreetPainter(dataclasses.replace(street, trees=()), camera, seed=3)
    green = painter.draw([], weather=Weather.OVERCAST, second=5.0).image.astype(int)
    red = painter.draw([], weather=Weather.OVERCAST, second=35.0).image.astype(int)
    assert (green[..., 1] - red[..., 1]).max() > 80
    assert (red[..., 2] - green[..., 2]).max() > 80
    bus = make_body(BodyKind.BUS, 0.0, 38.0, height_m=6.0, width_m=4.0)
    hidden = [painter.draw([bus], weather=Weather.OVERCAST, second=at).image for at in (5.0, 35.0)]
    assert (hidden[0] == hidden[1]).all()


def test_kept_sprites_are_bounded(camera: PinholeCamera, make_body: MakeBody, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(painter_module, "_PLACED_KEPT", 5)
    painter = StreetPainter(_OPEN, camera, seed=3)
    for step in range(20):
        painter.draw([make_body(BodyKind.BAG, -4.0, 12.0 + step)], weather=Weather.OVERCAST)
    assert len(painter._placed) == 5
