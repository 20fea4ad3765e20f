"""The street as a thing of metres: surfaces, zones, what stands beside it.

Axes, for everything in `sim/`: the origin lies on the right kerb line; x metres to the right of the street's
direction, y metres along it, z metres up. The carriageway lies left of x = 0, the right sidewalk right of it.
Traffic keeps right: it goes along +y on the right half and along -y on the left half.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

Float64s = npt.NDArray[np.float64]


class Side(StrEnum):
    """A side of the street, seen along +y."""

    RIGHT = "right"
    LEFT = "left"


class ZoneKind(StrEnum):
    """What a zone means; the words of zones.geojson."""

    NO_PARKING = "no_parking"
    SIDEWALK = "sidewalk"
    STREET = "street"
    COLLECTION_POINT = "collection_point"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rect:
    """An upright rectangle, x0 < x1 and y0 < y1, metres."""

    x0: float
    y0: float
    x1: float
    y1: float

    def corners(self) -> Float64s:
        """(4, 2), counter-clockwise from (x0, y0)."""
        return np.array([(self.x0, self.y0), (self.x1, self.y0), (self.x1, self.y1), (self.x0, self.y1)])

    def contains(self, x_m: float, y_m: float) -> bool:
        """Whether a point lies in it, borders included."""
        return self.x0 <= x_m <= self.x1 and self.y0 <= y_m <= self.y1


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """A driving lane; x_m is its middle, direction +1 along y or -1 against it."""

    x_m: float
    width_m: float
    direction: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """Ground with a legal meaning; surface ``roadway | sidewalk | plaza``; hours as zones.geojson writes them."""

    id: str
    kind: ZoneKind
    area: Rect
    surface: str
    hours: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bay:
    """A place where a car may park, marked by white lines."""

    id: str
    area: Rect


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A traffic light that is green at first, from offset_s on."""

    green_s: float
    red_s: float
    offset_s: float = 0.0

    def is_green(self, second: float) -> bool:
        """Whether vehicles may go."""
        return (second - self.offset_s) % (self.green_s + self.red_s) < self.green_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """A zebra crossing over the whole carriageway from y0 to y1, and the light in front of it."""

    y0_m: float
    y1_m: float
    signal: Signal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    """A house whose front lies at x_m and looks at the street; is_shop: windows and a sign at its foot."""

    side: Side
    x_m: float
    y0_m: float
    y1_m: float
    height_m: float
    is_shop: bool
    look: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A street tree; crown_m is the radius of its crown."""

    x_m: float
    y_m: float
    height_m: float
    crown_m: float
    look: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lamp:
    """A street lamp; its head hangs over the carriageway at head_x_m."""

    x_m: float
    y_m: float
    head_x_m: float
    height_m: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Street:
    """One straight street.

    y_m:              where it begins and ends
    carriageway_x_m:  left and right edge of all that vehicles use, kerb strips included; the right edge is 0
    kerb_strip_m:     width of the strips beside the lanes, on both sides, where vehicles stop or park
    sidewalk_x_m:     by side, inner and outer limits (x0 < x1)
    planting_m:       width of the green between sidewalk and houses
    """

    y_m: tuple[float, float]
    carriageway_x_m: tuple[float, float]
    kerb_strip_m: float
    sidewalk_right_x_m: tuple[float, float]
    sidewalk_left_x_m: tuple[float, float]
    planting_m: float
    lanes: tuple[Lane, ...]
    zones: tuple[Zone, ...]
    bays: tuple[Bay, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    buildings: tuple[Building, ...] = ()
    trees: tuple[Tree, ...] = ()
    lamps: tuple[Lamp, ...] = ()

    def zones_of(self, kind: ZoneKind) -> tuple[Zone, ...]:
        """The zones of one kind, in their order."""
        return tuple(zone for zone in self.zones if zone.kind is kind)
