"""Ways of bodies through the street: where a course leads, and when a body is where on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from sim.street.body import Body, BodyKind

Float64s = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
STEP_S = 0.2
# A car that slides into a gap shorter than its turning circle is drawn turned by no more than this.
_MAX_TURN_DEG = 25.0
_BRAKING_MPS2 = 0.4
_WAITING_MPS = 0.1
_MEETING_M = 0.5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Course:
    """A line along the street: x metres at y metres, smooth between knots and constant beyond them.

    y_m:      (K,) increasing; x_m: (K,) at those
    turn_deg: (K,) added to the direction of the line
    """

    y_m: Float64s
    x_m: Float64s
    turn_deg: Float64s

    def x_at(self, y_m: Float64s) -> Float64s:
        """(N,) x metres at (N,) y metres."""
        return self._smooth(self.x_m, y_m)

    def slope_at(self, y_m: Float64s) -> Float64s:
        """(N,) dx/dy."""
        return np.asarray((self.x_at(y_m + 0.01) - self.x_at(y_m - 0.01)) / 0.02)

    def heading_at(self, y_m: Float64s, *, direction: int) -> Float64s:
        """(N,) degrees clockwise from +y of a body that goes along it in a direction (1 or -1)."""
        turn = np.clip(np.degrees(np.arctan(self.slope_at(y_m))), -_MAX_TURN_DEG, _MAX_TURN_DEG)
        return np.asarray((0.0 if direction > 0 else 180.0) + turn + self._smooth(self.turn_deg, y_m))

    def _smooth(self, values: Float64s, y_m: Float64s) -> Float64s:
        if len(values) == 1:
            return np.full(np.shape(y_m), values[0])
        place = np.interp(y_m, self.y_m, np.arange(len(values)))
        left = np.minimum(place.astype(np.intp), len(values) - 2)
        share = place - left
        share = share**3 * (10 - 15 * share + 6 * share**2)
        return np.asarray(values[left] + (values[left + 1] - values[left]) * share)


def course(knots: Sequence[tuple[float, float]], turn_deg: Sequence[float] | None = None) -> Course:
    """Course through (y, x) knots in any order of rising or falling y."""
    turns = turn_deg if turn_deg is not None else [0.0] * len(knots)
    rows = np.array(sorted((y, x, turn) for (y, x), turn in zip(knots, turns, strict=True)), np.float64)
    return Course(y_m=rows[:, 0], x_m=rows[:, 1], turn_deg=rows[:, 2])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Track:
    """Where one body is from starts_s until just before ends_s.

    rows: [x m, y m, heading degrees, speed m/s along the heading, is it braking] at even steps from starts_s on,
          straight lines between; one row: it stands still
    """

    starts_s: float
    ends_s: float
    rows: tuple[tuple[float, float, float, float, bool], ...]
    is_running: bool
    poses: Float64s = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "poses", np.array([row[:3] for row in self.rows], np.float64))

    def pose_at(self, second: float) -> tuple[float, float, float, float, bool]:
        """Row at a second, which must lie in the track."""
        rows = self.rows
        place = (second - self.starts_s) / STEP_S if len(rows) > 1 else 0.0
        index = int(place)
        if index >= len(rows) - 1:
            return rows[-1]
        x0, y0, heading0, speed0, is_braking = rows[index]
        x1, y1, heading1, speed1, _ = rows[index + 1]
        share = place - index
        return (
            x0 + (x1 - x0) * share,
            y0 + (y1 - y0) * share,
            heading0 + (heading1 - heading0) * share,
            speed0 + (speed1 - speed0) * share,
            is_braking,
        )

    def poses_at(self, seconds: Float64s) -> Float64s:
        """(N, 3) x, y, heading; before and after the track, its first and last."""
        if len(self.rows) == 1:
            return np.broadcast_to(self.poses[0], (len(seconds), 3))
        place = np.clip((seconds - self.starts_s) / STEP_S, 0, len(self.rows) - 1)
        left = np.minimum(place.astype(np.intp), len(self.rows) - 2)
        share = (place - left)[:, None]
        return np.asarray(self.poses[left] * (1 - share) + self.poses[left + 1] * share)


def still_track(
    x_m: float, y_m: float, heading_deg: float, from_s: float, until_s: float, *, is_running: bool
) -> Track:
    """It stands."""
    return Track(starts_s=from_s, ends_s=until_s, rows=((x_m, y_m, heading_deg, 0.0, False),), is_running=is_running)


def track_of(poses: Float64s, speed_mps: Float64s, *, starts_s: float, ends_s: float | None = None) -> Track:
    """Track through (N, 3) poses and (N,) speeds; lamps tell where it brakes or waits."""
    change = np.append(np.diff(np.abs(speed_mps)), 0.0) / STEP_S
    is_braking = (change < -_BRAKING_MPS2) | (np.abs(speed_mps) < _WAITING_MPS)
    rows = zip(*(column.tolist() for column in (*poses.T, speed_mps, is_braking)), strict=True)
    end = starts_s + (len(poses) - 1) * STEP_S if ends_s is None else ends_s
    return Track(starts_s=starts_s, ends_s=end, rows=tuple(rows), is_running=True)


def walk_track(points: Sequence[tuple[float, float]], *, speed_mps: float, starts_s: float) -> Track:
    """A steady walk along a line of points."""
    corners = np.array(points, np.float64)
    reached_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(corners, axis=0).T))))
    count = max(2, math.ceil(reached_m[-1] / speed_mps / STEP_S) + 1)
    way_m = np.minimum(np.arange(count) * STEP_S * speed_mps, reached_m[-1])
    leg = np.clip(np.searchsorted(reached_m, way_m, side="right") - 1, 0, len(points) - 2)
    ahead = np.diff(corners, axis=0)[leg]
    poses = np.column_stack(
        (
            np.interp(way_m, reached_m, corners[:, 0]),
            np.interp(way_m, reached_m, corners[:, 1]),
            np.degrees(np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 1]))),
        )
    )
    return track_of(
        poses, np.full(count, speed_mps), starts_s=starts_s, ends_s=starts_s + float(reached_m[-1]) / speed_mps
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mover:
    """One actor through time: its body, and its tracks in their order, gaps allowed.

    size_m: length, width, height
    fill:   of a bin, (second, level) in order
    """

    id: str
    kind: BodyKind
    size_m: tuple[float, float, float]
    tracks: tuple[Track, ...]
    look: int = 0
    has_rider: bool = False
    fill: tuple[tuple[float, float], ...] = ()
    reach_x_m: tuple[float, float] = field(init=False)
    _still: dict[int, Body] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Note how far to the left and right any part of it ever is."""
        x_m = np.concatenate([track.poses[:, 0] for track in self.tracks] or [np.zeros(1)])
        half_m = math.hypot(*self.size_m[:2]) / 2
        object.__setattr__(self, "reach_x_m", (float(x_m.min()) - half_m, float(x_m.max()) + half_m))

    def may_meet(self, other: Mover) -> bool:
        """Whether the two are ever there at once, and as far to the left or right."""
        return (
            other.starts_s < self.ends_s
            and self.starts_s < other.ends_s
            and other.reach_x_m[0] < self.reach_x_m[1] + _MEETING_M
            and self.reach_x_m[0] < other.reach_x_m[1] + _MEETING_M
        )

    @property
    def starts_s(self) -> float:
        """When it is first there."""
        return self.tracks[0].starts_s

    @property
    def ends_s(self) -> float:
        """When it is gone for good."""
        return self.tracks[-1].ends_s

    def body_at(self, second: float) -> Body | None:
        """Its body, None while it is not there."""
        for index, track in enumerate(self.tracks):
            if track.starts_s <= second < track.ends_s:
                if len(track.rows) > 1 or self.fill:
                    return self._body(track, second)
                # The same object again: a painter may compare bodies to see that nothing changed.
                if index not in self._still:
                    self._still[index] = self._body(track, second)
                return self._still[index]
        return None

    def _body(self, track: Track, second: float) -> Body:
        x_m, y_m, heading_deg, speed_mps, is_braking = track.pose_at(second)
        return Body(
            id=self.id,
            kind=self.kind,
            x_m=x_m,
            y_m=y_m,
            heading_deg=heading_deg,
            length_m=self.size_m[0],
            width_m=self.size_m[1],
            height_m=self.size_m[2],
            speed_mps=speed_mps,
            is_running=track.is_running,
            is_braking=is_braking and track.is_running,
            has_rider=self.has_rider,
            fill=fill_at(self.fill, second),
            look=self.look,
        )

    def poses_at(self, seconds: Float64s) -> tuple[Float64s, Bools]:
        """(N, 3) x, y, heading and (N,) whether it is there."""
        poses, is_there = np.zeros((len(seconds), 3)), np.zeros(len(seconds), np.bool_)
        for track in self.tracks:
            inside = (track.starts_s <= seconds) & (seconds < track.ends_s)
            if inside.any():
                poses[inside] = track.poses_at(seconds[inside])
                is_there |= inside
        return poses, is_there


def fill_at(fill: Sequence[tuple[float, float]], second: float) -> float:
    """Level of a bin: straight lines between (second, level), the later one where two share a second."""
    level = fill[0][1] if fill else 0.0
    for (from_s, before), (until_s, after) in pairwise(fill):
        if second >= until_s:
            level = after
        elif second >= from_s:
            return before + (after - before) * (second - from_s) / (until_s - from_s)
    return level


def overlap(first: Mover, second: Mover, seconds: Float64s, *, margin_m: float = 0.0) -> Bools:
    """(N,) whether two footprints touch, the first one grown by a margin on every side."""
    (pose, is_there), (other, is_other_there) = first.poses_at(seconds), second.poses_at(seconds)
    half = np.array(first.size_m[:2]) / 2 + margin_m
    other_half = np.array(second.size_m[:2]) / 2
    apart = other[:, :2] - pose[:, :2]
    is_near = is_there & is_other_there & (np.hypot(*apart.T) < np.hypot(*half) + np.hypot(*other_half))
    touches = np.zeros(len(seconds), np.bool_)
    if is_near.any():
        touches[is_near] = _rectangles_touch(apart[is_near], pose[is_near, 2], half, other[is_near, 2], other_half)
    return touches


def _rectangles_touch(
    apart: Float64s, heading_deg: Float64s, half: Float64s, other_deg: Float64s, other_half: Float64s
) -> Bools:
    """(N,) separating axis test; apart: (N, 2) from middle to middle, half: half length and half width."""
    turns = np.radians((heading_deg, other_deg))
    ahead = np.stack((np.sin(turns), np.cos(turns)), axis=-1)
    right = np.stack((np.cos(turns), -np.sin(turns)), axis=-1)
    touches = np.ones(len(apart), np.bool_)
    for axis in (ahead[0], right[0], ahead[1], right[1]):
        reach = sum(
            sizes[0] * np.abs((axis * ahead[who]).sum(-1)) + sizes[1] * np.abs((axis * right[who]).sum(-1))
            for who, sizes in enumerate((half, other_half))
        )
        touches &= np.abs((axis * apart).sum(-1)) < reach
    return touches
