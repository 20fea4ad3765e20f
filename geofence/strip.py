"""Sidewalks and kerbs as strips: where a long polygon ends, which borders lead from end to end, which way it runs.

A straight strip fills the smallest rectangle around it, and the rectangle's short sides are its ends. One that goes
round a corner does not: its ends are the two corners that lie furthest apart for somebody who walks inside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Float64s = npt.NDArray[np.float64]

# A polygon that fills this share of the smallest rectangle around it is straight enough to run along that.
STRAIGHT_SHARE = 0.7
# Bends finer than this do not matter to where a strip ends; so many corners are looked at, at most.
OUTLINE_M = 0.1
MAX_CORNERS = 80
# How near an end, as a share of the strip's length, the outline belongs to neither of the long borders.
CAP_SHARE, CAP_M = 0.02, 0.05
# A border shorter than this says nothing of the direction of the strip.
MIN_BORDER_M = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a strip, [east, north] metres.

    middle: on its outermost line; outward: unit vector along the strip; line: its two corners
    """

    middle: tuple[float, float]
    outward: tuple[float, float]
    line: tuple[tuple[float, float], tuple[float, float]]


def is_straight(polygon_m: Any) -> bool:
    """Whether the polygon runs along the smallest rectangle around it."""
    return bool(polygon_m.area >= STRAIGHT_SHARE * shapely.minimum_rotated_rectangle(polygon_m).area)


def ends_of(polygon_m: Any) -> tuple[End, End]:
    """Both ends of a strip."""
    return _rectangle_ends(polygon_m) if is_straight(polygon_m) else _walked_ends(polygon_m)


def sides_of(polygon_m: Any, ends: tuple[End, End]) -> tuple[Any, Any] | None:
    """The two borders that lead from end to end; None where they cannot be told apart."""
    near_m = max(CAP_M, CAP_SHARE * max(_sides_m(polygon_m)) if is_straight(polygon_m) else CAP_M)
    caps = shapely.union_all([shapely.LineString(end.line).buffer(near_m, cap_style="square") for end in ends])
    rest = shapely.line_merge(shapely.difference(polygon_m.exterior, caps))
    parts = sorted(shapely.get_parts(rest), key=lambda part: -float(part.length))
    return (parts[0], parts[1]) if len(parts) > 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class StripDirection:
    """Which way a strip runs, radians clockwise from north, 0 … pi.

    everywhere_rad: of a straight one; borders_m, borders_rad: (N, 2, 2) lines of one that bends, and their directions
    """

    everywhere_rad: float
    borders_m: Float64s | None = None
    borders_rad: Float64s | None = None

    def at(self, place_m: tuple[float, float]) -> float:
        """Its direction beside a place: that of the nearest long border."""
        if self.borders_m is None or self.borders_rad is None:
            return self.everywhere_rad
        lines = shapely.linestrings(self.borders_m)
        return float(self.borders_rad[int(np.argmin(shapely.distance(shapely.Point(place_m), lines)))])


def direction_of(polygon_m: Any, direction_deg: float | None = None) -> StripDirection:
    """The direction that a zone says, or that its outline has."""
    if direction_deg is not None:
        return StripDirection(math.radians(direction_deg) % math.pi)
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon_m))
    sides = np.diff(corners[:3], axis=0)
    everywhere_rad = _heading_rad(sides[int(np.argmax(np.linalg.norm(sides, axis=1)))])
    if is_straight(polygon_m):
        return StripDirection(everywhere_rad)
    caps = {frozenset(end.line) for end in ends_of(polygon_m)}
    outline = _outline(polygon_m)
    lines = np.stack((outline, np.roll(outline, -1, axis=0)), axis=1)
    is_border = [frozenset(map(_point, line)) not in caps for line in lines]
    is_long = np.linalg.norm(lines[:, 1] - lines[:, 0], axis=1) >= MIN_BORDER_M
    borders = lines[np.array(is_border) & is_long]
    if not len(borders):
        return StripDirection(everywhere_rad)
    return StripDirection(everywhere_rad, borders, np.array([_heading_rad(line[1] - line[0]) for line in borders]))


def _heading_rad(way: Float64s) -> float:
    return math.atan2(float(way[0]), float(way[1])) % math.pi


def _sides_m(polygon_m: Any) -> Float64s:
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon_m))
    return np.asarray(np.linalg.norm(np.diff(corners, axis=0), axis=1), np.float64)


def _rectangle_ends(polygon_m: Any) -> tuple[End, End]:
    """The short sides of the smallest rectangle."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon_m))[:4]
    lengths = _sides_m(polygon_m)
    first = 0 if lengths[0] <= lengths[1] else 1
    lines = [(corners[n], corners[(n + 1) % 4]) for n in (first, first + 2)]
    middles = [(a + b) / 2 for a, b in lines]
    along = (middles[1] - middles[0]) / np.linalg.norm(middles[1] - middles[0])
    near, far = (
        End(middle=_point(middle), outward=_point(sign * along), line=(_point(a), _point(b)))
        for middle, sign, (a, b) in zip(middles, (-1.0, 1.0), lines, strict=True)
    )
    return near, far


def _walked_ends(polygon_m: Any) -> tuple[End, End]:
    """The corners with the longest way between them inside the polygon, and the edges there that cross that way."""
    outline = _outline(polygon_m)
    steps_m = _steps_m(outline)
    ways_m = _shortest_m(steps_m)
    first, last = np.unravel_index(int(np.argmax(np.where(np.isfinite(ways_m), ways_m, -1))), ways_m.shape)
    return (
        _end_at(outline, int(first), steps_m[first], ways_m[last]),
        _end_at(outline, int(last), steps_m[last], ways_m[first]),
    )


def _end_at(outline: Float64s, row: int, steps_m: Float64s, ways_m: Float64s) -> End:
    """The end at corner `row`; steps_m: to the corners in sight, ways_m: from those to the other end."""
    total_m = steps_m + ways_m
    total_m[row] = np.inf
    tip = outline[row]
    arriving = _unit(tip - outline[int(np.argmin(total_m))])
    edges = sorted(
        (abs(float(_unit(outline[other] - tip) @ arriving)), other)
        for other in ((row - 1) % len(outline), (row + 1) % len(outline))
    )
    across, beside = outline[edges[0][1]], outline[edges[1][1]]
    outward = _unit(tip - beside)
    furthest_m = max(float(tip @ outward), float(across @ outward))
    middle = (tip + across) / 2
    middle = middle + (furthest_m - float(middle @ outward)) * outward
    return End(middle=_point(middle), outward=_point(outward), line=(_point(tip), _point(across)))


def _outline(polygon_m: Any) -> Float64s:
    """(N, 2) corners of the outline without holes, at most MAX_CORNERS."""
    shell, tolerance_m = shapely.Polygon(polygon_m.exterior), OUTLINE_M
    while True:
        corners = shapely.get_coordinates(shapely.simplify(shell, tolerance_m, preserve_topology=True))[:-1]
        if len(corners) <= MAX_CORNERS:
            return np.asarray(corners, np.float64)
        tolerance_m *= 2


def _steps_m(outline: Float64s) -> Float64s:
    """(N, N) distances between corners that see each other, inf between others."""
    count = len(outline)
    rows, columns = np.triu_indices(count, 1)
    lines = shapely.linestrings(np.stack((outline[rows], outline[columns]), axis=1))
    # The simplified outline may lie beside the polygon's own.
    room = shapely.Polygon(outline).buffer(1e-6)
    shapely.prepare(room)
    length_m = np.where(shapely.covers(room, lines), shapely.length(lines), np.inf)
    steps_m = np.full((count, count), np.inf)
    steps_m[rows, columns] = steps_m[columns, rows] = length_m
    np.fill_diagonal(steps_m, 0.0)
    return steps_m


def _shortest_m(steps_m: Float64s) -> Float64s:
    """(N, N) lengths of the shortest ways (Floyd and Warshall)."""
    ways_m = steps_m.copy()
    for via in range(len(ways_m)):
        np.minimum(ways_m, ways_m[:, via : via + 1] + ways_m[via : via + 1, :], out=ways_m)
    return ways_m


def _unit(way: Float64s) -> Float64s:
    return np.asarray(way / max(float(np.linalg.norm(way)), 1e-12), np.float64)


def _point(row: Float64s) -> tuple[float, float]:
    return float(row[0]), float(row[1])
