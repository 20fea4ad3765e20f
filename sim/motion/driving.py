"""Driving and riding through the street from one end to the other, behind everybody who is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from sim.motion.detours import Walkable, detour
from sim.motion.following import Driver, StopLine, Task, follow
from sim.motion.paths import STEP_S, Course, Float64s, Mover, Track, course, overlap, track_of
from sim.street.street import Crossing, Lane, Street

_STOP_BEFORE_CROSSING_M = 1.5
# How early a driver lets somebody merge: at first as people do, then as it takes to leave them room in a queue.
_NOTICES_S = (7.0, 16.0, 28.0)
_CLEARANCE_M = 0.1


def drive_through(
    street: Street, mover: Mover, driver: Driver, *, lane: Lane, second: float, known: Sequence[Mover]
) -> Mover | None:
    """The mover, without tracks so far, in a lane from a second on; None when it would touch somebody or be stuck."""
    on = course([(0.0, lane.x_m)])
    return _through(street, mover, driver, direction=lane.direction, on=on, second=second, known=known)


def ride_through(
    street: Street, mover: Mover, driver: Driver, *, direction: int, second: float, known: Sequence[Mover], home: float
) -> Mover | None:
    """The same in the kerb strip, around what stands there; home: 0 … 1, where in the strip it likes to ride."""
    kerb = street.carriageway_x_m[1] if direction > 0 else street.carriageway_x_m[0]
    inwards = -direction
    middle = kerb + inwards * street.kerb_strip_m * (0.4 + 0.25 * home)
    lane_side = kerb + inwards * (street.kerb_strip_m + 1.6)
    room = Walkable(x_m=(min(kerb, lane_side), max(kerb, lane_side)), ramp_m=6.0, clearance_m=0.3, prefers=inwards)
    start_y = street.y_m[0] if direction > 0 else street.y_m[1]
    on = detour(
        room, middle, mover.size_m[1], known,
        passes_at=lambda y_m: second + abs(y_m - start_y) / driver.speed_mps, y_m=street.y_m,
    )  # fmt: skip
    return _through(street, mover, driver, direction=direction, on=on, second=second, known=known)


def _through(
    street: Street, mover: Mover, driver: Driver, *, direction: int, on: Course, second: float, known: Sequence[Mover]
) -> Mover | None:
    half_m = mover.size_m[0] / 2
    start = min(direction * end for end in street.y_m) - half_m
    task = Task(
        course=on, direction=direction, start_s_m=start, start_mps=0.0, start_at=second, size_m=mover.size_m,
        end_s_m=max(direction * end for end in street.y_m) + half_m, lines=stop_lines(street, direction),
    )  # fmt: skip
    speed = _entry_speed(task, driver, known)
    if speed is None:
        return None
    task = replace(task, start_mps=speed)
    for notice_s in _NOTICES_S:
        way = follow(task, replace(driver, notice_s=notice_s), known)
        if way is None:
            return None
        track = course_track(on, direction * way[0], direction=direction, starts_s=second)
        planned = replace(mover, tracks=(track,))
        if touched(planned, known, margin_m=_CLEARANCE_M) is None:
            return planned
    return None


def _entry_speed(task: Task, driver: Driver, known: Sequence[Mover]) -> float | None:
    """Speed at which it may come in behind the last one; None while the entry is taken."""
    speed = driver.speed_mps
    (length_m, width_m, _), second, direction = task.size_m, task.start_at, task.direction
    now = np.array([second, second + STEP_S])
    for other in known:
        if not other.starts_s <= second < other.ends_s - STEP_S:
            continue
        poses, is_there = other.poses_at(now)
        beside = abs(poses[0, 0] - task.course.x_at(poses[:1, 1])[0])
        if not is_there.all() or beside > (other.size_m[1] + width_m) / 2 + 0.3:
            continue
        gap = direction * poses[0, 1] - other.size_m[0] / 2 - task.start_s_m - length_m / 2 - driver.standing_gap_m
        if gap < -(other.size_m[0] + length_m + driver.standing_gap_m):
            continue
        if gap < 0:
            return None
        other_mps = max(0.0, direction * float(poses[1, 1] - poses[0, 1]) / STEP_S)
        speed = min(speed, (other_mps**2 + 2 * driver.braking_mps2 * gap) ** 0.5)
    return speed


def touched(mover: Mover, others: Sequence[Mover], *, margin_m: float) -> Mover | None:
    """The first of the others whose footprint the mover's ever touches."""
    seconds = np.arange(mover.tracks[0].starts_s, mover.ends_s + STEP_S, STEP_S)
    for other in others:
        if other.id != mover.id and mover.may_meet(other) and overlap(mover, other, seconds, margin_m=margin_m).any():
            return other
    return None


def stop_lines(street: Street, direction: int) -> tuple[StopLine, ...]:
    """Where drivers in a direction wait at the red light, in their s."""
    return tuple(
        StopLine(
            s_m=min(direction * crossing.y0_m, direction * crossing.y1_m) - _STOP_BEFORE_CROSSING_M,
            is_open=_green_of(crossing),
        )
        for crossing in street.crossings
        if crossing.signal is not None
    )


def _green_of(crossing: Crossing) -> Callable[[float], bool]:
    signal = crossing.signal
    return signal.is_green if signal is not None else lambda _second: True


def course_track(on: Course, y_m: Float64s, *, direction: int, starts_s: float, ends_s: float | None = None) -> Track:
    """Track of a vehicle that is at (N,) y at even steps."""
    along = np.gradient(y_m, STEP_S)
    speed = direction * along * np.hypot(1.0, on.slope_at(y_m))
    poses = np.column_stack((on.x_at(y_m), y_m, on.heading_at(y_m, direction=direction)))
    return track_of(poses, speed, starts_s=starts_s, ends_s=ends_s)
