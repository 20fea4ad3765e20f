"""All visits of one camera: which sighting belongs to which visit, which has ended, what is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import dist

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from geofence.dwell import ZERO, Box, DwellSettings, Incident, Sighting, Step, Visit, advance, begin, judge_seen
from geofence.errors import GeofenceError
from geofence.identity import incident_id_of
from geofence.messages import EventType, IncidentKind

MAX_VISITS = 256
MIN_IOU = 0.5
# A box covered to this share by a nearer thing may hide what stood there.
HIDDEN_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class CameraState:
    """What a camera's rules remember between two frames; may be saved as text."""

    last_frame_at: datetime | None = None
    visits: tuple[Visit, ...] = ()

    def to_json(self) -> str:
        """One line of JSON."""
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> CameraState:
        """Read what to_json wrote; raises GeofenceError when it is something else."""
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "text"
            raise GeofenceError(f"saved camera state is not readable: {where}: {first['msg']}") from error


_ADAPTER = TypeAdapter(CameraState)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surroundings:
    """Everything that one frame shows, whether it breaks a rule or not.

    xyxy:   (N, 4) float64 boxes
    foot_m: (N, 2) float64 middles of the contact edges on the ground, NaN where the foot is not seen
    """

    xyxy: npt.NDArray[np.float64]
    foot_m: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One step in the life of an incident, with the visit that carries it and the boxes that show it."""

    event: EventType
    incident: Incident
    visit: Visit
    boxes: tuple[Box, ...]
    is_replaced: bool = False


def advance_all(
    state: CameraState,
    sightings: Sequence[Sighting],
    surroundings: Surroundings,
    *,
    seen_at: datetime,
    site_id: str,
    settings: Mapping[IncidentKind, DwellSettings],
) -> tuple[CameraState, tuple[Report, ...]]:
    """The state after one frame and what there is to report; a late or repeated frame changes nothing."""
    if state.last_frame_at is not None and seen_at <= state.last_frame_at:
        return state, ()
    silence = None if state.last_frame_at is None else seen_at - state.last_frame_at
    pairs = match(state.visits, sightings, settings)
    visits: list[tuple[Visit, Step]] = []
    for row, visit in enumerate(state.visits):
        rules = settings[visit.first.kind]
        sighting = sightings[pairs[row]] if row in pairs else None
        hidden = sighting is None and is_hidden(visit, surroundings, rules.same_place_m)
        counted = _counted(silence, rules)
        visits.append(advance(visit, sighting, seen_at=seen_at, counted=counted, is_hidden=hidden, settings=rules))
    matched = set(pairs.values())
    new = [sighting for column, sighting in enumerate(sightings) if column not in matched]
    visits += [_born(sighting, seen_at, silence, settings[sighting.kind]) for sighting in new]
    kept, reports = _settle(visits, seen_at, site_id, settings)
    return CameraState(seen_at, _bounded(kept)), reports


def match(
    visits: Sequence[Visit], sightings: Sequence[Sighting], settings: Mapping[IncidentKind, DwellSettings]
) -> dict[int, int]:
    """Pairs visit → sighting, one to one, the nearest places first."""
    candidates = [
        (dist(visit.first.foot_m, sighting.foot_m), row, column)
        for row, visit in enumerate(visits)
        for column, sighting in enumerate(sightings)
        if is_same_thing(visit, sighting, settings[sighting.kind].same_place_m)
    ]
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for _, row, column in sorted(candidates):
        if row not in pairs and column not in taken:
            pairs[row] = column
            taken.add(column)
    return pairs


def is_same_thing(visit: Visit, sighting: Sighting, same_place_m: float) -> bool:
    """Whether a sighting may be the thing of a visit: same rule, same place, a box much like the last one.

    The place is compared with the first sighting, so that something which creeps on does not stay for ever.
    """
    if visit.first.kind != sighting.kind:
        return False
    if sighting.is_whole_zone:
        return visit.first.place_key == sighting.place_key
    is_near = dist(visit.first.foot_m, sighting.foot_m) <= same_place_m
    return is_near and iou(visit.last.xyxy, sighting.xyxy) >= MIN_IOU


def is_hidden(visit: Visit, surroundings: Surroundings, same_place_m: float) -> bool:
    """Whether a thing that stands elsewhere, and nearer to the camera, covers where the visit's thing was."""
    x0, y0, x1, y1 = visit.last.xyxy
    boxes = surroundings.xyxy
    width = np.clip(np.minimum(boxes[:, 2], x1) - np.maximum(boxes[:, 0], x0), 0, None)
    height = np.clip(np.minimum(boxes[:, 3], y1) - np.maximum(boxes[:, 1], y0), 0, None)
    covers = width * height >= HIDDEN_SHARE * (x1 - x0) * (y1 - y0)
    away_m = np.linalg.norm(surroundings.foot_m - np.array(visit.first.foot_m), axis=1)
    is_elsewhere = ~(away_m <= same_place_m)
    return bool(np.any(covers & is_elsewhere & (boxes[:, 3] >= y1)))


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def _born(
    sighting: Sighting, seen_at: datetime, silence: timedelta | None, settings: DwellSettings
) -> tuple[Visit, Step]:
    """A visit begins; nobody looked before the first frame or during a silence, so its start is unknown there."""
    is_start_unknown = silence is None or silence > timedelta(seconds=settings.max_gap_s)
    visit = begin(sighting, seen_at=seen_at, is_start_unknown=is_start_unknown)
    return visit, judge_seen(visit, seen_at, settings)


def _counted(silence: timedelta | None, settings: DwellSettings) -> timedelta:
    if silence is None or silence > timedelta(seconds=settings.max_gap_s):
        return ZERO
    return silence


def _settle(
    visits: Sequence[tuple[Visit, Step]],
    seen_at: datetime,
    site_id: str,
    settings: Mapping[IncidentKind, DwellSettings],
) -> tuple[list[Visit], tuple[Report, ...]]:
    """End what is gone or replaced, then report: first what cleared, then what stays, then what is new."""
    everyone = [visit for visit, _ in visits]
    replaced = [_is_replaced(visit, everyone, seen_at, settings) for visit in everyone]
    gone = [step == Step.GONE or was for (_, step), was in zip(visits, replaced, strict=True)]
    kept = [visit for visit, is_gone in zip(everyone, gone, strict=True) if not is_gone]
    steps = [step for (_, step), is_gone in zip(visits, gone, strict=True) if not is_gone]
    ended = [(visit, was) for visit, was, is_gone in zip(everyone, replaced, gone, strict=True) if is_gone]
    reports = _cleared(ended, kept)
    for row, step in enumerate(steps):
        if step == Step.HEARTBEAT:
            reports += _heartbeat(kept, row, seen_at)
    for row, step in enumerate(steps):
        if step == Step.DUE:
            reports += _open(kept, row, seen_at, site_id, settings)
    return kept, tuple(reports)


def _cleared(ended: Sequence[tuple[Visit, bool]], kept: Sequence[Visit]) -> list[Report]:
    """One report for every incident of which no visit is left."""
    told = {visit.incident.incident_id for visit in kept if visit.incident is not None}
    reports: list[Report] = []
    for visit, was_replaced in ended:
        incident = visit.incident
        if incident is None or incident.incident_id in told:
            continue
        told.add(incident.incident_id)
        boxes = visit.last.boxes
        reports.append(
            Report(event=EventType.CLEARED, incident=incident, visit=visit, boxes=boxes, is_replaced=was_replaced)
        )
    return reports


def _heartbeat(kept: list[Visit], row: int, seen_at: datetime) -> list[Report]:
    """One update for all visits of an incident, which are marked in `kept`."""
    carrier = kept[row]
    incident = carrier.incident
    if incident is None or carrier.reported_at == seen_at:
        return []
    boxes: list[Box] = []
    for n, visit in enumerate(kept):
        if visit.incident is not None and visit.incident.incident_id == incident.incident_id:
            kept[n] = replace(visit, reported_at=seen_at)
            boxes += visit.last.boxes if visit.last_seen_at == seen_at else ()
    return [Report(event=EventType.UPDATED, incident=incident, visit=carrier, boxes=tuple(boxes))]


def _open(
    kept: list[Visit], row: int, seen_at: datetime, site_id: str, settings: Mapping[IncidentKind, DwellSettings]
) -> list[Report]:
    """Report a visit that has reached its limit, or let it join the incident of a near one."""
    visit = kept[row]
    rules = settings[visit.first.kind]
    reach_m = max(rules.merge_m, rules.same_place_m)
    near = [
        (dist(other.first.ground_m, visit.first.ground_m), other)
        for other in kept
        if other is not visit and other.first.kind == visit.first.kind and not visit.first.is_whole_zone
    ]
    reported = [(gap_m, other) for gap_m, other in near if other.incident is not None and gap_m <= reach_m]
    if reported:
        joined = min(reported, key=lambda entry: entry[0])[1]
        kept[row] = replace(visit, incident=joined.incident, reported_at=joined.reported_at)
        return []
    neighbours = [o for gap_m, o in near if gap_m <= rules.merge_m and o.last_seen_at == seen_at]
    boxes = visit.last.boxes + tuple(box for other in neighbours for box in other.last.boxes)
    incident = _incident_of(visit, site_id)
    kept[row] = replace(visit, incident=incident, reported_at=seen_at)
    return [Report(event=EventType.OPENED, incident=incident, visit=kept[row], boxes=boxes)]


def _incident_of(visit: Visit, site_id: str) -> Incident:
    first = visit.first
    return Incident(
        incident_id=incident_id_of(
            site_id=site_id, kind=first.kind, place_key=first.place_key, began_at=visit.began_at
        ),
        place_key=first.place_key,
        zone_id=first.zone_id,
        surface=first.surface,
        ground_m=first.ground_m,
        subject=visit.last.subject,
        began_at=visit.began_at,
    )


def _is_replaced(
    visit: Visit, everyone: Sequence[Visit], seen_at: datetime, settings: Mapping[IncidentKind, DwellSettings]
) -> bool:
    """Whether a later thing, seen twice, has taken the place, or is this very thing after it moved on."""
    if visit.last_seen_at == seen_at or visit.first.is_whole_zone:
        return False
    same_place_m = settings[visit.first.kind].same_place_m
    for other in everyone:
        is_later = other.began_at > visit.last_seen_at and other.last_seen_at == seen_at and other.hits > 1
        if not is_later or other.first.kind != visit.first.kind:
            continue
        # Half of a thing that something hides looks like another thing, so only an open view counts here.
        took_the_place = visit.was_empty and dist(other.first.foot_m, visit.first.foot_m) <= same_place_m
        if took_the_place or iou(other.first.xyxy, visit.last.xyxy) >= MIN_IOU:
            return True
    return False


def _bounded(visits: list[Visit]) -> tuple[Visit, ...]:
    """At most MAX_VISITS: reported ones stay, then those that have stood longest."""
    if len(visits) <= MAX_VISITS:
        return tuple(visits)
    ranked = sorted(range(len(visits)), key=lambda n: (visits[n].incident is None, -visits[n].dwell, n))
    return tuple(visits[n] for n in sorted(ranked[:MAX_VISITS]))
