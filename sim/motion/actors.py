"""Scenario tables of what stands, moves and happens on the street, and of the ordinary traffic.

A stay (`stand`, `park`, `stop`) lasts from exactly ``from_s`` to exactly ``until_s``: the pose does not change in
between. Vehicles drive up before ``from_s`` and pull out after ``until_s``; a stay with ``from_s`` 0 has begun
before the scenario does. A second vehicle at the same place is a second actor whose ``from_s`` leaves the first
one time to go (about 15 s).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sim.part import Part, Span
from sim.street.body import GARBAGE, TWO_WHEELERS, VEHICLES, BodyKind
from sim.street.street import Street

# A vehicle that turns further out of its lane than this cannot leave forwards.
MAX_PARKING_TURN_DEG = 35.0


class ActorError(Exception):
    """An actor cannot do what its table says: one line with its id, the key and what would be right."""

    def __init__(self, actor_id: str, key: str, problem: str) -> None:
        super().__init__(f"actors.{actor_id}.{key}: {problem}")
        self.actor_id = actor_id
        self.key = key
        self.problem = problem


class _Actor(Part):
    id: str = Field(min_length=1, description="unique in the scenario")
    kind: BodyKind = Field(description="what it is")
    look: int | None = Field(default=None, ge=0, description="seed of shape and colour; without it, by scenario and id")
    size_m: tuple[float, float, float] | None = Field(
        default=None, description="length, width, height; without it, the usual size of its kind"
    )

    @model_validator(mode="after")
    def _has_a_size(self) -> _Actor:
        if self.size_m is not None and min(self.size_m) <= 0:
            raise ValueError(f"size_m {self.size_m} must be three positive numbers")
        return self


class _Place(Part):
    x_m: float = Field(description="middle of the footprint, metres right of the right kerb")
    y_m: float = Field(description="middle of the footprint, metres along the street")


class StandPart(Span, _Actor, _Place):
    """Stands somewhere for a while; nothing drives it there."""

    does: Literal["stand"]
    heading_deg: float = Field(default=0.0, description="where its front points, clockwise from the street's direction")
    fill: tuple[tuple[float, float], ...] = Field(
        default=(),
        description="of a bin: (second, level) in order, straight lines between; the same second twice is a step",
    )
    dropped_by: Literal["pedestrian"] | None = Field(default=None, description="who leaves garbage here at from_s")
    collected_by: Literal["pedestrian", "truck"] | None = Field(default=None, description="who takes it at until_s")

    @model_validator(mode="after")
    def _fills_in_order(self) -> StandPart:
        seconds = [second for second, _ in self.fill]
        if seconds != sorted(seconds):
            raise ValueError(f"the seconds of fill must not go back (found {seconds})")
        if any(level < 0 for _, level in self.fill):
            raise ValueError("a level of fill must be 0 (empty) or more")
        return self


class ParkPart(Span, _Actor, _Place):
    """Comes along its lane, stands with its engine off, leaves; wherever that is, allowed or not."""

    does: Literal["park"]
    heading_deg: float | None = Field(default=None, description="without it, along the lane beside it")


class StopPart(_Actor, _Place):
    """A short stop with the engine on."""

    does: Literal["stop"]
    from_s: float = Field(description="stands still from here on")
    for_s: float = Field(default=8.0, gt=0, le=600, description="seconds of standing")
    heading_deg: float | None = Field(default=None, description="without it, along the lane beside it")

    @property
    def until_s(self) -> float:
        """When it pulls out."""
        return self.from_s + self.for_s


class DrivePart(_Actor):
    """Enters at the end of a lane and drives through."""

    does: Literal["drive"]
    direction: Literal[1, -1] = Field(default=1, description="1 along the street, -1 against it")
    from_s: float = Field(default=0.0, description="when its front enters the street")
    speed_mps: float = Field(default=8.0, gt=0.5, le=25, description="where nothing is in its way")


class RidePart(_Actor):
    """A two-wheeler that rides through: a bicycle beside the kerb, a motorcycle in the lane."""

    does: Literal["ride"]
    direction: Literal[1, -1] = Field(default=1, description="1 along the street, -1 against it")
    from_s: float = Field(default=0.0, description="when its front enters the street")
    speed_mps: float = Field(default=4.5, gt=0.5, le=15, description="where nothing is in its way")


class WalkPart(_Actor):
    """A pedestrian on a line of points; there from from_s until the last point is reached."""

    does: Literal["walk"]
    points: tuple[tuple[float, float], ...] = Field(min_length=2, description="[x, y] metres")
    from_s: float = Field(default=0.0, description="when the first point is left")
    speed_mps: float = Field(default=1.3, gt=0.1, le=5)

    @model_validator(mode="after")
    def _goes_somewhere(self) -> WalkPart:
        if any(here == there for here, there in pairwise(self.points)):
            raise ValueError("two neighbouring points are the same place")
        return self


ActorPart = Annotated[
    StandPart | ParkPart | StopPart | DrivePart | RidePart | WalkPart,
    Field(discriminator="does"),
]

_DOERS = {
    "park": VEHICLES | TWO_WHEELERS,
    "stop": VEHICLES | {BodyKind.MOTORCYCLE},
    "drive": VEHICLES | {BodyKind.MOTORCYCLE},
    "ride": TWO_WHEELERS,
    "walk": frozenset({BodyKind.PEDESTRIAN}),
}


class MixPart(Part):
    """Shares of the kinds among passing vehicles, relative to their sum."""

    car: float = Field(default=0.70, ge=0)
    van: float = Field(default=0.10, ge=0)
    truck: float = Field(default=0.06, ge=0)
    bus: float = Field(default=0.04, ge=0)
    motorcycle: float = Field(default=0.10, ge=0)

    @model_validator(mode="after")
    def _is_not_empty(self) -> MixPart:
        if sum(self.shares().values()) <= 0:
            raise ValueError("at least one share must be greater than 0")
        return self

    def shares(self) -> dict[BodyKind, float]:
        """Share by kind, as written."""
        return {
            BodyKind.CAR: self.car,
            BodyKind.VAN: self.van,
            BodyKind.TRUCK: self.truck,
            BodyKind.BUS: self.bus,
            BodyKind.MOTORCYCLE: self.motorcycle,
        }


class TrafficPart(Part):
    """Ordinary traffic; what would run into a scripted actor does not come at all."""

    vehicles_per_h: float = Field(default=0.0, ge=0, le=1500, description="in each direction")
    bicycles_per_h: float = Field(default=0.0, ge=0, le=1000, description="in each direction")
    pedestrians_per_h: float = Field(default=0.0, ge=0, le=2000, description="on each sidewalk, both ways together")
    crossing_per_red: float = Field(default=0.0, ge=0, le=20, description="pedestrians over a crossing per red light")
    speed_mps: float = Field(default=8.3, gt=1, le=20, description="of vehicles with a free road, on average")
    mix: MixPart = MixPart()


def check_actors(street: Street, actors: Sequence[ActorPart]) -> None:
    """Raise ActorError for the first actor that does not fit the street or its own kind."""
    seen: set[str] = set()
    for actor in actors:
        if actor.id in seen:
            raise ActorError(actor.id, "id", "another actor has it too; ids must be unique")
        seen.add(actor.id)
        _check_kind(actor)
        for key, x_m, y_m in _places(actor):
            _check_place(street, actor.id, key, x_m, y_m)
        if isinstance(actor, DrivePart | RidePart) and lane_of(street, actor.direction) is None:
            raise ActorError(actor.id, "direction", f"the street has no lane in direction {actor.direction}")


def lane_of(street: Street, direction: int) -> int | None:
    """Index of the first lane in a direction."""
    return next((index for index, lane in enumerate(street.lanes) if lane.direction == direction), None)


def _check_kind(actor: ActorPart) -> None:
    doers = _DOERS.get(actor.does)
    if doers is not None and actor.kind not in doers:
        raise ActorError(
            actor.id, "does", f"a {actor.kind} cannot {actor.does}; that is for {', '.join(sorted(doers))}"
        )
    if not isinstance(actor, StandPart):
        return
    if actor.kind in VEHICLES:
        raise ActorError(actor.id, "does", f'a {actor.kind} comes and goes by itself; write does = "park"')
    if actor.fill and actor.kind is not BodyKind.BIN:
        raise ActorError(actor.id, "fill", f"a {actor.kind} has no level; only a bin has")
    for key, value in (("dropped_by", actor.dropped_by), ("collected_by", actor.collected_by)):
        if value is not None and actor.kind not in GARBAGE:
            raise ActorError(actor.id, key, f"nobody does that with a {actor.kind}; only with a bag or garbage")
    if actor.collected_by is not None and actor.until_s == float("inf"):
        raise ActorError(actor.id, "collected_by", "needs an until_s, the second in which it is taken away")


def _places(actor: ActorPart) -> Iterable[tuple[str, float, float]]:
    if isinstance(actor, StandPart | ParkPart | StopPart):
        yield "x_m", actor.x_m, actor.y_m
    if isinstance(actor, WalkPart):
        for x_m, y_m in actor.points:
            yield "points", x_m, y_m


def _check_place(street: Street, actor_id: str, key: str, x_m: float, y_m: float) -> None:
    left = street.sidewalk_left_x_m[0] - street.planting_m
    right = street.sidewalk_right_x_m[1] + street.planting_m
    if not left <= x_m <= right:
        raise ActorError(actor_id, key, f"{x_m:g} m lies beside the street, which reaches from {left:g} to {right:g} m")
    if not street.y_m[0] <= y_m <= street.y_m[1]:
        key = "y_m" if key == "x_m" else key
        raise ActorError(
            actor_id,
            key,
            f"{y_m:g} m lies beyond the street, which reaches from {street.y_m[0]:g} to {street.y_m[1]:g} m",
        )
