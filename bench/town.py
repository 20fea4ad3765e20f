"""A town to look places up in: irregular cells that share their borders, and zones along their streets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import affinity

from geofence.places import Cell, Zone, ZoneKind

Float64s = npt.NDArray[np.float64]

_SIDE_M = 100.0
_TURNED_DEG = 17.0
_LEFT_OUT = 0.04
"""Share of blocks without a cell: water, a railway, the next district."""
_OUTSKIRTS_M = 50.0
# What a street is made of: how far its middle is from the line, half its width, its kind.
_STRIPS = (
    (0.0, 6.0, ZoneKind.STREET),
    (7.25, 1.25, ZoneKind.NO_PARKING),
    (10.25, 1.75, ZoneKind.SIDEWALK),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Town:
    """Cells and zones, as a site has them."""

    cells: tuple[Cell, ...]
    zones: tuple[Zone, ...]


def built_town(*, cells: int, zones: int, seed: int = 1) -> Town:
    """So many cells of about a hectare, twelve corners each, and so many zones: four to a street."""
    chance = np.random.default_rng(seed)
    across = int(np.ceil(np.sqrt(cells / (1 - _LEFT_OUT))))
    level, upright = _lines(across, chance)
    shapes = shapely.polygons(
        np.concatenate(
            (
                level[:-1, :, :-1],
                upright[:, 1:, :-1],
                level[1:, :, :0:-1],
                upright[:, :-1, :0:-1],
            ),
            axis=2,
        ).reshape(-1, 12, 2)
    )
    kept = np.sort(chance.permutation(len(shapes))[:cells])
    streets = np.concatenate((level[1:-1].reshape(-1, 4, 2), upright[:, 1:-1].reshape(-1, 4, 2)))
    chosen = streets[chance.permutation(len(streets))[: -(-zones // 4)]]
    drawn = [zone for number, street in enumerate(chosen) for zone in _zones_along(number, street)]
    return Town(
        cells=tuple(
            Cell(code=f"{number:015d}", polygon_m=_turned(shape)) for number, shape in enumerate(shapes[kept].tolist())
        ),
        zones=tuple(drawn[:zones]),
    )


def places_of(town: Town, count: int, *, near: float, on_border: float, seed: int = 2) -> Float64s:
    """(count, 2) places of a town, in no order.

    near:      share that lies within a few metres of a zone's border, where things stand
    on_border: share exactly on corners and borders of cells and zones; the rest lies anywhere
    """
    chance = np.random.default_rng(seed)
    zones, cells = [zone.polygon_m for zone in town.zones], [cell.polygon_m for cell in town.cells]
    few, many = round(count * on_border), round(count * near)
    at_zones = _on_borders(zones, many, chance) + chance.normal(0, 2.0, (many, 2))
    at_all = _on_borders([*zones, *cells], few, chance)
    at_all[: few // 4] = chance.choice(shapely.get_coordinates([*zones, *cells]), few // 4)
    low, high = np.array(shapely.total_bounds(cells)).reshape(2, 2) + ((-_OUTSKIRTS_M,), (_OUTSKIRTS_M,))
    anywhere = chance.uniform(low, high, (count - few - many, 2))
    return np.asarray(chance.permutation(np.concatenate((at_all, at_zones, anywhere))), np.float64)


def _lines(across: int, chance: np.random.Generator) -> tuple[Float64s, Float64s]:
    """All pieces of street from corner to corner, four points each: (rows + 1, columns, 4, 2) and the other way."""
    corner = np.stack(np.meshgrid(np.arange(across + 1.0), np.arange(across + 1.0)), axis=-1) * _SIDE_M
    corner += chance.uniform(-0.25 * _SIDE_M, 0.25 * _SIDE_M, corner.shape)
    return _bent(corner[:, :-1], corner[:, 1:], chance), _bent(corner[:-1], corner[1:], chance)


def _bent(begins: Float64s, ends: Float64s, chance: np.random.Generator) -> Float64s:
    share = np.array([0, 1, 2, 3])[:, None] / 3
    lines = begins[..., None, :] * (1 - share) + ends[..., None, :] * share
    lines[..., 1:3, :] += chance.uniform(-4, 4, (*lines.shape[:-2], 2, 2))
    return np.asarray(lines, np.float64)


def _zones_along(number: int, street: Float64s) -> list[Zone]:
    line = shapely.LineString(street)
    shapes = [
        (kind, shapely.buffer(shapely.offset_curve(line, away_m), half_m, cap_style="flat"))
        for away_m, half_m, kind in _STRIPS
    ]
    middle = shapely.line_interpolate_point(shapely.offset_curve(line, 10.25), 0.5, normalized=True)
    shapes.append((ZoneKind.COLLECTION_POINT, shapely.box(middle.x - 1.5, middle.y - 1, middle.x + 1.5, middle.y + 1)))
    return [
        Zone(id=f"{kind}-{number}", kind=kind, polygon_m=_turned(shape), hours=None, surface=None)
        for kind, shape in shapes
    ]


def _turned(shape: Any) -> Any:
    return affinity.rotate(shape, _TURNED_DEG, origin=(0, 0))


def _on_borders(polygons: Sequence[Any], count: int, chance: np.random.Generator) -> Float64s:
    borders = shapely.boundary(polygons)[chance.integers(0, len(polygons), count)]
    points = shapely.line_interpolate_point(borders, chance.random(count), normalized=True)
    return np.asarray(shapely.get_coordinates(points), np.float64)
