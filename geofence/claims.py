"""From broken rules to incidents: each is reported once at its limit, updated while it stands, cleared when it is over.

A claim is a rule that has been broken without a break by the same thing, or at the same place of a sidewalk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from math import dist, hypot

from geofence.boxes import LASTING_LOOKS, LASTING_S, RESTLESS_S, Box
from geofence.breach import Breach, Clearance, Key
from geofence.dwell import MAX_MISSED_SHARE, ZERO, DwellSettings
from geofence.identity import incident_id_of
from geofence.messages import EventType, IncidentKind
from geofence.queueing import is_queueing
from geofence.visit import Departure, Look, Visit

# An update is due at once when a passage has become narrower by this much, or the thing stands so far from where it was
# last told to.
WORSE_M = 0.3
MOVED_M = 1.0
MOVED_SIGMAS = 3.0
# A sidewalk that is shut again so soon was not opened.
OPEN_S = 10.0


class Change(StrEnum):
    """Why there is something new to tell of an open incident."""

    WORSE = "worse"
    MOVED = "moved"
    STILL = "still"


class Ending(StrEnum):
    """Why an incident is over."""

    GONE = "gone"
    REPLACED = "replaced"
    ALLOWED = "allowed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What has been reported: the facts that stay the same from opened to cleared."""

    incident_id: str
    kind: IncidentKind
    place_key: str
    zone_id: str
    surface: str | None
    ground_m: tuple[float, float]
    subject: str
    began_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A rule that has been broken for a while.

    visits: numbers of the visits that break it
    began_clock: counted time of the camera when it began; dwell: since then until it was last seen, of which so much
        as is `unsure` is not proved
    last_seen_at, ground_m, sigma_m, boxes, confidence, clear: as of the last frame that showed it
    told_clear_m, told_m, told_sigma_m: the passage that it leaves, its place and how sure that was, as last reported
    ended_at: when a sidewalk that it shut became free, while that may be for a moment only; ending: by what
    """

    kind: IncidentKind
    key: str
    visits: tuple[int, ...]
    zone_id: str
    began_at: datetime
    is_start_unknown: bool
    began_clock: timedelta
    dwell: timedelta
    unsure: timedelta
    last_seen_at: datetime
    ground_m: tuple[float, float]
    boxes: tuple[Box, ...]
    confidence: float
    sigma_m: float
    clear: Clearance | None = None
    told_clear_m: float | None = None
    told_m: tuple[float, float] | None = None
    told_sigma_m: float = 0.0
    incident: Incident | None = None
    reported_at: datetime | None = None
    ended_at: datetime | None = None
    ending: Ending | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One step in the life of an incident; at: when it became true.

    ground_m: where it is told to be now; change: of an update; ending: of one that is over
    """

    event: EventType
    incident: Incident
    at: datetime
    dwell: timedelta
    confidence: float
    is_start_unknown: bool
    boxes: tuple[Box, ...]
    ground_m: tuple[float, float]
    sigma_m: float
    clear: Clearance | None = None
    change: Change | None = None
    ending: Ending | None = None


def advance_claims(
    claims: Sequence[Claim],
    breaches: Sequence[Breach],
    visits: Sequence[Visit],
    departures: Sequence[Departure],
    look: Look,
    *,
    site_id: str,
    settings: Mapping[IncidentKind, DwellSettings],
) -> tuple[tuple[Claim, ...], tuple[Report, ...]]:
    """Claims after one frame and what there is to report: first what is over, then what stays, then what is new."""
    by_number = {visit.number: visit for visit in visits}
    known: dict[Key, Claim] = {(claim.kind, claim.key): claim for claim in claims if claim.ended_at is None}
    lately = [claim for claim in claims if claim.ended_at is not None]
    kept: list[Claim] = []
    due: list[tuple[int, Breach]] = []
    for breach in breaches:
        members = [by_number[number] for number in breach.visits]
        before = known.pop((breach.kind, breach.key), None) or _shut_again(lately, breach, settings[breach.kind])
        claim = _continued(before or _begun(breach, members, look), breach, members, look)
        is_settled = claim.last_seen_at == look.at and all(_is_certain(visit, look.at) for visit in members)
        if claim.incident is None and is_settled and claim.dwell - claim.unsure >= _limit(settings[claim.kind]):
            due.append((len(kept), breach))
        kept.append(claim)
    ended = lately + [_ended(claim, by_number, departures, look) for claim in known.values()]
    waiting = [claim for claim in ended if _may_be_shut_again(claim, visits, look)]
    reports = _cleared([claim for claim in ended if not _may_be_shut_again(claim, visits, look)], kept)
    reports += _updates(kept, look, settings)
    for row, breach in due:
        reports += _opened(kept, row, breach, look=look, site_id=site_id, settings=settings[breach.kind])
    return (*kept, *waiting), tuple(reports)


def _is_certain(visit: Visit, at: datetime) -> bool:
    is_rare = visit.presence.missed_share > MAX_MISSED_SHARE
    return not (visit.is_in_question or is_rare or is_queueing(visit, at))


def _limit(settings: DwellSettings) -> timedelta:
    return timedelta(seconds=settings.min_dwell_s)


def _begun(breach: Breach, members: Sequence[Visit], look: Look) -> Claim:
    elapsed = min([look.at - breach.since, *(visit.presence.age for visit in members)])
    latest = max(members, key=lambda visit: visit.presence.last_seen_at)
    return Claim(
        kind=breach.kind,
        key=breach.key,
        visits=breach.visits,
        zone_id=breach.zone.id,
        began_at=breach.since,
        is_start_unknown=breach.is_start_unknown,
        began_clock=look.clock - elapsed,
        dwell=max(ZERO, elapsed - latest.presence.missing),
        unsure=max(ZERO, max(_first_seen_at(visit) for visit in members) - breach.since),
        last_seen_at=latest.presence.last_seen_at,
        ground_m=breach.ground_m,
        boxes=breach.boxes,
        confidence=breach.confidence,
        sigma_m=breach.sigma_m,
    )


def _first_seen_at(visit: Visit) -> datetime:
    return visit.presence.began_at + visit.presence.unsure


def _continued(claim: Claim, breach: Breach, members: Sequence[Visit], look: Look) -> Claim:
    is_seen = any(visit.is_seen_at(look.at) and not visit.is_on_its_way for visit in members)
    return replace(
        claim,
        visits=breach.visits,
        # Time in which the thing was hidden or missed counts as soon as it is seen again in its place.
        dwell=look.clock - claim.began_clock if is_seen else claim.dwell,
        last_seen_at=look.at if is_seen else claim.last_seen_at,
        ground_m=breach.ground_m,
        boxes=breach.boxes,
        confidence=breach.confidence,
        sigma_m=breach.sigma_m,
        clear=breach.clear,
    )


def _ended(claim: Claim, visits: Mapping[int, Visit], departures: Sequence[Departure], look: Look) -> Claim:
    """A claim whose rule is broken no more, with the time since when that is so, and why."""
    left = {departure.visit.number: departure for departure in departures}
    gone = [left[number] for number in claim.visits if number in left]
    at = min((departure.at for departure in gone), default=_allowed_since(claim, visits, look))
    ending = Ending.ALLOWED
    if gone:
        ending = Ending.REPLACED if any(departure.is_replaced for departure in gone) else Ending.GONE
    return replace(claim, ended_at=at, ending=ending)


def _may_be_shut_again(claim: Claim, visits: Sequence[Visit], look: Look) -> bool:
    """Whether a sidewalk that was shut for long has been open for a moment only.

    Who moves a stall by some metres does not let people pass. What is pushed through shuts it nowhere for long.
    """
    has_lasted = claim.dwell - claim.unsure >= timedelta(seconds=LASTING_S)
    is_blockade = claim.kind == IncidentKind.BLOCKED_SIDEWALK and has_lasted
    if not is_blockade or claim.ended_at is None or look.before is None:
        return False
    latest = claim.ended_at + timedelta(seconds=OPEN_S)
    # Whether what came in time lasts is known some looks later.
    patience = timedelta(seconds=LASTING_S) + LASTING_LOOKS * look.counted
    if look.at <= latest:
        return True
    return look.at <= latest + patience and any(
        claim.ended_at - patience <= visit.presence.began_at <= latest
        and visit.presence.hits > 1
        and not visit.has_lasted
        for visit in visits
    )


def _shut_again(lately: list[Claim], breach: Breach, settings: DwellSettings) -> Claim | None:
    """The claim of a sidewalk that was open for a moment, and is shut again near where it was; taken from `lately`."""
    near = sorted(
        (dist(claim.ground_m, breach.ground_m), row)
        for row, claim in enumerate(lately)
        if claim.kind == breach.kind
        and claim.zone_id == breach.zone.id
        and claim.ended_at is not None
        and breach.since - claim.ended_at <= timedelta(seconds=OPEN_S)
    )
    if not near or near[0][0] > settings.merge_m:
        return None
    return replace(lately.pop(near[0][1]), key=breach.key, ended_at=None, ending=None)


def _cleared(ended: Sequence[Claim], kept: Sequence[Claim]) -> list[Report]:
    """One report for every incident of which no claim is left."""
    told = {claim.incident.incident_id for claim in kept if claim.incident is not None}
    reports: list[Report] = []
    for claim in ended:
        incident = claim.incident
        if incident is None or claim.ended_at is None or incident.incident_id in told:
            continue
        told.add(incident.incident_id)
        reports.append(
            Report(
                event=EventType.CLEARED,
                incident=incident,
                at=claim.ended_at,
                # Another thing may have been taken for this one for some frames.
                dwell=max(ZERO, claim.dwell + claim.ended_at - claim.last_seen_at),
                confidence=claim.confidence,
                is_start_unknown=claim.is_start_unknown,
                boxes=claim.boxes,
                ground_m=claim.told_m or incident.ground_m,
                sigma_m=claim.sigma_m,
                clear=claim.clear,
                ending=claim.ending,
            )
        )
    return reports


def _allowed_since(claim: Claim, visits: Mapping[int, Visit], look: Look) -> datetime:
    """Since when what still stands there breaks the rule no more.

    That a bin is called so again, or that a thing has been moved, is known some looks after it happened.
    """
    changes = [
        changed_at
        for number in claim.visits
        if (visit := visits.get(number)) is not None
        for changed_at in (visit.named_at, visit.placed_at)
        if claim.began_at < changed_at <= look.at
        and (look.at - changed_at).total_seconds() <= max(RESTLESS_S, LASTING_LOOKS * look.counted.total_seconds())
    ]
    return max(changes, default=look.at)


def _updates(kept: list[Claim], look: Look, settings: Mapping[IncidentKind, DwellSettings]) -> list[Report]:
    """One update for all claims of an incident that is due one, which are marked in `kept`."""
    reports: list[Report] = []
    for claim in tuple(kept):
        incident = claim.incident
        if incident is None or claim.last_seen_at != look.at:
            continue
        rows = [n for n, one in enumerate(kept) if one.incident and one.incident.incident_id == incident.incident_id]
        change = _change(claim, look, settings[claim.kind])
        if change is None or kept[rows[0]].reported_at == look.at:
            continue
        is_moved = change == Change.MOVED
        told_m, told_sigma_m = (claim.ground_m, claim.sigma_m) if is_moved else (claim.told_m, claim.told_sigma_m)
        boxes: tuple[Box, ...] = ()
        for row in rows:
            boxes += kept[row].boxes if kept[row].last_seen_at == look.at else ()
            kept[row] = replace(
                kept[row],
                reported_at=look.at,
                told_clear_m=_width_m(kept[row]),
                told_m=told_m,
                told_sigma_m=told_sigma_m,
            )
        told = replace(claim, told_m=told_m)
        reports.append(replace(_report(EventType.UPDATED, told, incident, look, boxes), change=change))
    return reports


def _change(claim: Claim, look: Look, settings: DwellSettings) -> Change | None:
    """What there is to tell of a reported claim, None for nothing yet."""
    width_m = _width_m(claim)
    if width_m is not None and claim.told_clear_m is not None and width_m <= claim.told_clear_m - WORSE_M:
        return Change.WORSE
    # A heap is as large as all its pieces: another piece of it is no other place.
    is_heap = settings.merge_m > 0 and claim.kind != IncidentKind.BLOCKED_SIDEWALK
    if not is_heap and claim.told_m is not None:
        # A place that has only become better known is no other place.
        unsure_m = MOVED_SIGMAS * hypot(claim.sigma_m, claim.told_sigma_m)
        if dist(claim.told_m, claim.ground_m) >= max(MOVED_M, unsure_m):
            return Change.MOVED
    is_time = claim.reported_at is None or look.at - claim.reported_at >= timedelta(seconds=settings.heartbeat_s)
    return Change.STILL if is_time else None


def _width_m(claim: Claim) -> float | None:
    return None if claim.clear is None else claim.clear.width_m


def _opened(
    kept: list[Claim], row: int, breach: Breach, *, look: Look, site_id: str, settings: DwellSettings
) -> list[Report]:
    """Report a claim that has reached its limit, or let it join the incident of a near one."""
    claim = kept[row]
    reach_m = max(settings.merge_m, settings.same_place_m)
    # All that is part of a blockade is in it already.
    is_whole = claim.kind == IncidentKind.BLOCKED_SIDEWALK
    others = [one for one in kept if one is not claim and one.kind == claim.kind and not is_whole]
    reported = [
        (dist(one.incident.ground_m, breach.ground_m), number)
        for number, one in enumerate(others)
        if one.incident is not None and dist(one.incident.ground_m, breach.ground_m) <= reach_m
    ]
    if reported:
        joined = others[min(reported)[1]]
        kept[row] = replace(claim, incident=joined.incident, reported_at=joined.reported_at, told_m=joined.told_m)
        return []
    near = [
        one for one in others if one.last_seen_at == look.at and dist(one.ground_m, breach.ground_m) <= settings.merge_m
    ]
    incident = Incident(
        incident_id=incident_id_of(
            site_id=site_id, kind=breach.kind, place_key=breach.place_key, began_at=claim.began_at
        ),
        kind=breach.kind,
        place_key=breach.place_key,
        zone_id=breach.zone.id,
        surface=breach.zone.surface,
        ground_m=breach.ground_m,
        subject=breach.subject,
        began_at=claim.began_at,
    )
    claim = replace(
        claim,
        incident=incident,
        reported_at=look.at,
        told_clear_m=_width_m(claim),
        told_m=breach.ground_m,
        told_sigma_m=breach.sigma_m,
    )
    kept[row] = claim
    boxes = claim.boxes + tuple(box for one in near for box in one.boxes)
    return [_report(EventType.OPENED, claim, incident, look, boxes)]


def _report(event: EventType, claim: Claim, incident: Incident, look: Look, boxes: tuple[Box, ...]) -> Report:
    return Report(
        event=event,
        incident=incident,
        at=look.at,
        dwell=claim.dwell,
        confidence=claim.confidence,
        is_start_unknown=claim.is_start_unknown,
        boxes=boxes,
        ground_m=claim.told_m or incident.ground_m,
        sigma_m=claim.sigma_m,
        clear=claim.clear,
    )
