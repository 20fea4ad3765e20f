"""The step functions of this stage: one frame or one reading and the state before → state after and events."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from detectors.messages import FrameDetections
from geofence.boxes import Box
from geofence.claims import Report
from geofence.config import SensorRule
from geofence.footprint import stated_sigma_m
from geofence.identity import incident_id_of
from geofence.memory import Memory, advance_camera, is_silence
from geofence.messages import EventType, IncidentEvent
from geofence.places import CellPlace, Zone
from geofence.reasons import camera_reason, sensor_reason
from geofence.rules import PARKING_ZONES
from geofence.scene import observe
from geofence.sensor_rules import SensorState, SensorStep, advance_sensor
from geofence.site import Site
from geofence.timeline import CameraState, advance_time
from ingest.messages import Reading

__all__ = ["CameraState", "SensorState", "judge_frame", "judge_reading"]

# A device that sends a bare number does not name its metric.
BARE_METRIC = "value"

Events = tuple[IncidentEvent, ...]


def judge_frame(
    site: Site, camera_id: str, captured_at: datetime, detections: FrameDetections, state: CameraState
) -> tuple[CameraState, Events]:
    """State and events after one frame of a camera.

    captured_at: aware, event time; a late or repeated frame changes nothing
    detections:  boxes in the picture's own pixels; a picture that failed counts as no look at all
    Raises GeofenceError for a camera that the site does not have.
    """
    camera = site.camera(camera_id)
    if detections.failure is not None or 0 in detections.size_px:
        return state, ()
    scene = observe(site, camera, detections)
    across, down = (frame / own for frame, own in zip(detections.size_px, camera.size_px, strict=True))

    def step(memory: Memory) -> tuple[Memory, Events]:
        after, reports = advance_camera(site, camera, memory, scene, captured_at)
        return after, tuple(_camera_event(site, camera_id, report, (across, down)) for report in reports)

    return advance_time(state, captured_at, step, is_silence=lambda memory: is_silence(site, memory, captured_at))


def judge_reading(site: Site, reading: Reading, state: SensorState | None) -> tuple[SensorState, Events]:
    """State and events after one reading; `state` is None at the sensor's first.

    A reading of a sensor or metric that no rule speaks of changes nothing.
    """
    before = state or SensorState()
    sensor = site.sensors.get(reading.sensor_id)
    if sensor is None or reading.metric not in {sensor.metric, BARE_METRIC}:
        return before, ()
    rule = site.rule_of(sensor)
    if rule is None:
        return before, ()
    after, step = advance_sensor(before, reading.value, measured_at=reading.measured_at, rule=rule)
    if step == SensorStep.NOTHING:
        return after, ()
    event = EventType(step.value)
    standing = before if step == SensorStep.CLEARED else after
    return after, (_sensor_event(site, reading, rule, event, standing),)


def _camera_event(site: Site, camera_id: str, report: Report, scale: tuple[float, float]) -> IncidentEvent:
    incident = report.incident
    zone = next((zone for zone in site.zones.zones if zone.id == incident.zone_id), None)
    lat, lng, cell = _place(site, report.ground_m)
    place_sigma_m = _place_sigma_m(site, report)
    return IncidentEvent(
        event=report.event,
        incident_id=incident.incident_id,
        kind=incident.kind,
        site_id=site.site_id,
        place_key=incident.place_key,
        source_id=camera_id,
        subject=incident.subject,
        lat=lat,
        lng=lng,
        cell=cell.code,
        cell_match=cell.match,
        zone_id=incident.zone_id,
        surface=incident.surface,
        began_at=incident.began_at,
        at=report.at,
        dwell_s=report.dwell.total_seconds(),
        confidence=report.confidence,
        reason=camera_reason(report, zone, site.classes, site.config.dwell[incident.kind], place_sigma_m=place_sigma_m),
        is_start_unknown=report.is_start_unknown,
        clear_width_m=None if report.clear is None else report.clear.width_m,
        is_passage_blocked=report.clear is not None and report.clear.is_blocked,
        place_sigma_m=place_sigma_m,
        xyxy=tuple(_in_frame(box, scale) for box in report.boxes),
    )


def _place_sigma_m(site: Site, report: Report) -> float:
    """What an event states; a class that the site no longer has adds nothing to its box's trembling."""
    row = site.classes.by_name.get(report.incident.subject)
    return report.sigma_m if row is None else stated_sigma_m(report.sigma_m, row)


def _sensor_event(
    site: Site, reading: Reading, rule: SensorRule, event: EventType, standing: SensorState
) -> IncidentEvent:
    """`standing` is the state in which the trouble stood: the one before a reading that cleared it."""
    sensor = site.sensors[reading.sensor_id]
    ground_m = site.sensor_places_m[sensor.id]
    zone = _zone_of_sensor(site, ground_m)
    began_at = standing.began_at or reading.measured_at
    place_key = f"sensor:{sensor.id}"
    cell = site.grid.ground_to_cell(np.array([ground_m]))[0]
    return IncidentEvent(
        event=event,
        incident_id=incident_id_of(site_id=site.site_id, kind=rule.kind, place_key=place_key, began_at=began_at),
        kind=rule.kind,
        site_id=site.site_id,
        place_key=place_key,
        source_id=sensor.id,
        subject=sensor.metric,
        lat=sensor.lat,
        lng=sensor.lng,
        cell=cell.code,
        cell_match=cell.match,
        zone_id=zone.id if zone else None,
        surface=zone.surface if zone else None,
        began_at=began_at,
        at=reading.measured_at,
        dwell_s=(reading.measured_at - began_at).total_seconds(),
        confidence=1.0,
        reason=sensor_reason(event, sensor, reading.value, rule, standing),
        is_start_unknown=standing.is_start_unknown,
    )


def _zone_of_sensor(site: Site, ground_m: tuple[float, float]) -> Zone | None:
    """The zone that a sensor stands in; where zones overlap, the one with a parking rule."""
    zones = [site.zones.zones[number] for number in sorted(site.zones.containing(np.array([ground_m]))[1].tolist())]
    return next((zone for zone in zones if zone.kind in PARKING_ZONES), zones[0] if zones else None)


def _place(site: Site, ground_m: tuple[float, float]) -> tuple[float, float, CellPlace]:
    place_m = np.array([ground_m])
    lat, lng = site.plane.to_lat_lng(place_m)[0]
    return float(lat), float(lng), site.grid.ground_to_cell(place_m)[0]


def _in_frame(box: Box, scale: tuple[float, float]) -> Box:
    across, down = scale
    return box[0] * across, box[1] * down, box[2] * across, box[3] * down
