"""A course around what stands in the way: of riders in the kerb strip and of walkers on the sidewalk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from sim.motion.paths import Course, Mover, course

_KNOT_GAP_M = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Walkable:
    """Where somebody may go.

    x_m: limits; ramp_m: length of the move aside; clearance_m: kept from what stands there
    prefers: the side (1 right, -1 left) that it goes to where both have room; 0: the shorter way
    """

    x_m: tuple[float, float]
    ramp_m: float
    clearance_m: float
    prefers: int = 0


def detour(
    room: Walkable,
    home_x_m: float,
    width_m: float,
    known: Sequence[Mover],
    *,
    passes_at: Callable[[float], float],
    y_m: tuple[float, float],
) -> Course:
    """Course along home_x_m that goes around everything standing there when it is passed."""
    spans = sorted(
        span
        for other in known
        if (span := _span(other, room, home_x_m, width_m, passes_at=passes_at, y_m=y_m)) is not None
    )
    knots: list[tuple[float, float]] = [(y_m[0] - 20.0, home_x_m)]
    for low, high, left, right in _grouped(spans, room.ramp_m):
        x_m = _side(room, home_x_m, left, right)
        knots += [(low - room.ramp_m, home_x_m), (low, x_m), (high, x_m), (high + room.ramp_m, home_x_m)]
    return course(knots)


def _span(
    other: Mover,
    room: Walkable,
    home_x_m: float,
    width_m: float,
    *,
    passes_at: Callable[[float], float],
    y_m: tuple[float, float],
) -> tuple[float, float, float, float] | None:
    """(y from, y to, x to the left of it, x to the right of it) of one thing in the way."""
    for track in other.tracks:
        x, y, turn_deg = track.poses[0]
        if len(track.rows) > 1 or not track.starts_s - 3.0 <= passes_at(y) < track.ends_s + 3.0:
            continue
        turn = np.radians(turn_deg)
        length, width = other.size_m[:2]
        across = (length * abs(np.sin(turn)) + width * abs(np.cos(turn))) / 2 + width_m / 2 + room.clearance_m
        along = (length * abs(np.cos(turn)) + width * abs(np.sin(turn))) / 2 + 1.0
        if abs(x - home_x_m) < across and y_m[0] <= y <= y_m[1]:
            return float(y - along), float(y + along), float(x - across), float(x + across)
    return None


def _grouped(
    spans: Sequence[tuple[float, float, float, float]], ramp_m: float
) -> list[tuple[float, float, float, float]]:
    """Things with no room for a way back between them are passed in one go."""
    groups: list[tuple[float, float, float, float]] = []
    for low, high, left, right in spans:
        if groups and low - groups[-1][1] < 2 * ramp_m + _KNOT_GAP_M:
            before = groups.pop()
            low, high = before[0], max(before[1], high)  # noqa: PLW2901
            left, right = min(before[2], left), max(before[3], right)  # noqa: PLW2901
        groups.append((low, high, left, right))
    return groups


def _side(room: Walkable, home_x_m: float, left: float, right: float) -> float:
    sides = [x_m for x_m in (left, right) if room.x_m[0] <= x_m <= room.x_m[1]]
    if room.prefers:
        preferred = right if room.prefers > 0 else left
        return preferred if preferred in sides or not sides else sides[0]
    return min(sides or (left, right), key=lambda x_m: abs(x_m - home_x_m))
