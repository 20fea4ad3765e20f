"""What ships loads, and the site folder of the demo is what its scenario describes."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import scenario_file, site_folder
from sim.adapters.site_folder import write_site
from sim.scenario import SCENARIO_FILE, load_scenario


def test_the_demo_site_passes_its_own_check() -> None:
    result = CliRunner().invoke(app, ["check-config", "--site", "demo"])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith(f"{site_folder('demo')}: good: ")


@pytest.fixture(scope="module")
def regenerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    write_site(load_scenario(scenario_file("demo")), folder, file=SCENARIO_FILE)
    return folder


@pytest.mark.parametrize("name", ["site.toml", "zones.geojson", "grid.geojson"])
def test_the_demo_site_follows_from_its_scenario(regenerated: Path, name: str) -> None:
    assert (regenerated / name).read_bytes() == (site_folder("demo") / name).read_bytes(), (
        "run `street721 sim site demo --out configs/demo`"
    )
