"""The `[street]` table of a scenario: what a street is made of, and how it becomes a `Street`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from sim.part import Part
from sim.street.street import Bay, Building, Crossing, Lamp, Lane, Rect, Side, Signal, Street, Tree, Zone, ZoneKind


def _rising(limits: tuple[float, float]) -> tuple[float, float]:
    if not limits[0] < limits[1]:
        raise ValueError(f"[{limits[0]:g}, {limits[1]:g}] does not rise; it should be [from, to]")
    return limits


Width = Annotated[float, Field(gt=0, le=30, description="metres, more than 0 and at most 30")]
Range = Annotated[tuple[float, float], AfterValidator(_rising), Field(description="[from, to] in metres, rising")]

_SURFACES = {
    ZoneKind.NO_PARKING: "roadway",
    ZoneKind.SIDEWALK: "sidewalk",
    ZoneKind.STREET: "roadway",
    ZoneKind.COLLECTION_POINT: "plaza",
}
# Houses and trees go on beyond the ends of the street, so that the view does not end in nothing.
_BEYOND_M = 90.0
_TREE_EVERY_M = 9.0
_LAMP_EVERY_M = 30.0
_FLOOR_M = 3.2


class ZonePart(Part):
    """A zone; without x_m it takes the strip that its kind is about, on its side."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="1 to 64 of A-Z a-z 0-9 _ -")
    kind: ZoneKind = Field(description="no_parking, sidewalk, street or collection_point")
    side: Side = Field(default=Side.RIGHT, description="right or left")
    y_m: Range
    x_m: Range | None = None

    @model_validator(mode="after")
    def _is_a_rectangle(self) -> ZonePart:
        if self.kind is ZoneKind.COLLECTION_POINT and self.x_m is None:
            raise ValueError("a collection_point needs x_m = [from, to]")
        return self


class BayPart(Part):
    """A row of legal parking bays in a kerb strip."""

    side: Side = Field(default=Side.RIGHT, description="right or left")
    y_m: float = Field(description="metres, where the row begins")
    count: int = Field(gt=0, le=200, description="1 … 200 bays")
    length_m: Width = 6.0


class CrossingPart(Part):
    """A zebra crossing; with green_s and red_s it has a light, with `offset_s` when green begins."""

    y_m: Range
    green_s: float | None = Field(default=None, gt=0, description="seconds, more than 0")
    red_s: float | None = Field(default=None, gt=0, description="seconds, more than 0")
    offset_s: float = 0.0

    @model_validator(mode="after")
    def _has_a_whole_light(self) -> CrossingPart:
        if (self.green_s is None) != (self.red_s is None):
            raise ValueError("a light needs both green_s and red_s")
        return self


class HousePart(Part):
    """A house beside the street; where none is written, the seed puts some."""

    side: Side = Field(default=Side.RIGHT, description="right or left")
    y_m: Range
    floors: int = Field(default=3, ge=1, le=40)
    is_shop: bool = True

    @model_validator(mode="after")
    def _has_a_front(self) -> HousePart:
        if self.y_m[0] >= self.y_m[1]:
            raise ValueError(f"y_m [{self.y_m[0]:g}, {self.y_m[1]:g}] does not rise; it should be [from, to]")
        return self


class StreetPart(Part):
    """One straight street with a lane each way; see `street.py` for its axes."""

    y_m: Range
    lane_width_m: Width = 3.5
    kerb_strip_m: Width = 2.5
    sidewalk_right_m: Width = 3.0
    sidewalk_left_m: Width = 3.0
    planting_m: Width = 2.2
    zones: tuple[ZonePart, ...] = ()
    bays: tuple[BayPart, ...] = ()
    crossings: tuple[CrossingPart, ...] = ()
    houses: tuple[HousePart, ...] = ()

    @model_validator(mode="after")
    def _has_a_length(self) -> StreetPart:
        if self.y_m[1] - self.y_m[0] < 20:
            raise ValueError(f"y_m [{self.y_m[0]:g}, {self.y_m[1]:g}] is no street; it should be 20 m long or more")
        twins = [zone.id for zone in self.zones]
        for name in twins:
            if twins.count(name) > 1:
                raise ValueError(f"zones: two zones are called {name!r}; give each its own id")
        for name, (y0, y1) in self._lengths():
            if y0 < self.y_m[0] or y1 > self.y_m[1]:
                raise ValueError(
                    f"{name} y_m [{y0:g}, {y1:g}] leaves the street, which goes from {self.y_m[0]:g} to {self.y_m[1]:g}"
                )
        return self

    def _lengths(self) -> Iterator[tuple[str, tuple[float, float]]]:
        """What lies on the street, with where it begins and ends."""
        yield from ((f"zones: {zone.id}", zone.y_m) for zone in self.zones)
        yield from ((f"crossings.{number}:", crossing.y_m) for number, crossing in enumerate(self.crossings))
        for number, row in enumerate(self.bays):
            yield f"bays.{number}:", (row.y_m, row.y_m + row.count * row.length_m)


def build_street(part: StreetPart, *, seed: int) -> Street:
    """The street of a table; houses and trees come from the seed."""
    left = -2 * (part.kerb_strip_m + part.lane_width_m)
    lanes = (
        Lane(x_m=-part.kerb_strip_m - part.lane_width_m / 2, width_m=part.lane_width_m, direction=1),
        Lane(x_m=-part.kerb_strip_m - part.lane_width_m * 1.5, width_m=part.lane_width_m, direction=-1),
    )
    right_edge, left_edge = part.sidewalk_right_m, left - part.sidewalk_left_m
    fronts = {Side.RIGHT: right_edge + part.planting_m, Side.LEFT: left_edge - part.planting_m}
    return Street(
        y_m=part.y_m,
        carriageway_x_m=(left, 0.0),
        kerb_strip_m=part.kerb_strip_m,
        sidewalk_right_x_m=(0.0, right_edge),
        sidewalk_left_x_m=(left_edge, left),
        planting_m=part.planting_m,
        lanes=lanes,
        zones=tuple(_zone(zone, part, left) for zone in part.zones),
        bays=tuple(bay for row in part.bays for bay in _bays(row, part, left)),
        crossings=tuple(_crossing(crossing) for crossing in part.crossings),
        buildings=tuple(_buildings(part, fronts, np.random.default_rng((seed, 1)))),
        trees=tuple(_trees(part, fronts, np.random.default_rng((seed, 2)))),
        lamps=tuple(_lamps(part, left)),
    )


def _zone(zone: ZonePart, part: StreetPart, left: float) -> Zone:
    x0, x1 = zone.x_m or _strip(zone.kind, zone.side, part, left)
    return Zone(
        id=zone.id,
        kind=zone.kind,
        area=Rect(x0=x0, y0=zone.y_m[0], x1=x1, y1=zone.y_m[1]),
        surface=_SURFACES[zone.kind],
    )


def _strip(kind: ZoneKind, side: Side, part: StreetPart, left: float) -> tuple[float, float]:
    if kind is ZoneKind.STREET:
        return left + part.kerb_strip_m, -part.kerb_strip_m
    if kind is ZoneKind.SIDEWALK:
        return (0.0, part.sidewalk_right_m) if side is Side.RIGHT else (left - part.sidewalk_left_m, left)
    return (-part.kerb_strip_m, 0.0) if side is Side.RIGHT else (left, left + part.kerb_strip_m)


def _bays(row: BayPart, part: StreetPart, left: float) -> Iterator[Bay]:
    x0, x1 = _strip(ZoneKind.NO_PARKING, row.side, part, left)
    for number in range(row.count):
        y0 = row.y_m + number * row.length_m
        area = Rect(x0=x0, y0=y0, x1=x1, y1=y0 + row.length_m)
        yield Bay(id=f"{row.side}-{row.y_m:g}-{number + 1}", area=area)


def _crossing(crossing: CrossingPart) -> Crossing:
    signal = None
    if crossing.green_s is not None and crossing.red_s is not None:
        signal = Signal(green_s=crossing.green_s, red_s=crossing.red_s, offset_s=crossing.offset_s)
    return Crossing(y0_m=crossing.y_m[0], y1_m=crossing.y_m[1], signal=signal)


def _buildings(part: StreetPart, fronts: dict[Side, float], rng: np.random.Generator) -> Iterator[Building]:
    """The written houses, and chance ones where they leave room."""
    for house in part.houses:
        yield _building(house, fronts[house.side], look=int(rng.integers(1 << 30)))
    for side, front_x_m in fronts.items():
        written = [house.y_m for house in part.houses if house.side is side]
        y_m = part.y_m[0] - _BEYOND_M / 2
        while y_m < part.y_m[1] + _BEYOND_M:
            house = HousePart(
                side=side,
                y_m=(y_m, y_m + float(rng.uniform(9, 22))),
                floors=int(rng.integers(2, 7)),
                is_shop=bool(rng.random() < 0.7),
            )
            if not any(begin < house.y_m[1] and house.y_m[0] < end for begin, end in written):
                yield _building(house, front_x_m, look=int(rng.integers(1 << 30)))
            y_m = house.y_m[1] + (float(rng.uniform(2, 6)) if rng.random() < 0.2 else 0.0)


def _building(house: HousePart, front_x_m: float, *, look: int) -> Building:
    return Building(
        side=house.side,
        x_m=front_x_m,
        y0_m=house.y_m[0],
        y1_m=house.y_m[1],
        height_m=_FLOOR_M * house.floors,
        is_shop=house.is_shop,
        look=look,
    )


def _trees(part: StreetPart, fronts: dict[Side, float], rng: np.random.Generator) -> Iterator[Tree]:
    recesses = [zone for zone in part.zones if zone.kind is ZoneKind.COLLECTION_POINT]
    for side, front in fronts.items():
        x_m = front - part.planting_m / 2 if side is Side.RIGHT else front + part.planting_m / 2
        for y_m in np.arange(part.y_m[0] - 20, part.y_m[1] + _BEYOND_M, _TREE_EVERY_M):
            place = float(y_m + rng.uniform(-1.5, 1.5))
            tree = Tree(
                x_m=x_m,
                y_m=place,
                height_m=float(rng.uniform(5.5, 8.5)),
                crown_m=float(rng.uniform(1.4, 2.3)),
                look=int(rng.integers(1 << 30)),
            )
            is_in_the_way = any(
                zone.y_m[0] - 1 < place < zone.y_m[1] + 1 and zone.x_m and zone.x_m[0] <= x_m <= zone.x_m[1]
                for zone in recesses
            )
            if not is_in_the_way:
                yield tree


def _lamps(part: StreetPart, left: float) -> Iterator[Lamp]:
    for index, y_m in enumerate(np.arange(part.y_m[0] + 5, part.y_m[1] + _BEYOND_M, _LAMP_EVERY_M)):
        is_right = index % 2 == 0
        x_m = part.sidewalk_right_m + 0.4 if is_right else left - part.sidewalk_left_m - 0.4
        head_x_m = x_m - 3.5 if is_right else x_m + 3.5
        yield Lamp(x_m=x_m, y_m=float(y_m), head_x_m=head_x_m, height_m=8.0)
