"""Far to near, decided by vertical planes between footprints."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import LineString, Polygon

from sim.drawing.order import paint_order, stands_before

Float64s = npt.NDArray[np.float64]

_CAMERA = np.array([0.0, 0.0])


def _box(x_m: float, y_m: float, length_m: float, width_m: float, turn_deg: float = 0.0) -> Float64s:
    turn = math.radians(turn_deg)
    ahead, right = np.array([math.sin(turn), math.cos(turn)]), np.array([math.cos(turn), -math.sin(turn)])
    half = ahead * length_m / 2, right * width_m / 2
    corners = [half[0] + half[1], half[0] - half[1], -half[0] - half[1], -half[0] + half[1]]
    return np.stack(corners) + (x_m, y_m)


def _order(*boxes: Float64s) -> list[int]:
    footprints = np.stack(boxes)
    distance = np.linalg.norm(footprints.mean(axis=1), axis=1)
    return paint_order(footprints, distance, np.ones((len(boxes), len(boxes)), np.bool_), _CAMERA)


def test_a_car_beside_the_front_half_of_a_long_bus_is_painted_after_it() -> None:
    bus, car = _box(-4.0, 16.0, 20.0, 2.5), _box(-1.0, 18.0, 4.5, 1.8)
    # The middle of the bus is nearer, and yet the car stands between it and the camera.
    assert _order(bus, car) == [0, 1]
    assert _order(car, bus) == [1, 0]


def test_things_in_a_row_are_painted_from_the_far_end() -> None:
    assert _order(_box(0, 10, 4, 2), _box(0, 30, 4, 2), _box(0, 20, 4, 2)) == [1, 2, 0]


def test_a_bag_on_the_footprint_of_a_bin_is_decided_by_distance() -> None:
    assert _order(_box(0, 10.0, 0.7, 0.7), _box(0, 9.8, 0.6, 0.6)) == [0, 1]


def test_three_that_hide_each_other_in_a_ring_are_all_painted_once() -> None:
    turns = (0.0, 2.1, 4.2)
    ring = [_box(4 * math.sin(turn), 12 + 4 * math.cos(turn), 12, 1.0, math.degrees(turn) + 75) for turn in turns]
    assert sorted(_order(*ring)) == [0, 1, 2]


def test_nothing_stands_before_itself_and_nothing_to_paint_is_no_order() -> None:
    box = _box(0, 10, 4, 2)[None]
    assert not stands_before(box, box, _CAMERA).any()
    assert paint_order(np.zeros((0, 4, 2)), np.zeros(0), np.zeros((0, 0), np.bool_), _CAMERA) == []


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[Float64s, Float64s]:
    def one() -> Float64s:
        return _box(
            draw(st.floats(-8, 8)),
            draw(st.floats(8, 40)),
            draw(st.floats(0.5, 12)),
            draw(st.floats(0.5, 3)),
            draw(st.floats(0, 180)),
        )

    return one(), one()


@given(_pairs())
def test_a_ray_that_meets_both_meets_the_later_painted_one_first(pair: tuple[Float64s, Float64s]) -> None:
    shapes = [Polygon(box) for box in pair]
    assume(shapes[0].distance(shapes[1]) > 0.05)
    assume(all(shape.distance(Polygon([(-0.1, -0.1), (0.1, -0.1), (0, 0.1)])) > 0.5 for shape in shapes))
    order = _order(*pair)
    far, near = shapes[order[0]], shapes[order[1]]
    for turn in np.linspace(-math.pi / 2, math.pi / 2, 181):
        ray = LineString([(0, 0), (80 * math.sin(turn), 80 * math.cos(turn))])
        hits = [ray.intersection(shape) for shape in (far, near)]
        if not hits[0].is_empty and not hits[1].is_empty:
            reach = [hit.distance(LineString([(0, 0), (0, 1e-9)])) for hit in hits]
            assert reach[1] <= reach[0] + 0.03
