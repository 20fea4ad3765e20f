"""A site folder around one pinhole camera, for real pictures whose camera nobody calibrated."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from sim.street.pinhole import PinholeCamera
from tests.sites import ONE_CAMERA

LAT, LNG = 39.9151, 116.4110
LAT_PER_M, LNG_PER_M = 1 / 111_030.0, 1 / 85_390.0
"""Degrees per metre at this latitude, WGS 84."""

Rectangle = tuple[float, float, float, float]


def write_pinhole_site(
    folder: Path, camera: PinholeCamera, zones: dict[str, tuple[str, Rectangle]], rules: dict[str, float]
) -> Path:
    """Write site.toml, zones.geojson, grid.geojson and a policy.toml for camera `cam-01`.

    zones: name → (kind, (x0, y0, x1, y1) in metres right of and ahead of the camera); rules: kind → min_dwell_s
    """
    folder.mkdir(parents=True)
    width, height = camera.size_px
    px = np.array([[x, y] for y in (0.45, 0.6, 0.8, 0.95) for x in (0.1, 0.5, 0.9)]) * (width, height)
    points = zip(px, camera.ground_under(px), strict=True)
    gcps = "".join(
        f"  {{ px = [{u:.2f}, {v:.2f}], lng = {LNG + x * LNG_PER_M:.9f}, lat = {LAT + y * LAT_PER_M:.9f} }},\n"
        for (u, v), (x, y) in points
    )
    limits = "".join(f"rules.{kind} = {{ min_dwell_s = {seconds:g} }}\n" for kind, seconds in rules.items())
    (folder / "site.toml").write_text(
        f'site_id = "demo"\n{limits}[[cameras]]\nid = "cam-01"\nsize_px = [{width}, {height}]\ngcps = [\n{gcps}]\n',
        encoding="utf-8",
    )
    features = [
        _feature(rectangle, {"id": name, "kind": kind, "surface": "roadway"})
        for name, (kind, rectangle) in zones.items()
    ]
    _write(folder / "zones.geojson", features)
    cell = _feature((-300.0, -50.0, 300.0, 600.0), {"code": "110101001001001"})
    _write(folder / "grid.geojson", [cell])
    shutil.copy(ONE_CAMERA / "policy.toml", folder)
    return folder


def _feature(rectangle: Rectangle, properties: dict[str, str]) -> dict[str, object]:
    x0, y0, x1, y1 = rectangle
    corners = ((x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
    ring = [[LNG + x * LNG_PER_M, LAT + y * LAT_PER_M] for x, y in corners]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def _write(path: Path, features: list[dict[str, object]]) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8")
