"""A street with one lane each way and a light, and actors for it, for the tests of what moves."""

from __future__ import annotations

from pydantic import TypeAdapter

from sim.motion.actors import ActorPart, TrafficPart
from sim.motion.world import World
from sim.street.street import Crossing, Lane, Signal, Street

LIGHT = Signal(green_s=28.0, red_s=22.0)
STREET = Street(
    y_m=(-20.0, 170.0),
    carriageway_x_m=(-12.0, 0.0),
    kerb_strip_m=2.5,
    sidewalk_right_x_m=(0.0, 3.0),
    sidewalk_left_x_m=(-15.0, -12.0),
    planting_m=2.2,
    lanes=(Lane(x_m=-4.25, width_m=3.5, direction=1), Lane(x_m=-7.75, width_m=3.5, direction=-1)),
    zones=(),
    crossings=(Crossing(y0_m=60.0, y1_m=64.0, signal=LIGHT),),
)
BUSY = TrafficPart(vehicles_per_h=400, bicycles_per_h=120, pedestrians_per_h=200, crossing_per_red=2)
QUIET = TrafficPart()
_ACTORS: TypeAdapter[tuple[ActorPart, ...]] = TypeAdapter(tuple[ActorPart, ...])

Row = dict[str, object]

# Three bays in a row, the middle one used twice; one car up on the sidewalk, one that stops in the lane.
ROWS: tuple[Row, ...] = (
    {"id": "front", "kind": "van", "does": "park", "x_m": -1.2, "y_m": 31.0, "until_s": 500.0},
    {"id": "back", "kind": "car", "does": "park", "x_m": -1.2, "y_m": 19.0, "until_s": 600.0},
    {"id": "first", "kind": "car", "does": "park", "x_m": -1.2, "y_m": 25.0, "from_s": 30.0, "until_s": 300.0},
    {"id": "second", "kind": "car", "does": "park", "x_m": -1.2, "y_m": 25.0, "from_s": 330.0, "until_s": 700.0},
    {"id": "rude", "kind": "car", "does": "park", "x_m": 1.3, "y_m": 45.0, "from_s": 100.0, "until_s": 900.0},
    {"id": "across", "kind": "truck", "does": "park", "x_m": -10.8, "y_m": 100.0, "from_s": 77.0, "until_s": 400.0},
    {"id": "bus", "kind": "bus", "does": "stop", "x_m": -1.4, "y_m": 90.0, "from_s": 220.0, "for_s": 15.0},
    {"id": "in-lane", "kind": "car", "does": "stop", "x_m": -4.25, "y_m": 40.0, "from_s": 520.0, "for_s": 40.0},
    {"id": "passing", "kind": "bus", "does": "drive", "from_s": 50.0},
    {"id": "riding", "kind": "bicycle", "does": "ride", "direction": -1, "from_s": 20.0},
    {"id": "stall", "kind": "stall", "does": "stand", "x_m": 1.5, "y_m": 75.0, "from_s": 20.0, "until_s": 700.0},
)  # fmt: skip


def actors_of(*rows: Row) -> tuple[ActorPart, ...]:
    """The actors of a scenario file's tables."""
    return _ACTORS.validate_python(rows)


def world_of(
    *rows: Row, traffic: TrafficPart = QUIET, seed: int = 3, loop_s: float | None = None, street: Street = STREET
) -> World:
    """A world on the street."""
    return World(street, actors_of(*rows), traffic, seed=seed, loop_s=loop_s)
