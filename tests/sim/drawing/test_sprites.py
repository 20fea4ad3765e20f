from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.drawing.sprites import Sprite, cast_shadow, draw_body
from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.pinhole import PinholeCamera
from sim.street.weather import LIGHTS, Weather

CAMERA = PinholeCamera(size_px=(960, 540), focal_px=800, height_m=5.5, tilt_deg=20)
DAY, NIGHT = LIGHTS[Weather.DAY], LIGHTS[Weather.NIGHT]


def body(kind: BodyKind, *, x_m: float = 0.0, y_m: float = 18.0, heading_deg: float = 0.0, look: int = 3) -> Body:
    length_m, width_m, height_m = SIZE_M[kind]
    return Body(
        id="one",
        kind=kind,
        x_m=x_m,
        y_m=y_m,
        heading_deg=heading_deg,
        length_m=length_m,
        width_m=width_m,
        height_m=height_m,
        look=look,
    )


def drawn(one: Body, *, weather: Weather = Weather.DAY) -> Sprite:
    sprite = draw_body(one, CAMERA, LIGHTS[weather])
    assert sprite is not None
    return sprite


def solid_box(sprite: Sprite) -> tuple[int, int, int, int]:
    rows, columns = np.nonzero(sprite.alpha > 127)
    return (
        sprite.x0 + int(columns.min()),
        sprite.y0 + int(rows.min()),
        sprite.x0 + int(columns.max()) + 1,
        sprite.y0 + int(rows.max()) + 1,
    )


def hull_box(one: Body) -> tuple[float, float, float, float]:
    """Box in the picture of the body's own box in the street: the independent yardstick."""
    foot = np.column_stack((one.footprint_m(), np.zeros(4)))
    px = CAMERA.project(np.concatenate((foot, foot + (0, 0, one.height_m))))
    (x0, y0), (x1, y1) = px.min(axis=0), px.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


@pytest.mark.parametrize("kind", list(BodyKind))
def test_every_kind_shows_by_day_and_by_night(kind: BodyKind) -> None:
    for weather in (Weather.DAY, Weather.NIGHT):
        assert drawn(body(kind), weather=weather).alpha.max() == 255


@pytest.mark.parametrize("kind", [BodyKind.CAR, BodyKind.VAN, BodyKind.TRUCK, BodyKind.BUS, BodyKind.GOODS])
@given(heading_deg=st.floats(0, 360), look=st.integers(0, 50))
@settings(max_examples=15, deadline=None)
def test_a_silhouette_stays_within_its_box_and_nearly_fills_it(kind: BodyKind, heading_deg: float, look: int) -> None:
    one = body(kind, heading_deg=heading_deg, look=look, y_m=25)
    shown, whole = solid_box(drawn(one)), hull_box(one)
    assert shown[0] >= whole[0] - 1.5
    assert shown[1] >= whole[1] - 1.5
    assert shown[2] <= whole[2] + 1.5
    assert shown[3] <= whole[3] + 1.5
    assert shown[2] - shown[0] > 0.75 * (whole[2] - whole[0])
    assert shown[3] - shown[1] > 0.75 * (whole[3] - whole[1])


def test_colour_is_multiplied_by_alpha() -> None:
    sprite = drawn(body(BodyKind.CAR, look=1))
    edge = (sprite.alpha > 0) & (sprite.alpha < 255)
    assert edge.any()
    assert (sprite.bgr[sprite.alpha == 0] == 0).all()
    assert (sprite.bgr.max(axis=2).astype(int) <= sprite.alpha.astype(int) + 1).all()


def test_area_inside_the_picture_is_the_sum_of_alpha() -> None:
    sprite = drawn(body(BodyKind.VAN))
    assert sprite.area_px == pytest.approx(float(sprite.alpha.sum()) / 255)


def test_area_counts_what_the_border_cuts_off() -> None:
    wide = replace(CAMERA, size_px=(1960, 1540))
    half_out = body(BodyKind.CAR, x_m=-11.4)
    cut, whole = drawn(half_out), draw_body(half_out, wide, DAY)
    assert whole is not None
    assert cut.x0 == 0
    assert float(cut.alpha.sum()) / 255 < 0.8 * whole.area_px
    assert cut.area_px == pytest.approx(whole.area_px, rel=0.04)


def test_a_cut_sprite_lies_within_the_picture() -> None:
    for x_m, y_m in ((-11.4, 18.0), (0.0, 7.5), (11.0, 18.0), (0.0, 5.0)):
        sprite = drawn(body(BodyKind.BUS, x_m=x_m, y_m=y_m))
        height, width = sprite.alpha.shape
        assert sprite.x0 >= 0
        assert sprite.y0 >= 0
        assert sprite.x0 + width <= 960
        assert sprite.y0 + height <= 540


@pytest.mark.parametrize(("x_m", "y_m"), [(0.0, -20.0), (60.0, 20.0), (0.0, 5000.0)])
def test_nothing_is_drawn_behind_beside_or_beyond_sight(x_m: float, y_m: float) -> None:
    assert draw_body(body(BodyKind.CAR, x_m=x_m, y_m=y_m), CAMERA, DAY) is None


def test_a_body_that_the_camera_stands_in_is_cut_at_the_near_plane() -> None:
    low = replace(CAMERA, height_m=1.2, tilt_deg=0)
    sprite = draw_body(body(BodyKind.BUS, y_m=3.0), low, DAY)
    assert sprite is not None
    assert np.isfinite(sprite.area_px)
    assert sprite.alpha.shape <= (540, 960)


def test_the_same_body_gives_the_same_bytes() -> None:
    first, second = drawn(body(BodyKind.GARBAGE)), drawn(body(BodyKind.GARBAGE))
    assert first.bgr.tobytes() == second.bgr.tobytes()


def test_looks_differ() -> None:
    colours = {drawn(body(BodyKind.CAR, look=look)).bgr.tobytes() for look in range(6)}
    assert len(colours) == 6


def test_id_does_not_change_the_look() -> None:
    one = body(BodyKind.CAR)
    assert drawn(one).bgr.tobytes() == drawn(replace(one, id="other")).bgr.tobytes()


def test_depth_is_that_of_the_middle_along_the_view() -> None:
    one = body(BodyKind.CAR)
    middle = np.array([[0.0, 18.0, one.height_m / 2]])
    assert drawn(one).depth_m == pytest.approx(float(CAMERA.to_camera(middle)[0, 2]))


def test_motion_blur_widens_a_fast_body_and_keeps_its_area() -> None:
    standing = body(BodyKind.CAR, heading_deg=90)
    fast = replace(standing, speed_mps=20.0)
    still, blurred = drawn(standing, weather=Weather.NIGHT), drawn(fast, weather=Weather.NIGHT)
    blur_px = 20.0 * NIGHT.exposure_s * CAMERA.focal_px / still.depth_m
    assert blurred.alpha.shape[1] >= still.alpha.shape[1] + 0.7 * blur_px
    assert blurred.area_px == pytest.approx(still.area_px, rel=0.02)


def test_lamps_burn_only_when_running_in_the_dark() -> None:
    coming = replace(body(BodyKind.CAR, heading_deg=180), is_running=True)
    assert len(drawn(coming, weather=Weather.NIGHT).glows) == 2
    assert drawn(coming).glows == ()
    assert drawn(replace(coming, is_running=False), weather=Weather.NIGHT).glows == ()


def test_brake_lights_burn_red_by_day_seen_from_behind() -> None:
    leaving = replace(body(BodyKind.CAR), is_running=True, is_braking=True)
    glows = drawn(leaving).glows
    assert len(glows) == 2
    assert all(glow.bgr[2] > 3 * glow.bgr[0] for glow in glows)
    assert drawn(replace(leaving, heading_deg=180)).glows == ()


def test_headlight_beams_lie_ahead_of_the_car() -> None:
    (beam,) = drawn(replace(body(BodyKind.CAR, heading_deg=90), is_running=True), weather=Weather.NIGHT).beams
    assert beam.shape == (4, 2)
    assert beam[:, 0].min() > SIZE_M[BodyKind.CAR][0] / 2
    assert beam[:, 1].mean() == pytest.approx(18.0)


def test_a_pedestrian_has_neither_lamps_nor_beams() -> None:
    walking = replace(body(BodyKind.PEDESTRIAN), is_running=True)
    sprite = drawn(walking, weather=Weather.NIGHT)
    assert (sprite.glows, sprite.beams) == ((), ())


def test_legs_move_with_the_ground_that_is_covered() -> None:
    far = replace(CAMERA, focal_px=4000, tilt_deg=7)
    walker = replace(body(BodyKind.PEDESTRIAN, y_m=40.0), speed_mps=1.3)
    shapes = []
    for step_m in (0.0, 0.35):
        sprite = draw_body(replace(walker, y_m=40.0 + step_m), far, LIGHTS[Weather.OVERCAST])
        assert sprite is not None
        shapes.append(sprite.alpha[-sprite.alpha.shape[0] // 3 :])
    assert shapes[0].shape != shapes[1].shape or (shapes[0] != shapes[1]).any()


def test_litter_stands_above_the_rim_of_an_overfull_bin_only() -> None:
    full = replace(body(BodyKind.BIN, y_m=9.0), fill=1.0)
    overfull = replace(full, fill=1.01)
    assert solid_box(drawn(overfull))[1] < solid_box(drawn(full))[1] - 5


def test_infrared_pictures_are_grey() -> None:
    sprite = drawn(body(BodyKind.CAR, look=2), weather=Weather.INFRARED)
    assert (np.ptp(sprite.bgr, axis=2) <= 1).all()


def test_fog_draws_a_far_black_car_towards_the_horizon() -> None:
    fog, one = LIGHTS[Weather.FOG], body(BodyKind.CAR, y_m=100.0)
    clear = draw_body(one, CAMERA, replace(fog, fog_per_m=0.0))
    hidden = draw_body(one, CAMERA, fog)
    assert clear is not None
    assert hidden is not None
    solid = hidden.alpha == 255
    target = 255 * np.array(fog.horizon_bgr)
    assert np.abs(hidden.bgr[solid] - target).mean() < 0.3 * np.abs(clear.bgr[solid] - target).mean()


def test_no_shadow_without_sun() -> None:
    assert cast_shadow(body(BodyKind.CAR), LIGHTS[Weather.OVERCAST]) == ()


def test_a_shadow_falls_away_from_the_sun_as_far_as_the_body_is_high() -> None:
    one = body(BodyKind.BUS)
    polygons = np.concatenate(cast_shadow(one, DAY))
    assert DAY.sun is not None
    sun = np.array(DAY.sun)
    thrown = -sun[:2] / sun[2]
    far = polygons @ thrown / np.linalg.norm(thrown)
    own = one.footprint_m() @ thrown / np.linalg.norm(thrown)
    reach_m = float(np.linalg.norm(thrown)) * one.height_m
    assert far.max() == pytest.approx(own.max() + reach_m, abs=1.0)
    assert far.min() >= own.min() - 1e-3
