"""Vehicles that come, stand to the second, and leave: the way to a place and the way out of it.

The way to a place is planned backwards in time from the second in which the vehicle must stand, so that second holds
whatever the lights do. Scripted vehicles know nothing of the ordinary traffic; it keeps out of their way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim.motion.actors import MAX_PARKING_TURN_DEG, ActorError
from sim.motion.driving import course_track, stop_lines, touched
from sim.motion.following import Driver, StopLine, Task, follow
from sim.motion.paths import STEP_S, Course, Float64s, Mover, Track, course, still_track
from sim.street.street import Lane, Signal, Street

# Room along the lane for moving over; negative: past the place first, then backwards into it.
_WAYS_IN_M = (14.0, 11.0, 8.5, -7.0, -5.0, -3.5, -2.5, -1.7, -1.2)
_WAYS_OUT_M = (12.0, 9.0, 7.0, 5.0, 3.5, 2.5, 1.7, 1.2)
_MOVING_OVER_MPS = 2.6
_BACKING_MPS = 1.1
_CLEARANCE_M = 0.05
_OFF_WITHIN_S = 15.0
_OFF_M = 5.0
# How long a vehicle needs from a stop line to behind the crossing.
_PASSING_S = 5.0
_PACES = tuple(share / 100 for share in range(100, 15, -5))
_ARRIVAL_SPEEDS = (0.85, 0.65, 0.5, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and when a vehicle stands."""

    x_m: float
    y_m: float
    heading_deg: float
    from_s: float
    until_s: float
    lane: Lane


def place_of(
    street: Street, actor_id: str, *, x_m: float, y_m: float, heading_deg: float | None, from_s: float, until_s: float
) -> Place:
    """The place beside its lane; raises ActorError when it is not along it."""
    if not street.lanes:
        raise ActorError(actor_id, "x_m", "a vehicle needs a street with a lane")
    lane = min(street.lanes, key=lambda lane: abs(lane.x_m - x_m))
    ahead = 0.0 if lane.direction > 0 else 180.0
    heading = ahead if heading_deg is None else heading_deg
    turn = (heading - ahead + 180.0) % 360.0 - 180.0
    if abs(turn) > MAX_PARKING_TURN_DEG:
        raise ActorError(
            actor_id,
            "heading_deg",
            f"{heading:g} cannot be reached from the lane at x {lane.x_m:g} m; "
            f"right is {ahead:g} ± {MAX_PARKING_TURN_DEG:g}",
        )
    return Place(x_m=x_m, y_m=y_m, heading_deg=ahead + turn, from_s=from_s, until_s=until_s, lane=lane)


def standing(place: Place, *, is_running: bool) -> Track:
    """The stay itself; one that begins with the scenario has always been there."""
    from_s = place.from_s if place.from_s > 0 else -math.inf
    return still_track(place.x_m, place.y_m, place.heading_deg, from_s, place.until_s, is_running=is_running)


def plan_stay(street: Street, stay: Mover, place: Place, others: Sequence[Mover], *, speed_mps: float) -> Mover:
    """The mover with its way in and out; raises ActorError when others stand or drive in that way.

    stay: the mover with nothing but its stay; others: everybody else who was planned or stands somewhere
    """
    tracks = list(stay.tracks)
    if place.from_s > 0:
        ways = (
            _way_in(street, place, stay.size_m, length, speed_mps * share)
            for share in _ARRIVAL_SPEEDS
            for length in _lengths(place, _WAYS_IN_M)
        )
        tracks[:0] = _first_free(stay, ways, others, key="from_s", place=place)
    if math.isfinite(place.until_s):
        out = (
            _way_out(street, stay, place, length, speed_mps=speed_mps, others=others)
            for length in _lengths(place, _WAYS_OUT_M)
        )
        tracks += _first_free(stay, out, others, key="until_s", place=place)
    return replace(stay, tracks=tuple(tracks))


def _lengths(place: Place, ways_m: tuple[float, ...]) -> tuple[float, ...]:
    """Nobody moves over who stands in the lane."""
    return ways_m[:1] if abs(place.x_m - place.lane.x_m) < 0.05 else ways_m


def _first_free(
    stay: Mover, ways: Iterable[list[Track]], others: Sequence[Mover], *, key: str, place: Place
) -> list[Track]:
    """The first way that touches nobody; one that has to wait in the place only when there is no other."""
    blocker: str | None = None
    waiting: list[Track] = []
    for tracks in ways:
        if not tracks:
            continue
        in_the_way = touched(replace(stay, tracks=tuple(tracks)), others, margin_m=_CLEARANCE_M)
        if in_the_way is None and (key == "from_s" or _is_under_way(tracks[0])):
            return tracks
        if in_the_way is None:
            waiting = waiting or tracks
        else:
            blocker = blocker or in_the_way.id
    if waiting:
        return waiting
    verb = f"come to {place.x_m:g}, {place.y_m:g} by" if key == "from_s" else f"leave {place.x_m:g}, {place.y_m:g} at"
    second = place.from_s if key == "from_s" else place.until_s
    who = f'"{blocker}" is in its way' if blocker else "the lane stays blocked"
    raise ActorError(stay.id, key, f"cannot {verb} second {second:g}: {who}; choose another second or place")


def _is_under_way(track: Track) -> bool:
    """Whether it moves off soon and is not stuck half-way out."""
    steps = min(len(track.rows) - 1, round(_OFF_WITHIN_S / STEP_S))
    return bool(np.hypot(*(track.poses[steps, :2] - track.poses[0, :2])) > _OFF_M)


def _course(place: Place, length_m: float) -> Course:
    """From the place to the lane, length_m before it (towards where it came from: negative y of the lane)."""
    turn = place.heading_deg - (0.0 if place.lane.direction > 0 else 180.0)
    return course([(place.y_m, place.x_m), (place.y_m + place.lane.direction * length_m, place.lane.x_m)], [turn, 0.0])


def _slow_cap(place: Place, length_m: float) -> float:
    """Speed along the lane at which nobody is thrown about while moving over."""
    slope = 1.875 * abs(place.x_m - place.lane.x_m) / abs(length_m)
    return _MOVING_OVER_MPS / math.hypot(1.0, slope)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Standstill:
    """Where and when a way along a course ends; caps: (s backwards, m/s) speed limits before it."""

    on: Course
    y_m: float
    second: float
    caps: tuple[tuple[float, float], ...] = ()


def _way_in(
    street: Street, place: Place, size_m: tuple[float, float, float], length_m: float, speed_mps: float
) -> list[Track]:
    direction = place.lane.direction
    if length_m > 0:
        caps = ((-direction * place.y_m + length_m, _slow_cap(place, length_m)),)
        stop = _Standstill(on=_course(place, -length_m), y_m=place.y_m, second=place.from_s, caps=caps)
        way = _drive_up(street, place, size_m, stop, speed_mps)
        return [way] if way is not None else []
    backing = _back_in(place, -length_m)
    stop_y = place.y_m + direction * -length_m
    stop = _Standstill(on=course([(stop_y, place.lane.x_m)]), y_m=stop_y, second=backing.starts_s)
    way = _drive_up(street, place, size_m, stop, speed_mps)
    return [way, backing] if way is not None else []


def _back_in(place: Place, length_m: float) -> Track:
    """Backwards from the lane into the place, with a pause before it."""
    side = abs(place.x_m - place.lane.x_m)
    steps = max(15, round(1.9 * math.hypot(length_m, side) / _BACKING_MPS / STEP_S))
    share = np.clip(np.arange(-4, steps + 1) / steps, 0, 1)
    share = share**2 * (3 - 2 * share)
    y_m = place.y_m + place.lane.direction * length_m * (1 - share)
    starts_s = place.from_s - (len(share) - 1) * STEP_S
    return course_track(
        _course(place, length_m), y_m, direction=place.lane.direction, starts_s=starts_s, ends_s=place.from_s
    )


def _drive_up(
    street: Street, place: Place, size_m: tuple[float, float, float], stop: _Standstill, speed_mps: float
) -> Track | None:
    """Along the lane to a standstill, planned backwards in time."""
    direction = -place.lane.direction
    start = direction * stop.y_m
    ahead = tuple(line for line in _lines_behind(street, direction) if line.s_m > start + size_m[0] / 2)
    task = Task(
        course=stop.on, direction=direction, start_s_m=start, start_mps=0.0, start_at=stop.second, size_m=size_m,
        end_s_m=max(direction * end for end in street.y_m) + size_m[0] / 2, lines=ahead, flow=-1,
    )  # fmt: skip
    way = _best_paced(task, Driver(speed_mps=speed_mps, acceleration_mps2=1.4, braking_mps2=1.4), stop.caps)
    if way is None:
        return None
    y_m = (direction * way)[::-1]
    starts_s = stop.second - (len(y_m) - 1) * STEP_S
    return course_track(stop.on, y_m, direction=place.lane.direction, starts_s=starts_s, ends_s=stop.second)


def _best_paced(task: Task, driver: Driver, caps: tuple[tuple[float, float], ...]) -> Float64s | None:
    """(N,) s of the fastest pace up to the last light that needs no wait behind it, or else of the last tried."""
    best: Float64s | None = None
    for share in _PACES if task.lines else (1.0,):
        paced = tuple((max(line.s_m for line in task.lines), driver.speed_mps * share) for _ in task.lines[:1])
        way = follow(replace(task, caps=(*caps, *paced)), driver, ())
        if way is None:
            continue
        best = way[0]
        if not (way[1][10:] < 0.3).any():
            break
    return best


def _lines_behind(street: Street, direction: int) -> tuple[StopLine, ...]:
    """Backwards in time: the far sides of the crossings, to be passed early enough for the front to cross on green.

    direction: of s, against the lane
    """
    return tuple(
        StopLine(
            s_m=min(direction * crossing.y0_m, direction * crossing.y1_m) - 1.0,
            is_open=_open_behind(crossing.signal),
            is_strict=True,
        )
        for crossing in street.crossings
        if crossing.signal is not None
    )


def _open_behind(signal: Signal) -> Callable[[float], bool]:
    return lambda second: signal.is_green(second) and signal.is_green(second - _PASSING_S)


def _way_out(
    street: Street, stay: Mover, place: Place, length_m: float, *, speed_mps: float, others: Sequence[Mover]
) -> list[Track]:
    direction = place.lane.direction
    start = direction * place.y_m
    on = _course(place, length_m)
    task = Task(
        course=on, direction=direction, start_s_m=start, start_mps=0.0, start_at=place.until_s, size_m=stay.size_m,
        end_s_m=max(direction * end for end in street.y_m) + stay.size_m[0] / 2,
        caps=((start + length_m, _slow_cap(place, length_m)),), lines=stop_lines(street, direction),
    )  # fmt: skip
    way = follow(task, Driver(speed_mps=speed_mps), others)
    if way is None:
        return []
    return [course_track(on, direction * way[0], direction=direction, starts_s=place.until_s)]
