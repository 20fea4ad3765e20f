"""What is wrong with zones and cells that are each right by themselves.

Cells that claim the same ground make a site unusable; the rest is worth a look and stops nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geofence.cell_codes import CodeProfile, foreign_codes
from geofence.places import Cell, Zone

# Borders are written in rounded degrees; overlaps and gaps up to this are no more than that.
MAX_OVERLAP_M2 = 1.0
# Neighbouring cells that lie further apart are no neighbours; a gap narrower than this is a thread of rounding.
MAX_STRIP_M = 20.0
THREAD_M = 0.3
_LISTED = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two polygons that share ground, by name; center_m: [east, north] of the middle of what they share."""

    first: str
    second: str
    area_m2: float
    center_m: tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Ground between cells that none of them claims; center_m: a place in it, [east, north]."""

    area_m2: float
    center_m: tuple[float, float]


def overlapping_cells(cells: Sequence[Cell]) -> list[Overlap]:
    """Pairs of cells that share more than 1 m², the largest first."""
    return _overlaps([cell.code for cell in cells], [cell.polygon_m for cell in cells])


def overlapping_zones(zones: Sequence[Zone]) -> list[Overlap]:
    """Pairs of zones of one kind that share more than 1 m², the largest first: the same trouble has two names there."""
    found: list[Overlap] = []
    for kind in sorted({zone.kind for zone in zones}):
        alike = [zone for zone in zones if zone.kind == kind]
        found += _overlaps([zone.id for zone in alike], [zone.polygon_m for zone in alike])
    return sorted(found, key=lambda overlap: (-overlap.area_m2, overlap.first, overlap.second))


def gaps_between(cells: Sequence[Cell]) -> list[Gap]:
    """Holes in the ground that all cells cover and strips between neighbours, of more than 1 m², the largest first."""
    covered = shapely.union_all([cell.polygon_m for cell in cells])
    # What grows together when every cell grows, and shrinks back, was a strip between two of them.
    grown = covered.buffer(MAX_STRIP_M / 2, join_style="mitre").buffer(-MAX_STRIP_M / 2, join_style="mitre")
    filled = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(grown)])
    parts = shapely.get_parts(shapely.difference(filled, covered))
    # Rounded degrees leave threads along borders.
    open_parts = [part for part in parts if part.buffer(-THREAD_M / 2).area > 0 and part.area > MAX_OVERLAP_M2]
    found = [Gap(area_m2=float(part.area), center_m=inside_of(part)) for part in open_parts]
    return sorted(found, key=lambda gap: (-gap.area_m2, gap.center_m))


def zones_without_cell(zones: Sequence[Zone], cells: Sequence[Cell]) -> list[str]:
    """Zones of which more than 1 m² lies in no cell: what happens there may belong to nobody."""
    covered = shapely.union_all([cell.polygon_m for cell in cells])
    return [zone.id for zone in zones if shapely.difference(zone.polygon_m, covered).area > MAX_OVERLAP_M2]


def foreign_cells(cells: Sequence[Cell], profile: CodeProfile) -> str | None:
    """The codes of another county than most, a few of them in words; None where all are of one."""
    codes = foreign_codes([cell.code for cell in cells], profile)
    if not codes:
        return None
    more = f" and {len(codes) - _LISTED} more" if len(codes) > _LISTED else ""
    return ", ".join(codes[:_LISTED]) + more


def _overlaps(names: Sequence[str], shapes: Sequence[Any]) -> list[Overlap]:
    polygons = np.array(shapes, dtype=object)
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    shared = shapely.intersection(polygons[first], polygons[second])
    areas_m2 = shapely.area(shared)
    found = [
        Overlap(
            first=min(names[first[row]], names[second[row]]),
            second=max(names[first[row]], names[second[row]]),
            area_m2=float(areas_m2[row]),
            center_m=(float(shared[row].centroid.x), float(shared[row].centroid.y)),
        )
        for row in np.flatnonzero(areas_m2 > MAX_OVERLAP_M2)
    ]
    return sorted(found, key=lambda overlap: (-overlap.area_m2, overlap.first, overlap.second))


def inside_of(polygon: Any) -> tuple[float, float]:
    """A place inside a polygon, also of one that winds around its middle."""
    point = shapely.point_on_surface(polygon)
    return float(point.x), float(point.y)
