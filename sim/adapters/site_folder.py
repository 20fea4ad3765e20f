"""Writes the site folder that a scenario describes."""

from __future__ import annotations

from pathlib import Path

from sim.scenario import Scenario
from sim.site_files import grid_geojson, site_toml, zones_geojson


def write_site(scenario: Scenario, folder: Path, *, file: str = "scenario.toml") -> tuple[Path, ...]:
    """Write site.toml, zones.geojson and grid.geojson; returns their paths.

    policy.toml is a city's own and is not made here. Raises ScenarioError, OSError.
    """
    street, fleet = scenario.built_street(), scenario.built_fleet()
    texts = {
        "site.toml": site_toml(scenario, street, fleet.sensors, file=file),
        "zones.geojson": zones_geojson(scenario, street),
        "grid.geojson": grid_geojson(scenario),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return tuple(folder / name for name in texts)
