"""Sensor payloads to readings: ``{"ts", "values"}`` JSON, SenML JSON, or a bare number.

The first character decides which: ``{``, ``[`` or neither.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from ingest.config import PayloadLimits
from ingest.device_time import check_plausible, parse_device_time
from ingest.errors import PayloadError
from ingest.messages import Reading, SensorId, TimeSource
from ingest.reasons import Reason
from ingest.senml import Measurement, resolve_senml
from ingest.validation import first_fault

BARE_METRIC = "value"
MAX_NAME_CHARACTERS = 128

_DEFAULT_LIMITS = PayloadLimits()
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# A backslash cannot be written at the end of a name in line protocol.
_NAME_FORBIDDEN = re.compile(r"[\\\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class DecodedReadings:
    """What one message said.

    ignored: names of the values that are no numbers, in the sender's order
    """

    readings: tuple[Reading, ...]
    ignored: tuple[str, ...] = ()


class _ValuesPayload(BaseModel):
    """``{"ts": …, "values": {…}}``; unknown fields are tolerated, as devices add their own."""

    model_config = ConfigDict(extra="ignore", strict=True)

    ts: bool | int | float | str | None = None
    values: dict[str, Any]


def decode_readings(
    payload: bytes,
    *,
    sensor_id: SensorId,
    received_at: datetime,
    limits: PayloadLimits = _DEFAULT_LIMITS,
) -> DecodedReadings:
    """Return every number in a sensor's message as a reading; PayloadError, and nothing else, otherwise.

    received_at: aware UTC, taken as the time of values that carry none
    """
    if len(payload) > limits.max_bytes:
        raise PayloadError(Reason.TOO_LARGE, f"{len(payload)} bytes, a reading may have at most {limits.max_bytes}")
    text = _as_text(payload)
    if text.startswith("{"):
        measurements = _from_values(text, received_at, limits)
    elif text.startswith("["):
        measurements = resolve_senml(text, received_at=received_at, max_records=limits.max_values)
    else:
        measurements = [Measurement(BARE_METRIC, _bare_number(text), None, received_at, TimeSource.GATEWAY)]
    return _to_readings(measurements, sensor_id, received_at, limits)


def _as_text(payload: bytes) -> str:
    try:
        text = payload.decode("utf-8").strip(" \t\r\n")
    except UnicodeDecodeError as error:
        raise PayloadError(
            Reason.INVALID_UTF8, f"byte {error.start} of {len(payload)} is no UTF-8; expected JSON or a number"
        ) from None
    if not text:
        raise PayloadError(Reason.EMPTY, "no bytes but spaces; expected JSON or a number")
    return text


def _from_values(text: str, received_at: datetime, limits: PayloadLimits) -> list[Measurement]:
    try:
        parsed = _ValuesPayload.model_validate_json(text)
    except ValidationError as error:
        raise PayloadError(Reason.INVALID_JSON, first_fault(error, expected='{"ts": …, "values": {…}}')) from None
    if len(parsed.values) > limits.max_values:
        raise PayloadError(
            Reason.TOO_LARGE, f"{len(parsed.values)} values, a message may have at most {limits.max_values}"
        )
    measured_at, source = _time_of(parsed.ts, received_at)
    return [Measurement(name, raw, None, measured_at, source) for name, raw in parsed.values.items()]


def _time_of(ts: bool | int | float | str | None, received_at: datetime) -> tuple[datetime, TimeSource]:
    if ts is None:
        return received_at, TimeSource.GATEWAY
    # bool is an int to Python: without this, `true` would be one second after 1970.
    return parse_device_time(str(ts) if isinstance(ts, bool) else ts), TimeSource.DEVICE


def _bare_number(text: str) -> float | bool:
    if text in ("true", "false"):
        return text == "true"
    if len(text) <= MAX_NAME_CHARACTERS and _NUMBER.fullmatch(text):
        return float(text)
    raise PayloadError(Reason.NOT_A_NUMBER, f"{text[:40]!r} is neither a number nor JSON")


def _to_readings(
    measurements: list[Measurement], sensor_id: SensorId, received_at: datetime, limits: PayloadLimits
) -> DecodedReadings:
    readings = []
    ignored = []
    for measurement in measurements:
        _check_name(measurement.name)
        value = _as_float(measurement.name, measurement.value)
        if value is None:
            ignored.append(measurement.name)
            continue
        check_plausible(measurement.measured_at, received_at, limits.time, what="reading")
        readings.append(
            Reading(
                sensor_id=sensor_id,
                metric=measurement.name,
                value=value,
                unit=measurement.unit,
                measured_at=measurement.measured_at,
                received_at=received_at,
                time_source=measurement.time_source,
            )
        )
    if not readings:
        names = ", ".join(ignored[:5]) or "none"
        raise PayloadError(Reason.NO_NUMERIC_VALUE, f"no value is a number (values: {names[:120]})")
    return DecodedReadings(readings=tuple(readings), ignored=tuple(ignored))


def _as_float(name: str, raw: object) -> float | None:
    """Return a finite float; None for what is no number; PayloadError for a number that no float can hold."""
    if not isinstance(raw, bool | int | float):
        return None
    try:
        value = float(raw)
        is_exact = math.isfinite(value) and (isinstance(raw, float) or int(value) == raw)
    except OverflowError:
        is_exact = False
    if not is_exact:
        raise PayloadError(Reason.NOT_A_NUMBER, f"{name} is not finite, or too large to be held exactly in 64 bits")
    return value


def _check_name(name: str) -> None:
    if not 0 < len(name) <= MAX_NAME_CHARACTERS or _NAME_FORBIDDEN.search(name):
        raise PayloadError(
            Reason.INVALID_NAME,
            f"value name {name[:40]!r}: expected 1 to {MAX_NAME_CHARACTERS} characters "
            "without control characters and backslashes",
        )
