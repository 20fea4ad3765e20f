"""All sensors of a scenario, and every message that they send."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from sim.devices.firmware import Firmware, firmware_of, payload_of
from sim.devices.misbehaviour import (
    ClockSkew,
    Departure,
    Misbehaviour,
    OutOfOrder,
    ReconnectStorm,
    Slot,
    departures,
    garble,
    longest_delay_s,
    misread,
    skew_s,
    stuck_since,
)
from sim.devices.readings import Surroundings, true_values
from sim.devices.sensor import METRICS, Sensor, SensorKind
from sim.devices.sensor_tables import PlacedPart, ReadingPart, SensorError, SensorsPart
from sim.moments import moment_after
from sim.street.chance import share_of
from sim.street.street import Rect

# Steps of the two-dimensional golden ratio: any number of points lies evenly, and more do not move the first.
_GOLDEN_X, _GOLDEN_Y = 0.7548776662466927, 0.5698402909980532
# In intervals: more than a division may round away.
_BORDER = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceMessage:
    """One message as it leaves a device; sent_s counts from the start of the run."""

    sent_s: float
    sensor_id: str
    payload: bytes


class _Due(NamedTuple):
    """A message that leaves within the window asked for; in this order the street is asked about the past once."""

    departure: Departure
    device_index: int
    slot: Slot


@dataclass(slots=True, kw_only=True)
class _Device:
    """A sensor with what is scripted for it; phase: share of the interval at which it reports."""

    sensor: Sensor
    firmware: Firmware
    phase: float
    readings: tuple[ReadingPart, ...]
    faults: tuple[Misbehaviour, ...]
    delay_s: float
    storms: tuple[ReconnectStorm, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.storms = tuple(fault for fault in self.faults if isinstance(fault, ReconnectStorm))


class Fleet:
    """The sensors of a scenario; SensorError for tables that do not fit together."""

    def __init__(self, settings: SensorsPart, area: Rect, *, seed: int, loop_s: float | None = None) -> None:
        """area: street metres over which groups are spread; loop_s: after it the script begins again."""
        self._interval_s, self._seed, self._loop_s = settings.interval_s, seed, loop_s
        self.sensors = _sensors_of(settings, area, seed)
        by_id = {sensor.id: sensor for sensor in self.sensors}
        readings = _readings_by_sensor(settings.readings, by_id)
        faults = _faults_by_sensor(settings.misbehaviour, by_id, seed=seed, loop_s=loop_s)
        self._devices = [
            self._device_of(sensor, tuple(readings.get(sensor.id, ())), tuple(faults.get(sensor.id, ())))
            for sensor in self.sensors
        ]
        self._index_of = {sensor.id: index for index, sensor in enumerate(self.sensors)}

    def messages(
        self, from_s: float, until_s: float, *, begins_at: datetime, surroundings: Surroundings
    ) -> list[DeviceMessage]:
        """All messages that leave in [from_s, until_s), in the order in which they leave.

        Wherever a span is split, its parts give the same messages. The street is asked in the order of
        measurement; only a stuck sensor and one with late messages ask about a second before from_s.
        begins_at: second 0, aware; its time zone is that of the street
        """
        due = sorted(
            _Due(departure, index, slot)
            for index, device in enumerate(self._devices)
            for slot in self._slots(device, from_s, until_s)
            for departure in departures(
                slot, device.faults, interval_s=self._interval_s, sensor_id=device.sensor.id, seed=self._seed
            )
            if from_s <= departure.sent_s < until_s
        )
        messages = [
            DeviceMessage(
                sent_s=one.departure.sent_s,
                sensor_id=self._devices[one.device_index].sensor.id,
                payload=self._payload(self._devices[one.device_index], one, begins_at, surroundings),
            )
            for one in due
        ]
        return sorted(messages, key=lambda message: message.sent_s)

    def true_values(
        self, sensor_id: str, second: float, *, begins_at: datetime, surroundings: Surroundings
    ) -> dict[str, float]:
        """What is really so at a sensor, by metric, whatever it sends; KeyError for an unknown one."""
        device = self._devices[self._index_of[sensor_id]]
        return self._true_values(device, second, begins_at, surroundings)

    def _device_of(
        self, sensor: Sensor, readings: tuple[ReadingPart, ...], faults: tuple[Misbehaviour, ...]
    ) -> _Device:
        needs_time = any(isinstance(fault, ClockSkew | OutOfOrder) for fault in faults)
        return _Device(
            sensor=sensor,
            firmware=firmware_of(sensor.id, self._seed, metric_count=len(sensor.metrics), needs_time=needs_time),
            phase=share_of(self._seed, sensor.id),
            readings=readings,
            faults=faults,
            delay_s=longest_delay_s(faults, interval_s=self._interval_s),
        )

    def _slots(self, device: _Device, from_s: float, until_s: float) -> Iterator[Slot]:
        """The regular reports whose messages may leave in the window."""
        numbers = set(self._numbers(device, from_s - device.delay_s, until_s))
        for storm in device.storms:
            for began_s in self._rounds(from_s - storm.until_s, until_s - storm.until_s):
                numbers.update(self._numbers(device, began_s + storm.from_s, began_s + storm.until_s))
        for number in numbers:
            second = (number + device.phase) * self._interval_s
            yield Slot(number, second, self._round_began_s(second))

    def _numbers(self, device: _Device, from_s: float, until_s: float) -> range:
        """Numbers of the reports in a span, and one on its very border: the caller looks at the exact time."""
        first = math.ceil(from_s / self._interval_s - device.phase - _BORDER)
        beyond = math.floor(until_s / self._interval_s - device.phase + _BORDER) + 1
        return range(max(0, first), max(0, beyond))

    def _rounds(self, from_s: float, until_s: float) -> Iterator[float]:
        """The beginnings of rounds in or near [from_s, until_s)."""
        if self._loop_s is None:
            yield 0.0
            return
        first, last = math.floor(from_s / self._loop_s), math.ceil(until_s / self._loop_s)
        for number in range(max(0, first), max(0, last + 1)):
            yield number * self._loop_s

    def _round_began_s(self, second: float) -> float:
        return 0.0 if self._loop_s is None else math.floor(second / self._loop_s) * self._loop_s

    def _payload(self, device: _Device, due: _Due, begins_at: datetime, surroundings: Surroundings) -> bytes:
        sensor, second = device.sensor, due.departure.measured_s
        round_began_s = self._round_began_s(second)
        moment = second - round_began_s
        stuck_at = stuck_since(moment, device.faults)
        read_s = second if stuck_at is None else round_began_s + stuck_at
        values = misread(
            self._true_values(device, read_s, begins_at, surroundings),
            METRICS[sensor.kind],
            device.faults,
            moment=moment,
            chance_key=(self._seed, sensor.id, second),
        )
        measured_at = moment_after(begins_at, second + skew_s(moment, device.faults))
        return garble(payload_of(device.firmware, sensor.id, values, measured_at), moment, device.faults)

    def _true_values(
        self, device: _Device, second: float, begins_at: datetime, surroundings: Surroundings
    ) -> dict[str, float]:
        return true_values(
            device.sensor,
            second,
            begins_at=begins_at,
            seed=self._seed,
            surroundings=surroundings,
            scripted=device.readings,
            scripted_second=second - self._round_began_s(second),
        )


def _sensors_of(settings: SensorsPart, area: Rect, seed: int) -> tuple[Sensor, ...]:
    """Group members in order, each at its place; then placed sensors that are of no group."""
    sensors: dict[str, Sensor] = {}
    counts = dict.fromkeys(SensorKind, 0)
    for group in settings.groups:
        for _ in range(group.count):
            counts[group.kind] += 1
            member = _member(group.kind, counts[group.kind], group.rule, area, seed)
            sensors[member.id] = member
    seen: set[str] = set()
    for index, placed in enumerate(settings.placed):
        key = f"sensors.placed.{index}"
        if placed.id in seen:
            raise SensorError(f"{key}.id", f"{placed.id} is placed twice; every sensor stands at one place")
        seen.add(placed.id)
        sensors[placed.id] = _placed(placed, sensors.get(placed.id), key)
    return tuple(sensors.values())


def _member(kind: SensorKind, number: int, rule: str | None, area: Rect, seed: int) -> Sensor:
    share_x = (share_of(seed, kind, "x") + number * _GOLDEN_X) % 1
    share_y = (share_of(seed, kind, "y") + number * _GOLDEN_Y) % 1
    return Sensor(
        id=f"{kind}-{number:03d}",
        kind=kind,
        x_m=area.x0 + share_x * (area.x1 - area.x0),
        y_m=area.y0 + share_y * (area.y1 - area.y0),
        metrics=tuple(metric.name for metric in METRICS[kind]),
        rule=rule,
    )


def _placed(placed: PlacedPart, member: Sensor | None, key: str) -> Sensor:
    if member is not None and member.kind is not placed.kind:
        raise SensorError(
            f"{key}.kind", f"{placed.id} is of kind {member.kind} in its group; write that, or another id"
        )
    return Sensor(
        id=placed.id,
        kind=placed.kind,
        x_m=placed.x_m,
        y_m=placed.y_m,
        metrics=tuple(metric.name for metric in METRICS[placed.kind]),
        rule=placed.rule or (None if member is None else member.rule),
        follows=placed.follows,
        is_placed=True,
    )


def _readings_by_sensor(readings: Iterable[ReadingPart], by_id: Mapping[str, Sensor]) -> dict[str, list[ReadingPart]]:
    found: dict[str, list[ReadingPart]] = {}
    for index, reading in enumerate(readings):
        key = f"sensors.readings.{index}"
        sensor = _sensor_named(reading.sensor, by_id, f"{key}.sensor")
        if reading.metric is not None and reading.metric not in sensor.metrics:
            raise SensorError(
                f"{key}.metric", f"{sensor.id} has no {reading.metric}; it measures {', '.join(sensor.metrics)}"
            )
        found.setdefault(sensor.id, []).append(reading)
    return found


def _faults_by_sensor(
    faults: Iterable[Misbehaviour], by_id: Mapping[str, Sensor], *, seed: int, loop_s: float | None
) -> dict[str, list[Misbehaviour]]:
    found: dict[str, list[Misbehaviour]] = {}
    for index, fault in enumerate(faults):
        key = f"sensors.misbehaviour.{index}"
        if isinstance(fault, ReconnectStorm) and loop_s is not None and fault.until_s > loop_s:
            raise SensorError(
                f"{key}.until_s", f"{fault.until_s:g} is later than the end of the round, {loop_s:g} s; at most that"
            )
        for sensor_id in _hit_by(fault, by_id, key=key, seed=seed):
            found.setdefault(sensor_id, []).append(fault)
    return found


def _hit_by(fault: Misbehaviour, by_id: Mapping[str, Sensor], *, key: str, seed: int) -> list[str]:
    if fault.sensor is not None:
        return [_sensor_named(fault.sensor, by_id, f"{key}.sensor").id]
    candidates = [sensor.id for sensor in by_id.values() if sensor.kind is fault.kind]
    if not candidates:
        kinds = ", ".join(sorted({sensor.kind for sensor in by_id.values()})) or "none"
        raise SensorError(f"{key}.kind", f"there is no sensor of kind {fault.kind}; there are {kinds}")
    candidates.sort(key=lambda sensor_id: share_of(seed, sensor_id, fault.fault, fault.from_s))
    return candidates[: max(1, round(fault.share * len(candidates)))]


def _sensor_named(sensor_id: str, by_id: Mapping[str, Sensor], key: str) -> Sensor:
    if sensor_id in by_id:
        return by_id[sensor_id]
    closest = difflib.get_close_matches(sensor_id, by_id, n=1, cutoff=0.0)
    hint = f"closest is {closest[0]}" if closest else "there are no sensors at all"
    raise SensorError(key, f"there is no sensor {sensor_id}; {hint}")
