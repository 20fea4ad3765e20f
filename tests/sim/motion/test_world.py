"""The world in motion: the same answer to the same question, and stays that hold to the second."""

from __future__ import annotations

import math
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.motion.actors import TrafficPart
from sim.motion.world import World
from sim.street.body import Body, BodyKind
from tests.sim.moving_street import BUSY, LIGHT, ROWS, Row, world_of

PARKED: Row = {
    "id": "car", "kind": "car", "does": "park", "x_m": -1.2, "y_m": 30.0, "from_s": 40.3, "until_s": 90.7
}  # fmt: skip


def body(world: World, name: str, second: float) -> Body | None:
    return next((body for body in world.bodies_at(second) if body.id == name), None)


REFERENCE = world_of(*ROWS, traffic=BUSY)
ANSWERS = {second: REFERENCE.bodies_at(float(second)) for second in range(121)}


@settings(max_examples=10, deadline=None)
@given(seconds=st.lists(st.integers(0, 120), min_size=1, max_size=6))
def test_the_order_of_the_questions_changes_nothing(seconds: list[int]) -> None:
    world = world_of(*ROWS, traffic=BUSY)
    for second in seconds:
        assert world.bodies_at(float(second)) == ANSWERS[second]


@settings(max_examples=5, deadline=None)
@given(step_s=st.floats(0.03, 3.0))
def test_the_frame_rate_changes_nothing(step_s: float) -> None:
    world = world_of(*ROWS, traffic=BUSY)
    for second in np.arange(0.0, 60.0, step_s).tolist():
        world.bodies_at(second)
    assert world.bodies_at(60.0) == ANSWERS[60]


def test_going_back_after_forgetting_gives_the_same_answer() -> None:
    world = world_of(*ROWS, traffic=BUSY)
    world.bodies_at(0.0)
    world.bodies_at(400.0)
    assert world.bodies_at(30.0) == ANSWERS[30]


def test_another_seed_is_another_traffic() -> None:
    assert world_of(traffic=BUSY, seed=4).bodies_at(30.0) != world_of(traffic=BUSY, seed=3).bodies_at(30.0)


def test_traffic_does_not_change_what_scripted_actors_do() -> None:
    alone, among = world_of(*ROWS), world_of(*ROWS, traffic=BUSY)
    for second in range(0, 700, 7):
        ids = {body.id for body in alone.bodies_at(float(second))}
        assert {body for body in among.bodies_at(float(second)) if body.id in ids} == set(
            alone.bodies_at(float(second))
        )


def test_a_parked_car_stands_from_exactly_its_first_second_to_its_last() -> None:
    world = world_of(PARKED, traffic=BUSY)
    stays = {body(world, "car", second) for second in (40.3, 41.0, 60.123, math.nextafter(90.7, 0))}
    assert len(stays) == 1
    (stay,) = stays
    assert stay is not None
    assert (stay.x_m, stay.y_m, stay.heading_deg, stay.speed_mps) == (-1.2, 30.0, 0.0, 0.0)
    assert not stay.is_running
    for second in (40.0, 91.0):
        moving = body(world, "car", second)
        assert moving is not None
        assert moving.is_running
        assert (moving.x_m, moving.y_m) != (-1.2, 30.0)


@pytest.mark.parametrize(
    ("x_m", "y_m", "from_s"), [(-1.2, 30.0, 40.0), (1.4, 30.0, 40.0), (-10.8, 20.0, 83.0), (-4.25, 90.0, 60.0)]
)
def test_a_car_comes_along_its_lane_and_moves_over_smoothly(x_m: float, y_m: float, from_s: float) -> None:
    world = world_of({**PARKED, "x_m": x_m, "y_m": y_m, "from_s": from_s})
    way = [found for step in range(1600) if (found := body(world, "car", step * 0.1)) is not None]
    lane_x = -4.25 if x_m > -6 else -7.75
    assert way[0].x_m == pytest.approx(lane_x)
    assert way[-1].x_m == pytest.approx(lane_x)
    assert abs(way[0].y_m - way[-1].y_m) > 185
    for here, there in pairwise(way):
        assert math.hypot(there.x_m - here.x_m, there.y_m - here.y_m) < 1.05
        assert abs(there.heading_deg - here.heading_deg) < 4.0


def test_a_car_that_comes_to_park_has_crossed_on_green() -> None:
    for from_s in np.arange(60.0, 160.0, 3.0).tolist():
        world = world_of({**PARKED, "y_m": 100.0, "from_s": from_s, "until_s": 400.0})
        for step in range(int(from_s * 5)):
            here, there = (body(world, "car", (step + more) / 5) for more in (0, 1))
            is_over = here and there and here.y_m + here.length_m / 2 < 58.5 <= there.y_m + there.length_m / 2
            assert not is_over or LIGHT.is_green(step / 5), from_s


def test_a_stay_from_second_0_on_has_always_been_there() -> None:
    world = world_of({**PARKED, "from_s": 0.0})
    stay = body(world, "car", 0.0)
    assert stay is not None
    assert stay.speed_mps == 0.0
    assert stay is body(world, "car", 50.0)


def test_a_car_gets_out_between_two_others() -> None:
    row = {**PARKED, "from_s": 0.0}
    world = world_of(
        row, {**row, "id": "a", "y_m": 24.2, "until_s": 500.0}, {**row, "id": "b", "y_m": 35.8, "until_s": 500.0}
    )
    out = body(world, "car", 100.0)
    assert out is not None
    assert out.x_m == pytest.approx(-4.25)


def test_a_short_stop_keeps_the_engine_on() -> None:
    stop = body(world_of(*ROWS), "bus", 225.0)
    assert stop is not None
    assert (stop.x_m, stop.y_m, stop.is_running, stop.kind) == (-1.4, 90.0, True, BodyKind.BUS)


def test_garbage_is_there_from_the_second_it_is_dropped_until_it_is_collected() -> None:
    bag: Row = {
        "id": "bag", "kind": "bag", "does": "stand", "x_m": 1.0, "y_m": 12.0, "from_s": 60.0, "until_s": 200.0,
        "dropped_by": "pedestrian", "collected_by": "truck",
    }  # fmt: skip
    world = world_of(bag)
    assert [body(world, "bag", second) is not None for second in (59.9, 60.0, 199.9, 200.0)] == [
        False,
        True,
        True,
        False,
    ]
    dropper, truck = body(world, "bag-dropper", 60.0), body(world, "bag-truck", 200.0)
    assert dropper is not None
    assert math.hypot(dropper.x_m - 1.0, dropper.y_m - 12.0) < 1.0
    assert truck is not None
    assert (truck.kind, truck.y_m, truck.speed_mps) == (BodyKind.TRUCK, 12.0, 0.0)


def test_a_bin_shows_its_level() -> None:
    row: Row = {"id": "bin", "kind": "bin", "does": "stand", "x_m": 2.5, "y_m": 15.0, "fill": [[0, 0.2], [60, 1.4]]}
    world = world_of(row)
    levels = [found.fill for second in (0, 30, 60) if (found := body(world, "bin", second)) is not None]
    assert levels == pytest.approx([0.2, 0.8, 1.4])


def test_a_loop_repeats() -> None:
    world = world_of(*ROWS, traffic=BUSY, loop_s=100.0)
    first = {second: world.bodies_at(float(second)) for second in range(0, 100, 9)}
    for second, bodies in first.items():
        assert world.bodies_at(second + 300.0) == bodies


def test_a_thing_that_stands_is_the_same_object_in_every_frame() -> None:
    row: Row = {"id": "goods", "kind": "goods", "does": "stand", "x_m": 1.0, "y_m": 15.0}
    world = world_of(row)
    assert world.bodies_at(1.0)[0] is world.bodies_at(500.0)[0]


def test_memory_does_not_grow_in_six_hours() -> None:
    world = world_of(*ROWS, traffic=TrafficPart(vehicles_per_h=30, bicycles_per_h=10, pedestrians_per_h=20))
    tracemalloc.start()
    try:
        held = []
        for second in range(0, 6 * 3600, 10):
            world.bodies_at(float(second))
            if second % 3600 == 1800:
                held.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert held[-1] < held[0] + 1_500_000


@pytest.mark.parametrize("second", [-0.1, math.inf, math.nan])
def test_a_second_that_never_comes_is_refused(second: float) -> None:
    with pytest.raises(ValueError, match="second must be 0 or later"):
        world_of().bodies_at(second)


@pytest.mark.parametrize("loop_s", [0.0, -1.0, math.inf])
def test_a_loop_needs_a_length(loop_s: float) -> None:
    with pytest.raises(ValueError, match="loop_s must be a positive number"):
        world_of(loop_s=loop_s)
