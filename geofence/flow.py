"""Lanes that vehicles drive along, and queues in them that move up.

In a queue that moves up the next vehicle stands where the one before stood, to the half metre, and is not the same.

One vehicle's boxes cannot tell that, its neighbours' can: when two others in its lane move together, and it
was itself out of sight or beside its place then, it has moved with them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from geofence.visit import Departure, Look, Visit

MIN_MOVERS = 2
AHEAD_M = 15.0
ASIDE_M = 1.2
# From one look to the next a vehicle that moves up is not further than this from its place.
STEP_M = 5.0
# The lane moves and the vehicle is out of sight within this time of each other.
TOGETHER_S = 4.0
KNOWN_HITS = 4
# Where vehicles passed is remembered for so long, and so many times at most; one that passes the same place next to
# the last one says nothing new.
PASSED_S = 300.0
MAX_PASSINGS = 240
SAME_PASSING_M, SAME_PASSING_S = 3.0, 10.0
# What stays for less has passed.
PASSES_S = 3.0
# A lane is driven along where so many passed so near, before or behind; the vehicle's own coming does not count.
MIN_PASSINGS = 3
LANE_REACH_M = 30.0
COMING_S = 8.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """Where a vehicle was seen passing, and when by the camera's counted time."""

    east_m: float
    north_m: float
    clock_s: float


def with_passings(passings: Sequence[Passing], departures: Sequence[Departure], look: Look) -> tuple[Passing, ...]:
    """The places where vehicles passed of late, with those that were seen for a moment only and are gone."""
    now_s = look.clock.total_seconds()
    after = [one for one in passings if one.clock_s > now_s - PASSED_S]
    for departure in departures:
        presence = departure.visit.presence
        if (presence.dwell - presence.unsure).total_seconds() >= PASSES_S:
            continue
        east_m, north_m = departure.visit.anchor_m
        clock_s = now_s - presence.missing.total_seconds()
        if not any(
            clock_s - one.clock_s < SAME_PASSING_S
            and math.hypot(one.east_m - east_m, one.north_m - north_m) < SAME_PASSING_M
            for one in after
        ):
            after.append(Passing(east_m=round(east_m, 1), north_m=round(north_m, 1), clock_s=round(clock_s, 1)))
    return tuple(after[-MAX_PASSINGS:])


def is_driven(visit: Visit, passings: Sequence[Passing], look: Look) -> bool:
    """Whether others drove along the lane of what stands there, before it came."""
    if visit.footprint is None:
        return False
    came_s = (look.clock - visit.presence.age).total_seconds()
    east, north = math.sin(visit.footprint.lane_rad), math.cos(visit.footprint.lane_rad)
    found = 0
    for one in passings:
        east_m, north_m = one.east_m - visit.anchor_m[0], one.north_m - visit.anchor_m[1]
        along_m, aside_m = abs(east_m * east + north_m * north), abs(east_m * north - north_m * east)
        # Which way the lane runs nobody knows.
        found += one.clock_s < came_s - COMING_S and aside_m <= ASIDE_M and along_m <= LANE_REACH_M
    return found >= MIN_PASSINGS


def with_flow(visits: Sequence[Visit], departures: Sequence[Departure], look: Look) -> list[Visit]:
    """The visits, each with the last time at which its lane moved, and at which it was itself not seen in its place."""
    known = [visit for visit in visits if visit.presence.hits >= KNOWN_HITS]
    away = [visit for visit in known if visit.off or not visit.is_seen_at(look.at)]
    movers = [visit for visit in visits if is_moving(visit, look) or (is_new(visit, look) and _is_near(visit, away))]
    movers += [left.visit for left in departures if left.is_replaced and _left_now(left, look)]
    return [_with_flow(visit, movers, look) for visit in visits]


def moved_up(visits: Sequence[Visit]) -> Collection[int]:
    """Numbers of the visits whose thing has moved with its lane."""
    return {
        visit.number
        for visit in visits
        if visit.presence.hits >= KNOWN_HITS and _are_together(visit.lane_moved_at, visit.broken_at)
    }


def is_moving(visit: Visit, look: Look) -> bool:
    """Whether this look shows a thing that is known to stand there beside its place."""
    return visit.is_seen_at(look.at) and visit.presence.hits >= KNOWN_HITS and bool(visit.off)


def is_new(visit: Visit, look: Look) -> bool:
    """Whether this look shows a thing for the first time where an earlier one showed nothing."""
    return visit.is_seen_at(look.at) and visit.presence.hits == 1 and not visit.presence.is_start_unknown


def _is_near(visit: Visit, others: Sequence[Visit]) -> bool:
    """Whether it may be one of the others, driven on."""
    return any(other.group == visit.group and math.dist(other.anchor_m, visit.anchor_m) <= STEP_M for other in others)


def _left_now(departure: Departure, look: Look) -> bool:
    """Whether a known thing was still there a moment ago: what left long before only became known now."""
    is_known = departure.visit.presence.hits >= KNOWN_HITS
    return is_known and look.at - departure.at <= timedelta(seconds=TOGETHER_S) + look.counted


def _with_flow(visit: Visit, movers: Sequence[Visit], look: Look) -> Visit:
    along_m = [way for other in movers if other is not visit and (way := _along_m(visit, other)) is not None]
    if visit.presence.hits >= KNOWN_HITS and (visit.off or not visit.is_seen_at(look.at)):
        visit = replace(visit, broken_at=look.at)
    if not along_m:
        return visit
    ahead = look.at if any(way > 0 for way in along_m) else visit.ahead_moved_at
    behind = look.at if any(way <= 0 for way in along_m) else visit.behind_moved_at
    is_flow = len(along_m) >= MIN_MOVERS or _are_together(ahead, behind)
    return replace(
        visit,
        ahead_moved_at=ahead,
        behind_moved_at=behind,
        lane_moved_at=look.at if is_flow else visit.lane_moved_at,
    )


def _are_together(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= timedelta(seconds=TOGETHER_S)


def _along_m(visit: Visit, other: Visit) -> float | None:
    """Metres from the vehicle that stands there to one before (above 0) or behind it; None for one not in its lane."""
    if visit.footprint is None or visit.group != other.group:
        return None
    east, north = (there - here for here, there in zip(visit.anchor_m, other.anchor_m, strict=True))
    ahead = (math.sin(visit.footprint.lane_rad), math.cos(visit.footprint.lane_rad))
    along_m, aside_m = east * ahead[0] + north * ahead[1], abs(east * ahead[1] - north * ahead[0])
    return along_m if aside_m <= ASIDE_M and abs(along_m) <= AHEAD_M else None
