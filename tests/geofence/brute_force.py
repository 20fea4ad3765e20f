"""Places by polygon, one polygon after the other: no index, no raster, nothing but shapely's predicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

Float64s = npt.NDArray[np.float64]


def cells_by_hand(polygons: Sequence[Any], places_m: Float64s) -> list[tuple[int, str]]:
    """(number of the polygon or -1, match) of every place; `polygons` in the order of their codes."""
    points = shapely.points(places_m)
    with np.errstate(over="ignore", invalid="ignore"):  # some places lie at the end of the numbers
        touches = np.array([shapely.dwithin(polygon, points, 0.001) for polygon in polygons])
        is_inside = np.array([shapely.contains_properly(polygon, points) for polygon in polygons])
        at_border = np.array([shapely.dwithin(polygon.boundary, points, 0.001) for polygon in polygons])
        away_m = np.array([shapely.distance(polygon, points) for polygon in polygons])
    return [
        _cell_by_hand(*(table[:, place] for table in (touches, is_inside, at_border, away_m)))
        for place in range(len(points))
    ]


def _cell_by_hand(touches: Any, is_inside: Any, at_border: Any, away_m: Any) -> tuple[int, str]:
    if touches.any():
        lowest = int(np.argmax(touches))
        is_clear = touches.sum() == 1 and is_inside[lowest] and not at_border[lowest]
        return lowest, "inside" if is_clear else "boundary"
    if np.isnan(away_m).any() or away_m.min() > 20.0:
        return -1, "none"
    return int(np.argmin(away_m)), "snapped"


def zones_by_hand(polygons: Sequence[Any], places_m: Float64s) -> list[tuple[int, int]]:
    """Every (place, zone) with the place in the zone or on its border, in order."""
    points = shapely.points(places_m)
    contains = np.array([shapely.intersects(polygon, points) for polygon in polygons])
    return [(int(place), int(zone)) for place, zone in zip(*np.nonzero(contains.T), strict=True)]
