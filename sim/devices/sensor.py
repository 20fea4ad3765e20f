"""A simulated sensor and what its kind measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class SensorKind(StrEnum):
    """What a sensor is built for; the first part of a group member's id."""

    BIN = "bin"
    BAY = "bay"
    MANHOLE = "manhole"
    NOISE = "noise"
    AIR = "air"
    LAMP = "lamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A value that a firmware sends.

    decimals:        how many it writes
    lowest, highest: what the device can say at all
    usual_span:      between a quiet and a busy hour; faults are measured by it
    """

    name: str
    decimals: int
    lowest: float = 0.0
    highest: float
    usual_span: float

    def as_sent(self, value: float) -> float:
        """The value inside the device's range, with its decimals; a whole number where it has none."""
        return round(min(max(value, self.lowest), self.highest), self.decimals or None)


METRICS: Mapping[SensorKind, tuple[Metric, ...]] = MappingProxyType(
    {
        SensorKind.BIN: (Metric(name="level", decimals=1, highest=100, usual_span=50),),
        SensorKind.BAY: (Metric(name="occupied", decimals=0, highest=1, usual_span=1),),
        SensorKind.MANHOLE: (
            Metric(name="tilt_deg", decimals=2, highest=90, usual_span=2),
            Metric(name="water_mm", decimals=0, highest=6000, usual_span=120),
        ),
        SensorKind.NOISE: (Metric(name="laeq_db", decimals=1, lowest=25, highest=130, usual_span=20),),
        SensorKind.AIR: (Metric(name="pm25_ug_m3", decimals=0, highest=1000, usual_span=50),),
        SensorKind.LAMP: (Metric(name="power_w", decimals=1, highest=400, usual_span=75),),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """One device; where it is, in street metres, and what it sends.

    metrics:   names of its values; the first one is what a rule of the site judges
    rule:      name of that rule, None for a sensor that is stored and not judged
    follows:   id of the bin actor whose fill it measures
    is_placed: it stands at a place of the drawn street and sees what happens there
    """

    id: str
    kind: SensorKind
    x_m: float
    y_m: float
    metrics: tuple[str, ...]
    rule: str | None = None
    follows: str | None = None
    is_placed: bool = False
