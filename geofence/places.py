"""Which zones and which unit grid cell a place on the ground belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import shapely

from geofence.buckets import ASK, OUTSIDE, Buckets
from geofence.hours import ActiveHours
from geofence.messages import CellMatch

Float64s = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Uint8s = npt.NDArray[np.uint8]

# Cells share borders that are written in rounded degrees; a millimetre decides what is on a border.
BOUNDARY_M = 1e-3
SNAP_M = 20.0
# The tree alone is faster for the few things of one frame.
_FEW = 64


class ZoneKind(StrEnum):
    """The legal meaning of a zone."""

    NO_PARKING = "no_parking"
    SIDEWALK = "sidewalk"
    STREET = "street"
    COLLECTION_POINT = "collection_point"


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """A polygon with a legal meaning; polygon_m is a shapely Polygon in [east, north] metres.

    hours: None means always in force; surface: ``roadway`` | ``sidewalk`` | ``plaza`` or None
    direction_deg: of its lane or kerb, clockwise from north, None for that of its long side
    min_clear_m: what this sidewalk must leave free, None for what the rule says
    exempt: classes that its rule does not concern
    """

    id: str
    kind: ZoneKind
    polygon_m: Any
    hours: ActiveHours | None
    surface: str | None
    direction_deg: float | None = None
    min_clear_m: float | None = None
    exempt: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A unit grid cell; polygon_m is a shapely Polygon in [east, north] metres."""

    code: str
    polygon_m: Any


@dataclass(frozen=True, slots=True)
class CellPlace:
    """The cell of a place, and how it was found."""

    code: str | None
    match: CellMatch


NO_CELL = CellPlace(None, CellMatch.NONE)
# What the codes of GridIndex.locate stand for: code n is MATCHES[n].
MATCHES = (CellMatch.NONE, CellMatch.INSIDE, CellMatch.BOUNDARY, CellMatch.SNAPPED)
_NONE, _INSIDE, _BOUNDARY, _SNAPPED = range(len(MATCHES))


@dataclass(frozen=True, slots=True, eq=False)
class ZoneIndex:
    """Zones by place."""

    zones: tuple[Zone, ...]
    _polygons: npt.NDArray[Any] = field(init=False, repr=False)
    _tree: Any = field(init=False, repr=False)
    _sets: _ZoneSets = field(init=False, repr=False)
    _buckets: Buckets = field(init=False, repr=False)

    def __post_init__(self) -> None:
        polygons = _polygon_array([zone.polygon_m for zone in self.zones])
        object.__setattr__(self, "_polygons", polygons)
        object.__setattr__(self, "_tree", shapely.STRtree(polygons))
        known: dict[bytes, int] = {}
        buckets = Buckets.build(polygons, lambda ground_m: _numbered(*self._asked(ground_m), len(ground_m), known))
        object.__setattr__(self, "_buckets", buckets)
        object.__setattr__(self, "_sets", _ZoneSets.of(known))

    @property
    def nbytes(self) -> int:
        """Memory that answers kept beside the polygons take."""
        return self._buckets.nbytes + self._sets.nbytes

    def containing(self, ground_m: Float64s) -> tuple[Ints, Ints]:
        """(N, 2) places → index pairs (place, zone) of all zones that contain them, borders included.

        Sorted by place, then by zone; a place that is NaN is in no zone.
        """
        places_m = np.asarray(ground_m, np.float64).reshape(-1, 2)
        if len(places_m) < _FEW:
            return self._asked(places_m)
        known = self._buckets.at(places_m)
        asked = np.flatnonzero(known == ASK)
        asked_row, asked_zone = self._asked(places_m[asked])
        counts = self._sets.sizes[known]
        counts[asked] = np.bincount(asked_row, minlength=len(asked))
        rows = np.repeat(np.arange(len(places_m)), counts)
        zones = np.empty(len(rows), np.int64)
        is_asked = known[rows] == ASK
        zones[is_asked] = asked_zone
        zones[~is_asked] = self._sets.members(known[known >= 0])
        return rows, zones

    def overlapping(self, polygon_m: Float64s) -> tuple[Ints, Ints, npt.NDArray[Any]]:
        """(N, 4, 2) footprints → (footprint, zone) index pairs and the polygon of every overlap."""
        footprints = shapely.polygons(np.reshape(polygon_m, (-1, 4, 2)))
        rows, zones = self._tree.query(footprints, predicate="intersects")
        return rows, zones, shapely.intersection(footprints[rows], self._polygons[zones])

    def _asked(self, ground_m: Float64s) -> tuple[Ints, Ints]:
        """What `containing` gives, by geometry alone."""
        rows, zones = self._tree.query(shapely.points(ground_m), predicate="intersects")
        pairs = rows * max(1, len(self.zones)) + zones
        pairs.sort(kind="stable")
        return np.divmod(pairs, max(1, len(self.zones)))


@dataclass(frozen=True, slots=True, eq=False)
class GridIndex:
    """Unit grid cells by place."""

    cells: tuple[Cell, ...]
    _polygons: npt.NDArray[Any] = field(init=False, repr=False)
    _borders: npt.NDArray[Any] = field(init=False, repr=False)
    _tree: Any = field(init=False, repr=False)
    _buckets: Buckets = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Sorted by code, so that the lowest index is the lowest code.
        cells = tuple(sorted(self.cells, key=lambda cell: cell.code))
        object.__setattr__(self, "cells", cells)
        polygons = _polygon_array([cell.polygon_m for cell in cells])
        object.__setattr__(self, "_polygons", polygons)
        object.__setattr__(self, "_borders", shapely.boundary(polygons))
        object.__setattr__(self, "_tree", shapely.STRtree(polygons))
        object.__setattr__(self, "_buckets", Buckets.build(polygons, self._touching, reach_m=SNAP_M))

    @property
    def nbytes(self) -> int:
        """Memory that answers kept beside the polygons take."""
        return self._buckets.nbytes

    def ground_to_cell(self, ground_m: Float64s) -> list[CellPlace]:
        """(N, 2) places → their cells, as `locate` finds them."""
        return [
            NO_CELL if cell < 0 else CellPlace(self.cells[cell].code, MATCHES[match])
            for cell, match in zip(*(found.tolist() for found in self.locate(ground_m)), strict=True)
        ]

    def locate(self, ground_m: Float64s) -> tuple[Ints, Uint8s]:
        """(N, 2) places → (N,) indices of their cells, -1 for none, and (N,) how they were found, by MATCHES.

        A tie goes to the lowest code, a place outside to the nearest cell within 20 m; a place that is NaN has none.
        """
        places_m = np.asarray(ground_m, np.float64).reshape(-1, 2)
        known = self._buckets.at(places_m)
        asked = np.flatnonzero(known == ASK)
        known[asked] = self._touching(places_m[asked])
        cells, matches = _decoded(known)
        outside = asked[known[asked] == OUTSIDE]
        nearest = self._nearest(places_m[outside])
        cells[outside] = nearest
        matches[outside[nearest >= 0]] = _SNAPPED
        return cells, matches

    def _touching(self, ground_m: Float64s) -> Ints:
        """The lowest cell within a millimetre, coded with whether the place is on a border; OUTSIDE where none is."""
        points = shapely.points(ground_m)
        rows, cells = self._tree.query(points, predicate="dwithin", distance=BOUNDARY_M)
        touching = np.bincount(rows, minlength=len(points))
        is_at_border = touching > 1
        is_lone = touching[rows] == 1
        alone = rows[is_lone]
        is_at_border[alone] = shapely.dwithin(self._borders[cells[is_lone]], points[alone], BOUNDARY_M)
        lowest = _lowest(rows, cells, len(points))
        return np.where(touching > 0, 2 * lowest + is_at_border, OUTSIDE)

    def _nearest(self, ground_m: Float64s) -> Ints:
        """The nearest cell of each place, the lowest of several; -1 where none is within 20 m."""
        points = shapely.points(ground_m)
        # A little further: the limit is that of `distance`, to its last digit.
        rows, cells = self._tree.query(points, predicate="dwithin", distance=SNAP_M + BOUNDARY_M)
        away_m = shapely.distance(self._polygons[cells], points[rows])
        nearest_m = np.full(len(points), SNAP_M)
        np.minimum.at(nearest_m, rows, away_m)
        is_nearest = away_m == nearest_m[rows]
        return _lowest(rows[is_nearest], cells[is_nearest], len(points))


@dataclass(frozen=True, slots=True, eq=False)
class _ZoneSets:
    """The different sets of zones that places are in: set n is zones[starts[n] : starts[n] + sizes[n]]."""

    starts: Ints
    sizes: Ints
    zones: Ints

    @classmethod
    def of(cls, known: Iterable[bytes]) -> Self:
        sets = [np.frombuffer(members, np.int64) for members in known]
        # OUTSIDE and ASK are the last two, counted from the end.
        sizes = np.array([*map(len, sets), 0, 0], np.int64)
        return cls(np.cumsum(sizes) - sizes, sizes, np.concatenate([np.empty(0, np.int64), *sets]))

    @property
    def nbytes(self) -> int:
        return self.starts.nbytes + self.sizes.nbytes + self.zones.nbytes

    def members(self, numbers: Ints) -> Ints:
        """The zones of these sets, one after the other."""
        sizes = self.sizes[numbers]
        shift = self.starts[numbers] - (np.cumsum(sizes) - sizes)
        members: Ints = self.zones[np.arange(sizes.sum()) + np.repeat(shift, sizes)]
        return members


def _numbered(rows: Ints, zones: Ints, count: int, known: dict[bytes, int]) -> Ints:
    """Sorted pairs (place, zone) → one number per place for the set of its zones; new sets are added to `known`."""
    numbers = np.full(count, OUTSIDE, np.int64)
    places, starts = np.unique(rows, return_index=True)
    for place, members in zip(places.tolist(), np.split(zones, starts[1:]), strict=len(places) > 0):
        numbers[place] = known.setdefault(members.tobytes(), len(known))
    return numbers


def _decoded(known: Ints) -> tuple[Ints, Uint8s]:
    """Cells and matches from the codes of `GridIndex._touching`; OUTSIDE becomes cell -1, matched by nothing."""
    cells = known >> 1
    matches = (known & 1).astype(np.uint8) + np.uint8(_INSIDE)
    matches[known == OUTSIDE] = _NONE
    return cells, matches


def _polygon_array(polygons: Sequence[Any]) -> npt.NDArray[Any]:
    array = np.empty(len(polygons), dtype=object)
    array[:] = polygons
    return array


def _lowest(rows: Ints, cells: Ints, count: int) -> Ints:
    """For each of `count` rows its lowest cell, -1 where it has none."""
    none = np.iinfo(np.int64).max
    lowest = np.full(count, none)
    np.minimum.at(lowest, rows, cells)
    return np.where(lowest == none, -1, lowest)
