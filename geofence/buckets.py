"""A raster that answers for most places at once, and says of the rest that geometry has to be asked.

What holds at one place holds wherever one can go from there without coming near a border. So every stretch of
buckets between two borders is asked once, by the caller's own exact method, and its answer is kept for all of them;
a bucket that a border touches, or nearly, keeps none. Nothing is approximated: a place gets the answer that geometry
would give, or ASK.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import shapely

Float64s = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Codes = npt.NDArray[np.signedinteger[Any]]
Bools = npt.NDArray[np.bool_]

OUTSIDE = -1
ASK = -2

# A border this near may change what geometry says; twice the millimetre that counts as the border itself.
NEAR_M = 2e-3
# Rounding of coordinates far from the origin, as a share of them; floats are ten thousand times finer.
_ROUNDING = 1e-12
# Buckets that a border touches are aimed to be this share of all, as far as MAX_BUCKETS allows.
_BORDER_SHARE = 0.0025
_MIN_SIZE_M = 0.5
MAX_BUCKETS = 1 << 23
# Columns and rows together: a long thin row of cells has more of them than a square.
_MAX_SIDES = 1 << 16
_STEP = 1 << 18
"""Places asked, and stretches of border drawn, at a time: what building takes in passing stays small."""

Answer = Callable[[Float64s], Ints]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Buckets:
    """Squares over all borders and what is known of each.

    west_m, south_m: the corner of the first; size_m: their side
    answers: (rows, columns) int16, or int32 where they need it: ≥ 0, OUTSIDE or ASK; the outermost ones are OUTSIDE
    """

    west_m: float
    south_m: float
    size_m: float
    answers: Codes

    @classmethod
    def build(cls, polygons: npt.NDArray[Any], answer: Answer, *, reach_m: float = 0.0) -> Self:
        """Ask for every stretch between the borders of `polygons`.

        answer:  (N, 2) places further than NEAR_M from any border → (N,) answers ≥ 0, or OUTSIDE
        reach_m: OUTSIDE says nothing about places nearer than this to a border; ASK then
        """
        segments_m = _segments(polygons)
        if not len(segments_m):
            return cls(west_m=0.0, south_m=0.0, size_m=1.0, answers=np.full((1, 1), OUTSIDE, np.int16))
        raster = _Raster.over(segments_m, polygons, reach_m)
        is_near = raster.touched_by(segments_m)
        answers = _asked_by_stretch(is_near, raster.centres_m, answer)
        if reach_m:
            answers[(answers == OUTSIDE) & _spread(is_near, raster.buckets_within(reach_m))] = ASK
        return cls(west_m=raster.west_m, south_m=raster.south_m, size_m=raster.size_m, answers=answers)

    def at(self, ground_m: Float64s) -> Ints:
        """(N, 2) places → (N,) answers; places off the raster, and those that are NaN, are OUTSIDE."""
        rows, columns = self.answers.shape
        column = _within((ground_m[:, 0] - self.west_m) / self.size_m, columns)
        row = _within((ground_m[:, 1] - self.south_m) / self.size_m, rows)
        row *= columns
        row += column
        return np.take(self.answers.reshape(-1), row).astype(np.int64)

    @property
    def nbytes(self) -> int:
        """Memory that the answers take."""
        return self.answers.nbytes


def _within(place: Float64s, count: int) -> npt.NDArray[np.intp]:
    """Numbers of buckets; what lies beyond either end, or is NaN, gets the outermost."""
    # fmax prefers a number to NaN, unlike clip.
    np.fmin(np.fmax(place, 0.0, out=place), count - 1, out=place)
    return place.astype(np.intp)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raster:
    west_m: float
    south_m: float
    size_m: float
    rows: int
    columns: int
    near_m: float

    @classmethod
    def over(cls, segments_m: Float64s, polygons: npt.NDArray[Any], reach_m: float) -> Self:
        """Buckets of a size that fits these borders, with room around them that is out of their reach."""
        low, high = segments_m.min(axis=(0, 1)), segments_m.max(axis=(0, 1))
        near_m = NEAR_M + _ROUNDING * float(np.abs(segments_m).max())
        width_m, height_m = (float(side) for side in high - low + 2 * (reach_m + near_m))
        size_m = max(
            _MIN_SIZE_M,
            _BORDER_SHARE * width_m * height_m / float(shapely.length(polygons).sum()),
            (width_m * height_m / MAX_BUCKETS) ** 0.5,
            (width_m + height_m) / _MAX_SIDES,
        )
        margin_m = near_m + (2 + _buckets_within(reach_m, size_m)) * size_m
        west_m, south_m = (float(corner) for corner in low - margin_m)
        columns, rows = (int(np.ceil((side + 2 * margin_m) / size_m)) for side in high - low)
        return cls(west_m=west_m, south_m=south_m, size_m=size_m, rows=rows, columns=columns, near_m=near_m)

    def buckets_within(self, reach_m: float) -> int:
        """How many buckets further a place may lie that is this far away."""
        return _buckets_within(reach_m, self.size_m)

    def centres_m(self, numbers: Ints) -> Float64s:
        """(N, 2) middles of buckets, counted row by row."""
        row, column = np.divmod(numbers, self.columns)
        return np.column_stack((column + 0.5, row + 0.5)) * self.size_m + (self.west_m, self.south_m)

    def touched_by(self, segments_m: Float64s) -> Bools:
        """(rows, columns): every bucket within near_m of a segment, and a few more."""
        upward = np.where(segments_m[:, :1, 1:] <= segments_m[:, 1:, 1:], segments_m, segments_m[:, ::-1])
        begins, ends = upward[:, 0], upward[:, 1]
        first = self._row_of(begins[:, 1] - self.near_m)
        spans = self._row_of(ends[:, 1] + self.near_m) - first + 1
        edges = np.zeros((self.rows, self.columns + 1), np.int32)
        for part in _parts(spans):
            number = np.repeat(np.arange(part.start, part.stop), spans[part])
            row = first[number] + _count_up(spans[part])
            left, right = self._columns_of(begins[number], ends[number], row)
            np.add.at(edges, (row, left), 1)
            np.add.at(edges, (row, right + 1), -1)
        return np.asarray(np.cumsum(edges, axis=1, out=edges)[:, :-1] > 0)

    def _columns_of(self, begins_m: Float64s, ends_m: Float64s, row: Ints) -> tuple[Ints, Ints]:
        """First and last column that each upward segment comes near in this row."""
        south_m = self.south_m + row * self.size_m
        away_m = ends_m - begins_m
        # Twice as far as needed, so that rounding of a flat segment's slope cannot leave a bucket out.
        with np.errstate(divide="ignore", invalid="ignore"):
            enters = (south_m - 2 * self.near_m - begins_m[:, 1]) / away_m[:, 1]
            leaves = (south_m + self.size_m + 2 * self.near_m - begins_m[:, 1]) / away_m[:, 1]
        is_level = away_m[:, 1] == 0
        enters, leaves = np.where(is_level, 0.0, enters).clip(0, 1), np.where(is_level, 1.0, leaves).clip(0, 1)
        at_m = begins_m[:, 0] + enters * away_m[:, 0], begins_m[:, 0] + leaves * away_m[:, 0]
        left = (np.minimum(*at_m) - self.near_m - self.west_m) / self.size_m
        right = (np.maximum(*at_m) + self.near_m - self.west_m) / self.size_m
        return np.floor(left).astype(np.int64), np.floor(right).astype(np.int64)

    def _row_of(self, north_m: Float64s) -> Ints:
        return np.floor((north_m - self.south_m) / self.size_m).astype(np.int64)


def _segments(polygons: npt.NDArray[Any]) -> Float64s:
    """(S, 2, 2) all pieces of all rings."""
    lines = shapely.get_parts(shapely.boundary(polygons))
    points, line = shapely.get_coordinates(lines, return_index=True)
    is_joined = line[:-1] == line[1:]
    return np.stack((points[:-1][is_joined], points[1:][is_joined]), axis=1)


def _asked_by_stretch(is_near: Bools, centres_m: Callable[[Ints], Float64s], answer: Answer) -> Codes:
    """ASK near borders; elsewhere what is true at the beginning of each row's stretch without any."""
    begins = ~is_near
    begins[:, 1:] &= is_near[:, :-1]
    first = np.flatnonzero(begins)
    parts = [answer(centres_m(first[start : start + _STEP])) for start in range(0, len(first), _STEP)]
    stretch = np.cumsum(begins, dtype=np.int32).reshape(is_near.shape) - 1
    told = np.concatenate(parts)
    codes = told.astype(np.int16 if told.max() <= np.iinfo(np.int16).max else np.int32)
    return np.where(is_near, codes.dtype.type(ASK), codes[stretch])


def _spread(is_near: Bools, buckets: int) -> Bools:
    """Every bucket with a near one at most so many rows and columns away."""
    return _spread_down(_spread_down(is_near, buckets).T, buckets).T


def _spread_down(mask: Bools, buckets: int) -> Bools:
    rows = len(mask)
    counts = np.vstack((np.zeros((1, mask.shape[1]), np.int32), np.cumsum(mask, axis=0, dtype=np.int32)))
    row = np.arange(rows)
    return np.asarray(counts[np.minimum(row + buckets + 1, rows)] > counts[np.maximum(row - buckets, 0)])


def _buckets_within(reach_m: float, size_m: float) -> int:
    return int(np.ceil(reach_m / size_m)) + 1 if reach_m else 0


def _count_up(lengths: Ints) -> Ints:
    """0, 1, … for every length, one after the other."""
    return np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)


def _parts(spans: Ints) -> Iterator[slice]:
    """Slices whose spans add up to about _STEP each."""
    until = np.cumsum(spans)
    cuts = np.searchsorted(until, np.arange(_STEP, until[-1], _STEP))
    edges = [0, *np.unique(cuts[cuts > 0]).tolist(), len(spans)]
    yield from (slice(start, stop) for start, stop in pairwise(edges))
