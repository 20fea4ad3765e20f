"""Which obstacles block a sidewalk: every place at which nobody gets past is a blockade of its own.

A sidewalk that is shut at two places is opened by two people. What shuts it within `merge_m` of a known blockade
belongs to that one, whichever of its things come and go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import dist, sqrt
from typing import Any, NamedTuple

import numpy as np
import shapely

from detectors.classes import Role
from geofence.breach import (
    OBSTACLE_ROLES,
    Breach,
    Broken,
    Clearance,
    Known,
    counted_since,
    footprint_of,
    is_allowed,
    is_sure,
    with_role,
)
from geofence.messages import IncidentKind
from geofence.places import Zone
from geofence.site import Site
from geofence.visit import Visit

KIND = IncidentKind.BLOCKED_SIDEWALK
# A blocked sidewalk stays so until so much more of it is free; the limit lies in the middle, because a measured width
# errs either way.
CLEAR_SLACK_M = 0.1
# A vehicle's place errs along its whole length: so much of it at least is on the sidewalk that it blocks.
VEHICLE_SHARE = 0.3
# Where every chain of obstacles is a blockade of its own, their places are named by squares of this size.
LEAST_STEP_M = 1.5


class _Chain(NamedTuple):
    """Things that shut a sidewalk together, and the widest passage that they leave."""

    things: tuple[Visit, ...]
    clear: Clearance

    @property
    def largest(self) -> Visit:
        """The thing that the blockade is named after."""
        return max(self.things, key=lambda visit: (_area_m2(visit), -visit.number))

    @property
    def numbers(self) -> frozenset[int]:
        """Numbers of the visits."""
        return frozenset(visit.number for visit in self.things)


def blocked_sidewalks(site: Site, standing: Sequence[Visit], at: datetime, broken: Broken) -> list[Breach]:
    """Places at which obstacles that no other rule claims leave no passage along a sidewalk, from end to end."""
    # What is pushed or drives past slowly stands nowhere, and half of it is seen at a place that it does not have.
    lasting = [one for one in standing if one.has_lasted]
    obstacles = with_role(site, lasting, OBSTACLE_ROLES | {Role.VEHICLE})
    if not obstacles or not site.walkways:
        return []
    sure = _blocked_with(site, [one for one in obstacles if is_sure(one)], at, broken)
    if all(is_sure(one) for one in obstacles):
        return sure
    proved = {(KIND, one.key): Known(visits=one.visits, zone_id=one.zone.id, ground_m=one.ground_m) for one in sure}
    broken = {**broken, **proved}
    with_unsure = _wherever_they_stand(site, obstacles, at, broken)
    known = {breach.key for breach in sure}
    return sure + [breach for breach in with_unsure if breach.key not in known]


def _wherever_they_stand(site: Site, obstacles: Sequence[Visit], at: datetime, broken: Broken) -> list[Breach]:
    """Blockades that are there wherever the things of unsure place may stand, or are known and not disproved."""
    found = _blocked_with(site, obstacles, at, broken)
    for sways in (-1.0, 1.0):
        if any((KIND, breach.key) not in broken for breach in found):
            others = _blocked_with(site, obstacles, at, broken, sways=sways)
            found = [one for one in found if (KIND, one.key) in broken or _is_among(one, others)]
    return found


def _is_among(breach: Breach, others: Sequence[Breach]) -> bool:
    """Whether what blocks does so in `others` too."""
    return any(other.zone.id == breach.zone.id and set(other.visits) & set(breach.visits) for other in others)


def _blocked_with(
    site: Site, obstacles: Sequence[Visit], at: datetime, broken: Broken, *, sways: float = 0.0
) -> list[Breach]:
    """Blockades by these things; those of unsure place are shifted by so many standard deviations."""
    if not obstacles:
        return []
    polygons = np.array([footprint_of(one).shifted(0.0 if is_sure(one) else sways) for one in obstacles])
    rows, zones, overlaps = site.zones.overlapping(polygons)
    shares = shapely.area(overlaps) / shapely.area(shapely.polygons(polygons))[rows]
    is_vehicle = np.array([site.classes.by_name[one.name].role == Role.VEHICLE for one in obstacles])
    in_the_way = shares > np.where(is_vehicle[rows], VEHICLE_SHARE, 0.0)
    found: list[Breach] = []
    for number in sorted(site.walkways):
        zone = site.zones.zones[number]
        is_free = np.array([is_allowed(site, KIND, zone, one, at) for one in obstacles])
        is_there = (zones == number) & in_the_way & ~is_free[rows]
        if is_there.any():
            things = [obstacles[row] for row in rows[is_there]]
            known = {key: one for (kind, key), one in broken.items() if kind == KIND and one.zone_id == zone.id}
            found += _blockades(site, number, things, list(overlaps[is_there]), at=at, known=known)
    return found


def _blockades(
    site: Site,
    number: int,
    things: Sequence[Visit],
    pieces: Sequence[Any],
    *,
    at: datetime,
    known: Mapping[str, Known],
) -> list[Breach]:
    """Blockades of sidewalk `number` by things of which these pieces lie on it.

    Each says its narrowest passage, and is told by the chain that told it before, else by the one that came first: so
    its place stays.
    """
    walkway, zone = site.walkways[number], site.zones.zones[number]
    wanted_m, merge_m = site.min_clear_m(zone), site.config.dwell[KIND].merge_m
    loose_m, tight_m = wanted_m + CLEAR_SLACK_M / 2, wanted_m - CLEAR_SLACK_M / 2
    parts: dict[str, list[_Chain]] = {}
    rest = list(range(len(things)))
    while rest:
        in_the_way = shapely.union_all([pieces[row] for row in rest])
        if walkway.is_passable(in_the_way, loose_m if known else tight_m):
            break
        rows = [rest[one] for one in walkway.narrowest_chain([pieces[row] for row in rest])] or rest
        clear = Clearance(width_m=walkway.clear_width_m(in_the_way), wanted_m=wanted_m)
        chain = _Chain(tuple(things[row] for row in rows), clear)
        rest = [row for row in rest if row not in rows]
        key = _known_as(chain, known, merge_m)
        if key is None and walkway.is_passable(in_the_way, tight_m):
            continue
        if key is None:
            key = _known_as(chain, {key: _as_known(zone, one[0]) for key, one in parts.items()}, merge_m)
        parts.setdefault(key or f"zone:{zone.id}:{min(chain.numbers)}", []).append(chain)
    found = []
    for key, chains in parts.items():
        before = known[key].visits if key in known else ()
        chain = min(chains, key=lambda one: (one.numbers.isdisjoint(before), _shut_since(site, zone, one, at)[0]))
        found.append(_breach(site, zone, chain, key=key, clear=chains[0].clear, at=at))
    return found


def _known_as(chain: _Chain, known: Mapping[str, Known], merge_m: float) -> str | None:
    """The key of the known blockade that this one is: of the same things, else the nearest one within `merge_m`."""
    place_m = footprint_of(chain.largest).center_m
    ranked = sorted(
        (chain.numbers.isdisjoint(one.visits), dist(one.ground_m, place_m), key) for key, one in known.items()
    )
    return next((key for is_other, away_m, key in ranked if not is_other or away_m <= merge_m), None)


def _as_known(zone: Zone, chain: _Chain) -> Known:
    return Known(visits=tuple(chain.numbers), zone_id=zone.id, ground_m=footprint_of(chain.largest).center_m)


def _breach(site: Site, zone: Zone, chain: _Chain, *, key: str, clear: Clearance, at: datetime) -> Breach:
    since, latest = _shut_since(site, zone, chain, at)
    largest = footprint_of(chain.largest)
    # Two blockades lie further apart than the diagonal of a square.
    step_m = site.config.dwell[KIND].merge_m / sqrt(2) or LEAST_STEP_M
    east, north = (round(metres / step_m) for metres in largest.center_m)
    return Breach(
        kind=KIND,
        key=key,
        visits=tuple(sorted(chain.numbers)),
        place_key=f"zone:{zone.id}:{east:+d}:{north:+d}",
        zone=zone,
        ground_m=largest.center_m,
        subject=chain.largest.name,
        confidence=min(visit.confidence for visit in chain.things),
        since=since,
        is_start_unknown=latest.presence.is_start_unknown and since <= latest.presence.began_at,
        boxes=tuple(visit.last_xyxy for visit in chain.things),
        sigma_m=largest.sigma_m,
        clear=clear,
    )


def _shut_since(site: Site, zone: Zone, chain: _Chain, at: datetime) -> tuple[datetime, Visit]:
    """When the last of its things came, and which that is."""
    came = [(max(one.placed_at, counted_since(site, KIND, zone, one, at)), one) for one in chain.things]
    return max(came, key=lambda pair: pair[0])


def _area_m2(visit: Visit) -> float:
    footprint = footprint_of(visit)
    return footprint.length_m * footprint.width_m
