"""Courses, tracks and footprints."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from sim.motion.detours import Walkable, detour
from sim.motion.paths import Mover, course, fill_at, overlap, still_track, walk_track
from sim.street.body import Body, BodyKind


def still(*, x_m: float, y_m: float, heading_deg: float = 0.0, size_m: tuple[float, float] = (4.0, 2.0)) -> Mover:
    track = still_track(x_m, y_m, heading_deg, 0.0, 10.0, is_running=False)
    return Mover(id="still", kind=BodyKind.CAR, size_m=(*size_m, 1.5), tracks=(track,))


def test_a_course_is_constant_beyond_its_knots_and_smooth_between() -> None:
    over = course([(10.0, -1.0), (20.0, -4.0)])
    np.testing.assert_allclose(over.x_at(np.array([0.0, 10.0, 15.0, 20.0, 30.0])), [-1.0, -1.0, -2.5, -4.0, -4.0])
    np.testing.assert_allclose(over.slope_at(np.array([10.0, 20.0])), 0.0, atol=1e-3)


def test_a_body_points_where_its_course_leads() -> None:
    left = course([(0.0, 0.0), (20.0, -4.0)])
    middle = np.array([10.0])
    turn = -np.degrees(np.arctan(1.875 * 4 / 20))
    np.testing.assert_allclose(left.heading_at(middle, direction=1), [turn], atol=0.05)
    np.testing.assert_allclose(left.heading_at(middle, direction=-1), [180 + turn], atol=0.05)


def test_a_walk_is_steady_and_turns_at_the_corners() -> None:
    track = walk_track([(0.0, 0.0), (0.0, 4.0), (3.0, 4.0)], speed_mps=1.0, starts_s=100.0)
    assert track.ends_s == pytest.approx(107.0)
    assert track.pose_at(102.0)[:3] == pytest.approx((0.0, 2.0, 0.0))
    assert track.pose_at(106.0)[:3] == pytest.approx((2.0, 4.0, 90.0))


def test_a_bin_fills_in_straight_lines_and_steps() -> None:
    fill = ((0.0, 0.2), (60.0, 1.2), (60.0, 0.1), (100.0, 0.5))
    assert [fill_at(fill, second) for second in (0, 30, 60, 80, 100, 500)] == pytest.approx(
        [0.2, 0.7, 0.1, 0.3, 0.5, 0.5]
    )
    assert fill_at(((10.0, 0.4), (20.0, 0.6)), 0.0) == 0.4
    assert fill_at((), 5.0) == 0.0


@given(
    x_m=st.floats(-4, 4), y_m=st.floats(-6, 6), first_deg=st.floats(-180, 180), second_deg=st.floats(-180, 180),
    length_m=st.floats(0.3, 12),
)  # fmt: skip
def test_footprints_touch_where_their_polygons_do(
    x_m: float, y_m: float, first_deg: float, second_deg: float, length_m: float
) -> None:
    first = still(x_m=0.0, y_m=0.0, heading_deg=first_deg)
    second = still(x_m=x_m, y_m=y_m, heading_deg=second_deg, size_m=(length_m, 1.0))
    polygons = [shapely.Polygon(body_of(mover).footprint_m()) for mover in (first, second)]
    area = polygons[0].intersection(polygons[1]).area
    touches = bool(overlap(first, second, np.array([5.0]))[0])
    if area > 1e-6:
        assert touches
    if polygons[0].distance(polygons[1]) > 1e-6:
        assert not touches


def body_of(mover: Mover) -> Body:
    body = mover.body_at(5.0)
    assert body is not None
    return body


def test_footprints_of_different_times_do_not_touch() -> None:
    assert not overlap(still(x_m=0, y_m=0), still(x_m=0, y_m=0), np.array([10.0]))[0]


def test_a_walker_goes_around_what_stands_there_and_comes_back() -> None:
    room = Walkable(x_m=(0.3, 2.7), ramp_m=1.5, clearance_m=0.15)
    on = detour(room, 1.0, 0.5, [still(x_m=0.6, y_m=20.0, size_m=(2.0, 1.0))], passes_at=lambda _: 5.0, y_m=(0, 40))
    np.testing.assert_allclose(on.x_at(np.array([15.0, 20.0, 25.0])), [1.0, 1.5, 1.0])


def test_a_walker_does_not_care_for_what_is_gone_when_it_passes() -> None:
    room = Walkable(x_m=(0.3, 2.7), ramp_m=1.5, clearance_m=0.15)
    on = detour(room, 1.0, 0.5, [still(x_m=0.6, y_m=20.0)], passes_at=lambda _: 50.0, y_m=(0, 40))
    assert on.x_at(np.array([20.0]))[0] == 1.0
