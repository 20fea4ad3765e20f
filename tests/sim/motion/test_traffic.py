"""Ordinary traffic: it follows, queues, waits, and never touches anybody."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from sim.motion.actors import TrafficPart
from sim.motion.following import Driver
from sim.street.body import TWO_WHEELERS, VEHICLES, Body
from tests.sim.moving_street import BUSY, LIGHT, ROWS, world_of

CARS = TrafficPart(vehicles_per_h=500)
STOP_LINE_M = {1: 58.5, -1: 65.5}


def test_no_two_vehicles_ever_touch_in_twenty_minutes() -> None:
    world = world_of(*ROWS, traffic=BUSY)
    for second in np.arange(0.0, 1200.0, 0.4).tolist():
        bodies = [body for body in world.bodies_at(second) if body.kind in VEHICLES | TWO_WHEELERS]
        outlines = shapely.polygons([body.footprint_m() for body in bodies])
        pairs = shapely.STRtree(outlines).query(outlines, predicate="intersects").T
        touching = {(bodies[one].id, bodies[other].id) for one, other in pairs.tolist() if one != other}
        assert not touching, second


def waiting(bodies: tuple[Body, ...], direction: int) -> list[Body]:
    """Vehicles that stand in a lane, first in the queue first."""
    ahead = 0.0 if direction > 0 else 180.0
    standing = [body for body in bodies if body.speed_mps < 0.1 and body.heading_deg == ahead]
    return sorted(standing, key=lambda body: -direction * body.y_m)


@pytest.mark.parametrize("direction", [1, -1])
def test_a_queue_stands_at_the_red_light_and_goes_on_green(direction: int) -> None:
    world = world_of(traffic=CARS)
    last_red_s = LIGHT.green_s + LIGHT.red_s - 0.2
    queues = []
    for round_s in range(0, 600, 50):
        assert not waiting(world.bodies_at(round_s + LIGHT.green_s - 1.0), direction)
        queue = waiting(world.bodies_at(round_s + last_red_s), direction)
        queues.append(len(queue))
        if queue:
            front = queue[0].y_m + direction * queue[0].length_m / 2
            assert direction * (STOP_LINE_M[direction] - front) == pytest.approx(0.4, abs=0.3)
            assert queue[0].is_braking
            assert queue[0].is_running
    assert max(queues) >= 3


def test_nobody_drives_over_the_line_well_into_red() -> None:
    world = world_of(traffic=CARS)
    for round_s in range(0, 600, 50):
        for second in np.arange(round_s + LIGHT.green_s + 3.0, round_s + 49.8, 0.4).tolist():
            before = {body.id: body.y_m + body.length_m / 2 for body in world.bodies_at(second) if body.x_m > -6}
            after = {body.id: body.y_m + body.length_m / 2 for body in world.bodies_at(second + 0.2)}
            over = [name for name, y_m in before.items() if y_m < STOP_LINE_M[1] < after.get(name, y_m)]
            assert not over


def test_the_street_is_populated_when_the_scenario_begins() -> None:
    counts = [len(world_of(traffic=CARS, seed=seed).bodies_at(0.0)) for seed in range(6)]
    assert np.mean(counts) > 3


def test_as_many_come_as_are_asked_for() -> None:
    world = world_of(traffic=TrafficPart(vehicles_per_h=300, pedestrians_per_h=60))
    seen = {body.id for second in range(0, 3600, 5) for body in world.bodies_at(float(second))}
    vehicles = sum(name.startswith("vehicle") for name in seen)
    strollers = sum(name.startswith("stroller") for name in seen)
    # Poisson: 600 ± 3 × 24 and 120 ± 3 × 11, plus those already there.
    assert 528 < vehicles < 690
    assert 87 < strollers < 165


def test_a_car_that_stops_in_the_lane_holds_up_those_behind() -> None:
    row = {"id": "stop", "kind": "car", "does": "stop", "x_m": -4.25, "y_m": 20.0, "from_s": 110.0, "for_s": 40.0}
    behind = [body for body in waiting(world_of(row, traffic=CARS).bodies_at(149.0), 1) if body.y_m < 20.0]
    assert behind
    assert behind[0].y_m + behind[0].length_m / 2 < 20.0 - 2.3


def test_pedestrians_cross_only_while_vehicles_wait() -> None:
    world = world_of(traffic=TrafficPart(crossing_per_red=5))
    crossing = 0
    for second in np.arange(0.0, 600.0, 0.5).tolist():
        on_road = [body for body in world.bodies_at(second) if -12 < body.x_m < 0]
        crossing += len(on_road)
        assert not on_road or not LIGHT.is_green(second)
    assert crossing > 0


def test_a_driver_with_a_free_road_keeps_its_speed_and_behind_a_wall_brakes() -> None:
    driver = Driver(speed_mps=10.0)
    assert driver.acceleration(speed=10.0, wanted=10.0, gap=float("inf"), closing=0.0) == 0.0
    assert driver.acceleration(speed=10.0, wanted=10.0, gap=8.0, closing=10.0) == -6.0
    assert driver.acceleration(speed=0.0, wanted=10.0, gap=2.0, closing=0.0) == pytest.approx(0.0)
