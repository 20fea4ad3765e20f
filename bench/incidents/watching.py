"""What the baselines share: a detection on the site's map, and which rule it could break.

They are given what their sources leave to the user, and generously: the site's zones in force, a place on earth from
the middle of the box's lower edge, the camera's true rate as the rate that they count frames with, and one timer for
each rule. They have no footprint, no free width of a sidewalk and no heaps: an obstacle breaks the rule of the sidewalk
as soon as it stands on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from bench.incidents.boxes import Box, Detection
from bench.incidents.delivery import Frame, Play
from bench.incidents.product import Told
from bench.incidents.scenario import CAMERA_ID
from detectors.classes import Role
from geofence.messages import IncidentKind
from geofence.places import Zone, ZoneKind
from geofence.site import Site
from sim.scoring.scoring_input import Report

_KIND_OF_ROLE = {
    Role.VEHICLE: IncidentKind.ILLEGAL_PARKING,
    Role.GARBAGE: IncidentKind.EXPOSED_GARBAGE,
    Role.OVERFLOW: IncidentKind.EXPOSED_GARBAGE,
    Role.TWO_WHEELER: IncidentKind.BLOCKED_SIDEWALK,
    Role.BIN: IncidentKind.BLOCKED_SIDEWALK,
    Role.OBSTACLE: IncidentKind.BLOCKED_SIDEWALK,
}
_ZONES_OF_KIND = {
    IncidentKind.ILLEGAL_PARKING: {ZoneKind.NO_PARKING, ZoneKind.SIDEWALK},
    IncidentKind.EXPOSED_GARBAGE: {ZoneKind.NO_PARKING, ZoneKind.SIDEWALK, ZoneKind.STREET},
    IncidentKind.BLOCKED_SIDEWALK: {ZoneKind.SIDEWALK},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """A detection, the rule that its class belongs to (None: no rule), and whether its anchor is in such a zone."""

    detection: Detection
    kind: IncidentKind | None
    is_inside: bool

    @property
    def xyxy(self) -> Box:
        """Of the detection."""
        return self.detection.xyxy


class Watch:
    """One site's zones, for one camera."""

    def __init__(self, play: Play, site: Site) -> None:
        self._site = site
        self._camera = site.camera(CAMERA_ID)
        self.fps = play.scenario.delivery.fps

    def limit_s(self, kind: IncidentKind) -> float:
        """The site's limit of a rule."""
        return self._site.config.dwell[kind].min_dwell_s

    def see(self, frame: Frame) -> list[Watched]:
        """The frame's detections with what they could break."""
        if not frame.detections:
            return []
        anchors_px = np.array([bottom_center(one.xyxy) for one in frame.detections])
        places_m = self._camera.homography.pixel_to_ground(anchors_px)
        known = np.where(np.isfinite(places_m), places_m, 1e9)
        inside: list[set[ZoneKind]] = [set() for _ in frame.detections]
        for row, number in zip(*(found.tolist() for found in self._site.zones.containing(known)), strict=True):
            if self._is_in_force(self._site.zones.zones[number], frame.captured_at):
                inside[row].add(self._site.zones.zones[number].kind)
        return [self._watched(one, kinds) for one, kinds in zip(frame.detections, inside, strict=True)]

    def told(self, number: int, kind: IncidentKind, xyxy: Box, began_at: datetime, opened_at: datetime) -> Told:
        """An alarm as the scoring reads it."""
        place_m = self._camera.homography.pixel_to_ground(np.array([bottom_center(xyxy)]))
        lat, lng = self._site.plane.to_lat_lng(place_m)[0].tolist()
        report = Report(
            incident_id=str(number),
            kind=kind.value,
            lat=lat,
            lng=lng,
            cell=self._site.grid.ground_to_cell(place_m)[0].code,
            opened_at=opened_at,
            cleared_at=None,
        )
        return Told(report=report, began_at=began_at)

    def _watched(self, detection: Detection, zones: set[ZoneKind]) -> Watched:
        role = self._site.classes.by_name[detection.class_name].role
        kind = _KIND_OF_ROLE.get(role)
        is_collected = role is Role.GARBAGE and ZoneKind.COLLECTION_POINT in zones
        is_inside = kind is not None and bool(zones & _ZONES_OF_KIND[kind]) and not is_collected
        return Watched(detection=detection, kind=kind, is_inside=is_inside)

    def _is_in_force(self, zone: Zone, at: datetime) -> bool:
        return zone.hours is None or zone.hours.is_active(at, self._site.config.timezone)


def bottom_center(xyxy: Box) -> tuple[float, float]:
    """The middle of a box's lower edge."""
    return (xyxy[0] + xyxy[2]) / 2, xyxy[3]


def iou(a: Box, b: Box) -> float:
    """Intersection over union."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def restarts_s(play: Play) -> Sequence[float]:
    """The seconds at which a tracker's memory is lost: its process dies, or all its tracks get new ids."""
    return sorted([*(kill.at_s for kill in play.scenario.kills), *play.scenario.id_switches])
