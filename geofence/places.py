"""Which zones and which unit grid cell a place on the ground belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from geofence.hours import ActiveHours
from geofence.messages import CellMatch

Float64s = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# Cells share borders that are written in rounded degrees; a millimetre decides what is on a border.
BOUNDARY_M = 1e-3
SNAP_M = 20.0


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
    """

    id: str
    kind: ZoneKind
    polygon_m: Any
    hours: ActiveHours | None
    surface: str | None


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


@dataclass(frozen=True, slots=True, eq=False)
class ZoneIndex:
    """Zones by place."""

    zones: tuple[Zone, ...]
    _polygons: npt.NDArray[Any] = field(init=False, repr=False)
    _tree: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        polygons = _polygon_array([zone.polygon_m for zone in self.zones])
        object.__setattr__(self, "_polygons", polygons)
        object.__setattr__(self, "_tree", shapely.STRtree(polygons))

    def containing(self, ground_m: Float64s) -> tuple[Ints, Ints]:
        """(N, 2) places → index pairs (place, zone) of all zones that contain them, borders included."""
        pairs = self._tree.query(shapely.points(np.reshape(ground_m, (-1, 2))), predicate="intersects")
        return pairs[0], pairs[1]

    def overlapping(self, polygon_m: Float64s) -> tuple[Ints, Ints, npt.NDArray[Any]]:
        """(N, 4, 2) footprints → (footprint, zone) index pairs and the polygon of every overlap."""
        footprints = shapely.polygons(np.reshape(polygon_m, (-1, 4, 2)))
        rows, zones = self._tree.query(footprints, predicate="intersects")
        return rows, zones, shapely.intersection(footprints[rows], self._polygons[zones])


@dataclass(frozen=True, slots=True, eq=False)
class GridIndex:
    """Unit grid cells by place."""

    cells: tuple[Cell, ...]
    _polygons: npt.NDArray[Any] = field(init=False, repr=False)
    _tree: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # Sorted by code, so that the lowest index is the lowest code.
        cells = tuple(sorted(self.cells, key=lambda cell: cell.code))
        object.__setattr__(self, "cells", cells)
        polygons = _polygon_array([cell.polygon_m for cell in cells])
        object.__setattr__(self, "_polygons", polygons)
        object.__setattr__(self, "_tree", shapely.STRtree(polygons))

    def ground_to_cell(self, ground_m: Float64s) -> list[CellPlace]:
        """(N, 2) places → their cells: a tie goes to the lowest code, outside to the nearest within 20 m."""
        points = shapely.points(np.reshape(ground_m, (-1, 2)))
        found = [NO_CELL] * len(points)
        rows, cells = self._tree.query(points, predicate="dwithin", distance=BOUNDARY_M)
        is_inside = shapely.contains_properly(self._polygons[cells], points[rows])
        is_at_border = shapely.dwithin(shapely.boundary(self._polygons[cells]), points[rows], BOUNDARY_M)
        touching = np.bincount(rows, minlength=len(points))
        for row, cell, inside, at_border in _lowest_first(rows, cells, is_inside, is_at_border):
            is_clear = inside and not at_border and touching[row] == 1
            found[row] = CellPlace(self.cells[cell].code, CellMatch.INSIDE if is_clear else CellMatch.BOUNDARY)
        self._snap(points, np.flatnonzero(touching == 0), found)
        return found

    def _snap(self, points: npt.NDArray[Any], outside: Ints, found: list[CellPlace]) -> None:
        rows, cells = self._tree.query_nearest(points[outside], max_distance=SNAP_M, all_matches=True)
        for row, cell in _lowest_first(rows, cells):
            found[outside[row]] = CellPlace(self.cells[cell].code, CellMatch.SNAPPED)


def _polygon_array(polygons: Sequence[Any]) -> npt.NDArray[Any]:
    array = np.empty(len(polygons), dtype=object)
    array[:] = polygons
    return array


def _lowest_first(rows: Ints, cells: Ints, *columns: npt.NDArray[Any]) -> list[tuple[Any, ...]]:
    """One tuple (row, cell, …) per row: the one with the lowest cell."""
    order = np.lexsort((cells, rows))
    first = order[np.unique(rows[order], return_index=True)[1]]
    return list(zip(rows[first], cells[first], *(column[first] for column in columns), strict=True))
