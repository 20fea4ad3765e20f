"""How a driver follows a course: keeps a distance, waits at the red light, lets others merge.

The acceleration is the Intelligent Driver Model (Treiber, Hennecke, Helbing 2000). Everybody who was planned before
is known with all of its future, so a whole way through the street is planned at once and never changes.
Lengths along the lane are called s: metres in the driver's own direction, s = direction × y.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from sim.motion.paths import STEP_S, Bools, Course, Float64s, Mover

_CHUNK_STEPS = 150
_FORESIGHT_STEPS = 150
# Nobody waits longer than this for a lane to become free; such a driver takes another street.
MAX_WAIT_S = 240.0
MAX_DRIVE_S = 900.0
_HARDEST_BRAKING_MPS2 = 6.0
_LIGHT_BRAKING_MPS2 = 3.5
_YIELD_BRAKING_MPS2 = 2.5
_SIDE_CLEARANCE_M = 0.25
_BEFORE_LINE_M = 0.3
# The model creeps up to its standing gap for ever; a driver stops.
_CREEPING_MPS = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """How somebody drives.

    speed_mps: with a free road; headway_s: to the one in front; standing_gap_m: to a standing one
    notice_s:  how early it sees that somebody wants to merge
    """

    speed_mps: float
    acceleration_mps2: float = 1.5
    braking_mps2: float = 2.0
    headway_s: float = 1.3
    standing_gap_m: float = 2.0
    notice_s: float = 7.0

    def acceleration(self, *, speed: float, wanted: float, gap: float, closing: float) -> float:
        """m/s² with a gap in metres to somebody who is approached at closing m/s; infinite gap: a free road."""
        pull = 1.0 - (speed / wanted) ** 4
        if gap < math.inf:
            brake = 2.0 * math.sqrt(self.acceleration_mps2 * self.braking_mps2)
            desired = self.standing_gap_m + max(0.0, speed * (self.headway_s + closing / brake))
            pull -= (desired / max(gap, 0.01)) ** 2
        return min(self.acceleration_mps2, max(-_HARDEST_BRAKING_MPS2, self.acceleration_mps2 * pull))


@dataclass(frozen=True, slots=True, kw_only=True)
class StopLine:
    """Where the front must wait while the light is shut; is_strict: even if that takes an impossible brake."""

    s_m: float
    is_open: Callable[[float], bool]
    is_strict: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """What one driver has to do.

    flow:        1 in the order of time; -1: planned backwards in time, from where it ends to where it came from
    direction:   of s against y
    caps:        (s, m/s) in order: the speed limit up to s
    start_at:    the second in which it starts; with flow -1, in which it ends
    """

    course: Course
    direction: int
    start_s_m: float
    start_mps: float
    end_s_m: float
    start_at: float
    size_m: tuple[float, float, float]
    caps: tuple[tuple[float, float], ...] = ()
    lines: tuple[StopLine, ...] = ()
    flow: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Obstacle:
    """Somebody else for some steps: rear and front along s, speed, and 2 in the way, 1 about to be, 0 not."""

    rear_m: list[float]
    front_m: list[float]
    speed_mps: list[float]
    state: list[int]


def follow(task: Task, driver: Driver, others: Sequence[Mover]) -> tuple[Float64s, Float64s] | None:
    """(N,) s and (N,) speed along s at even steps until the end is passed; None: it would wait for too long."""
    s_m, speed = task.start_s_m, task.start_mps
    way, speeds = [s_m], [speed]
    waited = 0
    for chunk in range(math.ceil(MAX_DRIVE_S / STEP_S / _CHUNK_STEPS)):
        first = chunk * _CHUNK_STEPS
        obstacles = _obstacles(task, driver, others, first)
        for step in range(_CHUNK_STEPS):
            second = task.start_at + task.flow * (first + step) * STEP_S
            speed_next = _next_speed(task, driver, obstacles, step=step, second=second, s_m=s_m, speed=speed)
            s_m += (speed + speed_next) / 2 * STEP_S
            speed = speed_next
            way.append(s_m)
            speeds.append(speed)
            if s_m >= task.end_s_m:
                return np.array(way), np.array(speeds)
            waited = waited + 1 if speed < 0.05 else 0
            if waited * STEP_S > MAX_WAIT_S:
                return None
    return None


def _next_speed(
    task: Task, driver: Driver, obstacles: Sequence[_Obstacle], *, step: int, second: float, s_m: float, speed: float
) -> float:
    """Speed one step later: the hardest of all reasons to brake counts."""
    wanted = min(driver.speed_mps, next((cap for until, cap in task.caps if s_m < until), math.inf))
    front = s_m + task.size_m[0] / 2
    acceleration = driver.acceleration(speed=speed, wanted=wanted, gap=math.inf, closing=0.0)
    room = math.inf
    for gap, closing, limit in (
        *_gaps_to_others(driver, obstacles, step=step, s_m=s_m, front=front, speed=speed),
        *_gaps_to_lights(task, driver, second=second, front=front, speed=speed),
    ):
        held = driver.acceleration(speed=speed, wanted=wanted, gap=gap, closing=closing)
        acceleration, room = min(acceleration, held), min(room, limit)
    following = max(0.0, speed + acceleration * STEP_S)
    if (speed + following) / 2 * STEP_S > room:
        following = max(0.0, 2 * max(room, 0.0) / STEP_S - speed)
    return following if following > _CREEPING_MPS else 0.0


def _gaps_to_others(
    driver: Driver, obstacles: Sequence[_Obstacle], *, step: int, s_m: float, front: float, speed: float
) -> Iterator[tuple[float, float, float]]:
    """(gap, closing speed, how far it may go in this step) to everybody ahead who is in the way or about to be."""
    for other in obstacles:
        state = other.state[step]
        if not state or other.rear_m[step] + other.front_m[step] <= 2 * s_m:
            continue
        gap, closing = other.rear_m[step] - front, speed - other.speed_mps[step]
        # Too near to let somebody merge: pass before.
        if state == 1 and closing * max(closing, 0.0) > 2 * _YIELD_BRAKING_MPS2 * (gap - driver.standing_gap_m):
            continue
        yield gap, closing, gap + other.speed_mps[step] * STEP_S - 0.5 if state == 2 else math.inf


def _gaps_to_lights(
    task: Task, driver: Driver, *, second: float, front: float, speed: float
) -> Iterator[tuple[float, float, float]]:
    """The same to every red light that can still be obeyed."""
    for line in task.lines:
        gap = line.s_m - front
        is_too_late = speed > 1 and speed**2 > 2 * _LIGHT_BRAKING_MPS2 * max(gap, 0.01)
        if gap < -0.05 or line.is_open(second) or (is_too_late and not line.is_strict):
            continue
        yield gap - _BEFORE_LINE_M + driver.standing_gap_m, speed, gap


def _obstacles(task: Task, driver: Driver, others: Sequence[Mover], first: int) -> list[_Obstacle]:
    """Everybody who is in the way, or will soon be, in one chunk of steps."""
    steps = first + np.arange(_CHUNK_STEPS + _FORESIGHT_STEPS)
    seconds: Float64s = np.asarray(task.start_at + task.flow * steps * STEP_S, np.float64)
    low, high = float(seconds.min()), float(seconds.max())
    left = float(task.course.x_m.min()) - task.size_m[1] / 2 - _SIDE_CLEARANCE_M
    right = float(task.course.x_m.max()) + task.size_m[1] / 2 + _SIDE_CLEARANCE_M
    found = (
        _obstacle(task, driver, other, seconds)
        for other in others
        if other.starts_s < high and low < other.ends_s and other.reach_x_m[0] < right and left < other.reach_x_m[1]
    )
    return [obstacle for obstacle in found if obstacle is not None]


def _obstacle(task: Task, driver: Driver, other: Mover, seconds: Float64s) -> _Obstacle | None:
    poses, is_there = other.poses_at(seconds)
    turn = np.radians(poses[:, 2])
    along = (other.size_m[0] * np.abs(np.cos(turn)) + other.size_m[1] * np.abs(np.sin(turn))) / 2
    across = (other.size_m[0] * np.abs(np.sin(turn)) + other.size_m[1] * np.abs(np.cos(turn))) / 2
    beside = np.abs(poses[:, 0] - task.course.x_at(poses[:, 1]))
    is_in_way = is_there & (beside < across + task.size_m[1] / 2 + _SIDE_CLEARANCE_M)
    if not is_in_way.any():
        return None
    middle = task.direction * poses[:, 1]
    # Who backs into a gap needs the room behind it: its rear is the furthest back that it will be.
    rear = np.minimum.accumulate(np.where(is_in_way, middle - along, np.inf)[::-1])[::-1]
    state = np.where(is_in_way, 2, np.where(is_there & _soon(is_in_way, driver.notice_s), 1, 0))
    speed = np.append(np.diff(np.where(np.isfinite(rear), rear, 0.0)), 0.0) / STEP_S
    # A way that jumps from one place in the way to the next is no speed.
    speed[(np.abs(speed) > 30) | (state != 2) | (speed < 0)] = 0.0
    return _Obstacle(
        rear_m=rear.tolist(),
        front_m=np.where(state == 1, rear + 2 * along, middle + along).tolist(),
        speed_mps=speed.tolist(),
        state=state.tolist(),
    )


def _soon(is_in_way: Bools, notice_s: float) -> Bools:
    """(N,) whether any of the steps within notice_s from each is in the way."""
    count = min(_FORESIGHT_STEPS, round(notice_s / STEP_S))
    total = np.concatenate(([0], np.cumsum(is_in_way)))
    here = np.arange(len(is_in_way))
    return np.asarray(total[np.minimum(here + count, len(is_in_way))] > total[here])
