"""What geofence emits: a rule was broken, still is, or no longer is, at a place on the ground."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IncidentKind(StrEnum):
    """The troubles that the rules can find."""

    ILLEGAL_PARKING = "illegal_parking"
    EXPOSED_GARBAGE = "exposed_garbage"
    BLOCKED_SIDEWALK = "blocked_sidewalk"
    BIN_OVERFLOW = "bin_overflow"


class EventType(StrEnum):
    """Life of an incident."""

    OPENED = "opened"
    UPDATED = "updated"
    CLEARED = "cleared"


class CellMatch(StrEnum):
    """How a ground place found its unit grid cell."""

    INSIDE = "inside"
    BOUNDARY = "boundary"
    SNAPPED = "snapped"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentEvent:
    """One step in the life of one incident.

    incident_id: deterministic, so that a repeat is recognised; the same in opened, updated, cleared
    place_key:   stable name of the place within (site, kind), e.g. ``zone:kerb-1:+31:+23`` (a zone, and steps of
                 `PLACE_STEP_M` east and north from the site's origin) or ``sensor:bin-0007``;
                 two events with the same (site_id, kind, place_key) speak of the same trouble
    source_id:   the camera or sensor that saw it
    subject:     what broke the rule: a detector class (``car``) or a sensor metric (``level``)
    lat, lng:    WGS 84 degrees of the place, not of the camera
    cell:        unit grid code, 15 characters or, by the site's `code_profile`, 16; None when no cell is within reach
                 (cell_match ``none``)
    surface:     what the zone is paved as, ``roadway`` | ``sidewalk`` | ``plaza``, None when unknown
    began_at:    aware UTC, when the rule began to be broken; at: when this event became true (event time)
    dwell_s:     seconds from began_at that count towards the limit
    reason:      one line in words: what was seen, against which limit
    is_start_unknown: it was there when somebody first looked, so began_at is the latest that it can be
    clear_width_m: the narrowest passage that is left on the sidewalk, metres; None where none is concerned
    is_passage_blocked: less than must stay free is left; a vehicle on a sidewalk may leave enough
    place_sigma_m: standard deviation of the place, metres: trembling boxes, what is hidden, the thing's own shape and
                 the camera's control points; None for sensors
    xyxy:        pixel boxes (x0, y0, x1, y1) in the evidence picture, empty for sensors
    """

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
    began_at: datetime
    at: datetime
    dwell_s: float
    confidence: float
    reason: str
    is_start_unknown: bool = False
    clear_width_m: float | None = None
    is_passage_blocked: bool = False
    place_sigma_m: float | None = None
    xyxy: tuple[tuple[float, float, float, float], ...] = ()
