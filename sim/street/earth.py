"""Where the street lies on earth: street metres ↔ WGS 84, and the unit grid around it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarthFrame:
    """A local metric frame: transverse Mercator around an origin, turned clockwise by bearing_deg.

    [x, y] at bearing 0 are metres east and north of the origin.
    """

    lat: float
    lng: float
    bearing_deg: float = 0.0
    _transformer: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        plane = f"+proj=tmerc +lat_0={self.lat!r} +lon_0={self.lng!r} +k=1 +ellps=WGS84 +units=m"
        object.__setattr__(self, "_transformer", Transformer.from_crs("EPSG:4326", plane, always_xy=True))

    def to_lat_lng(self, local_m: Float64s) -> Float64s:
        """(N, 2) metres [x, y] → (N, 2) degrees [lat, lng]."""
        x_m, y_m = np.asarray(local_m, np.float64).reshape(-1, 2).T
        turn = math.radians(self.bearing_deg)
        east_m = x_m * math.cos(turn) + y_m * math.sin(turn)
        north_m = -x_m * math.sin(turn) + y_m * math.cos(turn)
        lng, lat = self._transformer.transform(east_m, north_m, direction="INVERSE")
        return np.column_stack((lat, lng))

    def to_local(self, lat_lng: Float64s) -> Float64s:
        """(N, 2) degrees [lat, lng] → (N, 2) metres [x, y]."""
        lat, lng = np.asarray(lat_lng, np.float64).reshape(-1, 2).T
        east_m, north_m = self._transformer.transform(lng, lat)
        turn = math.radians(self.bearing_deg)
        return np.column_stack(
            (east_m * math.cos(turn) - north_m * math.sin(turn), east_m * math.sin(turn) + north_m * math.cos(turn))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitGrid:
    """Square unit grid cells, numbered from west to east in rows from north to south.

    middle: frame at the middle of the grid with bearing 0
    prefix: the first 12 characters of every code; the cell's number makes it 15
    """

    middle: EarthFrame
    prefix: str
    cell_m: float
    columns: int
    rows: int

    def codes(self) -> tuple[str, ...]:
        """All codes, in the order of their numbers."""
        return tuple(f"{self.prefix}{number + 1:03d}" for number in range(self.columns * self.rows))

    def corners_of(self, number: int) -> Float64s:
        """(4, 2) degrees [lat, lng] of the cell with this index, counter-clockwise from the south-west."""
        row, column = divmod(number, self.columns)
        west = (column - self.columns / 2) * self.cell_m
        north = (self.rows / 2 - row) * self.cell_m
        east, south = west + self.cell_m, north - self.cell_m
        return self.middle.to_lat_lng(np.array([(west, south), (east, south), (east, north), (west, north)]))

    def cells_at(self, lat_lng: Float64s) -> list[str | None]:
        """Codes of the cells that contain (N, 2) degrees [lat, lng]; None outside the grid."""
        local_m = self.middle.to_local(lat_lng)
        columns = np.floor(local_m[:, 0] / self.cell_m + self.columns / 2).astype(int)
        rows = np.floor(self.rows / 2 - local_m[:, 1] / self.cell_m).astype(int)
        codes = self.codes()
        return [
            codes[row * self.columns + column] if 0 <= column < self.columns and 0 <= row < self.rows else None
            for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        ]
