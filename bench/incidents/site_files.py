"""The site folder of a scenario, as text: what `street721 judge --site` reads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from bench.errors import BenchError
from bench.incidents.scenario import CAMERA_ID, Scenario
from detectors.classes import load_classes
from geofence.config import parse_site_toml
from geofence.site import Site, build_site
from geofence.site_map import parse_grid, parse_zones

_NET_X = (0.04, 0.25, 0.5, 0.75, 0.96)
_NET_Y = (0.1, 0.2, 0.35, 0.5, 0.7, 0.95)
_CONTROL_WITHIN_M = 70.0
_MIN_CONTROL_POINTS = 6


def site_texts(scenario: Scenario) -> dict[str, str]:
    """File name → text of site.toml, zones.geojson and grid.geojson."""
    zones = (
        (
            {"id": zone.id, "kind": zone.kind, **({"hours": zone.hours} if zone.hours else {})},
            scenario.earth.to_lat_lng(np.array(zone.corners_m, np.float64)),
        )
        for zone in scenario.zones
    )
    grid = scenario.grid
    cells = (({"code": code}, grid.corners_of(number)) for number, code in enumerate(grid.codes()))
    return {"site.toml": _site_toml(scenario), "zones.geojson": _collection(zones), "grid.geojson": _collection(cells)}


def built_site(scenario: Scenario) -> Site:
    """The site as the product reads it, without a folder."""
    texts = site_texts(scenario)
    return build_site(
        parse_site_toml(texts["site.toml"]),
        parse_zones(texts["zones.geojson"]),
        parse_grid(texts["grid.geojson"]),
        load_classes(),
    )


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts by their names, with the folders that they need."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _site_toml(scenario: Scenario) -> str:
    rules = scenario.rules
    shared = f"absence_s = {rules.absence_s:g}, max_gap_s = {rules.max_gap_s:g}"
    width, height = scenario.camera.size_px
    camera = scenario.camera
    lines = [
        f"# {scenario.says}",
        'site_id = "incidents"',
        'crs = "wgs84"',
        f'timezone = "{scenario.timezone}"',
        f"rules.illegal_parking = {{ min_dwell_s = {rules.parking_s:g}, {shared} }}",
        f"rules.exposed_garbage = {{ min_dwell_s = {rules.garbage_s:g}, {shared}, merge_m = {rules.merge_m:g} }}",
        f"rules.blocked_sidewalk = {{ min_dwell_s = {rules.blocked_s:g}, {shared}, "
        f"min_clear_m = {rules.min_clear_m:g}, merge_m = {rules.blockade_m:g} }}",
        "",
        "[[cameras]]",
        f'id = "{CAMERA_ID}"',
        f"size_px = [{width}, {height}]",
    ]
    if camera.k1 or camera.k2:
        lines.append(f"lens = {{ focal_px = {camera.focal_px:g}, k1 = {camera.k1:g}, k2 = {camera.k2:g} }}")
    return "\n".join([*lines, "gcps = [", *_control_points(scenario), "]"]) + "\n"


def _control_points(scenario: Scenario) -> list[str]:
    camera = scenario.camera
    net_px = np.array([(x, y) for y in _NET_Y for x in _NET_X]) * camera.size_px
    ground_m = camera.ground_under(net_px)
    away_m = np.linalg.norm(ground_m - camera.position_m[:2], axis=1)
    near = away_m < _CONTROL_WITHIN_M
    if near.sum() < _MIN_CONTROL_POINTS:
        raise BenchError(f"scenario {scenario.name}: the camera shows {near.sum()} places for control points")
    places = scenario.earth.to_lat_lng(ground_m[near]).tolist()
    return [
        f"  {{ px = [{x:.3f}, {y:.3f}], lng = {lng:.9f}, lat = {lat:.9f} }},"
        for (x, y), (lat, lng) in zip(net_px[near].tolist(), places, strict=True)
    ]


def _collection(shapes: Iterable[tuple[dict[str, str], Any]]) -> str:
    features = []
    for properties, corners in shapes:
        ring = [[round(lng, 9), round(lat, 9)] for lat, lng in corners.tolist()]
        geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        features.append(json.dumps({"type": "Feature", "properties": properties, "geometry": geometry}))
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(features) + "\n]}\n"
