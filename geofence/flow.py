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

import numpy as np
import numpy.typing as npt

from geofence.lane import ASIDE_M, along_and_aside_m, axis_of
from geofence.visit import Departure, Look, Visit

Float64s = npt.NDArray[np.float64]

# So many that move make a flow where vehicles are known to drive or to queue, and so many anywhere: one that leaves a
# row hides another for a moment.
MIN_MOVERS, CLEAR_MOVERS = 2, 3
AHEAD_M = 15.0
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
BEYOND_M, LANE_REACH_M = 3.0, 30.0
COMING_S = 8.0
# Who parks before or behind it drives there as well: so many later ones count for one.
LATER_COUNTS = 2


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
            abs(clock_s - one.clock_s) < SAME_PASSING_S
            and math.hypot(one.east_m - east_m, one.north_m - north_m) < SAME_PASSING_M
            for one in after
        ):
            after.append(Passing(east_m=round(east_m, 1), north_m=round(north_m, 1), clock_s=round(clock_s, 1)))
    return tuple(after[-MAX_PASSINGS:])


def driven_sides(visits: Sequence[Visit], passings: Sequence[Passing], look: Look) -> list[tuple[bool, bool]]:
    """For each of some standing things whether others drove along its lane before and behind it.

    They did so before it came, be it through its place, or often do so now. Before and behind are as the lane's
    direction is written down.
    """
    if not passings:
        return [(False, False)] * len(visits)
    places_m = np.array([(one.east_m, one.north_m) for one in passings])
    clocks_s = np.array([one.clock_s for one in passings])
    return [_driven_sides(visit, places_m, clocks_s, look) for visit in visits]


def _driven_sides(visit: Visit, places_m: Float64s, clocks_s: Float64s, look: Look) -> tuple[bool, bool]:
    if visit.footprint is None:
        return False, False
    east_m, north_m = (places_m - visit.anchor_m).T
    along_m, aside_m = along_and_aside_m(axis_of(visit.footprint.lane_rad), east_m, north_m)
    came_s = (look.clock - visit.presence.age).total_seconds()
    is_before, is_in_lane = clocks_s < came_s - COMING_S, (aside_m <= ASIDE_M) & (abs(along_m) <= LANE_REACH_M)
    # Who drove through its place came from one side and went on to the other, seen there or not.
    if (is_before & is_in_lane & (abs(along_m) <= BEYOND_M)).sum() >= MIN_PASSINGS:
        return True, True
    weights = (is_before + (clocks_s > came_s) / LATER_COUNTS) * is_in_lane
    found = [float(weights[way * along_m > BEYOND_M].sum()) >= MIN_PASSINGS for way in (1, -1)]
    return found[0], found[1]


def with_flow(visits: Sequence[Visit], departures: Sequence[Departure], look: Look) -> list[Visit]:
    """The visits, each with the last time at which its lane moved, and at which it was itself not seen in its place."""
    movers = [visit for visit in visits if is_moving(visit, look)]
    movers += [left.visit for left in departures if left.is_replaced and _left_now(left, look)]
    movers += _driven_on(visits, movers, look)
    return [_with_flow(visit, movers, look) for visit in visits]


def moved_up(visits: Sequence[Visit], reported: Collection[int]) -> Collection[int]:
    """Numbers of the visits whose thing has moved with its lane.

    What has stood there for so long that it is `reported` must be seen beside its place: one look that misses it while
    others pass says nothing.
    """
    return {
        visit.number
        for visit in visits
        if visit.presence.hits >= KNOWN_HITS
        and _are_together(visit.lane_moved_at, visit.broken_at)
        and (visit.number not in reported or visit.off)
    }


def is_moving(visit: Visit, look: Look) -> bool:
    """Whether this look shows a thing that is known to stand there beside its place."""
    return visit.is_seen_at(look.at) and visit.presence.hits >= KNOWN_HITS and bool(visit.off)


def is_new(visit: Visit, look: Look) -> bool:
    """Whether this look shows a thing for the first time where an earlier one showed nothing."""
    return visit.is_seen_at(look.at) and visit.presence.hits == 1 and not visit.presence.is_start_unknown


def _driven_on(visits: Sequence[Visit], movers: Sequence[Visit], look: Look) -> list[Visit]:
    """Known things out of sight of which something new nearby may be the one, one each: the nearest first.

    Where they stood is what counts: one that leaves passes others that stay.
    """
    moved = {visit.number for visit in movers}
    away = [visit for visit in visits if not visit.is_seen_at(look.at)]
    near = sorted(
        (distance_m, new.number, row)
        for new in visits
        if is_new(new, look)
        for row, old in enumerate(away)
        if old.group == new.group and (distance_m := math.dist(old.anchor_m, new.anchor_m)) <= STEP_M
    )
    used: set[int] = set()
    found: dict[int, Visit] = {}
    for _, number, row in near:
        if number not in used and row not in found:
            used.add(number)
            found[row] = away[row]
    return [visit for visit in found.values() if visit.presence.hits >= KNOWN_HITS and visit.number not in moved]


def _left_now(departure: Departure, look: Look) -> bool:
    """Whether a known thing was still there a moment ago: what left long before only became known now."""
    is_known = departure.visit.presence.hits >= KNOWN_HITS
    return is_known and look.at - departure.at <= timedelta(seconds=TOGETHER_S) + look.counted


def _with_flow(visit: Visit, movers: Sequence[Visit], look: Look) -> Visit:
    moved = [(other.number, look.at) for other in movers if other is not visit and _is_in_lane(visit, other)]
    if visit.presence.hits >= KNOWN_HITS and (visit.off or not visit.is_seen_at(look.at)):
        visit = replace(visit, broken_at=look.at)
    if not moved:
        return visit
    again = {number for number, _ in moved}
    lately = [one for one in visit.lane_movers if one[0] not in again and _are_together(one[1], look.at)]
    is_queue = all(visit.driven_sides) or visit.queued_at is not None
    is_flow = len(lately) + len(moved) >= (MIN_MOVERS if is_queue else CLEAR_MOVERS)
    return replace(visit, lane_movers=(*lately, *moved), lane_moved_at=look.at if is_flow else visit.lane_moved_at)


def _are_together(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= timedelta(seconds=TOGETHER_S)


def _is_in_lane(visit: Visit, other: Visit) -> bool:
    """Whether another vehicle stands, or stood, in the lane of the one that stands there, and near it."""
    if visit.footprint is None or visit.group != other.group:
        return False
    east_m, north_m = (there - here for here, there in zip(visit.anchor_m, other.anchor_m, strict=True))
    along_m, aside_m = along_and_aside_m(axis_of(visit.footprint.lane_rad), east_m, north_m)
    return aside_m <= ASIDE_M and abs(along_m) <= AHEAD_M
