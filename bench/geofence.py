"""Hot path: the cell and the zones of places on the ground. Every detection, sensor and incident of a town asks.

References, on one core and in the same run: shapely's own bulk queries over an STRtree, as this product asked before
it had a raster, and a loop over places with prepared polygons. All have to find the same.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from bench.errors import BenchError
from bench.machine import machine_facts, resident_mb
from bench.pairs import Timing, measure
from bench.town import Town, built_town, places_of
from geofence.messages import CellMatch
from geofence.places import BOUNDARY_M, MATCHES, SNAP_M, GridIndex, ZoneIndex

PRODUCT, BULK, LOOP = "street721", "shapely, STRtree in bulk", "shapely, prepared, one by one"

Float64s = npt.NDArray[np.float64]
Found = tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]
"""Cell and match of every place, rows and zones of every pair; pairs sorted."""
Progress = Callable[[int, int], None]

_INSIDE, _BOUNDARY, _SNAPPED, _NONE = map(
    MATCHES.index, (CellMatch.INSIDE, CellMatch.BOUNDARY, CellMatch.SNAPPED, CellMatch.NONE)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class GeofenceResult:
    """Every way's times, and what the indexes cost. counts: places per call of each way."""

    cells: int
    zones: int
    near: float
    on_border: float
    counts: dict[str, int]
    timings: dict[str, Timing]
    matches: dict[str, int]
    pairs: int
    build_s: float
    index_mb: float
    grown_mb: float

    def per_s(self, name: str) -> float:
        """Places a second, by the median."""
        return self.counts[name] / self.timings[name].median_s

    def to_json(self) -> dict[str, Any]:
        """Every figure, with machine, date and commit."""
        return {
            "bench": "geofence",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **machine_facts(),
            "used_cores": 1,
            "cells": self.cells,
            "zones": self.zones,
            "near_zone_borders": self.near,
            "on_borders": self.on_border,
            "ways": {name: self._way_json(name) for name in self.timings},
            "matches": self.matches,
            "zone_pairs": self.pairs,
            "identical": True,
            "build_s": round(self.build_s, 3),
            "index_mb": round(self.index_mb, 1),
            "rss_grown_mb": round(self.grown_mb, 1),
        }

    def _way_json(self, name: str) -> dict[str, Any]:
        timing, count = self.timings[name], self.counts[name]
        return {
            "places": count,
            "places_per_s": round(self.per_s(name)),
            "lowest": round(count / max(timing.wall_s)),
            "highest": round(count / min(timing.wall_s)),
            "cpu_us_per_place": round(1e6 * timing.median_cpu_s / count, 3),
            "product_is_faster": round(self.per_s(PRODUCT) / self.per_s(name), 2),
        }


def bench_geofence(
    *,
    places: int = 1_000_000,
    cells: int = 10_000,
    zones: int = 1_000,
    near: float = 0.25,
    on_border: float = 0.05,
    rounds: int = 5,
    progress: Progress | None = None,
) -> GeofenceResult:
    """Look the places of a town up by every way; raises BenchError when two ways differ in one place."""
    town = built_town(cells=cells, zones=zones)
    places_m = places_of(town, places, near=near, on_border=on_border)
    sample_m = places_m[: max(1, places // 500)]
    with _one_core():
        before_mb, began_s = resident_mb(), time.perf_counter()
        product = _Product(town)
        build_s, grown_mb = time.perf_counter() - began_s, resident_mb() - before_mb
        bulk, loop = _Bulk(town), _Loop(town)
        found = product.find(places_m)
        _refuse_different(found, _sorted(bulk.find(places_m)), BULK)
        _refuse_different(product.find(sample_m), loop.find(sample_m), LOOP)
        ways = {
            BULK: lambda: bulk.find(places_m),
            PRODUCT: lambda: product.find(places_m),
            LOOP: lambda: loop.find(sample_m),
        }
        timings = measure(ways, rounds=rounds, progress=progress)
    return GeofenceResult(
        cells=len(town.cells),
        zones=len(town.zones),
        near=near,
        on_border=on_border,
        counts={BULK: len(places_m), PRODUCT: len(places_m), LOOP: len(sample_m)},
        timings=timings,
        matches={match.value: int(np.sum(found[1] == code)) for code, match in enumerate(MATCHES)},
        pairs=len(found[2]),
        build_s=build_s,
        index_mb=product.nbytes / 2**20,
        grown_mb=grown_mb,
    )


class _Product:
    """As the rules ask."""

    def __init__(self, town: Town) -> None:
        self._grid, self._zones = GridIndex(town.cells), ZoneIndex(town.zones)
        self.nbytes = self._grid.nbytes + self._zones.nbytes

    def find(self, places_m: Float64s) -> Found:
        return (*self._grid.locate(places_m), *self._zones.containing(places_m))


class _Bulk:
    """Whole arrays through shapely's tree and its predicates; nothing of the product."""

    def __init__(self, town: Town) -> None:
        self._cells = np.array([cell.polygon_m for cell in town.cells])
        self._cell_tree = shapely.STRtree(self._cells)
        self._zone_tree = shapely.STRtree([zone.polygon_m for zone in town.zones])

    def find(self, places_m: Float64s) -> Found:
        points = shapely.points(places_m)
        return (*self._located(points), *self._zone_tree.query(points, predicate="intersects"))

    def _located(self, points: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        cells, matches = np.full(len(points), -1), np.full(len(points), _NONE)
        rows, touched = self._cell_tree.query(points, predicate="dwithin", distance=BOUNDARY_M)
        is_inside = shapely.contains_properly(self._cells[touched], points[rows])
        at_border = shapely.dwithin(shapely.boundary(self._cells[touched]), points[rows], BOUNDARY_M)
        touching = np.bincount(rows, minlength=len(points))
        is_clear = is_inside & ~at_border & (touching[rows] == 1)
        row, first = _lowest(rows, touched)
        cells[row], matches[row] = touched[first], np.where(is_clear[first], _INSIDE, _BOUNDARY)
        outside = np.flatnonzero(touching == 0)
        (rows, near), away_m = self._cell_tree.query_nearest(
            points[outside], max_distance=SNAP_M + 1, all_matches=True, return_distance=True
        )
        rows, near = rows[away_m <= SNAP_M], near[away_m <= SNAP_M]
        row, first = _lowest(rows, near)
        cells[outside[row]], matches[outside[row]] = near[first], _SNAPPED
        return cells, matches


class _Loop:
    """One place after the other, as a loop in Python has it."""

    def __init__(self, town: Town) -> None:
        self._cells = _prepared([cell.polygon_m for cell in town.cells])
        self._borders = _prepared(shapely.boundary(self._cells))
        self._zones = _prepared([zone.polygon_m for zone in town.zones])
        self._cell_tree, self._zone_tree = shapely.STRtree(self._cells), shapely.STRtree(self._zones)

    def find(self, places_m: Float64s) -> Found:
        cells, pairs = [], []
        for row, place in enumerate(places_m.tolist()):
            point = shapely.Point(place)
            cells.append(self._located(point))
            candidates = sorted(self._zone_tree.query(point).tolist())
            pairs += [(row, zone) for zone in candidates if self._zones[zone].intersects(point)]
        found, contained = np.array(cells).reshape(-1, 2), np.array(pairs, np.int64).reshape(-1, 2)
        return found[:, 0], found[:, 1], contained[:, 0], contained[:, 1]

    def _located(self, point: Any) -> tuple[int, int]:
        around = shapely.box(point.x - 0.01, point.y - 0.01, point.x + 0.01, point.y + 0.01)
        candidates = sorted(self._cell_tree.query(around).tolist())
        touched = [cell for cell in candidates if self._cells[cell].dwithin(point, BOUNDARY_M)]
        if touched:
            cell = touched[0]
            is_border = len(touched) > 1 or self._borders[cell].dwithin(point, BOUNDARY_M)
            return cell, _BOUNDARY if is_border else _INSIDE
        near, away_m = self._cell_tree.query_nearest(
            point, max_distance=SNAP_M + 1, all_matches=True, return_distance=True
        )
        return (int(near.min()), _SNAPPED) if len(near) and away_m[0] <= SNAP_M else (-1, _NONE)


def _prepared(shapes: Sequence[Any]) -> list[Any]:
    """Copies, so that nobody else gains by it."""
    copies = shapely.from_wkb(shapely.to_wkb(shapes))
    shapely.prepare(copies)
    return list(copies)


def _lowest(rows: npt.NDArray[Any], cells: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Every row once, and which of the pairs has its lowest cell."""
    order = np.lexsort((cells, rows))
    row, first = np.unique(rows[order], return_index=True)
    return row, order[first]


def _sorted(found: Found) -> Found:
    order = np.lexsort((found[3], found[2]))
    return found[0], found[1], found[2][order], found[3][order]


def _refuse_different(found: Found, reference: Found, name: str) -> None:
    for what, own, other in zip(("cell", "match", "place of a zone", "zone"), found, reference, strict=True):
        if not np.array_equal(own, other):
            raise BenchError(f"{what}: {PRODUCT} and {name!r} differ")


@contextmanager
def _one_core() -> Iterator[None]:
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def as_text(result: GeofenceResult) -> str:
    """A table to read."""
    found = ", ".join(f"{count:,} {match}" for match, count in result.matches.items())
    lines = [
        f"{result.counts[PRODUCT]:,} places among {result.cells:,} cells and {result.zones:,} zones, one core; "
        f"{result.near:.0%} within metres of a zone's border, {result.on_border:.0%} on borders",
    ]
    for name, timing in result.timings.items():
        count = result.counts[name]
        slowest, fastest = count / max(timing.wall_s), count / min(timing.wall_s)
        ratio = result.per_s(PRODUCT) / result.per_s(name)
        beside = "" if name == PRODUCT else f"   {PRODUCT} does {ratio:.2f} x as many"
        lines.append(f"{name:30s} {result.per_s(name):11,.0f} places/s   ({slowest:,.0f} … {fastest:,.0f}){beside}")
    lines += [
        f"all found the same: cells {found}; {result.pairs:,} zones",
        f"indexes: built in {result.build_s:.2f} s, {result.index_mb:.1f} MB of answers, "
        f"process grown by {result.grown_mb:.0f} MB",
    ]
    return "\n".join(lines)


def main() -> None:
    """A million places; `street721 bench geofence` takes other numbers."""
    print(as_text(bench_geofence()))
