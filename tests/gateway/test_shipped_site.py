"""What ships loads, and the site folder of the demo is what its scenario describes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.config import scenario_file, site_folder
from sim.adapters.site_folder import write_site
from sim.scenario import SCENARIO_FILE, load_scenario
from tests.sites import ONE_CAMERA


def test_the_demo_site_passes_its_own_check() -> None:
    result = CliRunner().invoke(app, ["check-config", "--site", "demo"])
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith(f"{site_folder('demo')}: good: ")


def test_a_reference_picture_that_cannot_be_read_is_a_fault_of_the_site(tmp_path: Path) -> None:
    """As the daemon would find it."""
    site = tmp_path / "site"
    shutil.copytree(ONE_CAMERA, site)
    (site / "reference").mkdir()
    (site / "reference" / "cam-01.png").write_bytes(b"no picture")
    result = CliRunner().invoke(app, ["check-config", "--site", str(site)])
    assert "cam-01.png is no picture; save it again with" in str(result.exception)


def test_files_that_nothing_reads_and_equal_warnings_are_one_line_each(tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(ONE_CAMERA, site)
    (site / "permit.toml").write_text("permits = []")
    text = (site / "site.toml").read_text(encoding="utf-8")
    (site / "site.toml").write_text(text.replace("lat = 39.9164", "lat = 39.9464"), encoding="utf-8")
    result = CliRunner().invoke(app, ["check-config", "--site", str(site)])
    misnamed, sensors = [line for line in result.stdout.splitlines() if line.startswith("warning: ")]
    assert misnamed == "warning: permit.toml: nothing reads it; did you mean 'permits.toml'?"
    assert "sensor bin-001: lies further than 20 m from all cells" in sensors
    assert sensors.endswith(" more like it)")


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
