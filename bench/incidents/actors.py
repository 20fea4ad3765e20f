"""Things of a scenario: where each of them is at any second, and when it stands still."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from math import hypot

from sim.street.body import SIZE_M, Body, BodyKind

_LANE_AWAY_M = 3.2


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the middle of a thing's footprint is at a second, street metres."""

    second: float
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True)
class Stay:
    """A thing stands at one place from `from_s` until `until_s`."""

    from_s: float
    until_s: float
    x_m: float
    y_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A solid thing that is there from its first pose to its last and moves straight between them.

    fill: of a bin, (second, level) from which on it is filled so far
    """

    id: str
    kind: BodyKind
    poses: tuple[Pose, ...]
    heading_deg: float = 0.0
    size_m: tuple[float, float, float] | None = None
    fill: tuple[tuple[float, float], ...] = field(default=())

    def at(self, second: float) -> Body | None:
        """The thing at that second; None while it is not there."""
        for before, after in pairwise(self.poses):
            if before.second <= second < after.second:
                share = (second - before.second) / (after.second - before.second)
                x_m, y_m = (
                    first + share * (last - first) for first, last in ((before.x_m, after.x_m), (before.y_m, after.y_m))
                )
                speed_mps = hypot(after.x_m - before.x_m, after.y_m - before.y_m) / (after.second - before.second)
                return self._body(second, x_m, y_m, speed_mps)
        return None

    def stays(self) -> Iterator[Stay]:
        """When and where it stands still, in the order of time."""
        for before, after in pairwise(self.poses):
            if (before.x_m, before.y_m) == (after.x_m, after.y_m):
                yield Stay(before.second, after.second, before.x_m, before.y_m)

    def standing(self, stay: Stay) -> Body:
        """The thing as it stands during `stay`."""
        return self._body(stay.from_s, stay.x_m, stay.y_m, 0.0)

    def _body(self, second: float, x_m: float, y_m: float, speed_mps: float) -> Body:
        length_m, width_m, height_m = self.size_m or SIZE_M[self.kind]
        return Body(
            id=self.id,
            kind=self.kind,
            x_m=x_m,
            y_m=y_m,
            heading_deg=self.heading_deg,
            length_m=length_m,
            width_m=width_m,
            height_m=height_m,
            speed_mps=speed_mps,
            fill=next((level for from_s, level in reversed(self.fill) if from_s <= second), 0.0),
        )


def stands(  # noqa: PLR0917 - who, what, where, when: read like a table
    actor_id: str, kind: BodyKind, x_m: float, y_m: float, from_s: float, until_s: float, *, heading_deg: float = 0.0
) -> Actor:
    """A thing that is put down and taken away."""
    return Actor(
        id=actor_id, kind=kind, poses=(Pose(from_s, x_m, y_m), Pose(until_s, x_m, y_m)), heading_deg=heading_deg
    )


def parks(
    actor_id: str, x_m: float, y_m: float, from_s: float, until_s: float, *, kind: BodyKind = BodyKind.CAR
) -> Actor:
    """A vehicle that comes along its lane, stands at a place, and goes on."""
    lane_m = x_m - _LANE_AWAY_M
    poses = (
        Pose(from_s - 4.0, lane_m, y_m - 18.0),
        Pose(from_s - 1.5, lane_m, y_m - 6.0),
        Pose(from_s, x_m, y_m),
        Pose(until_s, x_m, y_m),
        Pose(until_s + 1.5, lane_m, y_m + 6.0),
        Pose(until_s + 4.0, lane_m, y_m + 22.0),
    )
    return Actor(id=actor_id, kind=kind, poses=poses)


def passes(
    actor_id: str,
    x_m: float,
    at_s: float,
    *,
    kind: BodyKind = BodyKind.CAR,
    speed_mps: float = 8.0,
    y_m: tuple[float, float] = (2.0, 60.0),
) -> Actor:
    """A vehicle that drives along x without a stop, at its first place at `at_s`."""
    first, last = y_m
    until_s = at_s + abs(last - first) / speed_mps
    return Actor(id=actor_id, kind=kind, poses=(Pose(at_s, x_m, first), Pose(until_s, x_m, last)))


def halts(
    actor_id: str, x_m: float, y_m: float, from_s: float, until_s: float, *, kind: BodyKind = BodyKind.BUS
) -> Actor:
    """A vehicle that drives along x, waits at a place of it, and drives on."""
    return Actor(
        id=actor_id,
        kind=kind,
        poses=(
            Pose(from_s - 4.0, x_m, y_m - 24.0),
            Pose(from_s, x_m, y_m),
            Pose(until_s, x_m, y_m),
            Pose(until_s + 5.0, x_m, y_m + 36.0),
        ),
    )


def turned(actor: Actor, heading_deg: float) -> Actor:
    """The same with another heading."""
    return replace(actor, heading_deg=heading_deg)
