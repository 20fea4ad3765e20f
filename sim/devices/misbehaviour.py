"""Sensors that misbehave: the `[[sensors.misbehaviour]]` tables, and what each fault does to a report.

Faults act at four places, and several may hold at once:
values (stuck, drift, noise, dead_battery), their time (clock_skew), the bytes (garbled), and when how many
messages leave (burst, out_of_order, duplicates, dead_battery, reconnect_storm).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, model_validator

from sim.devices.sensor import Metric, SensorKind
from sim.part import Span
from sim.street.chance import bell_of, share_of

COPY_AFTER_S = 0.2
BURST_WITHIN_S = 1.0
HELD_BACK_INTERVALS = 1.5

_Finite = Annotated[float, Field(allow_inf_nan=False)]


class _Fault(Span):
    """Whom it hits: one sensor, or a share of a kind (by the seed, at least one)."""

    sensor: str | None = Field(default=None, description="id of the one that has it")
    kind: SensorKind | None = Field(default=None, description="instead of sensor: some of this kind")
    share: float = Field(default=1.0, gt=0, le=1, description="of the sensors of a kind")

    @model_validator(mode="after")
    def _hits_one_or_some(self) -> _Fault:
        if (self.sensor is None) == (self.kind is None):
            raise ValueError('needs either sensor = "<id>" or kind = "<kind>", not both')
        if self.sensor is not None and self.share != 1.0:
            raise ValueError("share belongs to kind; with sensor it is that one")
        return self


class Stuck(_Fault):
    """It repeats what it read at from_s, with new times."""

    fault: Literal["stuck"]


class Drift(_Fault):
    """Its values run away; without per_h by a fifth of the metric's usual span in an hour."""

    fault: Literal["drift"]
    per_h: _Finite | None = Field(default=None, description="in the unit of its metric, may be negative")


class Noise(_Fault):
    """Its values scatter; without sigma by a tenth of the metric's usual span."""

    fault: Literal["noise"]
    sigma: float | None = Field(default=None, gt=0, allow_inf_nan=False, description="standard deviation")


class DeadBattery(_Fault):
    """Its values sink towards a fifth within sag_s, then it is silent until until_s: a new battery."""

    fault: Literal["dead_battery"]
    sag_s: float = Field(default=60.0, ge=0, allow_inf_nan=False)


class Burst(_Fault):
    """Every report becomes `count` readings within a second."""

    fault: Literal["burst"]
    count: int = Field(default=10, ge=2, le=1000)


class ClockSkew(_Fault):
    """Its clock is ahead by skew_s, or behind when negative. A gateway may refuse what is too far off."""

    fault: Literal["clock_skew"]
    skew_s: _Finite = -120.0


class Duplicates(_Fault):
    """The same bytes leave twice or thrice, or `copies` times."""

    fault: Literal["duplicates"]
    copies: int | None = Field(default=None, ge=2, le=20)


class OutOfOrder(_Fault):
    """Some reports, half of them by default, leave after their successor."""

    fault: Literal["out_of_order"]
    chance: float = Field(default=0.5, gt=0, le=1)


class Garbled(_Fault):
    """Bytes that nobody can decode; without payload a torn report."""

    fault: Literal["garbled"]
    payload: str | None = Field(default=None, description="sent as it is, in UTF-8")


class ReconnectStorm(_Fault):
    """Silent from from_s on, and at until_s all that it kept at once."""

    fault: Literal["reconnect_storm"]

    @model_validator(mode="after")
    def _comes_back(self) -> ReconnectStorm:
        if not math.isfinite(self.until_s):
            raise ValueError("reconnect_storm needs until_s, the second when the backlog is sent")
        return self


Misbehaviour = Annotated[
    Stuck | Drift | Noise | DeadBattery | Burst | ClockSkew | Duplicates | OutOfOrder | Garbled | ReconnectStorm,
    Field(discriminator="fault"),
]


class Departure(NamedTuple):
    """One message to be: when its values are measured and when it leaves, seconds of the run."""

    measured_s: float
    sent_s: float


class Slot(NamedTuple):
    """One regular report of a sensor.

    number: counts from 0; second: of the run
    round_began_s: second of the run
    """

    number: int
    second: float
    round_began_s: float

    @property
    def moment(self) -> float:
        """Its second of the scenario."""
        return self.second - self.round_began_s


def departures(
    slot: Slot, faults: Iterable[Misbehaviour], *, interval_s: float, sensor_id: str, seed: int
) -> list[Departure]:
    """The messages that a regular report becomes: none, one or more."""
    measured, held_s, copies, released_s = [slot.second], 0.0, 1, None
    for fault in faults:
        if not fault.holds_at(slot.moment):
            continue
        match fault:
            case DeadBattery() if slot.moment >= fault.from_s + fault.sag_s:
                return []
            case Burst():
                step_s = min(BURST_WITHIN_S, interval_s) / fault.count
                measured = [slot.second + index * step_s for index in range(fault.count)]
            case OutOfOrder() if share_of(seed, sensor_id, "held back", slot.number) < fault.chance:
                held_s = HELD_BACK_INTERVALS * interval_s
            case Duplicates():
                twice_or_thrice = 2 if share_of(seed, sensor_id, "copies", slot.number) < 0.5 else 3
                copies = fault.copies or twice_or_thrice
            case ReconnectStorm():
                released_s = slot.round_began_s + fault.until_s
            case _:
                pass
    return [
        Departure(second, second + held_s + copy * COPY_AFTER_S if released_s is None else released_s)
        for second in measured
        for copy in range(copies)
    ]


def longest_delay_s(faults: Iterable[Misbehaviour], *, interval_s: float) -> float:
    """How long after its regular second a message may leave, storms apart."""
    delay_s = 0.0
    for fault in faults:
        match fault:
            case Burst():
                delay_s += BURST_WITHIN_S
            case OutOfOrder():
                delay_s += HELD_BACK_INTERVALS * interval_s
            case Duplicates():
                delay_s += (fault.copies or 3) * COPY_AFTER_S
            case _:
                pass
    return delay_s


def stuck_since(moment: float, faults: Iterable[Misbehaviour]) -> float | None:
    """The second of the scenario whose values a sensor repeats; None for one that measures."""
    held = [fault.from_s for fault in faults if isinstance(fault, Stuck) and fault.holds_at(moment)]
    return min(held, default=None)


def misread(
    values: Mapping[str, float],
    metrics: Iterable[Metric],
    faults: Iterable[Misbehaviour],
    *,
    moment: float,
    chance_key: tuple[int, str, float],
) -> dict[str, float]:
    """What the device believes to read, by metric, in its range and with its decimals.

    chance_key: seed, sensor id and second of the run, from which noise is drawn
    """
    active = [fault for fault in faults if fault.holds_at(moment)]
    read = {}
    for metric in metrics:
        value = values[metric.name]
        for fault in active:
            match fault:
                case Drift():
                    per_h = metric.usual_span / 5 if fault.per_h is None else fault.per_h
                    value += per_h * (moment - fault.from_s) / 3600
                case Noise():
                    value += (fault.sigma or metric.usual_span / 10) * bell_of(*chance_key, metric.name)
                case DeadBattery():
                    value *= 1 - 0.8 * _sag(moment - fault.from_s, fault.sag_s)
                case _:
                    pass
        read[metric.name] = metric.as_sent(value)
    return read


def _sag(elapsed_s: float, sag_s: float) -> float:
    """How far a battery has sunk, 0 … 1."""
    return 1.0 if elapsed_s >= sag_s else elapsed_s / sag_s


def skew_s(moment: float, faults: Iterable[Misbehaviour]) -> float:
    """How far the device's clock is ahead."""
    return sum(fault.skew_s for fault in faults if isinstance(fault, ClockSkew) and fault.holds_at(moment))


def garble(payload: bytes, moment: float, faults: Iterable[Misbehaviour]) -> bytes:
    """The bytes that leave; a torn report ends in a byte that is no UTF-8."""
    for fault in faults:
        if isinstance(fault, Garbled) and fault.holds_at(moment):
            return payload[: len(payload) // 2] + b"\xff" if fault.payload is None else fault.payload.encode()
    return payload
