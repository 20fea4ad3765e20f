"""What ingest emits: readings and frames, and the raw messages that they were decoded from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

SensorId = NewType("SensorId", str)
CameraId = NewType("CameraId", str)


class TimeSource(StrEnum):
    """Whose clock a time comes from."""

    DEVICE = "device"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMessage:
    """One MQTT message as it stands in the spool, not yet interpreted.

    id:          row of the spool, rises by arrival; the cursor of every consumer
    received_at: aware UTC, the gateway's clock when the message came in
    """

    id: int
    topic: str
    payload: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One value of one sensor.

    metric:      name of the value, ``value`` where the device sends a bare number
    measured_at: aware UTC, event time; `time_source` says whose clock
    """

    sensor_id: SensorId
    metric: str
    value: float
    unit: str | None
    measured_at: datetime
    received_at: datetime
    time_source: TimeSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One picture of one camera, checked to be a whole JPEG of sane size, not decoded.

    captured_at: aware UTC, event time; `time_source` says whose clock
    size_px:     (width, height) from the JPEG header
    """

    camera_id: CameraId
    captured_at: datetime
    received_at: datetime
    time_source: TimeSource
    size_px: tuple[int, int]
    jpeg: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that could not be used, kept whole so that nothing is lost.

    reason: a short constant such as ``invalid_json``; detail: one line for a person
    """

    topic: str
    payload: bytes
    reason: str
    detail: str
    received_at: datetime
