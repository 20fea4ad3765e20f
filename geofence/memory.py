"""What a camera's rules remember between two frames, and one step of it: one frame in, reports out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median

import numpy as np

from detectors.classes import Role
from geofence.boxes import Sighting
from geofence.breach import Known
from geofence.claims import Claim, Report, advance_claims
from geofence.dwell import ZERO, DwellSettings, Presence
from geofence.flow import Passing, moved_up, with_flow, with_passings
from geofence.footprint import Footing, fit_footprints
from geofence.messages import IncidentKind
from geofence.queueing import with_queues
from geofence.rules import breaches_of, is_standing, kind_of
from geofence.scene import Scene
from geofence.site import Camera, Site
from geofence.visit import Departure, Look, Visit, left_by
from geofence.visits import advance_visits

USUAL_INTERVALS = 9
# A silence is one when so many usual intervals pass without a frame.
SILENT_INTERVALS = 3.0
# Nobody knows a camera's interval before its second frame.
FIRST_INTERVAL_S = 60.0
# More than any silence that settings ask for.
MAX_GAP_S = 7 * 86400.0
# The ground under a visit is fitted anew when it has been seen so many times as often as at the last fit.
FIT_AGAIN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What one camera's frames have left behind.

    intervals_s: seconds between its latest frames; clock: all time that counted; passings: where vehicles drove
    """

    last_frame_at: datetime | None = None
    intervals_s: tuple[float, ...] = ()
    clock: timedelta = ZERO
    next_number: int = 1
    visits: tuple[Visit, ...] = ()
    claims: tuple[Claim, ...] = ()
    passings: tuple[Passing, ...] = ()


def silence_s(intervals_s: Sequence[float], max_gap_s: float) -> float:
    """Seconds without a frame after which nobody knows what happened."""
    usual_s = median(intervals_s) if intervals_s else FIRST_INTERVAL_S / SILENT_INTERVALS
    return max(max_gap_s, SILENT_INTERVALS * usual_s)


def advance_camera(
    site: Site,
    camera: Camera,
    memory: Memory,
    scene: Scene,
    seen_at: datetime,
) -> tuple[Memory, tuple[Report, ...]]:
    """The memory after one frame, later than the last, and what there is to report."""
    look, intervals_s = _look(site, memory, seen_at)

    def rules(name: str) -> DwellSettings:
        return site.config.dwell[kind_of(site.classes.by_name[name])]

    reported = frozenset(number for claim in memory.claims if claim.incident for number in claim.visits)
    visits, departures, next_number = advance_visits(
        memory.visits,
        scene,
        look,
        rules=rules,
        reported=reported,
        next_number=memory.next_number,
    )
    visits = with_flow(visits, departures, look)
    gone = moved_up(visits, reported)
    departures += [Departure.of(left_by(visit, look), is_replaced=True) for visit in visits if visit.number in gone]
    visits = _grounded(site, camera, [visit for visit in visits if visit.number not in gone])
    passings = with_passings(memory.passings, [left for left in departures if _is_vehicle(site, left.visit)], look)
    standing = frozenset(visit.number for visit in visits if is_standing(visit) and _is_vehicle(site, visit))
    visits = with_queues(visits, standing, passings, look, site.config.dwell[IncidentKind.ILLEGAL_PARKING])
    broken = {
        (claim.kind, claim.key): Known(
            visits=claim.visits, zone_id=claim.zone_id, ground_m=claim.told_m or claim.ground_m
        )
        for claim in memory.claims
        if claim.ended_at is None
    }
    claims, reports = advance_claims(
        memory.claims,
        breaches_of(site, visits, seen_at, broken),
        visits,
        departures,
        look,
        site_id=site.site_id,
        settings=site.config.dwell,
    )
    after = Memory(
        last_frame_at=seen_at,
        intervals_s=intervals_s,
        clock=look.clock,
        next_number=next_number,
        visits=tuple(visits),
        claims=claims,
        passings=passings,
    )
    return after, reports


def is_silence(site: Site, memory: Memory, seen_at: datetime) -> bool:
    """Whether a frame at `seen_at` comes so long after the last that nobody knows what happened."""
    if memory.last_frame_at is None:
        return False
    max_gap_s = min((rule.max_gap_s for rule in site.config.dwell.values()), default=0.0)
    return (seen_at - memory.last_frame_at).total_seconds() > silence_s(memory.intervals_s, max_gap_s)


def _look(site: Site, memory: Memory, seen_at: datetime) -> tuple[Look, tuple[float, ...]]:
    if memory.last_frame_at is None:
        return Look(at=seen_at, before=None, counted=ZERO, clock=memory.clock), ()
    passed = seen_at - memory.last_frame_at
    if is_silence(site, memory, seen_at):
        return Look(at=seen_at, before=None, counted=ZERO, clock=memory.clock), memory.intervals_s
    intervals_s = (*memory.intervals_s, passed.total_seconds())[-USUAL_INTERVALS:]
    usual = timedelta(seconds=median(intervals_s))
    look = Look(at=seen_at, before=memory.last_frame_at, counted=passed, clock=memory.clock + passed, usual=usual)
    return look, intervals_s


def _grounded(site: Site, camera: Camera, visits: Sequence[Visit]) -> list[Visit]:
    """The visits with their footprints, where they have been seen often enough to (re)fit them."""
    rows = [n for n, visit in enumerate(visits) if _wants_fit(visit)]
    if not rows:
        return list(visits)
    axes = site.axes_at(np.array([visits[row].anchor_m for row in rows]))
    footings = [
        Footing(
            xyxy=visits[row].box,
            unseen_edges=visits[row].unseen_edges,
            object_class=site.classes.by_name[visits[row].name],
            axis_rad=None if math.isnan(axis) else axis,
        )
        for row, axis in zip(rows, axes, strict=True)
    ]
    after = list(visits)
    for row, footprint in zip(rows, fit_footprints(camera.homography, camera.pose, footings), strict=True):
        hits = visits[row].presence.hits
        after[row] = replace(visits[row], footprint=footprint or visits[row].footprint, fitted_hits=hits)
    return after


def _is_vehicle(site: Site, visit: Visit) -> bool:
    return site.classes.by_name[visit.name].role == Role.VEHICLE


def _wants_fit(visit: Visit) -> bool:
    return is_standing(visit) and visit.presence.hits >= FIT_AGAIN * visit.fitted_hits


def shifted(memory: Memory, by: timedelta) -> Memory:
    """The memory by a clock that was set by so much, cut off from what comes next as by a silence.

    What has been reported keeps the times that it was reported with.
    """
    if memory.last_frame_at is None:
        return memory
    visits = tuple(_visit_moved(visit, by) for visit in memory.visits)
    claims = tuple(
        replace(
            claim,
            began_at=claim.began_at + by,
            last_seen_at=claim.last_seen_at + by,
            reported_at=None if claim.reported_at is None else claim.reported_at + by,
            ended_at=None if claim.ended_at is None else claim.ended_at + by,
        )
        for claim in memory.claims
    )
    last_at = memory.last_frame_at + by - timedelta(seconds=2 * silence_s(memory.intervals_s, MAX_GAP_S))
    return replace(memory, last_frame_at=last_at, visits=visits, claims=claims)


def _visit_moved(visit: Visit, by: timedelta) -> Visit:
    return replace(
        visit,
        presence=_presence_moved(visit.presence, by),
        recent=_sightings_moved(visit.recent, by),
        off=_sightings_moved(visit.off, by),
        doubt=_sightings_moved(visit.doubt, by),
        named_at=visit.named_at + by,
        placed_at=visit.placed_at + by,
        covered_at=None,
        # What a lane did a moment ago says nothing after a silence.
        lane_movers=(),
        lane_moved_at=None,
        broken_at=None,
        queued_at=None,
    )


def _sightings_moved(sightings: Sequence[Sighting], by: timedelta) -> tuple[Sighting, ...]:
    return tuple(replace(one, at=one.at + by, before=one.before + by) for one in sightings)


def _presence_moved(presence: Presence, by: timedelta) -> Presence:
    gone_at = None if presence.gone_at is None else presence.gone_at + by
    return replace(presence, began_at=presence.began_at + by, last_seen_at=presence.last_seen_at + by, gone_at=gone_at)
