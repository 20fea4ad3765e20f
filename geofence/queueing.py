"""Queues: vehicles that stand in a row because the one before them does, as at a red light or in a jam.

A queue fills from its head: each vehicle stops behind the one that stopped just before it. Parked vehicles come and
go in any order. So three or more in one lane that stopped one after the other, head first, shortly after each other,
are taken for a queue; for twice the parking limit at most, then they are in the way like any other. Where others drove
along the lane before, the next one may take its time to come, and one that was hidden meanwhile counts. When one of
them began to stand is known to some seconds only: others drove through its place before it, or hid it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from geofence.dwell import DwellSettings
from geofence.flow import Passing, driven_sides
from geofence.footprint import Footprint
from geofence.lane import ASIDE_M, Axis, along_and_aside_m, axis_of
from geofence.visit import Look, Visit

MIN_VEHICLES = 3
PATIENCE = 2.0
# A queue dissolves from its head; the last one needs so long to move off.
DISSOLVES_S = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Spacing:
    """How the next one in a queue stands: gap between the two, metres, and how much later it came, seconds.

    mean_delay_s: what they need on average at least
    """

    max_gap_m: float
    min_delay_s: float
    max_delay_s: float
    mean_delay_s: float


ANYWHERE = _Spacing(max_gap_m=8.0, min_delay_s=-3.0, max_delay_s=7.0, mean_delay_s=1.5)
# Behind a head beyond which others drove: red lasts, traffic comes in bursts, and one of the queue may not be seen.
DRIVEN = _Spacing(max_gap_m=20.0, min_delay_s=-6.0, max_delay_s=60.0, mean_delay_s=0.5)


def with_queues(
    visits: Sequence[Visit],
    numbers: frozenset[int],
    passings: Sequence[Passing],
    look: Look,
    settings: DwellSettings,
) -> list[Visit]:
    """The visits, with what is known of their lanes, and when they were last seen queueing.

    numbers: of the vehicles that stand; passings: where others drove of late
    """
    after = list(visits)
    rows = [row for row, visit in enumerate(visits) if visit.number in numbers and visit.footprint is not None]
    unsure = [row for row in rows if not all(visits[row].driven_sides)]
    for row, (ahead, behind) in zip(unsure, driven_sides([visits[row] for row in unsure], passings, look), strict=True):
        known = visits[row].driven_sides
        sides = (ahead or known[0], behind or known[1])
        if sides != known:
            after[row] = replace(visits[row], driven_sides=sides)
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
    patience = timedelta(seconds=PATIENCE * settings.min_dwell_s)
    recent = [visit for visit in vehicles if at - visit.presence.began_at < patience]
    standing = [_Standing.of(visit, visit.footprint) for visit in recent if visit.footprint is not None]
    # Nobody saw the others come, so they make no queue, but they may stand in one.
    young = [one for one in standing if not one.is_start_unknown]
    queued: set[int] = set()
    for way in (1, -1):
        for spacing in (ANYWHERE, DRIVEN):
            behind = {
                one.number: [other for other in young if one.is_followed_by(other, way, spacing)] for one in young
            }
            for head in young:
                if spacing is DRIVEN and not head.is_driven_beyond(way):
                    continue
                for chain in _chains(head, behind, way):
                    together = {one.number for one in (*chain, *_between(chain, standing, way))}
                    if _is_queue(chain, together, spacing):
                        queued |= together
    return frozenset(queued)


def _chains(head: _Standing, behind: Mapping[int, Sequence[_Standing]], way: int) -> list[Sequence[_Standing]]:
    """For each vehicle that stands behind a head, one after the other, the longest row from there to it."""
    longest: dict[int, tuple[_Standing, ...]] = {head.number: (head,)}
    rest = [head]
    while rest:
        # The nearest first: whatever leads to it is known then.
        last = min(rest, key=lambda one: one.along_from(head, way))
        rest.remove(last)
        for one in behind[last.number]:
            chain = (*longest[last.number], one)
            if one not in longest[last.number] and len(chain) > len(longest.get(one.number, ())):
                longest[one.number] = chain
                rest.append(one)
    return [chain for chain in longest.values() if len(chain) > 1]


def _between(chain: Sequence[_Standing], others: Sequence[_Standing], way: int) -> list[_Standing]:
    """Those that stand in the lane between the first and the last of a queue, whenever they seem to have come."""
    head, length_m = chain[0], chain[-1].along_from(chain[0], way)
    return [one for one in others if one.is_in_lane_of(head) and 0 <= one.along_from(head, way) <= length_m]


def _is_queue(chain: Sequence[_Standing], together: Collection[int], spacing: _Spacing) -> bool:
    """`together`: numbers of all from the first to the last, of which some may have been hidden when they came."""
    passed_s = (chain[-1].began_at - chain[0].began_at).total_seconds()
    count = len(together) if spacing is DRIVEN else len(chain)
    return count >= MIN_VEHICLES and passed_s >= spacing.mean_delay_s * (len(chain) - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Standing:
    """A vehicle in its lane: axis is the unit vector along it."""

    number: int
    began_at: datetime
    is_start_unknown: bool
    center_m: tuple[float, float]
    length_m: float
    axis: Axis
    driven_sides: tuple[bool, bool]

    @staticmethod
    def of(visit: Visit, footprint: Footprint) -> _Standing:
        """What of a visit matters to a queue."""
        return _Standing(
            number=visit.number,
            began_at=visit.presence.began_at,
            is_start_unknown=visit.presence.is_start_unknown,
            center_m=footprint.center_m,
            length_m=footprint.length_m,
            axis=axis_of(footprint.lane_rad),
            driven_sides=visit.driven_sides,
        )

    def along_from(self, ahead: _Standing, way: int) -> float:
        """Metres by which it stands behind the other; below zero where it is before it."""
        return -way * self._seen_from(ahead)[0]

    def is_in_lane_of(self, other: _Standing) -> bool:
        """Whether it stands straight before or behind the other."""
        return self._seen_from(other)[1] <= ASIDE_M

    def is_driven_beyond(self, way: int) -> bool:
        """Whether others drove on where those would who stand behind it."""
        return self.driven_sides[0 if way > 0 else 1]

    def is_followed_by(self, other: _Standing, way: int, spacing: _Spacing) -> bool:
        """Whether the other one stopped next behind it in the same lane, shortly after it."""
        delay_s = (other.began_at - self.began_at).total_seconds()
        if other is self or not spacing.min_delay_s <= delay_s <= spacing.max_delay_s:
            return False
        gap_m = other.along_from(self, way) - (self.length_m + other.length_m) / 2
        return other.is_in_lane_of(self) and -self.length_m / 2 <= gap_m <= spacing.max_gap_m

    def _seen_from(self, other: _Standing) -> tuple[float, float]:
        east_m, north_m = self.center_m[0] - other.center_m[0], self.center_m[1] - other.center_m[1]
        return along_and_aside_m(other.axis, east_m, north_m)
