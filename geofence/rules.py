"""The three rules that cameras judge: which standing things break which rule at a moment, where, and since when.

A thing belongs to one rule. How long it may do so is the dwell rule's matter (`dwell.py`, `claims.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

import numpy as np
import shapely

from detectors.classes import ObjectClass, Role
from geofence.blockades import blocked_sidewalks
from geofence.boxes import goes_on
from geofence.breach import (
    OBSTACLE_ROLES,
    Breach,
    Broken,
    Clearance,
    Key,
    counted_since,
    footprint_of,
    is_allowed,
    is_sure,
    with_role,
)
from geofence.messages import IncidentKind
from geofence.places import Zone, ZoneKind
from geofence.site import Site
from geofence.visit import Visit

MIN_SHARE = 0.5
# A rule that is broken stays so until this much less of the thing is where it must not be.
SHARE_SLACK = 0.1
# Seen so often, or twice over so long a time, a thing stands: what passes is somewhere else in the next frame.
STANDING_HITS = 3
STANDING_S = 3.0
# Places are named by squares of this size; two parked cars stand further apart than its diagonal.
PLACE_STEP_M = 1.5

PARKING_ZONES = frozenset({ZoneKind.NO_PARKING, ZoneKind.SIDEWALK})
# Where garbage counts; the first of these that contains it names the incident's place.
GARBAGE_ZONES = (ZoneKind.SIDEWALK, ZoneKind.NO_PARKING, ZoneKind.STREET)
GARBAGE_ROLES = frozenset({Role.GARBAGE, Role.OVERFLOW})
KIND_OF_ROLE = {
    Role.VEHICLE: IncidentKind.ILLEGAL_PARKING,
    Role.GARBAGE: IncidentKind.EXPOSED_GARBAGE,
    Role.OVERFLOW: IncidentKind.EXPOSED_GARBAGE,
}


def kind_of(object_class: ObjectClass) -> IncidentKind:
    """The rule that judges a class."""
    return KIND_OF_ROLE.get(object_class.role, IncidentKind.BLOCKED_SIDEWALK)


def breaches_of(site: Site, visits: Sequence[Visit], at: datetime, broken: Broken) -> tuple[Breach, ...]:
    """All rules that are broken at `at`; `broken`: those that were a frame before."""
    standing = [visit for visit in visits if is_standing(visit) and visit.footprint is not None]
    parked = parked_vehicles(site, standing, at, broken)
    claimed = {number for breach in parked for number in breach.visits}
    rest = [visit for visit in standing if visit.number not in claimed]
    return (*parked, *exposed_garbage(site, standing, at), *blocked_sidewalks(site, rest, at, broken))


def is_standing(visit: Visit) -> bool:
    """Whether a visit is that of a thing that stays, as far as its first sightings tell."""
    presence = visit.presence
    if not visit.has_lasted and goes_on(visit.recent):
        return False
    seen_s = (presence.dwell - presence.unsure).total_seconds()
    return presence.hits >= STANDING_HITS or (presence.hits > 1 and seen_s >= STANDING_S)


def parked_vehicles(site: Site, standing: Sequence[Visit], at: datetime, broken: Broken) -> list[Breach]:
    """Vehicles with at least half of their footprint on no-parking ground that is in force.

    One of which nobody is sure where it stands does so wherever it may stand, unless it is known to.
    """
    vehicles = with_role(site, standing, frozenset({Role.VEHICLE}))
    parked = _parked(site, vehicles, at, broken)
    unsure = [one for one in vehicles if not is_sure(one) and one.number in parked and _key(one) not in broken]
    for sways in (-1.0, 1.0):
        unsure_there = _parked(site, unsure, at, broken, sways=sways)
        for one in unsure:
            if one.number not in unsure_there:
                parked.pop(one.number, None)
    cleared = _Clearances(site, standing)
    breaches = []
    for visit in vehicles:
        if (zone := parked.get(visit.number)) is not None:
            since = _forbidden_since(site, zone, visit, at)
            breaches.append(_breach(IncidentKind.ILLEGAL_PARKING, visit, zone, since, clear=cleared.beside(visit)))
    return breaches


def _parked(
    site: Site, vehicles: Sequence[Visit], at: datetime, broken: Broken, *, sways: float = 0.0
) -> dict[int, Zone]:
    """Numbers of the visits that stand where they must not, if shifted by so many standard deviations, and where."""
    if not vehicles:
        return {}
    polygons = np.array([footprint_of(visit).shifted(sways) for visit in vehicles])
    areas_m2 = shapely.area(shapely.polygons(polygons))
    rows, zones, overlaps = site.zones.overlapping(polygons)
    found: dict[int, Zone] = {}
    for row, visit in enumerate(vehicles):
        wanted = MIN_SHARE - (SHARE_SLACK if _key(visit) in broken else 0.0)
        pieces = {
            int(zone): overlap
            for zone, overlap in zip(zones[rows == row], overlaps[rows == row], strict=True)
            if _forbids(site, site.zones.zones[zone], visit, at)
        }
        # A car across the kerb may have less than half on either side, and still stand where no car may.
        if pieces and shapely.union_all(list(pieces.values())).area >= wanted * areas_m2[row]:
            found[visit.number] = site.zones.zones[max(sorted(pieces), key=lambda zone: pieces[zone].area)]
    return found


def _key(visit: Visit) -> Key:
    return IncidentKind.ILLEGAL_PARKING, f"visit:{visit.number}"


def exposed_garbage(site: Site, standing: Sequence[Visit], at: datetime) -> list[Breach]:
    """Garbage on public ground outside collection points; spilling bins wherever they stand."""
    pieces = with_role(site, standing, GARBAGE_ROLES)
    breaches = []
    for visit, zones in zip(pieces, _zones_at(site, pieces), strict=True):
        kinds = {zone.kind for zone in zones}
        is_spilling = site.classes.by_name[visit.name].role == Role.OVERFLOW
        if ZoneKind.COLLECTION_POINT in kinds and not is_spilling:
            continue
        wanted = (*GARBAGE_ZONES, ZoneKind.COLLECTION_POINT) if is_spilling else GARBAGE_ZONES
        place = next((zone for kind in wanted for zone in zones if zone.kind == kind), None)
        if place is not None and not is_allowed(site, IncidentKind.EXPOSED_GARBAGE, place, visit, at):
            since = counted_since(site, IncidentKind.EXPOSED_GARBAGE, place, visit, at)
            breaches.append(_breach(IncidentKind.EXPOSED_GARBAGE, visit, place, max(since, visit.named_at)))
    return breaches


def _breach(kind: IncidentKind, visit: Visit, zone: Zone, since: datetime, clear: Clearance | None = None) -> Breach:
    ground_m = footprint_of(visit).center_m
    east, north = (round(metres / PLACE_STEP_M) for metres in ground_m)
    return Breach(
        kind=kind,
        key=f"visit:{visit.number}",
        visits=(visit.number,),
        place_key=f"zone:{zone.id}:{east:+d}:{north:+d}",
        zone=zone,
        ground_m=ground_m,
        subject=visit.name,
        confidence=visit.confidence,
        since=max(since, visit.placed_at),
        is_start_unknown=visit.presence.is_start_unknown and max(since, visit.placed_at) <= visit.presence.began_at,
        boxes=(visit.last_xyxy,),
        sigma_m=footprint_of(visit).sigma_m,
        clear=clear,
    )


class _Clearances:
    """What is left to those who walk past a vehicle, with all that stands on its sidewalk, for one moment."""

    def __init__(self, site: Site, standing: Sequence[Visit]) -> None:
        self._site = site
        roles = OBSTACLE_ROLES | {Role.VEHICLE}
        things = [one for one in with_role(site, standing, roles) if is_sure(one)]
        self._shapes = {one.number: shapely.Polygon(footprint_of(one).corners_m) for one in things}

    def beside(self, visit: Visit) -> Clearance | None:
        """The narrowest passage of those that the vehicle narrows; None where it stands on no sidewalk."""
        own = shapely.Polygon(footprint_of(visit).corners_m)
        found: list[Clearance] = []
        for number, walkway in self._site.walkways.items():
            if not own.intersects(walkway.polygon_m):
                continue
            wanted_m = self._site.min_clear_m(self._site.zones.zones[number])
            width_m = walkway.clear_width_m(own)
            others = [
                shape
                for other, shape in self._shapes.items()
                if other != visit.number and shape.intersects(walkway.polygon_m)
            ]
            if others:
                together_m = walkway.clear_width_m(shapely.union_all([own, *others]))
                # What others leave further along is not this vehicle's doing.
                if together_m < min(width_m, walkway.clear_width_m(shapely.union_all(others))):
                    width_m = together_m
            found.append(Clearance(width_m=width_m, wanted_m=wanted_m))
        return min(found, key=lambda clear: clear.width_m - clear.wanted_m, default=None)


def _forbids(site: Site, zone: Zone, visit: Visit, at: datetime) -> bool:
    return (
        zone.kind in PARKING_ZONES
        and site.is_in_force(zone, at)
        and not is_allowed(site, IncidentKind.ILLEGAL_PARKING, zone, visit, at)
    )


def _forbidden_since(site: Site, zone: Zone, visit: Visit, at: datetime) -> datetime:
    """Since when without a break the rule has been in force while the thing stood there."""
    in_force = site.in_force_since(zone, at) or visit.presence.began_at
    return max(in_force, counted_since(site, IncidentKind.ILLEGAL_PARKING, zone, visit, at))


def _zones_at(site: Site, visits: Iterable[Visit]) -> list[list[Zone]]:
    """For each visit the zones that contain its ground point, in the order of the file."""
    places_m = np.array([footprint_of(visit).center_m for visit in visits], np.float64).reshape(-1, 2)
    found: list[list[Zone]] = [[] for _ in places_m]
    rows, zones = site.zones.containing(places_m)
    for row, zone in sorted(zip(rows.tolist(), zones.tolist(), strict=True)):
        found[row].append(site.zones.zones[zone])
    return found
