"""Queues: vehicles that stand in a row because the one before them does, as at a red light or in a jam.

A queue fills from its head: each vehicle stops behind the one that stopped just before it. Parked vehicles come and
go in any order. So three or more in one lane that stopped one after the other, head first, shortly after each other,
are taken for a queue; for twice the parking limit at most, then they are in the way like any other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime

from geofence.dwell import DwellSettings
from geofence.visit import Visit

MIN_VEHICLES = 3
MAX_GAP_M = 8.0
MAX_ASIDE_M = 1.2
MAX_DELAY_S = 6.0
PATIENCE = 2.0


def queueing_numbers(vehicles: Sequence[Visit], at: datetime, settings: DwellSettings) -> frozenset[int]:
    """Numbers of the visits that stand in a queue at `at`."""
    young = [
        visit
        for visit in vehicles
        if not visit.presence.is_start_unknown
        and (at - visit.presence.began_at).total_seconds() < PATIENCE * settings.min_dwell_s
    ]
    follows = {
        visit.number: [other.number for other in young if other is not visit and _stopped_behind(other, visit)]
        for visit in young
    }
    queued: set[int] = set()
    for visit in young:
        chain = _longest(visit.number, follows, frozenset())
        if len(chain) >= MIN_VEHICLES:
            queued.update(chain)
    return frozenset(queued)


def _stopped_behind(later: Visit, earlier: Visit) -> bool:
    """Whether `later` stopped in the same lane next to `earlier`, shortly after it."""
    delay_s = (later.presence.began_at - earlier.presence.began_at).total_seconds()
    if not 0 < delay_s <= MAX_DELAY_S:
        return False
    first, second = earlier.footprint, later.footprint
    if first is None or second is None:
        return False
    east, north = second.center_m[0] - first.center_m[0], second.center_m[1] - first.center_m[1]
    ahead = (math.sin(first.heading_rad), math.cos(first.heading_rad))
    along_m, aside_m = abs(east * ahead[0] + north * ahead[1]), abs(east * ahead[1] - north * ahead[0])
    return aside_m <= MAX_ASIDE_M and along_m - (first.length_m + second.length_m) / 2 <= MAX_GAP_M


def _longest(number: int, follows: dict[int, list[int]], seen: frozenset[int]) -> tuple[int, ...]:
    tails = [_longest(after, follows, seen | {number}) for after in follows[number] if after not in seen]
    return (number, *max(tails, key=len, default=()))
