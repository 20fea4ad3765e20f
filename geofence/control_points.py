"""Control points in a table: CSV lines of px_x, px_y, lat, lng and the coordinate system that these are in."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from detectors.validation import closest, shown
from geofence.config import ControlPoint
from geofence.crs import Crs, check_lat, check_lng, parse_crs, to_wgs84
from geofence.errors import SiteError

# What stands beyond the columns is a list under None.
_Row = Mapping[str | None, Any]
_COLUMNS = ("px_x", "px_y", "lat", "lng")
_CRS = "crs"


def parse_control_points(lines: Iterable[str], *, file: str, crs: str | None = None) -> tuple[ControlPoint, ...]:
    """Points of a CSV table with a header; crs: of points that do not say their own.

    Maps of one place differ by hundreds of metres between coordinate systems, so a point of unknown origin is refused.
    Raises SiteError: one line with file, line, value and what would be right.
    """
    table = csv.DictReader(lines, skipinitialspace=True)
    names = [name.strip().lower() for name in table.fieldnames or ()]
    table.fieldnames = names
    missing = [name for name in _COLUMNS if name not in names]
    if missing:
        problem = f"has no column {', '.join(missing)}; the first line should be {','.join(_COLUMNS)},{_CRS}"
        raise SiteError(file, "line 1", problem)
    unknown = [name for name in names if name not in (*_COLUMNS, _CRS)]
    if unknown:
        raise SiteError(
            file, "line 1", f"column {shown(unknown[0])} is not known; {closest(unknown[0], [*_COLUMNS, _CRS])}"
        )
    return tuple(_point(row, file, table.line_num, crs) for row in table)


def _point(row: _Row, file: str, line: int, crs: str | None) -> ControlPoint:
    beyond = row.get(None)
    if beyond:
        problem = f"has {shown(beyond)} beyond the columns of line 1; a number has a point, and no comma"
        raise SiteError(file, f"line {line}", problem)
    px_x, px_y, lat, lng = (_number(row, name, file, line) for name in _COLUMNS)
    named = (row.get(_CRS) or "").strip().lower() or crs
    if named is None:
        known = " or ".join(Crs)
        problem = f"does not say its coordinate system; add a column {_CRS} ({known}) or the option --crs"
        raise SiteError(file, f"line {line}", problem)
    try:
        lat, lng = to_wgs84(np.array([[check_lat(lat), check_lng(lng)]]), parse_crs(named))[0]
    except ValueError as error:
        raise SiteError(file, f"line {line}", str(error)) from error
    return ControlPoint(px=(px_x, px_y), lat=float(lat), lng=float(lng))


def _number(row: _Row, name: str, file: str, line: int) -> float:
    text = (row[name] or "").strip()
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise SiteError(file, f"line {line}", f"{name} {shown(text)} is no number")
    return value
