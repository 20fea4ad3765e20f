"""What is really so where a sensor stands: the course of a day by kind, the street around it, scripted readings."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from sim.devices.sensor import METRICS, Sensor, SensorKind
from sim.devices.sensor_tables import ReadingPart
from sim.moments import moment_after
from sim.street.chance import share_of

_DAY_S = 86_400
_PARKING_SLOT_S = 1800
_LAMP_W = 75.0
_LAMP_STANDBY_W = 0.4


class Surroundings(Protocol):
    """The street as sensors feel it, at a second of the run."""

    def fill_of(self, actor_id: str, second: float) -> float | None:
        """How full a bin is, 0 … 1.2; None while it is not there."""

    def is_occupied(self, x_m: float, y_m: float, second: float) -> bool:
        """Whether a vehicle stands over a point."""


def true_values(
    sensor: Sensor,
    second: float,
    *,
    begins_at: datetime,
    seed: int,
    surroundings: Surroundings,
    scripted: Iterable[ReadingPart] = (),
    scripted_second: float | None = None,
) -> dict[str, float]:
    """What a faultless sensor would read, by metric.

    begins_at:       second 0; its own time zone says what the time of day is
    scripted:        the readings of this sensor; of those that hold at a second, the last one counts
    scripted_second: second of the scenario where it differs from that of the run, as in a repeated round
    """
    values = _values_of(sensor, second, begins_at=begins_at, seed=seed, surroundings=surroundings)
    moment = second if scripted_second is None else scripted_second
    for reading in scripted:
        if reading.holds_at(moment):
            values[reading.metric or sensor.metrics[0]] = reading.value
    return values


def _values_of(
    sensor: Sensor, second: float, *, begins_at: datetime, seed: int, surroundings: Surroundings
) -> dict[str, float]:
    at = moment_after(begins_at, second)
    own = share_of(seed, sensor.id, "own")
    values: tuple[float, ...]
    match sensor.kind:
        case SensorKind.BIN:
            fill = None if sensor.follows is None else surroundings.fill_of(sensor.follows, second)
            values = (_bin_level(at, own) if fill is None else 100 * fill,)
        case SensorKind.BAY:
            seen = sensor.is_placed and surroundings.is_occupied(sensor.x_m, sensor.y_m, second)
            values = (float(seen or _has_guest(sensor, at, seed)),)
        case SensorKind.MANHOLE:
            values = (_manhole_tilt_deg(at, own), _manhole_water_mm(at, own))
        case SensorKind.NOISE:
            values = (_noise_db(at, own),)
        case SensorKind.AIR:
            values = (_pm25_ug_m3(at, own),)
        case SensorKind.LAMP:
            values = (_lamp_w(at, own),)
    return {
        metric.name: min(max(value, metric.lowest), metric.highest)
        for metric, value in zip(METRICS[sensor.kind], values, strict=True)
    }


def _bin_level(at: datetime, own: float) -> float:
    """Per cent: emptied between four and seven in the morning, filled in the waking hours, never near full."""
    since_emptied_h = (_hour(at) - 4 - 3 * own) % 24
    filled = min(1.0, since_emptied_h / 18)
    return 5 + 8 * own + (25 + 15 * own) * filled + 0.6 * _wobble(at, own)


def _has_guest(sensor: Sensor, at: datetime, seed: int) -> bool:
    """Whether a bay outside the drawn street is taken; where a rule forbids to park, nobody does unscripted."""
    if sensor.is_placed or sensor.rule is not None:
        return False
    start = share_of(seed, sensor.id, "slot")
    slot = math.floor(at.timestamp() / _PARKING_SLOT_S + start)
    return share_of(seed, sensor.id, "guest", slot) < 0.2 + 0.6 * _busy(at)


def _manhole_tilt_deg(at: datetime, own: float) -> float:
    return 0.3 + 0.8 * own + 0.05 * _wobble(at, own)


def _manhole_water_mm(at: datetime, own: float) -> float:
    """Sewage stands highest after breakfast and after supper."""
    return 40 + 40 * own + 70 * (_hump(at, 8, 2) + _hump(at, 20.5, 2.5)) + 3 * _wobble(at, own)


def _noise_db(at: datetime, own: float) -> float:
    return 46 + 4 * own + 16 * _busy(at) + 1.5 * _wobble(at, own)


def _pm25_ug_m3(at: datetime, own: float) -> float:
    return 22 + 8 * own + 26 * (_hump(at, 8.5, 2.5) + _hump(at, 21, 3)) + 2 * _wobble(at, own)


def _lamp_w(at: datetime, own: float) -> float:
    """On from half past six in the evening to six, dimmed from eleven on; lamps do not switch all at once."""
    since_dusk_h = (_hour(at) - 18.5 - 0.05 * own) % 24
    if since_dusk_h >= 11.5:
        return _LAMP_STANDBY_W
    share = 1.0 if since_dusk_h < 4.5 else 0.6
    return _LAMP_W * share * (1 + 0.01 * _wobble(at, own))


def _hour(at: datetime) -> float:
    """Hours since midnight where it is, 0 … 24."""
    return at.hour + at.minute / 60 + (at.second + at.microsecond / 1e6) / 3600


def _busy(at: datetime) -> float:
    """How busy the street is, 0 in the dead of night … 1 when all go home."""
    return min(1.0, 0.7 * _hump(at, 13.5, 5) + 0.6 * _hump(at, 8, 1.5) + 0.7 * _hump(at, 18, 2))


def _hump(at: datetime, hour: float, width_h: float) -> float:
    """1 at an hour of the day, falling to 0 on both sides as a bell does."""
    away_h = (_hour(at) - hour + 12) % 24 - 12
    return math.exp(-((away_h / width_h) ** 2) / 2)


def _wobble(at: datetime, own: float) -> float:
    """What changes from reading to reading, -1 … 1; smooth, every sensor at its own pace."""
    second = at.timestamp() % _DAY_S
    return 0.6 * math.sin(second / (7 + 4 * own) + 20 * own) + 0.4 * math.sin(second / (61 + 30 * own) + 50 * own)
