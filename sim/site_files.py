"""The site folder of a scenario: site.toml with control points, zones.geojson and grid.geojson.

Written for the gateway to read, from nothing but the scenario, so that its calibration is tested too: the
control points are what a surveyor would measure in the picture and on the street.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sim.devices.sensor import Sensor
from sim.scenario import CameraPart, Scenario, ScenarioError, on_street
from sim.street.earth import EarthFrame
from sim.street.street import Street

Float64s = npt.NDArray[np.float64]

MIN_CONTROL_POINTS = 6
# Rows and columns of the net from which control points are taken, as shares of the picture.
_NET_X = (0.06, 0.28, 0.5, 0.72, 0.94)
_NET_Y = (0.08, 0.14, 0.22, 0.34, 0.5, 0.7, 0.93)
_GROUND_FAR_M = 90.0
_HEAD = """\
# Generated from scenario.toml beside this file by `street721 sim site`; change the scenario, not this.
# Keys without a table come first, as TOML wants it; the cameras stand at the end of the file.
"""


def site_toml(scenario: Scenario, street: Street, sensors: Sequence[Sensor], *, file: str = "scenario.toml") -> str:
    """Text of site.toml; raises ScenarioError for a camera without enough ground for control points."""
    lines = [_HEAD, f'site_id = "{scenario.site.id}"', f'timezone = "{scenario.site.timezone}"', 'crs = "wgs84"', ""]
    lines += [f"rules.{name} = {_inline(keys)}" for name, keys in scenario.rules.items()]
    lines += [f"sensor_rules.{name} = {_inline(keys)}" for name, keys in scenario.sensor_rules.items()]
    lines += ["", "sensors = [", *_sensor_lines(sensors, scenario.site.frame()), "]"]
    for number, camera in enumerate(scenario.cameras):
        rng = np.random.default_rng((scenario.seed, 3, number))
        points = _control_points(camera, street, rng, where=(file, f"cameras.{number} ({camera.id})"))
        lines += ["", *_camera_lines(camera, *points, frame=scenario.site.frame())]
    return "\n".join(lines) + "\n"


def zones_geojson(scenario: Scenario, street: Street) -> str:
    """Text of zones.geojson."""
    frame = scenario.site.frame()
    return _collection(
        ({"id": zone.id, "kind": zone.kind.value, "surface": zone.surface}, frame.to_lat_lng(zone.area.corners()))
        for zone in street.zones
    )


def grid_geojson(scenario: Scenario) -> str:
    """Text of grid.geojson."""
    grid = scenario.grid.grid()
    return _collection(({"code": code}, grid.corners_of(number)) for number, code in enumerate(grid.codes()))


def _collection(shapes: Iterator[tuple[dict[str, str], Float64s]] | Any) -> str:
    """A feature collection, one feature a line; GeoJSON writes longitude first and closes its rings."""
    lines = [
        "  "
        + json.dumps(
            {
                "type": "Feature",
                "properties": properties,
                "geometry": {"type": "Polygon", "coordinates": [[[lng, lat] for lat, lng in _closed(corners)]]},
            },
            ensure_ascii=False,
        )
        for properties, corners in shapes
    ]
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"


def _closed(corners: Float64s) -> list[list[float]]:
    rounded = np.round(corners, 8).tolist()
    return [*rounded, rounded[0]]


def _sensor_lines(sensors: Sequence[Sensor], frame: EarthFrame) -> Iterator[str]:
    places = frame.to_lat_lng(np.array([(sensor.x_m, sensor.y_m) for sensor in sensors], np.float64))
    for sensor, (lat, lng) in zip(sensors, places.tolist(), strict=True):
        rule = f', rule = "{sensor.rule}"' if sensor.rule else ""
        yield f'  {{ id = "{sensor.id}", metric = "{sensor.metrics[0]}", lat = {lat:.6f}, lng = {lng:.6f}{rule} }},'


def _control_points(
    camera: CameraPart, street: Street, rng: np.random.Generator, *, where: tuple[str, str]
) -> tuple[Float64s, Float64s]:
    """Pixels (N, 2) and the street metres (N, 2) below them."""
    net = np.array([(x, y) for y in _NET_Y for x in _NET_X]) * camera.size_px
    ground_m = camera.pinhole().ground_under(net)
    near = np.hypot(ground_m[:, 0] - camera.x_m, ground_m[:, 1] - camera.y_m) < _GROUND_FAR_M
    kept = near & on_street(ground_m, street, camera)
    if kept.sum() < MIN_CONTROL_POINTS:
        problem = f"shows only {kept.sum()} places for control points on the street; {MIN_CONTROL_POINTS} are needed"
        raise ScenarioError(*where, problem)
    noise_px = rng.normal(0, 1, (len(net), 2)) * camera.gcp_noise_px
    px = np.clip(net + noise_px, 0, camera.size_px)
    return px[kept], ground_m[kept]


def _camera_lines(camera: CameraPart, px: Float64s, ground_m: Float64s, *, frame: EarthFrame) -> Iterator[str]:
    width, height = camera.size_px
    yield "[[cameras]]"
    yield f'id = "{camera.id}"'
    yield f"size_px = [{width}, {height}]"
    yield f"max_reprojection_px = {max(0.5, 6 * camera.gcp_noise_px):g}"
    if camera.k1 or camera.k2:
        yield f"lens = {_inline({'focal_px': camera.focal_px, 'k1': camera.k1, 'k2': camera.k2})}"
    yield "gcps = ["
    for (right, down), (lat, lng) in zip(px.tolist(), frame.to_lat_lng(ground_m).tolist(), strict=True):
        yield f"  {{ px = [{right:.3f}, {down:.3f}], lng = {lng:.9f}, lat = {lat:.9f} }},"
    yield "]"


def _inline(keys: Mapping[str, Any]) -> str:
    return "{ " + ", ".join(f"{key} = {_value(value)}" for key, value in keys.items()) + " }"


def _value(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str | bool) else f"{value:.15g}"
