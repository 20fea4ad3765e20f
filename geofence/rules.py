"""The three rules that cameras judge: which things of a frame break which rule, and where.

A thing belongs to one rule. How long it may do so is the dwell rule's matter (`dwell.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from detectors.classes import Role
from geofence.dwell import Sighting
from geofence.messages import IncidentKind
from geofence.places import Zone, ZoneKind
from geofence.scene import Scene, Thing, is_shown_by
from geofence.site import Site

MIN_SHARE = 0.5
# Places are named by squares of this size; two parked cars stand further apart than its diagonal.
PLACE_STEP_M = 1.5

PARKING_ZONES = frozenset({ZoneKind.NO_PARKING, ZoneKind.SIDEWALK})
# Where garbage counts; the first of these that contains it names the incident's place.
GARBAGE_ZONES = (ZoneKind.SIDEWALK, ZoneKind.NO_PARKING, ZoneKind.STREET)
OBSTACLE_ROLES = (Role.TWO_WHEELER, Role.BIN, Role.OBSTACLE)
GARBAGE_ROLES = (Role.GARBAGE, Role.OVERFLOW)


def sightings_of(site: Site, scene: Scene, captured_at: datetime) -> tuple[Sighting, ...]:
    """All that breaks a rule in one frame."""
    return (
        *parked_vehicles(site, scene, captured_at),
        *exposed_garbage(site, scene),
        *blocked_sidewalks(site, scene),
    )


def parked_vehicles(site: Site, scene: Scene, captured_at: datetime) -> list[Sighting]:
    """Vehicles with at least half of their footprint on no-parking ground that is in force."""
    vehicles = scene.with_role(Role.VEHICLE)
    if not vehicles:
        return []
    polygon_m = scene.footprints.polygon_m[[thing.footprint for thing in vehicles]]
    rows, zones, overlaps = site.zones.overlapping(polygon_m)
    areas_m2 = shapely.area(shapely.polygons(polygon_m))
    sightings = []
    for row, vehicle in enumerate(vehicles):
        pieces = {
            int(zone): overlap
            for zone, overlap in zip(zones[rows == row], overlaps[rows == row], strict=True)
            if _forbids_parking(site, site.zones.zones[zone], captured_at)
        }
        # A car across the kerb may have less than half on either side, and still stand where no car may.
        if pieces and shapely.union_all(list(pieces.values())).area >= MIN_SHARE * areas_m2[row]:
            zone = max(sorted(pieces), key=lambda number: pieces[number].area)
            sightings.append(_sighting(IncidentKind.ILLEGAL_PARKING, vehicle, site.zones.zones[zone]))
    return sightings


def exposed_garbage(site: Site, scene: Scene) -> list[Sighting]:
    """Garbage on public ground outside collection points; spilling bins wherever they stand."""
    pieces = scene.with_role(*GARBAGE_ROLES)
    sightings = []
    for piece, zones in zip(pieces, _zones_at(site, pieces), strict=True):
        kinds = {zone.kind for zone in zones}
        is_spilling = piece.object_class.role == Role.OVERFLOW
        if ZoneKind.COLLECTION_POINT in kinds and not is_spilling:
            continue
        wanted = (*GARBAGE_ZONES, ZoneKind.COLLECTION_POINT) if is_spilling else GARBAGE_ZONES
        place = next((zone for kind in wanted for zone in zones if zone.kind == kind), None)
        if place is not None:
            sightings.append(_sighting(IncidentKind.EXPOSED_GARBAGE, piece, place))
    return sightings


def blocked_sidewalks(site: Site, scene: Scene) -> list[Sighting]:
    """Sidewalks on which obstacles that no other rule claims leave no passage from end to end."""
    claimed = scene.with_role(*GARBAGE_ROLES)
    obstacles = [thing for thing in scene.with_role(*OBSTACLE_ROLES) if not is_shown_by(thing, claimed)]
    if not obstacles or not site.walkways:
        return []
    polygon_m = scene.footprints.polygon_m[[thing.footprint for thing in obstacles]]
    rows, zones, overlaps = site.zones.overlapping(polygon_m)
    return [
        sighting
        for number in sorted(site.walkways)
        if (sighting := _blocked(site, number, obstacles, rows[zones == number], overlaps[zones == number]))
    ]


def _blocked(
    site: Site, number: int, obstacles: list[Thing], rows: npt.NDArray[np.int64], overlaps: npt.NDArray[Any]
) -> Sighting | None:
    """The sighting of sidewalk `number` when the obstacles `rows` with these overlaps block it."""
    walkway, zone = site.walkways[number], site.zones.zones[number]
    in_the_way = shapely.union_all(overlaps)
    min_clear_m = site.config.min_clear_m
    if not len(rows) or walkway.is_passable(in_the_way, min_clear_m):
        return None
    gap_m = walkway.clear_width_m(in_the_way)
    largest = obstacles[rows[int(np.argmax(shapely.area(overlaps)))]]
    things = [obstacles[row] for row in sorted(set(rows.tolist()))]
    return Sighting(
        kind=IncidentKind.BLOCKED_SIDEWALK,
        place_key=f"zone:{zone.id}",
        zone_id=zone.id,
        surface=zone.surface,
        ground_m=largest.ground_m,
        foot_m=largest.foot_m,
        xyxy=largest.xyxy,
        boxes=tuple(thing.xyxy for thing in things),
        subject=largest.object_class.name,
        confidence=min(thing.confidence for thing in things),
        is_whole_zone=True,
        note=(
            f"最窄处净宽 {gap_m:.1f} m,应不小于 {min_clear_m:g} m",
            f"narrowest passage {gap_m:.1f} m, {min_clear_m:g} m must stay free",
        ),
    )


def _sighting(kind: IncidentKind, thing: Thing, zone: Zone) -> Sighting:
    east, north = (round(metres / PLACE_STEP_M) for metres in thing.ground_m)
    return Sighting(
        kind=kind,
        place_key=f"zone:{zone.id}:{east:+d}:{north:+d}",
        zone_id=zone.id,
        surface=zone.surface,
        ground_m=thing.ground_m,
        foot_m=thing.foot_m,
        xyxy=thing.xyxy,
        boxes=(thing.xyxy,),
        subject=thing.object_class.name,
        confidence=thing.confidence,
    )


def _forbids_parking(site: Site, zone: Zone, at: datetime) -> bool:
    is_in_force = zone.hours is None or zone.hours.is_active(at, site.config.timezone)
    return zone.kind in PARKING_ZONES and is_in_force


def _zones_at(site: Site, things: Iterable[Thing]) -> list[list[Zone]]:
    """For each thing the zones that contain its ground point, in the order of the file."""
    places_m = np.array([thing.ground_m for thing in things], np.float64).reshape(-1, 2)
    found: list[list[Zone]] = [[] for _ in places_m]
    rows, zones = site.zones.containing(places_m)
    for row, zone in sorted(zip(rows.tolist(), zones.tolist(), strict=True)):
        found[row].append(site.zones.zones[zone])
    return found
