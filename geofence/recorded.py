"""Recorded detections as text lines → incident events as text lines; what ``street721 judge`` does.

In:  ``{"camera_id", "captured_at", "detections": [{"class", "confidence", "xyxy"}], "size_px"?}``, one per line
Out: ``{"event", "incident_id", "kind", "camera_id", "lat", "lng", "cell", "began_at", "at", "confidence", "subject",
"zone_id", "dwell_s", "is_start_unknown", "clear_width_m", "is_passage_blocked", "place_sigma_m", "reason"}``
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from detectors.appearance import is_text, stacked
from detectors.classes import class_named
from detectors.messages import FrameDetections
from detectors.validation import first_problem
from geofence.errors import GeofenceError
from geofence.joining import OpenIncidents, join
from geofence.judge import CameraState, judge_frame
from geofence.messages import IncidentEvent
from geofence.site import Site
from geofence.timeline import end_of_frames


class RecordedError(GeofenceError):
    """A line of recorded detections cannot be used; lines count from 1."""

    def __init__(self, line_number: int, problem: str) -> None:
        super().__init__(f"line {line_number}: {problem}")
        self.line_number = line_number
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecordedFrame:
    """One line: what a detector saw in one frame of one camera."""

    camera_id: str
    captured_at: datetime
    detections: FrameDetections


class _Tolerant(BaseModel):
    """Other programs add their own keys to these lines."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _Detection(_Tolerant):
    name: str = Field(alias="class", description="the name of a class such as 'car'")
    confidence: float = Field(ge=0, le=1, description="a number from 0 to 1")
    xyxy: tuple[float, float, float, float] = Field(description="[x0, y0, x1, y1] in pixels")
    plate_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", description="64 of 0-9 a-f")

    appearance: str | None = Field(default=None, description="100 signed bytes in base64")

    @field_validator("appearance")
    @classmethod
    def _is_appearance(cls, text: str | None) -> str | None:
        if text is not None and not is_text(text):
            raise ValueError(f"{text[:12]!r} is no appearance; it should be 100 signed bytes in base64")
        return text

    @model_validator(mode="after")
    def _has_area(self) -> _Detection:
        x0, y0, x1, y1 = self.xyxy
        if x0 >= x1 or y0 >= y1:
            raise ValueError(f"xyxy [{x0:g}, {y0:g}, {x1:g}, {y1:g}] has no area; it should be [x0, y0, x1, y1]")
        return self


# Wrong clocks begin in 1970 or 1980 and are dealt with; what lies beyond these years is no time at all.
_YEARS = (1900, 2199)


class _Line(_Tolerant):
    camera_id: str = Field(description="the id of a camera of the site")
    captured_at: AwareDatetime = Field(description="a time with its zone such as '2026-05-01T08:00:00Z'")
    detections: list[_Detection] = Field(description="a list of {class, confidence, xyxy}")
    size_px: tuple[Annotated[int, Field(gt=0)], Annotated[int, Field(gt=0)]] | None = Field(
        default=None, description="[width, height] in pixels"
    )

    @field_validator("captured_at")
    @classmethod
    def _is_plausible(cls, at: datetime) -> datetime:
        if not _YEARS[0] <= at.year <= _YEARS[1]:
            raise ValueError(f"{at.isoformat()} is no time of a camera; it should be in {_YEARS[0]} … {_YEARS[1]}")
        return at


def judge_lines(site: Site, lines: Iterable[str]) -> Iterator[str]:
    """Judge recorded lines in their order; what several cameras see is told once.

    Raises RecordedError at the first bad line.
    """
    states: dict[str, CameraState] = {}
    incidents = OpenIncidents()
    for event in _events(site, lines, states):
        incidents, told = join(incidents, event, plane=site.plane, settings=site.config.dwell)
        if told is not None:
            yield format_event(told)


def _events(site: Site, lines: Iterable[str], states: dict[str, CameraState]) -> Iterator[IncidentEvent]:
    """The events of every camera by itself."""
    for frame in parse_recorded(site, lines):
        state = states.get(frame.camera_id, CameraState())
        states[frame.camera_id], events = judge_frame(site, frame.camera_id, frame.captured_at, frame.detections, state)
        yield from events
    for state in states.values():
        yield from end_of_frames(state)


def parse_recorded(site: Site, lines: Iterable[str]) -> Iterator[RecordedFrame]:
    """The frames of all lines that are not blank; raises RecordedError with the number of a bad one."""
    for line_number, line in enumerate(lines, start=1):
        if line.strip():
            yield _frame(site, line, line_number)


def format_event(event: IncidentEvent) -> str:
    """One line of JSON without its line end."""
    facts = {
        "event": event.event,
        "incident_id": event.incident_id,
        "kind": event.kind,
        "camera_id": event.source_id,
        "lat": round(event.lat, 8),
        "lng": round(event.lng, 8),
        "cell": event.cell,
        "began_at": event.began_at.isoformat(),
        "at": event.at.isoformat(),
        "confidence": round(event.confidence, 4),
        "subject": event.subject,
        "zone_id": event.zone_id,
        "dwell_s": round(event.dwell_s, 3),
        "is_start_unknown": event.is_start_unknown,
        "clear_width_m": _rounded(event.clear_width_m, 2),
        "is_passage_blocked": event.is_passage_blocked,
        "place_sigma_m": _rounded(event.place_sigma_m, 2),
        "reason": event.reason,
    }
    return json.dumps(facts, ensure_ascii=False)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)


def _frame(site: Site, line: str, line_number: int) -> RecordedFrame:
    try:
        parsed = _Line.model_validate_json(line)
        camera = site.camera(parsed.camera_id)
        ids = [class_named(site.classes, found.name).id for found in parsed.detections]
    except ValidationError as error:
        key, problem = first_problem(error, _Line, whole="(whole line)")
        raise RecordedError(line_number, f"{key}: {problem}") from error
    except (GeofenceError, ValueError) as error:
        raise RecordedError(line_number, str(error)) from error
    detections = FrameDetections(
        xyxy=np.array([found.xyxy for found in parsed.detections], np.float32).reshape(-1, 4),
        confidence=np.array([found.confidence for found in parsed.detections], np.float32),
        class_id=np.array(ids, np.int32),
        size_px=parsed.size_px or camera.size_px,
        plate_sha256=tuple(found.plate_sha256 for found in parsed.detections),
        appearance=stacked([found.appearance for found in parsed.detections]),
    )
    return RecordedFrame(camera_id=parsed.camera_id, captured_at=parsed.captured_at, detections=detections)
