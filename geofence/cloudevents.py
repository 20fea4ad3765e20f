"""CloudEvents 1.0 JSON, structured mode: the envelope between gateway, centre and every feed.

Source: https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md and formats/json-format.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from geofence.errors import GeofenceError
from geofence.messages import CellMatch, EventType, IncidentEvent, IncidentKind

INCIDENT_TYPE_PREFIX = "street721.incident."


class EnvelopeError(GeofenceError):
    """A message is not a CloudEvent that this project understands."""


class Evidence(BaseModel):
    """A picture that travels inside an event, base64 with its hash."""

    model_config = ConfigDict(frozen=True)

    media_type: str
    sha256: str
    data_base64: str
    captured_at: AwareDatetime

    @staticmethod
    def of_jpeg(jpeg: bytes, captured_at: datetime) -> Evidence:
        """Wrap a JPEG as it came from the camera."""
        return Evidence(
            media_type="image/jpeg",
            sha256=hashlib.sha256(jpeg).hexdigest(),
            data_base64=base64.b64encode(jpeg).decode("ascii"),
            captured_at=captured_at,
        )

    def content(self) -> bytes:
        """The picture's bytes; raises EnvelopeError when they are no base64 or do not match their hash."""
        try:
            content = base64.b64decode(self.data_base64, validate=True)
        except binascii.Error as error:
            raise EnvelopeError(f"evidence is not base64: {error}") from error
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise EnvelopeError("evidence does not match its sha256")
        return content


class _IncidentData(BaseModel):
    """Wire form of an IncidentEvent; unknown fields are tolerated, as senders may be newer."""

    model_config = ConfigDict(allow_inf_nan=False)

    event: EventType
    incident_id: str
    kind: IncidentKind
    site_id: str
    place_key: str
    source_id: str
    subject: str
    lat: float
    lng: float
    cell: str | None
    cell_match: CellMatch
    zone_id: str | None
    surface: str | None
    began_at: AwareDatetime
    at: AwareDatetime
    dwell_s: float
    confidence: float
    reason: str
    is_start_unknown: bool = False
    clear_width_m: float | None = None
    is_passage_blocked: bool = False
    place_sigma_m: float | None = None
    xyxy: tuple[tuple[float, float, float, float], ...] = ()


class _Envelope(BaseModel):
    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    time: AwareDatetime
    data: dict[str, Any]


def envelope(
    *, event_id: str, source: str, event_type: str, subject: str, time: datetime, data: dict[str, Any]
) -> dict[str, Any]:
    """A CloudEvents 1.0 object ready for json.dumps; `time` is aware."""
    return {
        "specversion": "1.0",
        "id": event_id,
        "source": source,
        "type": event_type,
        "subject": subject,
        "time": time.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "data": data,
    }


def incident_to_json(event: IncidentEvent, evidence: Evidence | None = None) -> bytes:
    """Encode an incident event, with its picture where there is one."""
    data = _IncidentData.model_validate(event, from_attributes=True).model_dump(mode="json")
    if evidence is not None:
        data["evidence"] = evidence.model_dump(mode="json")
    body = envelope(
        event_id=f"{event.incident_id}:{event.event}:{int(event.at.timestamp() * 1000)}",
        source=f"/sites/{event.site_id}/sources/{event.source_id}",
        event_type=f"{INCIDENT_TYPE_PREFIX}{event.event}",
        subject=event.incident_id,
        time=event.at,
        data=data,
    )
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def incident_from_json(body: bytes) -> tuple[str, IncidentEvent, Evidence | None]:
    """Decode (event id, incident event, evidence); raises EnvelopeError with one line of what is wrong."""
    try:
        outer = _Envelope.model_validate_json(body)
        if not outer.type.startswith(INCIDENT_TYPE_PREFIX):
            raise EnvelopeError(f"type {outer.type!r} is not an incident")
        picture = outer.data.pop("evidence", None)
        fields = _IncidentData.model_validate(outer.data)
        evidence = None if picture is None else Evidence.model_validate(picture)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise EnvelopeError(f"{where}: {first['msg']}") from error
    return outer.id, IncidentEvent(**{name: getattr(fields, name) for name in _IncidentData.model_fields}), evidence
