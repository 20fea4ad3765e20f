"""One trouble that several cameras and sensors tell of is one incident, under the name that was told first.

Each source has its own view and its own clock; what they open near to each other, of the same kind, is the same. The
incident is over when none of them sees it any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import hypot

import numpy as np
from pydantic import TypeAdapter, ValidationError

from geofence.dwell import DwellSettings
from geofence.errors import GeofenceError
from geofence.ground import GroundPlane
from geofence.messages import CellMatch, EventType, IncidentEvent, IncidentKind

# A sensor and a camera that tell of the same bin, or bay, know its place to within so much.
SENSOR_M = 3.0
# A camera that has told nothing of an incident for so many heartbeats sees it no more: it is lost, or something stands
# before it. Then others say when it is over.
SILENT_HEARTBEATS = 2
SPILLING = "overflow"
SENSOR_KEY = "sensor:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An incident that is open.

    own: source that sees it → the name that the source itself gave it
    heard: camera of those → when it last told of it; a sensor tells its state once
    """

    incident_id: str
    kind: IncidentKind
    place_key: str
    zone_id: str | None
    surface: str | None
    subject: str
    lat: float
    lng: float
    cell: str | None
    cell_match: CellMatch
    began_at: datetime
    own: Mapping[str, str]
    heard: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def is_of_sensor(self) -> bool:
        """A sensor told it first."""
        return self.place_key.startswith(SENSOR_KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenIncidents:
    """All open incidents of a site; may be saved as text. It ends with the incidents themselves."""

    told: tuple[Told, ...] = ()

    def to_json(self) -> str:
        """One line of JSON."""
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> OpenIncidents:
        """Read what to_json wrote; raises GeofenceError when it is something else."""
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            raise GeofenceError(f"saved open incidents are not readable: {error.errors()[0]['msg']}") from error


_ADAPTER = TypeAdapter(OpenIncidents)


def join(
    incidents: OpenIncidents,
    event: IncidentEvent,
    *,
    plane: GroundPlane,
    settings: Mapping[IncidentKind, DwellSettings],
) -> tuple[OpenIncidents, IncidentEvent | None]:
    """The open incidents after one source's event, and the event as the site tells it; None for nothing new."""
    known = next((told for told in incidents.told if told.own.get(event.source_id) == event.incident_id), None)
    if event.event == EventType.OPENED and known is None:
        twin = _twin(incidents, event, plane, settings)
        if twin is None:
            return _with(incidents, _told(event)), event
        after = _heard(replace(twin, own={**twin.own, event.source_id: event.incident_id}), event)
        return _replaced(incidents, twin, after), _as_told(twin, event, EventType.UPDATED)
    if known is None:
        return incidents, event
    if event.event != EventType.CLEARED:
        return _replaced(incidents, known, _heard(known, event)), _as_told(known, event, event.event)
    patience = timedelta(seconds=SILENT_HEARTBEATS * _heartbeat_s(known, settings))
    left = {
        source: name
        for source, name in known.own.items()
        if source != event.source_id and event.at - known.heard.get(source, event.at) <= patience
    }
    if left:
        return _replaced(incidents, known, replace(known, own=left)), None
    rest = tuple(told for told in incidents.told if told is not known)
    return replace(incidents, told=rest), _as_told(known, event, EventType.CLEARED)


def _heard(told: Told, event: IncidentEvent) -> Told:
    if event.place_key.startswith(SENSOR_KEY):
        return told
    return replace(told, heard={**told.heard, event.source_id: event.at})


def _heartbeat_s(told: Told, settings: Mapping[IncidentKind, DwellSettings]) -> float:
    """A full bin's incident that a sensor opened goes by the rule of what a camera sees of it."""
    kind = told.kind if told.kind in settings else IncidentKind.EXPOSED_GARBAGE
    return settings[kind].heartbeat_s if kind in settings else 0.0


def without_strangers(incidents: OpenIncidents, known: Collection[str]) -> OpenIncidents:
    """The open incidents of sources that the site still has: what nobody can see any more never ends here.

    Its work order stays with the centre, where people close it.
    """
    kept = []
    for told in incidents.told:
        own = {source: name for source, name in told.own.items() if source in known}
        if own:
            kept.append(told if len(own) == len(told.own) else replace(told, own=own))
    return replace(incidents, told=tuple(kept))


def _twin(
    incidents: OpenIncidents, event: IncidentEvent, plane: GroundPlane, settings: Mapping[IncidentKind, DwellSettings]
) -> Told | None:
    """The nearest open incident of another source that this one is."""
    near = [
        (distance_m, told)
        for told in incidents.told
        if event.source_id not in told.own
        and (distance_m := _distance_m(told, event, plane)) <= _reach_m(told, event, settings)
    ]
    return min(near, key=lambda pair: pair[0])[1] if near else None


def _reach_m(told: Told, event: IncidentEvent, settings: Mapping[IncidentKind, DwellSettings]) -> float:
    """How far from each other two reports of one trouble may lie; negative for what is never the same."""
    is_sensor = event.place_key.startswith(SENSOR_KEY)
    if told.is_of_sensor and is_sensor:
        return -1.0
    if told.is_of_sensor or is_sensor:
        camera_kind, subject = (event.kind, event.subject) if told.is_of_sensor else (told.kind, told.subject)
        sensor_kind = told.kind if told.is_of_sensor else event.kind
        is_bin = sensor_kind == IncidentKind.BIN_OVERFLOW and subject == SPILLING
        return SENSOR_M if is_bin or sensor_kind == camera_kind else -1.0
    if told.kind != event.kind:
        return -1.0
    if event.kind == IncidentKind.BLOCKED_SIDEWALK and told.zone_id != event.zone_id:
        return -1.0
    rule = settings[event.kind]
    return max(rule.merge_m, rule.same_place_m)


def _distance_m(told: Told, event: IncidentEvent, plane: GroundPlane) -> float:
    (east, north), (other_east, other_north) = plane.to_ground(
        np.array([(told.lat, told.lng), (event.lat, event.lng)])
    ).tolist()
    return hypot(east - other_east, north - other_north)


def _as_told(told: Told, event: IncidentEvent, step: EventType) -> IncidentEvent:
    """The event under the identity of the incident that it belongs to."""
    if told.incident_id == event.incident_id:
        return event
    return replace(
        event,
        event=step,
        incident_id=told.incident_id,
        kind=told.kind,
        place_key=told.place_key,
        zone_id=told.zone_id,
        surface=told.surface,
        subject=told.subject,
        lat=told.lat,
        lng=told.lng,
        cell=told.cell,
        cell_match=told.cell_match,
        began_at=told.began_at,
    )


def _told(event: IncidentEvent) -> Told:
    return Told(
        incident_id=event.incident_id,
        kind=event.kind,
        place_key=event.place_key,
        zone_id=event.zone_id,
        surface=event.surface,
        subject=event.subject,
        lat=event.lat,
        lng=event.lng,
        cell=event.cell,
        cell_match=event.cell_match,
        began_at=event.began_at,
        own={event.source_id: event.incident_id},
        heard={} if event.place_key.startswith(SENSOR_KEY) else {event.source_id: event.at},
    )


def _with(incidents: OpenIncidents, told: Told) -> OpenIncidents:
    return replace(incidents, told=(*incidents.told, told))


def _replaced(incidents: OpenIncidents, before: Told, after: Told) -> OpenIncidents:
    return replace(incidents, told=tuple(after if told is before else told for told in incidents.told))
