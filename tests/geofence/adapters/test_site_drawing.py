"""The plan of a site: everything that it has lies on it, in its colour, north up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from geofence.adapters.site_drawing import draw_site
from geofence.adapters.site_folder import load_site
from geofence.adapters.zone_colours import zone_colour
from geofence.places import ZoneIndex, ZoneKind
from geofence.site import Site
from tests.sites import ONE_CAMERA

CAMERA_BGR = np.array((60, 220, 250))


def share_like(site: Site, kind: ZoneKind) -> float:
    """Share of the plan's pixels whose hue is that of a kind of zone."""
    plan = draw_site(site).astype(float)
    wanted = np.array(zone_colour(kind), float)
    return float((np.abs(plan - wanted).sum(axis=2) < 40).mean())


def test_a_plan_is_1600_pixels_wide_and_shows_zones_of_every_kind() -> None:
    site = load_site(ONE_CAMERA)
    plan = draw_site(site)
    assert plan.shape[1:] == (1600, 3)
    assert 500 <= plan.shape[0] <= 2400
    # A collection point is smaller than its name on the plan.
    for kind in {zone.kind for zone in site.zones.zones} - {ZoneKind.COLLECTION_POINT}:
        assert share_like(site, kind) > 0


def test_a_zone_further_north_lies_further_up() -> None:
    site = load_site(ONE_CAMERA)
    south = next(zone for zone in site.zones.zones if zone.kind == ZoneKind.NO_PARKING)
    moved = [
        replace(south, id=f"n{n}", polygon_m=shapely.affinity.translate(south.polygon_m, 0, 30 * n)) for n in (0, 1)
    ]
    kinds = (ZoneKind.COLLECTION_POINT, ZoneKind.SIDEWALK)
    zones = tuple(replace(zone, kind=kind) for zone, kind in zip(moved, kinds, strict=True))
    plan = draw_site(replace(site, zones=ZoneIndex(zones), sensor_places_m={}, cameras={})).astype(float)
    middles = [
        np.nonzero(np.abs(plan - np.array(zone_colour(kind), float)).sum(axis=2) < 40)[0].mean() for kind in kinds
    ]
    assert middles[1] < middles[0]


def test_what_a_camera_sees_lies_on_the_plan_as_a_whole() -> None:
    plan = draw_site(replace(load_site(ONE_CAMERA), sensor_places_m={})).astype(int)
    rows, columns = np.nonzero(np.abs(plan - CAMERA_BGR).sum(axis=2) < 40)
    assert 0 < rows.min() - 20 < rows.max() < plan.shape[0] - 20
    assert 20 < columns.min() < columns.max() < plan.shape[1] - 20


def test_a_zone_smaller_than_its_name_has_it_beside() -> None:
    site = load_site(ONE_CAMERA)
    zone = replace(site.zones.zones[0], kind=ZoneKind.COLLECTION_POINT, polygon_m=shapely.box(0, 0, 2, 2))
    plan = draw_site(replace(site, zones=ZoneIndex((zone,)), cameras={}, sensor_places_m={})).astype(float)
    filled = 0.45 * np.array(zone_colour(zone.kind), float) + 0.55 * plan[-3, 3]
    # 32 m are 1600 pixels.
    assert (np.abs(plan - filled).sum(axis=2) < 6).sum() > 0.85 * 100**2


def test_a_site_without_zones_shows_its_cells() -> None:
    site = load_site(ONE_CAMERA)
    assert draw_site(replace(site, zones=ZoneIndex(()), cameras={}, sensor_places_m={})).std() > 0
