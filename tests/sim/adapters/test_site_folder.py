"""The site folder on disk; what stands in its files is told in tests/sim/test_site_files.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from geofence.adapters.site_folder import load_site
from sim.adapters.site_folder import write_site
from sim.scenario import Scenario


def test_the_product_reads_what_is_written(small_scenario: Scenario, tmp_path: Path) -> None:
    paths = write_site(small_scenario, tmp_path / "deep" / "site")
    assert [path.name for path in paths] == ["site.toml", "zones.geojson", "grid.geojson"]
    site = load_site(tmp_path / "deep" / "site")
    assert (site.site_id, list(site.cameras), len(site.sensors)) == ("small", ["cam-a"], 3)


def test_writing_again_changes_no_byte(small_scenario: Scenario, tmp_path: Path) -> None:
    before = [path.read_bytes() for path in write_site(small_scenario, tmp_path)]
    assert [path.read_bytes() for path in write_site(small_scenario, tmp_path)] == before


def test_a_policy_that_stands_there_already_stays(small_scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text("[orders]\n", encoding="utf-8")
    write_site(small_scenario, tmp_path)
    assert (tmp_path / "policy.toml").read_text(encoding="utf-8") == "[orders]\n"


def test_a_file_in_the_way_is_an_error(small_scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "site").write_text("", encoding="utf-8")
    with pytest.raises(FileExistsError):
        write_site(small_scenario, tmp_path / "site")
