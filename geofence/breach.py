"""A rule that is broken at a moment, and what all rules ask of the things that may break it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from detectors.classes import Role
from geofence.boxes import Box
from geofence.footprint import Footprint
from geofence.messages import IncidentKind
from geofence.permits import Permitted, is_permitted, last_permitted
from geofence.places import Zone
from geofence.site import Site
from geofence.visit import Visit

OBSTACLE_ROLES = frozenset({Role.TWO_WHEELER, Role.BIN, Role.OBSTACLE})
# What nobody knows the place of by so much, because its foot is hidden, breaks a rule only if it does so wherever it
# may stand.
_SURE_M = 1.0


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

    key:      what breaks it, the same from frame to frame: a visit, or a blockade of a sidewalk
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of a rule that was broken a frame before: the visits that broke it, in which zone and where."""

    visits: tuple[int, ...]
    zone_id: str
    ground_m: tuple[float, float]


Key = tuple[IncidentKind, str]
Broken = Mapping[Key, Known]


def counted_since(site: Site, kind: IncidentKind, zone: Zone, visit: Visit, at: datetime) -> datetime:
    """Since when a thing has stood there without a permit."""
    permitted = last_permitted(site.permits, _permitted(kind, zone, visit), at) if site.permits else None
    return visit.presence.began_at if permitted is None else max(permitted, visit.presence.began_at)


def is_allowed(site: Site, kind: IncidentKind, zone: Zone, visit: Visit, at: datetime) -> bool:
    """Whether the zone exempts what the thing is, or a permit lifts the rule for it."""
    if visit.name in zone.exempt:
        return True
    return bool(site.permits) and is_permitted(site.permits, _permitted(kind, zone, visit), at)


def _permitted(kind: IncidentKind, zone: Zone, visit: Visit) -> Permitted:
    return Permitted(
        kind=kind,
        zone_id=zone.id,
        ground_m=footprint_of(visit).center_m,
        name=visit.name,
        plate_sha256=visit.plate_sha256,
    )


def with_role(site: Site, visits: Sequence[Visit], roles: frozenset[Role]) -> list[Visit]:
    """The visits of things whose class has one of these roles."""
    return [visit for visit in visits if site.classes.by_name[visit.name].role in roles]


def footprint_of(visit: Visit) -> Footprint:
    """The footprint of a visit that has one."""
    assert visit.footprint is not None, "standing visits have a footprint"
    return visit.footprint


def is_sure(visit: Visit) -> bool:
    """Whether its place is known well enough to tell a breach by."""
    return footprint_of(visit).sigma_m <= _SURE_M
