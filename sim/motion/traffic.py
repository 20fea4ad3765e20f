"""Ordinary traffic: who comes when, by chance, and how it gets through.

One road user after another is planned in the order of arrival, and knows everybody who was planned before. Whoever
would touch somebody, or wait for minutes, takes another street: it never appears.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from sim.motion.actors import TrafficPart
from sim.motion.driving import drive_through, ride_through
from sim.motion.following import Driver
from sim.motion.looks import size_of
from sim.motion.paths import Mover
from sim.motion.strolling import cross, stroll
from sim.street.body import TWO_WHEELERS, BodyKind
from sim.street.street import Crossing, Lane, Street

# The street is populated when the scenario begins.
WARM_UP_S = 60.0
_BLOCK_S = 60.0
_MIN_HEADWAY_S = 2.2
# From a door over a crossing: 5 m to the kerb, the carriageway, a moment before and after.
_CROSSING_TIME_S = 16


class _Who(StrEnum):
    VEHICLE = "vehicle"
    BICYCLE = "bicycle"
    STROLLER = "stroller"
    CROSSER = "crosser"


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Arrival:
    """Somebody comes in a second; stream: index of who and where."""

    second: float
    stream: int
    number: int
    look: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    """Arrivals of one sort at one place; side: 1 or -1, the direction or the sidewalk."""

    who: _Who
    per_s: float
    side: int
    lane: Lane | None = None
    crossing: Crossing | None = None


class Traffic:
    """Plans one arrival after another, in their order."""

    def __init__(self, street: Street, settings: TrafficPart, *, seed: int) -> None:
        self._street, self._settings, self._seed = street, settings, seed
        self._streams = tuple(_streams(street, settings))
        self._arrivals = heapq.merge(*(self._arrivals_of(index) for index in range(len(self._streams))))
        self._next = next(self._arrivals, None)

    def plan_until(self, second: float, known: list[Mover]) -> None:
        """Add everybody who comes up to a second to those who are known."""
        while self._next is not None and self._next.second <= second:
            arrival, self._next = self._next, next(self._arrivals, None)
            mover = self._plan(arrival, known)
            if mover is not None:
                known.append(mover)

    def _arrivals_of(self, index: int) -> Iterator[Arrival]:
        """Arrivals of a stream without end; each block of time has its own seed."""
        stream = self._streams[index]
        earliest, number, block = -np.inf, 0, 0
        while stream.per_s > 0:
            rng = np.random.default_rng((self._seed, index, block))
            seconds = np.sort(rng.uniform(0, _BLOCK_S, rng.poisson(stream.per_s * _BLOCK_S)))
            looks = rng.integers(1 << 31, size=len(seconds))
            for second, look in zip(seconds + (block * _BLOCK_S - WARM_UP_S), looks, strict=True):
                if stream.crossing is not None and not _may_cross(stream.crossing, float(second)):
                    continue
                earliest = max(earliest + (_MIN_HEADWAY_S if stream.lane else 0.0), float(second))
                yield Arrival(second=earliest, stream=index, number=number, look=int(look))
                number += 1
            block += 1

    def _plan(self, arrival: Arrival, known: Sequence[Mover]) -> Mover | None:
        stream, street = self._streams[arrival.stream], self._street
        name = f"{stream.who}-{arrival.stream}-{arrival.number}"
        if stream.lane is not None:
            return self._vehicle(arrival, stream.lane, name, known)
        if stream.crossing is not None:
            return cross(street, stream.crossing, name, arrival.look, arrival.second)
        if stream.who is _Who.STROLLER:
            return stroll(street, name, arrival.look, arrival.second, is_right=stream.side > 0, known=known)
        return self._bicycle(arrival, stream.side, name, known)

    def _bicycle(self, arrival: Arrival, direction: int, name: str, known: Sequence[Mover]) -> Mover | None:
        rng = np.random.default_rng((arrival.look, 2))
        rider = bicycle_rider(float(rng.uniform(3.2, 5.5)))
        return ride_through(
            self._street,
            _rider(name, BodyKind.BICYCLE, arrival.look),
            rider,
            direction=direction,
            second=arrival.second,
            known=known,
            home=float(rng.uniform()),
        )

    def _vehicle(self, arrival: Arrival, lane: Lane, name: str, known: Sequence[Mover]) -> Mover | None:
        rng = np.random.default_rng((arrival.look, 2))
        shares = self._settings.mix.shares()
        weights = np.array(list(shares.values()))
        kind = tuple(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]
        driver = Driver(
            speed_mps=self._settings.speed_mps * float(rng.uniform(0.85, 1.15)),
            acceleration_mps2=float(rng.uniform(1.2, 1.8)),
            headway_s=float(rng.uniform(1.0, 1.6)),
        )
        mover = _rider(name, kind, arrival.look)
        return drive_through(self._street, mover, driver, lane=lane, second=arrival.second, known=known)


def bicycle_rider(speed_mps: float) -> Driver:
    """Somebody on a bicycle."""
    return Driver(speed_mps=speed_mps, acceleration_mps2=0.9, braking_mps2=1.5, standing_gap_m=1.0)


def _rider(name: str, kind: BodyKind, look: int) -> Mover:
    return Mover(id=name, kind=kind, size_m=size_of(kind, look), look=look, has_rider=kind in TWO_WHEELERS, tracks=())


def _may_cross(crossing: Crossing, second: float) -> bool:
    """Whether vehicles have red, since a moment ago and as long as somebody who leaves the house now needs."""
    signal = crossing.signal
    return signal is not None and not any(signal.is_green(second + later) for later in range(_CROSSING_TIME_S + 1))


def _streams(street: Street, settings: TrafficPart) -> Iterator[_Stream]:
    """Always in this order, so that one number of the settings does not change the luck of the others."""
    for lane in street.lanes:
        yield _Stream(who=_Who.VEHICLE, per_s=settings.vehicles_per_h / 3600, side=lane.direction, lane=lane)
    for side in (1, -1):
        yield _Stream(who=_Who.BICYCLE, per_s=settings.bicycles_per_h / 3600, side=side)
        yield _Stream(who=_Who.STROLLER, per_s=settings.pedestrians_per_h / 3600, side=side)
    for crossing in street.crossings:
        if crossing.signal is not None:
            period_s = crossing.signal.green_s + crossing.signal.red_s
            usable_s = max(1.0, crossing.signal.red_s - _CROSSING_TIME_S)
            per_s = settings.crossing_per_red / min(usable_s, period_s)
            yield _Stream(who=_Who.CROSSER, per_s=per_s, side=1, crossing=crossing)
