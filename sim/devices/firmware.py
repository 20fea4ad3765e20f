"""How a device words its readings: three kinds of firmware stand on one street."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from sim.street.chance import share_of


class Firmware(StrEnum):
    """The forms of payload that exist.

    VALUES: ``{"ts": …, "values": {…}}``; SENML: a pack of RFC 8428; BARE: one number without a time
    """

    VALUES = "values"
    SENML = "senml"
    BARE = "bare"


def firmware_of(sensor_id: str, seed: int, *, metric_count: int = 1, needs_time: bool = False) -> Firmware:
    """The firmware of a device: six, three and one of ten; a bare number holds neither two values nor a time."""
    share = share_of(seed, sensor_id, "firmware")
    if share < 0.6:
        return Firmware.VALUES
    if share < 0.9 or metric_count > 1 or needs_time:
        return Firmware.SENML
    return Firmware.BARE


def payload_of(firmware: Firmware, sensor_id: str, values: Mapping[str, float], measured_at: datetime) -> bytes:
    """The message body; measured_at is aware and does not stand in a bare number."""
    if firmware is Firmware.VALUES:
        body = {"ts": measured_at.isoformat(timespec="milliseconds"), "values": dict(values)}
        return json.dumps(body, separators=(",", ":")).encode()
    if firmware is Firmware.SENML:
        records: list[dict[str, object]] = [{"n": name, "v": value} for name, value in values.items()]
        records[0] = {"bn": f"{sensor_id}:", "bt": round(measured_at.timestamp(), 3)} | records[0]
        return json.dumps(records, separators=(",", ":")).encode()
    (value,) = values.values()
    return f"{value:g}".encode()
