"""What sensors feel of the street, and when they stand at real trouble."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sim.devices.sensing import STEP_S, SensorWatch, StreetSurroundings
from sim.motion.world import World
from sim.scenario import Scenario, parse_scenario
from tests.sim.conftest import SMALL

BEGINS_AT = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
BAY = '\n[[sensors.placed]]\nid = "bay-001"\nkind = "bay"\nx_m = -1.3\ny_m = 19\n'


def surroundings_of(scenario: Scenario) -> StreetSurroundings:
    world = World(
        scenario.built_street(), scenario.actors, scenario.traffic, seed=scenario.seed, loop_s=scenario.loop_s
    )
    return StreetSurroundings(world)


def watch_of(text: str, rule: dict[str, Any] | None = None) -> SensorWatch:
    scenario = parse_scenario(text)
    rules = scenario.sensor_rules if rule is None else {"bin_full": rule}
    return SensorWatch(scenario.built_fleet(), rules, BEGINS_AT, surroundings_of(scenario))


def filling(*levels: tuple[float, float]) -> str:
    """The small street with another course of its bin."""
    old = "fill = [[0, 0.5], [4, 0.5], [4, 1.2]]"
    assert old in SMALL
    return SMALL.replace(old, f"fill = {[list(level) for level in levels]}")


def test_the_fill_is_that_of_the_bin_at_that_second(small_scenario: Scenario) -> None:
    feels = surroundings_of(small_scenario)
    assert feels.fill_of("bin-a", 3.8) == 0.5
    assert feels.fill_of("bin-a", 4.2) == 1.2


@pytest.mark.parametrize("actor_id", ["car-a", "pile-a", "nobody"])
def test_only_bins_have_a_fill(small_scenario: Scenario, actor_id: str) -> None:
    assert surroundings_of(small_scenario).fill_of(actor_id, 2.0) is None


@pytest.mark.parametrize(
    ("x_m", "y_m", "second", "is_occupied"),
    [
        (-1.3, 19.0, 0.0, True),
        (-1.3, 19.0, 5.8, True),
        (-1.3, 19.0, 8.0, False),
        (-1.3, 21.0, 0.0, True),
        (-1.3, 22.0, 0.0, False),
        (-2.4, 19.0, 0.0, False),
        (1.2, 14.0, 3.0, False),
    ],
)
def test_a_place_is_taken_while_a_vehicle_stands_over_it(
    small_scenario: Scenario, x_m: float, y_m: float, second: float, is_occupied: bool
) -> None:
    assert surroundings_of(small_scenario).is_occupied(x_m, y_m, second) is is_occupied


def test_the_street_may_be_asked_about_the_past(small_scenario: Scenario) -> None:
    feels = surroundings_of(small_scenario)
    assert feels.fill_of("bin-a", 90.0) == 1.2
    assert feels.fill_of("bin-a", 1.0) == 0.5
    assert feels.is_occupied(-1.3, 19.0, 1.0)


def test_no_more_than_the_last_minutes_are_remembered(small_scenario: Scenario) -> None:
    feels = surroundings_of(small_scenario)
    for step in range(1500):
        feels.fill_of("bin-a", step * STEP_S)
    assert len(feels._seen) == 1024


def test_a_moment_that_is_asked_about_again_and_again_is_not_planned_again(small_scenario: Scenario) -> None:
    feels = surroundings_of(small_scenario)
    first = feels._bodies(2.0)
    for step in range(1500):
        feels.fill_of("bin-a", 20 + step * STEP_S)
        feels.fill_of("bin-a", 2.0)
    assert feels._bodies(2.0) is first


def test_a_full_bin_is_trouble_at_its_sensor_from_the_threshold_on() -> None:
    watch = watch_of(SMALL)
    assert watch.troubles_at(3.8) == []
    (trouble,) = watch.troubles_at(4.2)
    assert (trouble.kind, trouble.sources, trouble.actors) == ("bin_overflow", ("bin-001",), ("bin-a",))
    assert (trouble.x_m, trouble.y_m, trouble.limit_s) == (3.8, 13, 1)


def test_between_its_limits_a_rule_stays_as_it_was() -> None:
    watch = watch_of(
        filling((0, 0.7), (1, 0.7), (1, 0.9), (2, 0.9), (2, 0.7), (3, 0.7), (3, 0.55), (4, 0.55), (4, 0.7))
    )
    assert [bool(watch.troubles_at(second)) for second in (0.5, 1.5, 2.5, 3.5, 4.5)] == [
        False, True, True, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize(("level", "is_raised"), [(0.85, False), (0.851, True)])
def test_a_value_at_the_limit_is_not_beyond_it(level: float, is_raised: bool) -> None:
    assert bool(watch_of(filling((0, level))).troubles_at(1.0)) is is_raised


def test_a_rule_for_low_values_works_downwards() -> None:
    rule = {"kind": "bin_overflow", "raise_below": 20, "clear_above": 40}
    watch = watch_of(filling((0, 0.3), (1, 0.3), (1, 0.19), (2, 0.19), (2, 0.3), (3, 0.3), (3, 0.41)), rule)
    assert [bool(watch.troubles_at(second)) for second in (0.5, 1.5, 2.5, 3.5)] == [False, True, True, False]
    assert watch_of(filling((0, 0.1)), rule).troubles_at(1.0)[0].limit_s == 0.0


def test_sensors_without_a_rule_stand_at_no_trouble() -> None:
    watch = watch_of(SMALL.replace('rule = "bin_full"\n', ""))
    assert watch.troubles_at(5.0) == []


def test_a_stuck_sensor_stands_at_the_trouble_all_the_same() -> None:
    fault = '\n[[sensors.misbehaviour]]\nfault = "stuck"\nsensor = "bin-001"\n'
    assert [one.sources for one in watch_of(SMALL + fault).troubles_at(5.0)] == [("bin-001",)]


def test_a_bay_is_taken_by_the_car_that_stands_in_it() -> None:
    text = SMALL.replace(
        "[sensor_rules]",
        '[sensor_rules]\ntaken = { kind = "illegal_parking", raise_above = 0.5, clear_below = 0.5 }',
    )
    watch = watch_of(text + BAY + 'rule = "taken"\n')
    assert [one.sources for one in watch.troubles_at(2.0)] == [("bay-001",)]
    assert [one.sources for one in watch.troubles_at(9.0)] == [("bin-001",)]
