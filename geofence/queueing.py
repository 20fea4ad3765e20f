"""Queues: vehicles that stand in a row because the one before them does, as at a red light or in a jam.

A queue fills from its head: each vehicle stops behind the one that stopped just before it. Parked vehicles come and
go in any order. So three or more in one lane that stopped one after the other, head first, shortly after each other,
are taken for a queue; for twice the parking limit at most, then they are in the way like any other. Where others drove
along the lane before, the next one may take its time to come. When one of them began to stand is known to some seconds
only: others drove through its place before it, or hid it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from geofence.dwell import DwellSettings
from geofence.flow import Passing, is_driven
from geofence.footprint import Footprint
from geofence.visit import Look, Visit

MIN_VEHICLES = 3
MAX_GAP_M = 8.0
MAX_ASIDE_M = 1.2
MIN_DELAY_S, MAX_DELAY_S = -3.0, 7.0
# In a lane that others drove along: red lasts, traffic comes in bursts, and one of the queue may not be seen.
DRIVEN_GAP_M = 20.0
DRIVEN_MIN_DELAY_S, DRIVEN_MAX_DELAY_S = -6.0, 30.0
MEAN_DELAY_S, DRIVEN_MEAN_DELAY_S = 1.5, 0.5
PATIENCE = 2.0
# A queue dissolves from its head; the last one needs so long to move off.
DISSOLVES_S = 20.0


def with_queues(
    visits: Sequence[Visit],
    numbers: frozenset[int],
    passings: Sequence[Passing],
    look: Look,
    settings: DwellSettings,
) -> list[Visit]:
    """The visits, with what is known of their lanes, and since when they were last seen queueing.

    numbers: of the vehicles that stand; passings: where others drove of late
    """
    after = list(visits)
    rows = [row for row, visit in enumerate(visits) if visit.number in numbers and visit.footprint is not None]
    for row in rows:
        if visits[row].is_lane_driven is None:
            after[row] = replace(visits[row], is_lane_driven=is_driven(visits[row], passings, look))
    queueing = queueing_numbers([after[row] for row in rows], look.at, settings)
    for row in rows:
        if after[row].number in queueing:
            after[row] = replace(after[row], queued_at=look.at)
    return after


def is_queueing(visit: Visit, at: datetime) -> bool:
    """Whether a vehicle stands in a queue, or in what is left of one that has begun to move."""
    return visit.queued_at is not None and at - visit.queued_at <= timedelta(seconds=DISSOLVES_S)


def queueing_numbers(vehicles: Sequence[Visit], at: datetime, settings: DwellSettings) -> frozenset[int]:
    """Numbers of the visits that stand in a queue at `at`."""
    young = [
        _Standing.of(visit, visit.footprint)
        for visit in vehicles
        if visit.footprint is not None
        and not visit.presence.is_start_unknown
        and (at - visit.presence.began_at).total_seconds() < PATIENCE * settings.min_dwell_s
    ]
    queued: set[int] = set()
    for way in (1, -1):
        behind = {one.number: [other for other in young if one.is_followed_by(other, way)] for one in young}
        for head in young:
            chain = [head]
            while following := [one for one in behind[chain[-1].number] if one not in chain]:
                chain.append(min(following, key=lambda one: one.along_from(chain[-1], way)))
                if _is_queue(chain):
                    queued.update(one.number for one in chain)
    return frozenset(queued)


def _is_queue(chain: Sequence[_Standing]) -> bool:
    passed_s = (chain[-1].began_at - chain[0].began_at).total_seconds()
    mean_s = DRIVEN_MEAN_DELAY_S if any(one.is_driven for one in chain) else MEAN_DELAY_S
    return len(chain) >= MIN_VEHICLES and passed_s >= mean_s * (len(chain) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """A vehicle in its lane: axis is the unit vector along it; is_driven: others drove along it before."""

    number: int
    began_at: datetime
    center_m: tuple[float, float]
    length_m: float
    axis: tuple[float, float]
    is_driven: bool

    @staticmethod
    def of(visit: Visit, footprint: Footprint) -> _Standing:
        """What of a visit matters to a queue."""
        return _Standing(
            number=visit.number,
            began_at=visit.presence.began_at,
            center_m=footprint.center_m,
            length_m=footprint.length_m,
            axis=(math.sin(footprint.lane_rad), math.cos(footprint.lane_rad)),
            is_driven=bool(visit.is_lane_driven),
        )

    def along_from(self, ahead: _Standing, way: int) -> float:
        """Metres by which it stands behind the other; below zero where it is before it."""
        east, north = self._from(ahead)
        return -way * (east * ahead.axis[0] + north * ahead.axis[1])

    def is_followed_by(self, other: _Standing, way: int) -> bool:
        """Whether the other one stopped next behind it in the same lane, shortly after it."""
        delay_s = (other.began_at - self.began_at).total_seconds()
        is_driven = self.is_driven or other.is_driven
        least_s, most_s = (DRIVEN_MIN_DELAY_S, DRIVEN_MAX_DELAY_S) if is_driven else (MIN_DELAY_S, MAX_DELAY_S)
        if other is self or not least_s <= delay_s <= most_s:
            return False
        east, north = other._from(self)
        aside_m = abs(east * self.axis[1] - north * self.axis[0])
        gap_m = other.along_from(self, way) - (self.length_m + other.length_m) / 2
        return aside_m <= MAX_ASIDE_M and -self.length_m / 2 <= gap_m <= (DRIVEN_GAP_M if is_driven else MAX_GAP_M)

    def _from(self, other: _Standing) -> tuple[float, float]:
        return self.center_m[0] - other.center_m[0], self.center_m[1] - other.center_m[1]
