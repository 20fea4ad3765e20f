"""One thing on the street at one moment: what the painter draws and the truth speaks about."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

Float64s = npt.NDArray[np.float64]


class BodyKind(StrEnum):
    """What can be on the street."""

    CAR = "car"
    VAN = "van"
    TRUCK = "truck"
    BUS = "bus"
    MOTORCYCLE = "motorcycle"
    BICYCLE = "bicycle"
    PEDESTRIAN = "pedestrian"
    STALL = "stall"
    GOODS = "goods"
    BAG = "bag"
    GARBAGE = "garbage"
    BIN = "bin"


VEHICLES = frozenset({BodyKind.CAR, BodyKind.VAN, BodyKind.TRUCK, BodyKind.BUS})
TWO_WHEELERS = frozenset({BodyKind.MOTORCYCLE, BodyKind.BICYCLE})
GARBAGE = frozenset({BodyKind.BAG, BodyKind.GARBAGE})
# The bin's litter stands above its rim from here on.
OVERFLOW_FILL = 1.0

# length (along the heading), width, height in metres
SIZE_M = MappingProxyType(
    {
        BodyKind.CAR: (4.6, 1.82, 1.48),
        BodyKind.VAN: (5.0, 1.90, 1.98),
        BodyKind.TRUCK: (6.6, 2.20, 2.70),
        BodyKind.BUS: (11.4, 2.52, 3.10),
        BodyKind.MOTORCYCLE: (1.9, 0.72, 1.12),
        BodyKind.BICYCLE: (1.75, 0.58, 1.08),
        BodyKind.PEDESTRIAN: (0.42, 0.56, 1.70),
        BodyKind.STALL: (1.9, 1.25, 2.15),
        BodyKind.GOODS: (1.5, 1.1, 1.0),
        BodyKind.BAG: (0.6, 0.6, 0.5),
        BodyKind.GARBAGE: (1.8, 1.5, 0.7),
        BodyKind.BIN: (0.72, 0.6, 1.08),
    }
)

# Names of the detector's classes (configs/classes.toml); a kind without one is called by its own name.
_CLASS_NAMES = MappingProxyType(
    {
        BodyKind.VAN: "car",
        BodyKind.PEDESTRIAN: "person",
        BodyKind.BAG: "garbage",
        BodyKind.BIN: "garbage_bin",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A solid thing standing on the ground, in street metres (see `street.py` for the axes).

    id:          of the actor, unique in a scenario and the same from frame to frame
    x_m, y_m:    middle of its footprint; heading_deg: clockwise from the y axis, where its front points
    length_m:    along the heading; width_m across it; height_m
    speed_mps:   along the heading
    is_running:  its engine is on: lamps burn when it is dark
    is_braking:  brake lamps burn
    has_rider:   of a two-wheeler: somebody sits on it
    fill:        of a bin, 0 empty … 1 full; above that litter stands above the rim
    look:        seed of colour and shape, the same in every frame
    """

    id: str
    kind: BodyKind
    x_m: float
    y_m: float
    heading_deg: float = 0.0
    length_m: float
    width_m: float
    height_m: float
    speed_mps: float = 0.0
    is_running: bool = False
    is_braking: bool = False
    has_rider: bool = False
    fill: float = 0.0
    look: int = 0

    @property
    def class_name(self) -> str:
        """Name of the detector class that it should be found as."""
        if self.kind is BodyKind.BIN and self.fill > OVERFLOW_FILL:
            return "overflow"
        return _CLASS_NAMES.get(self.kind, self.kind.value)

    def footprint_m(self) -> Float64s:
        """(4, 2) [x, y] of its ground rectangle: front right, front left, back left, back right."""
        ahead, right = self.axes()
        half_length, half_width = ahead * self.length_m / 2, right * self.width_m / 2
        middle = np.array([self.x_m, self.y_m])
        return np.stack(
            (
                middle + half_length + half_width,
                middle + half_length - half_width,
                middle - half_length - half_width,
                middle - half_length + half_width,
            )
        )

    def axes(self) -> tuple[Float64s, Float64s]:
        """Unit vectors [x, y] of its own ahead and right."""
        turn = math.radians(self.heading_deg)
        return np.array([math.sin(turn), math.cos(turn)]), np.array([math.cos(turn), -math.sin(turn)])
