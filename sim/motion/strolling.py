"""Pedestrians: along the sidewalks, over the crossings, and with garbage in their hands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from sim.motion.detours import Walkable, detour
from sim.motion.looks import size_of
from sim.motion.paths import STEP_S, Mover, track_of, walk_track
from sim.street.body import BodyKind
from sim.street.street import Crossing, Street

_EDGE_M = 0.35
_ARM_M = 0.75
_HANDOVER_WAY_M = 14.0
_CARRIER_MPS = 1.3


def stroll(street: Street, name: str, look: int, second: float, *, is_right: bool, known: Sequence[Mover]) -> Mover:
    """Somebody who walks along a sidewalk from end to end, around what stands there."""
    rng = np.random.default_rng((look, 3))
    inner, outer = street.sidewalk_right_x_m if is_right else street.sidewalk_left_x_m
    home = float(rng.uniform(inner + _EDGE_M + 0.2, outer - _EDGE_M))
    speed = float(rng.uniform(1.0, 1.6))
    direction = 1 if rng.random() < 0.5 else -1
    size_m = size_of(BodyKind.PEDESTRIAN, look)
    start, end = street.y_m if direction > 0 else street.y_m[::-1]
    room = Walkable(x_m=(inner + _EDGE_M, outer - _EDGE_M), ramp_m=1.5, clearance_m=0.15)
    on = detour(room, home, size_m[1], known, passes_at=lambda y_m: second + abs(y_m - start) / speed, y_m=street.y_m)
    steps = np.arange(int(abs(end - start) / speed / STEP_S) + 1, dtype=np.float64)
    y_m = start + direction * speed * STEP_S * steps
    poses = np.column_stack((on.x_at(y_m), y_m, on.heading_at(y_m, direction=direction)))
    track = track_of(poses, np.full(len(y_m), speed), starts_s=second)
    return Mover(id=name, kind=BodyKind.PEDESTRIAN, size_m=size_m, look=look, tracks=(track,))


def cross(street: Street, crossing: Crossing, name: str, look: int, second: float) -> Mover:
    """Somebody who comes out of a house in a second, walks over the crossing and goes into the house opposite."""
    rng = np.random.default_rng((look, 4))
    right = street.sidewalk_right_x_m[1] + street.planting_m
    left = street.sidewalk_left_x_m[0] - street.planting_m
    y_m = float(rng.uniform(crossing.y0_m + 0.4, crossing.y1_m - 0.4))
    ends = (right, left) if rng.random() < 0.5 else (left, right)
    speed = float(rng.uniform(1.2, 1.6))
    track = walk_track([(ends[0], y_m), (ends[1], y_m)], speed_mps=speed, starts_s=second)
    size_m = size_of(BodyKind.PEDESTRIAN, look)
    return Mover(id=name, kind=BodyKind.PEDESTRIAN, size_m=size_m, look=look, tracks=(track,))


def hand_over(street: Street, name: str, look: int, *, x_m: float, y_m: float, second: float) -> Mover:
    """Somebody who walks up to a place, is beside it at a second, and walks on."""
    # From the side of the houses, so that nobody walks in the road for it.
    is_right = x_m > sum(street.carriageway_x_m) / 2
    beside = x_m + _ARM_M if is_right else x_m - _ARM_M
    beside = min(beside, street.sidewalk_right_x_m[1] + street.planting_m)
    beside = max(beside, street.sidewalk_left_x_m[0] - street.planting_m)
    from_y = max(street.y_m[0], y_m - _HANDOVER_WAY_M)
    to_y = min(street.y_m[1], y_m + _HANDOVER_WAY_M)
    points = [(beside, stop) for stop in sorted({from_y, y_m, to_y})]
    track = walk_track(points, speed_mps=_CARRIER_MPS, starts_s=second - (y_m - from_y) / _CARRIER_MPS)
    size_m = size_of(BodyKind.PEDESTRIAN, look)
    return Mover(id=name, kind=BodyKind.PEDESTRIAN, size_m=size_m, look=look, tracks=(track,))
