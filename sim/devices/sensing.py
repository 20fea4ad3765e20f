"""What sensors feel of the world, and the troubles that are really there for them to find."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import shapely

from sim.devices.fleet import Fleet
from sim.devices.sensor import Sensor
from sim.motion.world import World
from sim.street.body import VEHICLES, Body, BodyKind
from sim.street.referee import Trouble

# The street is looked at in steps of this; a vehicle needs longer to park.
STEP_S = 0.2
_KEPT_STEPS = 1024


@dataclass(slots=True)
class StreetSurroundings:
    """The world as sensors feel it; remembers the last minutes, as late messages ask about them."""

    world: World
    _seen: OrderedDict[int, tuple[Body, ...]] = field(default_factory=OrderedDict)

    def fill_of(self, actor_id: str, second: float) -> float | None:
        """How full a bin is; None while it is not there."""
        bins = (body for body in self._bodies(second) if body.id == actor_id and body.kind is BodyKind.BIN)
        body = next(bins, None)
        return None if body is None else body.fill

    def is_occupied(self, x_m: float, y_m: float, second: float) -> bool:
        """Whether a vehicle stands over a point."""
        point = shapely.Point(x_m, y_m)
        return any(
            body.kind in VEHICLES
            and body.speed_mps == 0
            and abs(body.x_m - x_m) + abs(body.y_m - y_m) < body.length_m + body.width_m
            and shapely.Polygon(body.footprint_m()).covers(point)
            for body in self._bodies(second)
        )

    def _bodies(self, second: float) -> tuple[Body, ...]:
        step = round(second / STEP_S)
        if step not in self._seen:
            self._seen[step] = self.world.bodies_at(max(0.0, step * STEP_S))
            while len(self._seen) > _KEPT_STEPS:
                self._seen.popitem(last=False)
        # A stuck sensor asks about one moment for hours: what is asked for stays.
        self._seen.move_to_end(step)
        return self._seen[step]


@dataclass(slots=True)
class SensorWatch:
    """Tells which sensors stand at real trouble, by the threshold rules of the site (with their hysteresis)."""

    fleet: Fleet
    rules: Mapping[str, Mapping[str, Any]]
    begins_at: datetime
    surroundings: StreetSurroundings
    _raised: set[str] = field(default_factory=set)

    def troubles_at(self, second: float) -> list[Trouble]:
        """The troubles at a second later than the last one asked for; whatever the sensors themselves say."""
        return [trouble for sensor in self._judged() if (trouble := self._judge(sensor, second)) is not None]

    def _judged(self) -> Iterator[Sensor]:
        return (sensor for sensor in self.fleet.sensors if sensor.rule in self.rules)

    def _judge(self, sensor: Sensor, second: float) -> Trouble | None:
        rule = self.rules[str(sensor.rule)]
        values = self.fleet.true_values(sensor.id, second, begins_at=self.begins_at, surroundings=self.surroundings)
        value = values[sensor.metrics[0]]
        if _is_beyond(rule, value, was_raised=sensor.id in self._raised):
            self._raised.add(sensor.id)
        else:
            self._raised.discard(sensor.id)
            return None
        return Trouble(
            key=f"sensor:{sensor.id}",
            kind=str(rule["kind"]),
            x_m=sensor.x_m,
            y_m=sensor.y_m,
            zone_id=None,
            subject=sensor.metrics[0],
            actors=(sensor.follows,) if sensor.follows else (),
            sources=(sensor.id,),
            limit_s=float(rule.get("hold_s", 0.0)),
        )


def _is_beyond(rule: Mapping[str, Any], value: float, *, was_raised: bool) -> bool:
    if "raise_above" in rule:
        return value > float(rule["raise_above"]) or (was_raised and value >= float(rule["clear_below"]))
    return value < float(rule["raise_below"]) or (was_raised and value <= float(rule["clear_above"]))
