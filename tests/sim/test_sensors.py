"""Simulated sensors: scripted troubles, three kinds of firmware, the same run every time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.config import site_folder
from sim.scenario import Scenario, ScenarioError, SimSensor, load_scenario, load_sensors
from sim.sensors import payload_of, value_at

AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return load_scenario(site_folder("demo") / "scenario.toml")


def test_the_demo_site_has_200_sensors() -> None:
    site_id, sensors = load_sensors(site_folder("demo") / "site.toml")
    assert site_id == "demo"
    assert len(sensors) == len({sensor.id for sensor in sensors}) == 200


def test_every_trouble_of_the_demo_names_a_sensor_of_the_site(scenario: Scenario) -> None:
    _, sensors = load_sensors(site_folder("demo") / "site.toml")
    named = {trouble.sensor_id for trouble in scenario.sensor_troubles} | {b.sensor_id for b in scenario.broken_sensors}
    assert named <= {sensor.id for sensor in sensors}


def test_a_trouble_holds_from_its_first_to_before_its_last_second(scenario: Scenario) -> None:
    trouble = scenario.sensor_troubles[0]
    sensor = SimSensor(id=trouble.sensor_id, metric="level")
    assert value_at(sensor, scenario, trouble.from_s) == trouble.value
    assert value_at(sensor, scenario, trouble.until_s - 0.1) == trouble.value
    assert value_at(sensor, scenario, trouble.until_s) < 60
    assert value_at(sensor, scenario, scenario.loop_s + trouble.from_s) == trouble.value


def test_quiet_bins_stay_below_every_limit(scenario: Scenario) -> None:
    quiet = [SimSensor(id=f"quiet-{number}", metric="level") for number in range(200)]
    levels = [value_at(sensor, scenario, second) for sensor in quiet for second in (0, 100, 40_000)]
    assert min(levels) >= 0
    assert max(levels) < 60


def test_all_three_firmwares_occur_and_say_the_same(scenario: Scenario) -> None:
    bodies = [payload_of(SimSensor(id=f"bin-{n:03d}", metric="level"), 42.5, AT, scenario.seed) for n in range(200)]
    parsed = [json.loads(body) for body in bodies]
    kinds = {type(body) for body in parsed}
    assert kinds == {dict, list, float}
    assert all(body["values"] == {"level": 42.5} for body in parsed if isinstance(body, dict))
    assert all(body[0]["v"] == 42.5 for body in parsed if isinstance(body, list))


def test_a_mistyped_scenario_key_is_one_line(tmp_path: Path) -> None:
    text = (site_folder("demo") / "scenario.toml").read_text(encoding="utf-8").replace("\nloop_s", "\nloops")
    path = tmp_path / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(path)
    assert str(caught.value).startswith(f"{path}: loop_s: Field required")
    assert "\n" not in str(caught.value)
