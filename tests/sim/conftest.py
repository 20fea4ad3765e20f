"""A small street whose frames are quickly drawn, and what it is rendered to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sim.adapters.render import Rendered, render
from sim.scenario import Scenario, parse_scenario

SMALL_S = 10.0
_HEAD = """\
seed = 3
begins_at = 2026-06-01T09:00:00+08:00

[site]
id = "small"
lat = 39.9151351
lng = 116.4110263
bearing_deg = 20
timezone = "Asia/Shanghai"

[grid]
prefix = "110101001001"
lat = 39.9152
lng = 116.4110
cell_m = 40
columns = 4
rows = 4

[rules]
illegal_parking = { min_dwell_s = 3 }
exposed_garbage = { min_dwell_s = 2, merge_m = 6 }
blocked_sidewalk = { min_dwell_s = 2, min_clear_m = 1.5 }

[sensor_rules]
bin_full = { kind = "bin_overflow", raise_above = 85, clear_below = 60, hold_s = 1, clear_hold_s = 1 }

[street]
y_m = [-10, 50]
zones = [
  { id = "kerb", kind = "no_parking", y_m = [5, 40] },
  { id = "walk", kind = "sidewalk", y_m = [5, 40] },
  { id = "road", kind = "street", y_m = [5, 40] },
  { id = "collection", kind = "collection_point", x_m = [3, 5], y_m = [11, 15] },
]

[traffic]
pedestrians_per_h = 240

[[sensors.groups]]
kind = "noise"
count = 2
"""
CAMERA = """
[[cameras]]
id = "cam-a"
x_m = -1
y_m = 0
height_m = 5.5
tilt_deg = 20
focal_px = 270
size_px = [320, 180]
"""
ACTORS = """
[[actors]]
id = "car-a"
kind = "car"
does = "park"
x_m = -1.3
y_m = 19
until_s = 6

[[actors]]
id = "pile-a"
kind = "garbage"
does = "stand"
x_m = 1.2
y_m = 14
from_s = 1
until_s = 7

[[actors]]
id = "bin-a"
kind = "bin"
does = "stand"
x_m = 3.8
y_m = 13
heading_deg = 180
fill = [[0, 0.5], [4, 0.5], [4, 1.2]]

[[sensors.placed]]
id = "bin-001"
kind = "bin"
x_m = 3.8
y_m = 13
rule = "bin_full"
follows = "bin-a"
"""
EMPTY = _HEAD + CAMERA
"""The street with its camera, two sensors, and some who walk by."""
SMALL = EMPTY + ACTORS
"""A car at the kerb, garbage on the sidewalk, and a bin that spills; all within ten seconds."""


def lines_of(file: Path) -> list[Any]:
    """The objects of a file of JSON lines."""
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def small_scenario() -> Scenario:
    return parse_scenario(SMALL)


@pytest.fixture(scope="session")
def small_render(tmp_path_factory: pytest.TempPathFactory, small_scenario: Scenario) -> tuple[Path, Rendered]:
    """Its first ten seconds on disk, only to be read."""
    folder = tmp_path_factory.mktemp("small")
    return folder, render(small_scenario, folder, seconds=SMALL_S)
