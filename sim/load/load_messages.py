"""The messages of a load test: thousands of sensors in turn, worded by the same firmwares as on the street.

A message must cost about a microsecond, so everything but time and value is worded once per sensor.
All values of a sensor have the same number of characters: the length of its packet never changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sim.devices.firmware import Firmware, firmware_of, payload_of
from sim.devices.sensor import METRICS, SensorKind
from sim.load.mqtt_packets import publish_head
from sim.street.chance import share_of

Int64s = npt.NDArray[np.int64]

# Stand-ins that occur in no id; what the firmware writes around them is kept.
_ANY_TIME = datetime(2001, 2, 3, 4, 5, 6, 789000, tzinfo=UTC)
_TIME_TEXTS = {Firmware.VALUES: b"2001-02-03T04:05:06.789", Firmware.SENML: b"981173106.789"}
# The epoch has ten digits from 2001-09-09 to 2286.
_TIME_BYTES = {Firmware.VALUES: len("2001-02-03T04:05:06.789"), Firmware.SENML: len("1500000000.789")}
_ANY_VALUE = 123456.75
_VALUE_TEXT = b"123456.75"
_MILLISECONDS = tuple(b".%03d" % number for number in range(1000))
_MAX_STEP = 3

# What the sensors are, and all that a kind can read, in order; equally long texts.
_KINDS = (SensorKind.BIN,) * 5 + (SensorKind.BAY,) * 2 + (SensorKind.NOISE, SensorKind.AIR, SensorKind.LAMP)
_READABLE: dict[SensorKind, tuple[bytes, ...]] = {
    SensorKind.BIN: tuple(b"%.1f" % (number / 10) for number in range(100, 1000)),
    SensorKind.BAY: (b"0",) * 40 + (b"1",) * 40,
    SensorKind.NOISE: tuple(b"%.1f" % (number / 10) for number in range(400, 900)),
    SensorKind.AIR: tuple(b"%d" % number for number in range(10, 100)),
    SensorKind.LAMP: tuple(b"%.1f" % (number / 10) for number in range(450, 750)),
}


class _Wording(NamedTuple):
    """What stands around time and value in the packets of one sensor; head: up to the topic."""

    head: bytes
    firmware: Firmware
    before_time: bytes
    before_value: bytes
    after_value: bytes
    values: tuple[bytes, ...]


class LoadMessages:
    """Endless messages of some sensors, in turn; the same for the same numbers, seed and times."""

    def __init__(self, numbers: Sequence[int], *, topic_prefix: str, qos: int, seed: int) -> None:
        """topic_prefix: ``{root}/{site}/sensors``, the sensors are ``load-00001`` and so on."""
        self._wordings = [_wording_of(f"load-{number:05d}", topic_prefix, qos, seed) for number in numbers]
        self._rng = np.random.default_rng((seed, numbers[0]))
        self._tops = np.array([len(wording.values) - 1 for wording in self._wordings])
        self._states: Int64s = self._rng.integers(0, self._tops + 1)
        self._next = 0

    def draw(self, epochs_ms: Int64s) -> tuple[list[bytes], list[bytes]]:
        """(heads, bodies) of one message for every time, milliseconds since 1970."""
        turns = (self._next + np.arange(len(epochs_ms))) % len(self._wordings)
        self._next = (self._next + len(epochs_ms)) % len(self._wordings)
        states = self._step(turns)
        seconds, milliseconds = np.divmod(epochs_ms, 1000)
        texts = {int(second): _second_texts(int(second)) for second in np.unique(seconds)}
        heads, bodies = [], []
        for turn, state, second, millisecond in zip(
            turns.tolist(), states.tolist(), seconds.tolist(), milliseconds.tolist(), strict=True
        ):
            head, firmware, before_time, before_value, after_value, values = self._wordings[turn]
            heads.append(head)
            if firmware is Firmware.BARE:
                bodies.append(values[state])
            else:
                time = texts[second][firmware]
                bodies.append(
                    before_time + time + _MILLISECONDS[millisecond] + before_value + values[state] + after_value
                )
        return heads, bodies

    def _step(self, turns: Int64s) -> Int64s:
        """Values wander; a sensor whose turn comes twice at once takes one step."""
        steps = self._rng.integers(-_MAX_STEP, _MAX_STEP + 1, len(turns))
        self._states[turns] = np.clip(self._states[turns] + steps, 0, self._tops[turns])
        return self._states[turns]


def _wording_of(sensor_id: str, topic_prefix: str, qos: int, seed: int) -> _Wording:
    kind = _KINDS[int(share_of(seed, sensor_id, "kind") * len(_KINDS))]
    firmware, values = firmware_of(sensor_id, seed), _READABLE[kind]
    before_time, before_value, after_value, body_bytes = b"", b"", b"", len(values[0])
    if firmware is not Firmware.BARE:
        body = payload_of(firmware, sensor_id, {METRICS[kind][0].name: _ANY_VALUE}, _ANY_TIME)
        before_time, rest = body.split(_TIME_TEXTS[firmware])
        before_value, after_value = rest.split(_VALUE_TEXT)
        around_bytes = len(before_time) + len(before_value) + len(after_value)
        body_bytes = around_bytes + _TIME_BYTES[firmware] + len(values[0])
    head = publish_head(f"{topic_prefix}/{sensor_id}", body_bytes=body_bytes, qos=qos)
    return _Wording(head, firmware, before_time, before_value, after_value, values)


def _second_texts(epoch: int) -> dict[Firmware, bytes]:
    moment = datetime.fromtimestamp(epoch, UTC)
    return {Firmware.VALUES: moment.strftime("%Y-%m-%dT%H:%M:%S").encode(), Firmware.SENML: b"%d" % epoch}
