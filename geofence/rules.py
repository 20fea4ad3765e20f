"""The three rules that cameras judge: which standing things break which rule at a moment, where, and since when.

A thing belongs to one rule. How long it may do so is the dwell rule's matter (`dwell.py`, `claims.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from detectors.classes import ObjectClass, Role
from geofence.boxes import Box
from geofence.footprint import Footprint
from geofence.messages import IncidentKind
from geofence.permits import Permitted, is_permitted, last_permitted
from geofence.places import Zone, ZoneKind
from geofence.site import Site
from geofence.visit import Visit

MIN_SHARE = 0.5
# A rule that is broken stays so until this much less of the thing is where it must not be, or so much more is free;
# the limit of a passage lies in the middle, because a measured width errs either way.
SHARE_SLACK = 0.1
CLEAR_SLACK_M = 0.1
# A vehicle's place errs along its whole length: so much of it at least is on the sidewalk that it blocks.
VEHICLE_SHARE = 0.3
# What nobody knows the place of by so much, because its foot is hidden, proves a sidewalk blocked only if it does so
# wherever it may stand.
SURE_M = 1.0
# Seen so often, or twice over so long a time, a thing stands: what passes is somewhere else in the next frame.
STANDING_HITS = 3
STANDING_S = 3.0
# Places are named by squares of this size; two parked cars stand further apart than its diagonal.
PLACE_STEP_M = 1.5

PARKING_ZONES = frozenset({ZoneKind.NO_PARKING, ZoneKind.SIDEWALK})
# Where garbage counts; the first of these that contains it names the incident's place.
GARBAGE_ZONES = (ZoneKind.SIDEWALK, ZoneKind.NO_PARKING, ZoneKind.STREET)
OBSTACLE_ROLES = frozenset({Role.TWO_WHEELER, Role.BIN, Role.OBSTACLE})
GARBAGE_ROLES = frozenset({Role.GARBAGE, Role.OVERFLOW})
KIND_OF_ROLE = {
    Role.VEHICLE: IncidentKind.ILLEGAL_PARKING,
    Role.GARBAGE: IncidentKind.EXPOSED_GARBAGE,
    Role.OVERFLOW: IncidentKind.EXPOSED_GARBAGE,
}

Float64s = npt.NDArray[np.float64]
Key = tuple[IncidentKind, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clearance:
    """width_m: of the widest passage along a sidewalk, at most twice wanted_m; wanted_m: what must stay free."""

    width_m: float
    wanted_m: float

    @property
    def is_blocked(self) -> bool:
        """Nobody gets through."""
        return self.width_m < self.wanted_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A rule that is broken at a moment.

    key:      what breaks it, the same from frame to frame: a visit, or a sidewalk
    visits:   numbers of the visits that do
    since:    when it began, as far as the visits tell
    boxes:    of the things, as last seen; confidence of the least sure one
    clear:    what is left to those who walk, where a sidewalk is concerned
    sigma_m:  standard deviation of ground_m, as far as the boxes' trembling tells
    """

    kind: IncidentKind
    key: str
    visits: tuple[int, ...]
    place_key: str
    zone: Zone
    ground_m: tuple[float, float]
    subject: str
    confidence: float
    since: datetime
    is_start_unknown: bool
    boxes: tuple[Box, ...]
    sigma_m: float
    clear: Clearance | None = None

    @property
    def is_whole_zone(self) -> bool:
        """The zone as such is the place, whatever things make it so."""
        return self.kind == IncidentKind.BLOCKED_SIDEWALK


def kind_of(object_class: ObjectClass) -> IncidentKind:
    """The rule that judges a class."""
    return KIND_OF_ROLE.get(object_class.role, IncidentKind.BLOCKED_SIDEWALK)


def breaches_of(site: Site, visits: Sequence[Visit], at: datetime, broken: frozenset[Key]) -> tuple[Breach, ...]:
    """All rules that are broken at `at`; `broken`: those that were a frame before."""
    standing = [visit for visit in visits if is_standing(visit) and visit.footprint is not None]
    parked = parked_vehicles(site, standing, at, broken)
    claimed = {number for breach in parked for number in breach.visits}
    rest = [visit for visit in standing if visit.number not in claimed]
    return (*parked, *exposed_garbage(site, standing, at), *blocked_sidewalks(site, rest, at, broken))


def is_standing(visit: Visit) -> bool:
    """Whether a visit is that of a thing that stays, as far as its first sightings tell."""
    presence = visit.presence
    seen_s = (presence.dwell - presence.unsure).total_seconds()
    return presence.hits >= STANDING_HITS or (presence.hits > 1 and seen_s >= STANDING_S)


def parked_vehicles(site: Site, standing: Sequence[Visit], at: datetime, broken: frozenset[Key]) -> list[Breach]:
    """Vehicles with at least half of their footprint on no-parking ground that is in force."""
    vehicles = _with_role(site, standing, frozenset({Role.VEHICLE}))
    if not vehicles:
        return []
    footprints = [_footprint(visit) for visit in vehicles]
    rows, zones, overlaps = site.zones.overlapping(np.array([one.corners_m for one in footprints]))
    cleared = _Clearances(site, standing)
    breaches = []
    for row, visit in enumerate(vehicles):
        key = f"visit:{visit.number}"
        wanted = MIN_SHARE - (SHARE_SLACK if (IncidentKind.ILLEGAL_PARKING, key) in broken else 0.0)
        area_m2 = shapely.Polygon(footprints[row].corners_m).area
        pieces = {
            int(zone): overlap
            for zone, overlap in zip(zones[rows == row], overlaps[rows == row], strict=True)
            if _forbids(site, site.zones.zones[zone], visit, at)
        }
        # A car across the kerb may have less than half on either side, and still stand where no car may.
        if not pieces or shapely.union_all(list(pieces.values())).area < wanted * area_m2:
            continue
        number = max(sorted(pieces), key=lambda zone: pieces[zone].area)
        zone = site.zones.zones[number]
        since = _forbidden_since(site, zone, visit, at)
        breaches.append(_breach(IncidentKind.ILLEGAL_PARKING, visit, zone, since, clear=cleared.beside(visit)))
    return breaches


def exposed_garbage(site: Site, standing: Sequence[Visit], at: datetime) -> list[Breach]:
    """Garbage on public ground outside collection points; spilling bins wherever they stand."""
    pieces = _with_role(site, standing, GARBAGE_ROLES)
    breaches = []
    for visit, zones in zip(pieces, _zones_at(site, pieces), strict=True):
        kinds = {zone.kind for zone in zones}
        is_spilling = site.classes.by_name[visit.name].role == Role.OVERFLOW
        if ZoneKind.COLLECTION_POINT in kinds and not is_spilling:
            continue
        wanted = (*GARBAGE_ZONES, ZoneKind.COLLECTION_POINT) if is_spilling else GARBAGE_ZONES
        place = next((zone for kind in wanted for zone in zones if zone.kind == kind), None)
        if place is not None and not _is_allowed(site, IncidentKind.EXPOSED_GARBAGE, place, visit, at):
            since = _counted_since(site, IncidentKind.EXPOSED_GARBAGE, place, visit, at)
            breaches.append(_breach(IncidentKind.EXPOSED_GARBAGE, visit, place, max(since, visit.named_at)))
    return breaches


def blocked_sidewalks(site: Site, standing: Sequence[Visit], at: datetime, broken: frozenset[Key]) -> list[Breach]:
    """Sidewalks on which obstacles that no other rule claims leave no passage from end to end."""
    obstacles = _with_role(site, standing, OBSTACLE_ROLES)
    # One that drives off slowly stands nowhere, and half of it is seen at a place that it does not have.
    obstacles += [one for one in _with_role(site, standing, frozenset({Role.VEHICLE})) if one.has_lasted]
    if not obstacles or not site.walkways:
        return []
    found: list[Breach] = []
    for sways in _places_to_try(obstacles):
        polygons = np.array([_shifted(visit, sways) for visit in obstacles])
        found_there = _blocked_with(site, obstacles, polygons, at, broken)
        zones = {breach.zone.id for breach in found_there}
        found = found_there if sways == 0 else [breach for breach in found if breach.zone.id in zones]
        if not found:
            break
    return found


def _places_to_try(obstacles: Sequence[Visit]) -> tuple[float, ...]:
    """Standard deviations by which to shift what stands at an unsure place; zero first."""
    return (0.0,) if all(_footprint(visit).sigma_m <= SURE_M for visit in obstacles) else (0.0, -1.0, 1.0)


def _shifted(visit: Visit, sways: float) -> tuple[tuple[float, float], ...]:
    footprint = _footprint(visit)
    return footprint.shifted(sways if footprint.sigma_m > SURE_M else 0.0)


def _blocked_with(
    site: Site, obstacles: Sequence[Visit], polygons: Float64s, at: datetime, broken: frozenset[Key]
) -> list[Breach]:
    """Sidewalks that these things block where they stand on (N, 4, 2) polygons."""
    rows, zones, overlaps = site.zones.overlapping(polygons)
    shares = shapely.area(overlaps) / shapely.area(shapely.polygons(polygons))[rows]
    is_vehicle = np.array([site.classes.by_name[one.name].role == Role.VEHICLE for one in obstacles])
    in_the_way = shares > np.where(is_vehicle[rows], VEHICLE_SHARE, 0.0)
    found = []
    for number in sorted(site.walkways):
        zone = site.zones.zones[number]
        is_free = np.array([_is_allowed(site, IncidentKind.BLOCKED_SIDEWALK, zone, one, at) for one in obstacles])
        is_there = (zones == number) & in_the_way & ~is_free[rows]
        if is_there.any():
            things = [obstacles[row] for row in rows[is_there]]
            breach = _blocked(site, number, things, list(overlaps[is_there]), at=at, broken=broken)
            found += [breach] if breach else []
    return found


def _blocked(
    site: Site, number: int, things: Sequence[Visit], pieces: Sequence[Any], *, at: datetime, broken: frozenset[Key]
) -> Breach | None:
    """What blocks sidewalk `number`, if these things with these pieces of it do."""
    walkway, zone = site.walkways[number], site.zones.zones[number]
    key = f"zone:{zone.id}"
    wanted_m = site.min_clear_m(zone)
    is_broken = (IncidentKind.BLOCKED_SIDEWALK, key) in broken
    limit_m = wanted_m + (CLEAR_SLACK_M if is_broken else -CLEAR_SLACK_M) / 2
    in_the_way = shapely.union_all(pieces)
    if walkway.is_passable(in_the_way, limit_m):
        return None
    gap_m = walkway.clear_width_m(in_the_way)
    chain = [things[row] for row in walkway.narrowest_chain(pieces)] or list(things)
    largest = max(chain, key=lambda visit: (_area_m2(visit), -visit.number))
    kind = IncidentKind.BLOCKED_SIDEWALK
    since, latest = max(
        ((max(one.placed_at, _counted_since(site, kind, zone, one, at)), one) for one in chain),
        key=lambda pair: pair[0],
    )
    return Breach(
        kind=kind,
        key=key,
        visits=tuple(sorted(visit.number for visit in chain)),
        place_key=key,
        zone=zone,
        ground_m=_footprint(largest).center_m,
        subject=largest.name,
        confidence=min(visit.confidence for visit in chain),
        since=since,
        is_start_unknown=latest.presence.is_start_unknown and since <= latest.presence.began_at,
        boxes=tuple(visit.last_xyxy for visit in chain),
        sigma_m=_footprint(largest).sigma_m,
        clear=Clearance(width_m=gap_m, wanted_m=wanted_m),
    )


def _breach(kind: IncidentKind, visit: Visit, zone: Zone, since: datetime, clear: Clearance | None = None) -> Breach:
    ground_m = _footprint(visit).center_m
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
        sigma_m=_footprint(visit).sigma_m,
        clear=clear,
    )


class _Clearances:
    """What is left to those who walk past a vehicle, with all that stands on its sidewalk, for one moment."""

    def __init__(self, site: Site, standing: Sequence[Visit]) -> None:
        self._site = site
        roles = OBSTACLE_ROLES | {Role.VEHICLE}
        things = [one for one in _with_role(site, standing, roles) if _footprint(one).sigma_m <= SURE_M]
        self._shapes = {one.number: shapely.Polygon(_footprint(one).corners_m) for one in things}

    def beside(self, visit: Visit) -> Clearance | None:
        """The narrowest passage of those that the vehicle narrows; None where it stands on no sidewalk."""
        own = shapely.Polygon(_footprint(visit).corners_m)
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
        and not _is_allowed(site, IncidentKind.ILLEGAL_PARKING, zone, visit, at)
    )


def _forbidden_since(site: Site, zone: Zone, visit: Visit, at: datetime) -> datetime:
    """Since when without a break the rule has been in force while the thing stood there."""
    in_force = site.in_force_since(zone, at) or visit.presence.began_at
    return max(in_force, _counted_since(site, IncidentKind.ILLEGAL_PARKING, zone, visit, at))


def _counted_since(site: Site, kind: IncidentKind, zone: Zone, visit: Visit, at: datetime) -> datetime:
    """Since when a thing has stood there without a permit."""
    permitted = last_permitted(site.permits, _permitted(kind, zone, visit), at) if site.permits else None
    return visit.presence.began_at if permitted is None else max(permitted, visit.presence.began_at)


def _is_allowed(site: Site, kind: IncidentKind, zone: Zone, visit: Visit, at: datetime) -> bool:
    """Whether the zone exempts what the thing is, or a permit lifts the rule for it."""
    if visit.name in zone.exempt:
        return True
    return bool(site.permits) and is_permitted(site.permits, _permitted(kind, zone, visit), at)


def _permitted(kind: IncidentKind, zone: Zone, visit: Visit) -> Permitted:
    return Permitted(
        kind=kind,
        zone_id=zone.id,
        ground_m=_footprint(visit).center_m,
        name=visit.name,
        plate_sha256=visit.plate_sha256,
    )


def _with_role(site: Site, visits: Sequence[Visit], roles: frozenset[Role]) -> list[Visit]:
    return [visit for visit in visits if site.classes.by_name[visit.name].role in roles]


def _footprint(visit: Visit) -> Footprint:
    assert visit.footprint is not None, "standing visits have a footprint"
    return visit.footprint


def _area_m2(visit: Visit) -> float:
    footprint = _footprint(visit)
    return footprint.length_m * footprint.width_m


def _zones_at(site: Site, visits: Iterable[Visit]) -> list[list[Zone]]:
    """For each visit the zones that contain its ground point, in the order of the file."""
    places_m = np.array([_footprint(visit).center_m for visit in visits], np.float64).reshape(-1, 2)
    found: list[list[Zone]] = [[] for _ in places_m]
    rows, zones = site.zones.containing(places_m)
    for row, zone in sorted(zip(rows.tolist(), zones.tolist(), strict=True)):
        found[row].append(site.zones.zones[zone])
    return found
