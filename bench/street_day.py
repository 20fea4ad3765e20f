"""A simulated day on the demo's street with the limits of a real one: what parks, lies about and blocks the way when.

Traffic by the hour and how long things stay are assumptions of this bench: a street that is quiet at night and busy
twice a day, and stays that lie around the rules' limits, so that about half of them become incidents.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import timedelta
from importlib import resources
from typing import Any

import numpy as np

from sim.motion.actors import ActorError
from sim.scenario import Scenario, check_scenario

FRAMES_PER_S = 5.0
_HOUR_S = 3600.0
_FILE = "configs/demo/scenario.toml"
_TRAFFIC = ((6, 20, 5, 5), (9, 260, 120, 200), (17, 200, 60, 150), (20, 300, 120, 250), (24, 80, 20, 40))
"""Until which hour: vehicles per direction, bicycles per direction and pedestrians per sidewalk, each per hour."""
_KERB_X_M = {"right": -1.3, "left": -10.7}
_KERB_STEP_M = 7.5
_HEAPS_M = ((1.5, 13.5), (1.9, 28.0), (1.6, 88.0), (1.9, 103.0))
_ROWS_OF_BINS_M = (48.0, 64.0, 139.0)
_ROW_X_M = (-14.55, -13.8, -13.05)
_LEAVES_WITHIN_S = 45.0
"""A vehicle needs this long to go before the next one may come."""


def street_hour(hour: int, *, seed: int) -> Scenario:
    """One hour of the day, 0 to 23; raises ScenarioError when the demo's street has changed under it."""
    data = tomllib.loads((resources.files("configs") / "demo" / "scenario.toml").read_text(encoding="utf-8"))
    chance = np.random.default_rng((seed, hour))
    for key in ("loop_s", "rules", "sensor_rules", "sensors", "faults", "weather"):
        data.pop(key, None)
    for camera in data["cameras"]:
        camera["frames_per_s"] = FRAMES_PER_S
    data["begins_at"] += timedelta(hours=hour)
    data["seed"] = seed
    data["traffic"] = _traffic(hour)
    data["actors"] = [*_stays(chance, data["street"]["zones"])]
    scenario = _without_collisions(Scenario.model_validate(data))
    check_scenario(scenario, file=_FILE)
    return scenario


def _without_collisions(scenario: Scenario) -> Scenario:
    """The hour without the vehicles that would have to drive through another one to their place or away from it."""
    while True:
        try:
            scenario.built_world()
        except ActorError as error:
            left = tuple(actor for actor in scenario.actors if actor.id != error.actor_id)
            scenario = scenario.model_copy(update={"actors": left})
        else:
            return scenario


def _traffic(hour: int) -> dict[str, float]:
    _, vehicles, bicycles, pedestrians = next(row for row in _TRAFFIC if hour < row[0])
    return {"vehicles_per_h": vehicles, "bicycles_per_h": bicycles, "pedestrians_per_h": pedestrians}


def _stays(chance: np.random.Generator, zones: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every actor that stands somewhere for a while."""
    for zone in zones:
        if zone["kind"] == "no_parking":
            near_m, far_m = zone["y_m"]
            for y_m in np.arange(near_m + 5, far_m - 3, _KERB_STEP_M).tolist():
                yield from _parked(chance, zone, y_m)
    for number, (x_m, y_m) in enumerate(_HEAPS_M):
        for from_s, until_s in _times(chance, stays_s=600, free_s=2400):
            yield {
                "id": f"heap-{number}-{from_s:.0f}", "kind": "garbage", "does": "stand", "x_m": x_m, "y_m": y_m,
                "from_s": from_s, "until_s": until_s, "dropped_by": "pedestrian", "collected_by": "pedestrian",
            }  # fmt: skip
    for y_m in _ROWS_OF_BINS_M:
        for from_s, until_s in _times(chance, stays_s=300, free_s=2400):
            for place, x_m in enumerate(_ROW_X_M):
                yield {
                    "id": f"bin-{y_m:.0f}-{place}-{from_s:.0f}", "kind": "bin", "does": "stand", "x_m": x_m,
                    "y_m": y_m, "heading_deg": 180, "from_s": from_s, "until_s": until_s,
                }  # fmt: skip


def _parked(chance: np.random.Generator, zone: dict[str, Any], y_m: float) -> Iterator[dict[str, Any]]:
    for from_s, until_s in _times(chance, stays_s=300, free_s=1800):
        yield {
            "id": f"{zone['id']}-{y_m:.0f}-{from_s:.0f}", "kind": str(chance.choice(["car", "car", "car", "van"])),
            "does": "park", "x_m": _KERB_X_M[zone["side"]], "y_m": y_m, "from_s": from_s, "until_s": until_s,
        }  # fmt: skip


def _times(chance: np.random.Generator, *, stays_s: float, free_s: float) -> Iterator[tuple[float, float]]:
    """Stays (from, until) of an hour at one place: their median is stays_s, the pauses between them last free_s on
    average."""
    at_s = chance.exponential(free_s / 2)
    while at_s < _HOUR_S:
        lasts_s = max(10.0, stays_s * chance.lognormal(0.0, 0.8))
        yield round(at_s, 1), round(at_s + lasts_s, 1)
        at_s += lasts_s + _LEAVES_WITHIN_S + chance.exponential(free_s)
