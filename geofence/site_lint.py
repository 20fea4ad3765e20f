"""What of a site is worth a look although it can be used: one line each."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import numpy as np

from geofence.config import SITE_FILE
from geofence.holidays import HOLIDAYS_FILE
from geofence.lint import foreign_cells, gaps_between, overlapping_zones, zones_without_cell
from geofence.permits import PERMITS_FILE
from geofence.places import SNAP_M, ZoneKind
from geofence.rules import PARKING_ZONES
from geofence.sight import VIEW_M, sees_a_zone
from geofence.site import Site
from geofence.site_map import GRID_FILE, ZONES_FILE

_OPTIONAL_FILES = (HOLIDAYS_FILE, PERMITS_FILE)
# permit.toml, Permits.toml, permits.toml.txt
_ALIKE = 0.8


def warnings_of(site: Site) -> list[str]:
    """Lines that name file, what and where, in the order of the files."""
    of_site_toml = [*_of_points(site), *_of_cameras(site), *_of_sensors(site), *_of_rules(site)]
    return [*of_site_toml, *_of_zones(site), *_of_hours(site), *_of_cells(site), *_of_days(site)]


def misnamed_files(names: Iterable[str]) -> list[str]:
    """Lines on files of a site folder that nobody reads, and that are called much like one that is not there."""
    present = {name.casefold(): name for name in names}
    missing = [name for name in _OPTIONAL_FILES if name not in present.values()]
    return [
        f"{present[close]}: nothing reads it; did you mean {name!r}?"
        for name in missing
        for close in difflib.get_close_matches(name, list(present), n=1, cutoff=_ALIKE)
    ]


def _of_points(site: Site) -> list[str]:
    """Nothing in the folder speaks against WGS 84 (`refuse_an_unclear_crs`), and nothing says so."""
    if site.config.is_crs_named:
        return []
    return [f'{SITE_FILE}: crs: not named, taken for WGS 84; write crs = "wgs84" at its head, or crs = "gcj02"']


def _of_cameras(site: Site) -> list[str]:
    if not site.cameras:
        return [f"{SITE_FILE}: cameras: none, so no picture is judged"]
    lines = [
        f"{SITE_FILE}: camera {camera.id}: {warning}" for camera in site.cameras.values() for warning in camera.warnings
    ]
    lines += [
        f"{SITE_FILE}: camera {camera.id}: sees no zone within {VIEW_M:g} m, so nothing that it sees can break a rule; "
        "are its gcps, or the zones, in another coordinate system?"
        for camera in site.cameras.values()
        if site.zones.zones and not sees_a_zone(site, camera)
    ]
    lines += [
        f"{SITE_FILE}: camera {camera.id}: no pinhole shows the ground as its gcps say; is size_px "
        f"{list(camera.size_px)} [width, height] of the picture in which they were measured?"
        for camera in site.cameras.values()
        if camera.pose is None
    ]
    return lines


def _of_sensors(site: Site) -> list[str]:
    places_m = np.array([site.sensor_places_m[sensor_id] for sensor_id in site.sensors], np.float64).reshape(-1, 2)
    cells, _ = site.grid.locate(places_m)
    return [
        f"{SITE_FILE}: sensor {sensor_id}: lies further than {SNAP_M:g} m from all cells, so what it tells has none"
        for sensor_id, cell in zip(site.sensors, cells.tolist(), strict=True)
        if cell < 0
    ]


def _of_rules(site: Site) -> list[str]:
    return [
        f"{SITE_FILE}: rules.{kind}: absence_s = {rule.absence_s:g} is more than min_dwell_s = {rule.min_dwell_s:g}: "
        "things that each stay too short to be reported may count as one"
        for kind, rule in site.config.dwell.items()
        if 0 < rule.min_dwell_s < rule.absence_s
    ]


def _of_hours(site: Site) -> list[str]:
    with_hours = [(zone, zone.hours) for zone in site.zones.zones if zone.hours is not None]
    lines = [
        f"{ZONES_FILE}: zone {zone.id}: has hours, and no rule asks a {zone.kind} for them"
        for zone, _ in with_hours
        if zone.kind not in PARKING_ZONES
    ]
    lines += [
        f"{ZONES_FILE}: zone {zone.id}: rule {number} of its hours, counted from 1, has no effect: later ones name all "
        "of its days; several hours of one day are one rule, with commas"
        for zone, hours in with_hours
        for number in hours.overridden
    ]
    return lines


def _of_zones(site: Site) -> list[str]:
    zones = site.zones.zones
    if not zones:
        return [f"{ZONES_FILE}: no zones, so cameras have no rule to judge by"]
    lines = [
        f"{ZONES_FILE}: zone {one.first}: shares {one.area_m2:,.0f} m² with zone {one.second} of the same kind "
        f"around {_place(site, one.center_m)}"
        for one in overlapping_zones(zones)
    ]
    lines += [
        f"{ZONES_FILE}: zone {zone_id}: lies in part outside all cells; what happens there has the nearest cell or none"
        for zone_id in zones_without_cell(zones, site.grid.cells)
    ]
    lines += [
        f"{ZONES_FILE}: zone {zone.id}: exempts classes, and no rule asks a {zone.kind} for them"
        for zone in zones
        if zone.exempt and zone.kind == ZoneKind.COLLECTION_POINT
    ]
    return lines


def _of_cells(site: Site) -> list[str]:
    cells = site.grid.cells
    lines = [
        f"{GRID_FILE}: a gap of {gap.area_m2:,.0f} m² between cells around {_place(site, gap.center_m)}"
        for gap in gaps_between(cells)
    ]
    foreign = foreign_cells(cells, site.config.code_profile)
    if foreign is not None:
        lines.append(f"{GRID_FILE}: of another county than the other cells: {foreign}")
    return lines


def _of_days(site: Site) -> list[str]:
    are_named = any(zone.hours is not None and zone.hours.names_holidays for zone in site.zones.zones)
    lines = []
    if site.holidays.off and not are_named:
        lines.append(f"{HOLIDAYS_FILE}: lists days off, and the hours of no zone speak of holidays (PH)")
    lines += [
        f"{PERMITS_FILE}: permit {permit.id}: its place lies in no zone, so it permits nothing"
        for permit in site.permits
        if permit.center_m is not None and not _is_near_a_zone(site, permit.center_m, permit.radius_m)
    ]
    return lines


def _is_near_a_zone(site: Site, center_m: tuple[float, float], radius_m: float) -> bool:
    east, north = center_m
    square = np.array([[(east + x * radius_m, north + y * radius_m) for x, y in ((-1, -1), (-1, 1), (1, 1), (1, -1))]])
    rows, _, _ = site.zones.overlapping(square)
    return len(rows) > 0


def _place(site: Site, ground_m: tuple[float, float]) -> str:
    lat, lng = site.plane.to_lat_lng(np.array([ground_m]))[0]
    return f"lat {lat:.6f}, lng {lng:.6f}"
