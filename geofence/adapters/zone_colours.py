"""The colours in which zones are drawn."""

from __future__ import annotations

from geofence.adapters.lettering import BgrColour
from geofence.places import ZoneKind

_ZONE_COLOURS: dict[str, BgrColour] = {
    ZoneKind.NO_PARKING: (60, 60, 230),
    ZoneKind.SIDEWALK: (210, 160, 40),
    ZoneKind.STREET: (150, 150, 150),
    ZoneKind.COLLECTION_POINT: (70, 180, 70),
}
_OTHER_ZONE: BgrColour = (200, 80, 200)


def zone_colour(kind: str) -> BgrColour:
    """Blue, green, red; the same for one kind on every picture."""
    return _ZONE_COLOURS.get(kind, _OTHER_ZONE)
