"""Whether somebody can walk from one end of a sidewalk to the other, and how wide the narrowest place is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import affinity

# The passage may be narrower than asked by this much: what rounding alone may take.
TOLERANCE_M = 1e-3
GAP_PRECISION_M = 0.01
# Segments per quarter circle where an obstacle's corner is widened: the chord errs by 2 mm at 0.75 m.
ARC_SEGMENTS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Walkway:
    """A sidewalk with its two ends, ready to be asked for passages of up to `reach_m`.

    polygon_m:  shapely Polygon, [east, north] metres
    The ends are the short sides of the minimum rotated rectangle. Widening obstacles and borders by half a
    passage would also take a strip from the ends, so the walkway goes on beyond them by `reach_m`;
    a passage counts when it gets from one extension to the other.
    """

    polygon_m: Any
    reach_m: float
    _extended: Any = field(init=False, repr=False)
    _ends: tuple[Any, Any] = field(init=False, repr=False)
    _sides: tuple[Any, Any] | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tips = [self._tip(near, far) for near, far in _end_axes(self.polygon_m)]
        swept = [_swept(tip, shift) for tip, shift in tips]
        beyond = [affinity.translate(tip, *shift) for tip, shift in tips]
        object.__setattr__(self, "_extended", shapely.union_all([self.polygon_m, *swept]))
        object.__setattr__(self, "_ends", (beyond[0], beyond[1]))
        object.__setattr__(self, "_sides", _sides(self.polygon_m))

    def is_passable(self, obstacles: Any, clear_m: float) -> bool:
        """Whether a passage at least `clear_m` wide joins both ends around `obstacles` (a shapely geometry)."""
        inner = self._free(obstacles).buffer(TOLERANCE_M - clear_m / 2, quad_segs=ARC_SEGMENTS)
        first, second = self._ends
        return any(part.intersects(first) and part.intersects(second) for part in shapely.get_parts(inner))

    def clear_width_m(self, obstacles: Any) -> float:
        """Width of the widest passage that joins both ends, 0 when none does, at most `reach_m`; ±1 cm."""
        low_m, high_m = 0.0, self.reach_m
        if self.is_passable(obstacles, high_m):
            return high_m
        while high_m - low_m > GAP_PRECISION_M:
            middle_m = (low_m + high_m) / 2
            low_m, high_m = (middle_m, high_m) if self.is_passable(obstacles, middle_m) else (low_m, middle_m)
        return 0.0 if low_m <= TOLERANCE_M * 2 else low_m

    def narrowest_chain(self, pieces: Sequence[Any]) -> tuple[int, ...]:
        """Numbers of the obstacles between which, and the borders, the narrowest passage lies; () where none is found.

        Whoever walks along must cross every chain of obstacles from one border to the other through its widest gap,
        so the passage is as wide as the chain allows whose widest gap is smallest.
        """
        if self._sides is None:
            return ()
        nodes = [*pieces, *self._sides]
        gaps = np.array([shapely.distance(node, nodes) for node in nodes])
        return _smallest_steps(gaps)

    def _free(self, obstacles: Any) -> Any:
        """The walkway without its obstacles; the extensions stay free."""
        return self._extended.difference(shapely.intersection(obstacles, self.polygon_m))

    def _tip(self, middle: tuple[float, float], outward: tuple[float, float]) -> tuple[Any, tuple[float, float]]:
        """The last `reach_m` of the sidewalk before an end, and the shift that carries it wholly beyond."""
        (east, north), (out_east, out_north) = middle, outward
        half_m = self.polygon_m.length
        corners = [
            (east + along * out_east - across * out_north, north + along * out_north + across * out_east)
            for along, across in (
                (-self.reach_m, -half_m),
                (half_m, -half_m),
                (half_m, half_m),
                (-self.reach_m, half_m),
            )
        ]
        tip = self.polygon_m.intersection(shapely.Polygon(corners))
        return tip, (2 * self.reach_m * out_east, 2 * self.reach_m * out_north)


def _end_axes(polygon_m: Any) -> list[tuple[tuple[float, float], tuple[float, float]]]:
    """(middle, outward unit vector) of both short sides of the minimum rotated rectangle."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon_m))[:4]
    sides = [(corners[n], corners[(n + 1) % 4]) for n in range(4)]
    lengths = [float(((b - a) ** 2).sum() ** 0.5) for a, b in sides]
    first = 0 if lengths[0] <= lengths[1] else 1
    middles = [(sides[n][0] + sides[n][1]) / 2 for n in (first, first + 2)]
    along = (middles[1] - middles[0]) / max(lengths)
    return [
        ((float(middle[0]), float(middle[1])), (float(sign * along[0]), float(sign * along[1])))
        for middle, sign in zip(middles, (-1.0, 1.0), strict=True)
    ]


def _sides(polygon_m: Any) -> tuple[Any, Any] | None:
    """The two borders that lead from end to end: the outline without what lies at the rectangle's short sides."""
    corners = shapely.get_coordinates(shapely.minimum_rotated_rectangle(polygon_m))[:4]
    lengths = np.linalg.norm(corners - np.roll(corners, -1, axis=0), axis=1)
    first = 0 if lengths[0] <= lengths[1] else 1
    ends = [shapely.LineString([corners[n], corners[(n + 1) % 4]]) for n in (first, first + 2)]
    near_m = 0.02 * float(lengths.max())
    caps = shapely.union_all([end.buffer(near_m, cap_style="square") for end in ends])
    rest = shapely.line_merge(shapely.difference(polygon_m.exterior, caps))
    parts = sorted(shapely.get_parts(rest), key=lambda part: -float(part.length))
    if len(parts) < 2:
        return None
    return parts[0], parts[1]


def _smallest_steps(gaps: npt.NDArray[np.float64]) -> tuple[int, ...]:
    """Nodes on the way from the last but one to the last whose largest step is smallest."""
    start, goal = len(gaps) - 2, len(gaps) - 1
    largest = np.full(len(gaps), np.inf)
    largest[start] = 0.0
    came_from = np.full(len(gaps), start)
    is_open = np.ones(len(gaps), bool)
    while is_open[goal]:
        row = int(np.argmin(np.where(is_open, largest, np.inf)))
        is_open[row] = False
        step = np.maximum(largest[row], gaps[row])
        is_better = is_open & (step < largest)
        largest[is_better] = step[is_better]
        came_from[is_better] = row
    chain: list[int] = []
    row = int(came_from[goal])
    while row != start:
        chain.append(row)
        row = int(came_from[row])
    return tuple(reversed(chain))


def _swept(geometry: Any, shift: tuple[float, float]) -> Any:
    """All that `geometry` covers while it moves by `shift`."""
    east, north = shift
    strips = [
        shapely.Polygon([a, b, (b[0] + east, b[1] + north), (a[0] + east, a[1] + north)])
        for part in shapely.get_parts(geometry)
        for a, b in zip(part.exterior.coords[:-1], part.exterior.coords[1:], strict=True)
    ]
    usable = [strip for strip in strips if strip.is_valid and strip.area > 0]
    return shapely.union_all([geometry, affinity.translate(geometry, east, north), *usable])
