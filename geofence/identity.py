"""The name of an incident, the same whenever the same input is judged again."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from geofence.messages import IncidentKind


def incident_id_of(*, site_id: str, kind: IncidentKind, place_key: str, began_at: datetime) -> str:
    """32 hexadecimal digits from what makes an incident: site, kind, place and the moment it began."""
    moment = began_at.astimezone(UTC).isoformat(timespec="microseconds")
    return hashlib.sha256("|".join((site_id, kind, place_key, moment)).encode()).hexdigest()[:32]
