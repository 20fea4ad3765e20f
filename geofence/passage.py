"""Whether somebody can walk from one end of a sidewalk to the other, and how wide the narrowest place is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import affinity

from geofence.strip import End, ends_of, sides_of

# The passage may be narrower than asked by this much: what rounding alone may take.
TOLERANCE_M = 1e-3
GAP_PRECISION_M = 0.01
# Segments per quarter circle where an obstacle's corner is widened: the chord errs by 2 mm at 0.75 m.
ARC_SEGMENTS = 16
KNOWN_ANSWERS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Walkway:
    """A sidewalk with its two ends, ready to be asked for passages of up to `reach_m`.

    polygon_m:  shapely Polygon, [east, north] metres
    Widening obstacles and borders by half a passage would also take a strip from its ends (`strip.py`), so the walkway
    goes on beyond them by `reach_m`; a passage counts when it gets from one extension to the other.
    """

    polygon_m: Any
    reach_m: float
    _extended: Any = field(init=False, repr=False)
    _ends: tuple[Any, Any] = field(init=False, repr=False)
    _sides: tuple[Any, Any] | None = field(init=False, repr=False)
    _is_passable: Callable[[bytes, float], bool] = field(init=False, repr=False)
    _clear_width_m: Callable[[bytes], float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ends = ends_of(self.polygon_m)
        tips = [self._tip(end) for end in ends]
        swept = [_swept(tip, shift) for tip, shift in tips]
        beyond = [affinity.translate(tip, *shift) for tip, shift in tips]
        object.__setattr__(self, "_extended", shapely.union_all([self.polygon_m, *swept]))
        object.__setattr__(self, "_ends", (beyond[0], beyond[1]))
        object.__setattr__(self, "_sides", sides_of(self.polygon_m, ends))
        # What stands there stands there in the next frame too, so its answer is kept.
        object.__setattr__(self, "_is_passable", lru_cache(KNOWN_ANSWERS)(self._passable))
        object.__setattr__(self, "_clear_width_m", lru_cache(KNOWN_ANSWERS)(self._width_m))

    def is_passable(self, obstacles: Any, clear_m: float) -> bool:
        """Whether a passage at least `clear_m` wide joins both ends around `obstacles` (a shapely geometry)."""
        return self._is_passable(shapely.to_wkb(obstacles), clear_m)

    def clear_width_m(self, obstacles: Any) -> float:
        """Width of the widest passage that joins both ends, 0 when none does, at most `reach_m`; ±1 cm."""
        return self._clear_width_m(shapely.to_wkb(obstacles))

    def _passable(self, wkb: bytes, clear_m: float) -> bool:
        inner = self._free(shapely.from_wkb(wkb)).buffer(TOLERANCE_M - clear_m / 2, quad_segs=ARC_SEGMENTS)
        first, second = self._ends
        return any(part.intersects(first) and part.intersects(second) for part in shapely.get_parts(inner))

    def _width_m(self, wkb: bytes) -> float:
        low_m, high_m = 0.0, self.reach_m
        if self._passable(wkb, high_m):
            return high_m
        while high_m - low_m > GAP_PRECISION_M:
            middle_m = (low_m + high_m) / 2
            low_m, high_m = (middle_m, high_m) if self._passable(wkb, middle_m) else (low_m, middle_m)
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

    def _tip(self, end: End) -> tuple[Any, tuple[float, float]]:
        """The last `reach_m` of the sidewalk before an end, and the shift that carries it wholly beyond."""
        (east, north), (out_east, out_north) = end.middle, end.outward
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
        parts = shapely.get_parts(self.polygon_m.intersection(shapely.Polygon(corners)))
        # Other arms of a sidewalk that bends may reach as far.
        tip = parts[int(np.argmin(shapely.distance(parts, shapely.LineString(end.line))))]
        return tip, (2 * self.reach_m * out_east, 2 * self.reach_m * out_north)


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
