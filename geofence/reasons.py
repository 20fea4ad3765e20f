"""The one line of words in an event: what was seen, against which limit; Chinese first, English second."""

from __future__ import annotations

import math

from detectors.classes import ClassTable
from geofence.claims import Change, Ending, Report
from geofence.config import SensorConfig, SensorRule
from geofence.dwell import DwellSettings
from geofence.messages import EventType, IncidentKind
from geofence.places import Zone, ZoneKind
from geofence.sensor_rules import SensorState
from geofence.site import MEASURED_PASSAGES

_KIND_ZH = {
    IncidentKind.ILLEGAL_PARKING: "违规停放",
    IncidentKind.EXPOSED_GARBAGE: "垃圾暴露",
    IncidentKind.BLOCKED_SIDEWALK: "占道阻行",
    IncidentKind.BIN_OVERFLOW: "垃圾满溢",
}
_KIND_EN = {
    IncidentKind.ILLEGAL_PARKING: "illegal parking",
    IncidentKind.EXPOSED_GARBAGE: "exposed garbage",
    IncidentKind.BLOCKED_SIDEWALK: "sidewalk blocked",
    IncidentKind.BIN_OVERFLOW: "bin overflow",
}
_ZONE_ZH = {
    ZoneKind.NO_PARKING: "禁停区",
    ZoneKind.SIDEWALK: "人行道",
    ZoneKind.STREET: "车行道",
    ZoneKind.COLLECTION_POINT: "投放点",
}
# A place that is known worse than this says so.
UNSURE_M = 1.5
_UNKNOWN_START = ("首次看到时已在,起始时间未知", "there at first sight, so its true start is unknown")


_CHANGE = {
    Change.WORSE: ("情况加重", "worse than before"),
    Change.MOVED: ("位置有移动", "moved"),
}
_ENDING = {
    Ending.GONE: ("已消除", "seen no more"),
    Ending.REPLACED: ("已被他物取代", "another took its place"),
    Ending.ALLOWED: ("不再违规", "no longer against the rule"),
}


def camera_reason(
    report: Report, zone: Zone | None, classes: ClassTable, settings: DwellSettings, *, place_sigma_m: float
) -> str:
    """Why a camera reports an incident now; place_sigma_m: as the event states it."""
    incident = report.incident
    kind, subject, zone_id = incident.kind, incident.subject, incident.zone_id
    subject_zh = classes.by_name[subject].name_zh if subject in classes.by_name else subject
    dwell_s = report.dwell.total_seconds()
    # A site may have changed since the incident was opened; its zone is then only a name.
    where_zh, where_en = (f"{_ZONE_ZH[zone.kind]} {zone_id}", f"{zone.kind} {zone_id}") if zone else (zone_id, zone_id)
    if report.ending is not None:
        how_zh, how_en = _ENDING[report.ending]
        return (
            f"{_KIND_ZH[kind]}{how_zh}:{where_zh},共 {dwell_s:.0f} s · "
            f"{_KIND_EN[kind]} over, {how_en}: {where_en}, {dwell_s:.0f} s in all"
        )
    notes = [note for note in (_change_note(report), _clearance_note(report), _place_note(place_sigma_m)) if note]
    notes += [_UNKNOWN_START] if report.is_start_unknown else []
    # Whole seconds, never more than it was: what was measured must not look like the limit before it is reached.
    seconds = math.floor(dwell_s)
    chinese = [f"{_KIND_ZH[kind]}:{subject_zh}在{where_zh} {seconds} s,限 {settings.min_dwell_s:g} s"]
    english = [f"{_KIND_EN[kind]}: {subject} in {where_en} for {seconds} s, limit {settings.min_dwell_s:g} s"]
    return f"{';'.join(chinese + [n[0] for n in notes])} · {'; '.join(english + [n[1] for n in notes])}"


def _change_note(report: Report) -> tuple[str, str] | None:
    """What is new, where more than time has passed."""
    return None if report.change is None else _CHANGE.get(report.change)


def _clearance_note(report: Report) -> tuple[str, str] | None:
    """What is left to those who walk there."""
    clear = report.clear
    if clear is None:
        return None
    zh = en = f"{clear.width_m:.1f} m"
    if clear.width_m >= MEASURED_PASSAGES * clear.wanted_m:
        zh, en = f"{zh} 以上", f"{en} or more"
    if report.incident.kind == IncidentKind.BLOCKED_SIDEWALK:
        return (
            f"最窄处净宽 {zh},应不小于 {clear.wanted_m:g} m",
            f"narrowest passage {en}, {clear.wanted_m:g} m must stay free",
        )
    if clear.is_blocked:
        return f"同时阻断人行道,仅余 {zh}", f"it also blocks the sidewalk, {en} are left"
    return f"人行道仍可通行,余 {zh}", f"the sidewalk stays passable, {en} are left"


def _place_note(sigma_m: float) -> tuple[str, str] | None:
    """How well the place is known, where that is worth a word."""
    if sigma_m < UNSURE_M:
        return None
    return f"位置标准差约 {sigma_m:.1f} m", f"place known to ± {sigma_m:.1f} m (one standard deviation)"


def sensor_reason(event: EventType, sensor: SensorConfig, value: float, rule: SensorRule, state: SensorState) -> str:
    """Why a sensor reports an incident now; `state` as it was when the trouble stood."""
    kind_zh, kind_en = _KIND_ZH[rule.kind], _KIND_EN[rule.kind]
    if event == EventType.CLEARED:
        sign, limit, hold_s = "<" if rule.is_high_bad else ">", rule.clear_at, rule.clear_hold_s
        kind_zh, kind_en = f"{kind_zh}已消除", f"{kind_en} over"
    else:
        sign, limit, hold_s = ">" if rule.is_high_bad else "<", rule.raise_at, rule.hold_s
    facts = f"{sensor.metric} {value:g} {sign} {limit:g}"
    chinese = f"{kind_zh}:{sensor.id} {facts},持续 {hold_s:g} s 以上"
    english = f"{kind_en}: {sensor.id} {facts} for {hold_s:g} s or more"
    if state.is_start_unknown and event != EventType.CLEARED:
        chinese, english = f"{chinese};{_UNKNOWN_START[0]}", f"{english}; {_UNKNOWN_START[1]}"
    return f"{chinese} · {english}"
