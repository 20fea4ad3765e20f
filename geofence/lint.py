"""What is wrong with zones and cells that are each right by themselves: cells that claim the same ground."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely

from geofence.places import Cell

# Borders are written in rounded degrees; overlaps up to this are no more than that.
MAX_OVERLAP_M2 = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Two cells that share ground; center_m: [east, north] of the middle of what they share."""

    first: str
    second: str
    area_m2: float
    center_m: tuple[float, float]


def overlapping_cells(cells: Sequence[Cell]) -> list[Overlap]:
    """Pairs of cells that share more than 1 m², the largest first."""
    polygons = np.array([cell.polygon_m for cell in cells], dtype=object)
    first, second = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pairs = first < second
    first, second = first[pairs], second[pairs]
    shared = shapely.intersection(polygons[first], polygons[second])
    areas_m2 = shapely.area(shared)
    found = [
        Overlap(
            first=min(cells[first[row]].code, cells[second[row]].code),
            second=max(cells[first[row]].code, cells[second[row]].code),
            area_m2=float(areas_m2[row]),
            center_m=(float(shared[row].centroid.x), float(shared[row].centroid.y)),
        )
        for row in np.flatnonzero(areas_m2 > MAX_OVERLAP_M2)
    ]
    return sorted(found, key=lambda overlap: (-overlap.area_m2, overlap.first, overlap.second))
