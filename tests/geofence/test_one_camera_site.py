"""The one-camera test site is what its README says: camera model, zones in local metres, cells, sensors."""

from __future__ import annotations

import re

import numpy as np
import pytest
import shapely

from geofence.messages import CellMatch, IncidentKind
from geofence.places import ZoneKind
from geofence.site import Site
from tests.geofence.conftest import Pinhole
from tests.sites import ONE_CAMERA

README = (ONE_CAMERA / "README.md").read_text(encoding="utf-8")


def test_control_points_fit_within_half_a_pixel(small_site: Site) -> None:
    camera = small_site.cameras["cam-01"]
    assert camera.size_px == (960, 540)
    assert len(camera.homography.residual_px) >= 8
    assert camera.homography.residual_px.max() < 0.5


@pytest.mark.parametrize("place", [(0.0, 8.0), (3.0, 8.0), (-2.5, 12.0), (5.0, 13.0), (-9.0, 30.0), (1.5, 38.0)])
def test_the_site_sees_the_ground_where_the_readme_draws_it(
    small_site: Site, mast_camera: Pinhole, place: tuple[float, float]
) -> None:
    seen_m = small_site.cameras["cam-01"].homography.pixel_to_ground(np.array([mast_camera.local_to_pixel(*place)]))
    assert seen_m[0] == pytest.approx(mast_camera.local_to_ground(*place), abs=0.1)


def test_the_readme_prints_the_pixels_of_its_own_model() -> None:
    rows = re.findall(r"^\| (-?[\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", README, re.MULTILINE)
    assert len(rows) == 5
    for x, y, right, down in rows:
        assert Pinhole().local_to_pixel(float(x), float(y)) == pytest.approx((float(right), float(down)), abs=0.05)


def test_the_readme_prints_the_constants_of_the_camera() -> None:
    model = Pinhole()
    for fact in (
        '"lat": 39.9151351',
        '"lng": 116.4110263',
        f'"height_m": {model.height_m}',
        f'"heading_deg": {model.heading_deg}',
        f'"tilt_deg": {model.tilt_deg}',
        f'"focal_px": {model.focal_px}',
    ):
        assert fact in README


def test_zones_lie_where_the_readme_says(small_site: Site, mast_camera: Pinhole) -> None:
    pattern = r"^\| `([\w-]+)` \| [^|]+ \| (\w+) \| (-?[\d.]+) … (-?[\d.]+) \| ([\d.]+) … ([\d.]+) \| (\w+) \|$"
    rows = re.findall(pattern, README, re.MULTILINE)
    zones = {zone.id: zone for zone in small_site.zones.zones}
    assert {row[0] for row in rows} == set(zones)
    for name, kind, *numbers, surface in rows:
        x0, x1, y0, y1 = (float(number) for number in numbers)
        corners = [mast_camera.local_to_ground(x, y) for x, y in ((x0, y0), (x1, y0), (x1, y1), (x0, y1))]
        assert (zones[name].kind, zones[name].surface) == (kind, surface)
        assert shapely.symmetric_difference(zones[name].polygon_m, shapely.Polygon(corners)).area < 0.1


def test_every_zone_kind_is_shown_and_all_of_it_is_in_one_cell(small_site: Site) -> None:
    assert {zone.kind for zone in small_site.zones.zones} == set(ZoneKind)
    for zone in small_site.zones.zones:
        for corner in small_site.grid.ground_to_cell(shapely.get_coordinates(zone.polygon_m)):
            assert (corner.code, corner.match) == ("110101001001010", CellMatch.INSIDE)


def test_cells_tile_six_by_four_hectares(small_site: Site) -> None:
    polygons = [cell.polygon_m for cell in small_site.grid.cells]
    assert [cell.code for cell in small_site.grid.cells] == [f"110101001001{n:03d}" for n in range(1, 25)]
    assert [polygon.area for polygon in polygons] == pytest.approx([10_000.0] * 24, rel=1e-4)
    assert shapely.union_all(polygons).area == pytest.approx(240_000.0, rel=1e-4)


def test_sensors_are_spread_over_all_cells(small_site: Site) -> None:
    names = sorted(small_site.sensors)
    assert names == [f"bay-{n:03d}" for n in range(1, 81)] + [f"bin-{n:03d}" for n in range(1, 121)]
    places = small_site.grid.ground_to_cell(np.array([small_site.sensor_places_m[name] for name in names]))
    assert all(place.match == CellMatch.INSIDE for place in places)
    assert len({place.code for place in places}) == 24


def test_limits_are_seconds(small_site: Site) -> None:
    limits = {kind: rule.min_dwell_s for kind, rule in small_site.config.dwell.items()}
    assert limits == {
        IncidentKind.EXPOSED_GARBAGE: 15,
        IncidentKind.ILLEGAL_PARKING: 20,
        IncidentKind.BLOCKED_SIDEWALK: 15,
    }
    assert {rule.hold_s for rule in small_site.config.sensor_rules.values()} == {5}
