"""Queues that move up: the next vehicle stands where the one before stood, to the half metre, and is not the same.

One vehicle's boxes cannot tell that, its neighbours' can: when two others in its lane move together, and it
was itself out of sight or beside its place then, it has moved with them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import replace
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
