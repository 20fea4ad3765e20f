"""The metric ground plane of a site, and the one place where GeoJSON positions are swapped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import Transformer

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class GroundPlane:
    """Local metres (east, north) around an origin: transverse Mercator, true to millimetres within 10 km."""

    origin_lat: float
    origin_lng: float
    _transformer: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        plane = f"+proj=tmerc +lat_0={self.origin_lat!r} +lon_0={self.origin_lng!r} +k=1 +ellps=WGS84 +units=m"
        object.__setattr__(self, "_transformer", Transformer.from_crs("EPSG:4326", plane, always_xy=True))

    def to_ground(self, lat_lng: Float64s) -> Float64s:
        """(N, 2) degrees [lat, lng] → (N, 2) metres [east, north]."""
        degrees = np.asarray(lat_lng, np.float64).reshape(-1, 2)
        east_m, north_m = self._transformer.transform(degrees[:, 1], degrees[:, 0])
        return np.column_stack((east_m, north_m))

    def to_lat_lng(self, ground_m: Float64s) -> Float64s:
        """(N, 2) metres [east, north] → (N, 2) degrees [lat, lng]."""
        metres = np.asarray(ground_m, np.float64).reshape(-1, 2)
        lng, lat = self._transformer.transform(metres[:, 0], metres[:, 1], direction="INVERSE")
        return np.column_stack((lat, lng))


def geojson_to_lat_lng(positions: Sequence[Sequence[float]]) -> Float64s:
    """GeoJSON positions ``[[lng, lat], …]`` → (N, 2) degrees [lat, lng]."""
    return np.array([(position[1], position[0]) for position in positions], np.float64).reshape(-1, 2)
