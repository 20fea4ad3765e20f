"""What a simulated sensor reads and how its firmware words it; pure functions of seed, sensor and time."""

from __future__ import annotations

import hashlib
import json
import math
from datetime import datetime

from sim.scenario import Scenario, SimSensor

_DAY_S = 86_400


def phase(sensor_id: str, seed: int) -> float:
    """A number in 0..1 that belongs to a sensor: spreads reports and levels, the same in every run."""
    digest = hashlib.blake2b(f"{seed}:{sensor_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def value_at(sensor: SimSensor, scenario: Scenario, second: float) -> float:
    """What the sensor reads this many seconds after the start of the run."""
    moment = second % scenario.loop_s
    for trouble in scenario.sensor_troubles:
        if trouble.sensor_id == sensor.id and trouble.holds_at(moment):
            return trouble.value
    if sensor.metric != "level":
        return 0.0
    own = phase(sensor.id, scenario.seed)
    daily = 8 * math.sin(2 * math.pi * (second / _DAY_S + own))
    return round(15 + 30 * own + daily + math.sin(second / 7 + 20 * own), 1)


def payload_of(sensor: SimSensor, value: float, measured_at: datetime, seed: int) -> bytes:
    """The message body; three kinds of firmware stand on one street: values JSON, SenML, a bare number."""
    form = int(phase(f"{sensor.id}/firmware", seed) * 10)
    if form < 6:
        body = {"ts": measured_at.isoformat(timespec="milliseconds"), "values": {sensor.metric: value}}
        return json.dumps(body).encode()
    if form < 9:
        record = {"bn": f"{sensor.id}:", "bt": measured_at.timestamp(), "n": sensor.metric, "v": value}
        return json.dumps([record]).encode()
    return f"{value:g}".encode()
