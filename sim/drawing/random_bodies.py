"""Bodies of all kinds by chance, at places where a street has them, for pictures to train on."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TypeVar

import numpy as np
import shapely

from sim.motion.looks import size_of
from sim.street.body import OVERFLOW_FILL, TWO_WHEELERS, VEHICLES, Body, BodyKind
from sim.street.pinhole import PinholeCamera
from sim.street.street import Side, Street, ZoneKind

Choice = TypeVar("Choice")

_TRIES = 30
_GAP_M = 0.08
# Nearer ones fill the picture.
_NEAREST_M = 3.0
# Some stand so far to the side that the picture's edge cuts them.
_BESIDE_VIEW = 1.15
_MAX_LOOK = 1 << 30
_RUNNING_SHARE, _BRAKING_SHARE = 0.25, 0.3
_OVERFLOWING, _OVERFLOWING_SHARE = (1.15, 1.7), 0.4


class _Ground(StrEnum):
    """Where on the street something is."""

    LANE = "lane"
    KERB = "kerb"
    SIDEWALK = "sidewalk"
    RECESS = "recess"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stance:
    """Where something stands or goes: street metres, degrees clockwise from +y, metres a second."""

    x_m: float
    y_m: float
    heading_deg: float
    speed_mps: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Thing:
    """One of a kind before it has a place."""

    kind: BodyKind
    length_m: float
    width_m: float
    height_m: float
    look: int

    def half_across_m(self, heading_deg: float) -> float:
        """Half of what it takes across the street."""
        turn = math.radians(heading_deg)
        return (self.length_m * abs(math.sin(turn)) + self.width_m * abs(math.cos(turn))) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Who is about on a street.

    kinds:       how often each kind comes
    farthest_m:  how far from the camera they go
    smallest_px: of lower ones nobody could say what they are
    """

    kinds: Mapping[BodyKind, float]
    farthest_m: float
    smallest_px: float


_STREET_LIFE: Mapping[BodyKind, float] = MappingProxyType(
    {
        BodyKind.CAR: 0.08,
        BodyKind.VAN: 0.04,
        BodyKind.TRUCK: 0.07,
        BodyKind.BUS: 0.02,
        BodyKind.MOTORCYCLE: 0.11,
        BodyKind.BICYCLE: 0.11,
        BodyKind.PEDESTRIAN: 0.07,
        BodyKind.STALL: 0.16,
        BodyKind.GOODS: 0.02,
        BodyKind.BAG: 0.02,
        BodyKind.GARBAGE: 0.04,
        BodyKind.BIN: 0.26,
    }
)
_TRAFFIC: Mapping[BodyKind, float] = MappingProxyType(
    {
        BodyKind.CAR: 0.56,
        BodyKind.VAN: 0.12,
        BodyKind.TRUCK: 0.09,
        BodyKind.BUS: 0.06,
        BodyKind.MOTORCYCLE: 0.07,
        BodyKind.BICYCLE: 0.04,
        BodyKind.PEDESTRIAN: 0.06,
    }
)
STREET_LIFE = Crowd(kinds=_STREET_LIFE, farthest_m=60.0, smallest_px=11.0)
TRAFFIC = Crowd(kinds=_TRAFFIC, farthest_m=105.0, smallest_px=8.0)
"""What a traffic camera sees: queues down to where a car is a few pixels."""

_CARS = {_Ground.LANE: 0.5, _Ground.KERB: 0.38, _Ground.SIDEWALK: 0.12}
_LARGE = {_Ground.LANE: 0.65, _Ground.KERB: 0.35}
_CYCLES = {_Ground.LANE: 0.45, _Ground.KERB: 0.25, _Ground.SIDEWALK: 0.3}
_WARES = {_Ground.SIDEWALK: 0.75, _Ground.KERB: 0.25}
_WASTE = {_Ground.SIDEWALK: 0.5, _Ground.KERB: 0.2, _Ground.RECESS: 0.3}
_BINS = {_Ground.SIDEWALK: 0.25, _Ground.KERB: 0.1, _Ground.RECESS: 0.65}
_GROUNDS: Mapping[BodyKind, Mapping[_Ground, float]] = MappingProxyType(
    {
        BodyKind.CAR: _CARS,
        BodyKind.VAN: _CARS,
        BodyKind.TRUCK: _LARGE,
        BodyKind.BUS: _LARGE,
        BodyKind.MOTORCYCLE: _CYCLES,
        BodyKind.BICYCLE: _CYCLES,
        BodyKind.PEDESTRIAN: {_Ground.SIDEWALK: 0.75, _Ground.LANE: 0.25},
        BodyKind.STALL: _WARES,
        BodyKind.GOODS: _WARES,
        BodyKind.BAG: _WASTE,
        BodyKind.GARBAGE: _WASTE,
        BodyKind.BIN: _BINS,
    }
)
# What has no usual size: the least and the largest share of it.
_SIZE_SHARES = MappingProxyType(
    {
        BodyKind.GARBAGE: (0.5, 1.4),
        BodyKind.BAG: (0.8, 1.3),
        BodyKind.BIN: (0.85, 1.3),
        BodyKind.GOODS: (0.6, 1.3),
    }
)
_TOP_SPEED_MPS = MappingProxyType({BodyKind.MOTORCYCLE: 8.0, BodyKind.BICYCLE: 5.0, BodyKind.PEDESTRIAN: 1.6})


def random_bodies(
    rng: np.random.Generator, street: Street, camera: PinholeCamera, *, count: int, crowd: Crowd = STREET_LIFE
) -> tuple[Body, ...]:
    """At most `count` bodies before the camera whose footprints lie apart; fewer where no place is left."""
    bodies: list[Body] = []
    taken: list[shapely.Polygon] = []
    for number in range(count):
        for body in _attempts(rng, street, camera, crowd, f"{number}"):
            footprint = shapely.Polygon(body.footprint_m())
            if all(footprint.distance(other) > _GAP_M for other in taken):
                bodies.append(body)
                taken.append(footprint)
                break
    return tuple(bodies)


def _attempts(
    rng: np.random.Generator, street: Street, camera: PinholeCamera, crowd: Crowd, body_id: str
) -> Iterator[Body]:
    """One thing at one place after the other, all of them before the camera."""
    thing = _random_thing(rng, crowd)
    ground = pick(rng, _GROUNDS[thing.kind])
    for _ in range(_TRIES):
        stance = _stance(rng, street, thing, ground, _seen_y(rng, camera, crowd, thing.height_m))
        body = _body(rng, body_id, thing, ground, stance)
        if _is_before(camera, body):
            yield body


def _random_thing(rng: np.random.Generator, crowd: Crowd) -> _Thing:
    kind = pick(rng, crowd.kinds)
    look = int(rng.integers(_MAX_LOOK))
    share = float(rng.uniform(*_SIZE_SHARES.get(kind, (1.0, 1.0))))
    length_m, width_m, height_m = (size * share for size in size_of(kind, look))
    return _Thing(kind=kind, length_m=length_m, width_m=width_m, height_m=height_m, look=look)


def _body(rng: np.random.Generator, body_id: str, thing: _Thing, ground: _Ground, stance: _Stance) -> Body:
    is_vehicle, is_in_traffic = thing.kind in VEHICLES, ground is _Ground.LANE
    return Body(
        id=body_id,
        kind=thing.kind,
        x_m=stance.x_m,
        y_m=stance.y_m,
        heading_deg=stance.heading_deg,
        length_m=thing.length_m,
        width_m=thing.width_m,
        height_m=thing.height_m,
        speed_mps=stance.speed_mps,
        is_running=stance.speed_mps > 0 or (is_vehicle and bool(rng.random() < _RUNNING_SHARE)),
        is_braking=is_vehicle and is_in_traffic and bool(rng.random() < _BRAKING_SHARE),
        has_rider=thing.kind in TWO_WHEELERS and is_in_traffic,
        fill=_random_fill(rng) if thing.kind is BodyKind.BIN else 0.0,
        look=thing.look,
    )


def _random_fill(rng: np.random.Generator) -> float:
    """Of a bin: litter stands clearly above the rim, or not at all."""
    return float(rng.uniform(*_OVERFLOWING) if rng.random() < _OVERFLOWING_SHARE else rng.uniform(0, OVERFLOW_FILL))


def _seen_y(rng: np.random.Generator, camera: PinholeCamera, crowd: Crowd, height_m: float) -> float:
    """A place along the street at which the camera looks, near ones more often than far ones."""
    farthest_m = min(crowd.farthest_m, camera.focal_px * height_m / crowd.smallest_px)
    distance_m = math.exp(rng.uniform(math.log(_NEAREST_M), math.log(max(farthest_m, 2 * _NEAREST_M))))
    half_view = math.atan(camera.size_px[0] / 2 / camera.focal_px) * _BESIDE_VIEW
    angle = math.radians(camera.heading_deg) + float(rng.uniform(-half_view, half_view))
    return camera.y_m + distance_m * math.cos(angle)


def _is_before(camera: PinholeCamera, body: Body) -> bool:
    """Whether any of it is in the picture, and it is not so near that it is nothing but a wall.

    What the picture's edge cuts belongs there as well: who learns from whole things alone has to guess at slivers.
    """
    if math.hypot(body.x_m - camera.x_m, body.y_m - camera.y_m) < _NEAREST_M + 0.7 * body.length_m:
        return False
    ground = body.footprint_m()
    corners = np.concatenate([np.insert(ground, 2, height_m, axis=1) for height_m in (0.0, body.height_m)])
    px = camera.project(corners)
    # NaN, behind the camera, fails both.
    return bool((px.max(axis=0) > 0).all() and (px.min(axis=0) < camera.size_px).all())


def _stance(rng: np.random.Generator, street: Street, thing: _Thing, ground: _Ground, y_m: float) -> _Stance:
    """Where it stands or goes on this ground, near y_m; without a recess, on a sidewalk."""
    if ground is _Ground.RECESS and street.zones_of(ZoneKind.COLLECTION_POINT):
        return _in_recess(rng, street, thing)
    if ground is _Ground.LANE:
        return _crossing(rng, street, y_m) if thing.kind is BodyKind.PEDESTRIAN else _in_lane(rng, street, thing, y_m)
    side = Side.RIGHT if rng.random() < 0.5 else Side.LEFT
    if ground is _Ground.KERB:
        return _at_kerb(rng, street, side, thing, y_m)
    return _on_sidewalk(rng, street, side, thing, y_m)


def _in_recess(rng: np.random.Generator, street: Street, thing: _Thing) -> _Stance:
    """In a collection point, its front towards the carriageway."""
    zones = street.zones_of(ZoneKind.COLLECTION_POINT)
    area = zones[int(rng.integers(len(zones)))].area
    return _Stance(
        x_m=_inside(rng, (area.x0, area.x1), thing.length_m),
        y_m=_inside(rng, (area.y0, area.y1), thing.width_m),
        heading_deg=(-90.0 if area.x0 >= 0 else 90.0) + float(rng.normal(0, 8)),
    )


def _in_lane(rng: np.random.Generator, street: Street, thing: _Thing, y_m: float) -> _Stance:
    """In the traffic; two-wheelers keep to its edge, some vehicles stand."""
    lane = street.lanes[int(rng.integers(len(street.lanes)))]
    edge_m = lane.direction * lane.width_m * 0.3 if thing.kind in TWO_WHEELERS else 0.0
    is_standing = thing.kind in VEHICLES and rng.random() < 0.35
    return _Stance(
        x_m=lane.x_m + edge_m + float(rng.uniform(-0.3, 0.3)),
        y_m=y_m,
        heading_deg=(0.0 if lane.direction > 0 else 180.0) + float(rng.normal(0, 2)),
        speed_mps=0.0 if is_standing else float(rng.uniform(0.3, 1.0)) * _TOP_SPEED_MPS.get(thing.kind, 11.0),
    )


def _crossing(rng: np.random.Generator, street: Street, y_m: float) -> _Stance:
    """Somebody on the way to the other side."""
    return _Stance(
        x_m=float(rng.uniform(*street.carriageway_x_m)),
        y_m=y_m,
        heading_deg=float(rng.choice((-90.0, 90.0)) + rng.normal(0, 12)),
        speed_mps=float(rng.uniform(0.8, _TOP_SPEED_MPS[BodyKind.PEDESTRIAN])),
    )


def _at_kerb(rng: np.random.Generator, street: Street, side: Side, thing: _Thing, y_m: float) -> _Stance:
    """On the carriageway beside the kerb: vehicles along it, in a bay's middle where there is one."""
    inwards, kerb_x_m = (-1, 0.0) if side is Side.RIGHT else (1, street.carriageway_x_m[0])
    along_deg = (0.0 if side is Side.RIGHT else 180.0) + float(rng.normal(0, 3))
    if thing.kind in VEHICLES:
        x_m = kerb_x_m + inwards * (float(rng.uniform(0.1, 0.5)) + thing.width_m / 2)
        middles = [(bay.area.y0 + bay.area.y1) / 2 for bay in street.bays if bay.area.contains(x_m, y_m)]
        y_m = middles[0] + float(rng.uniform(-0.4, 0.4)) if middles else y_m
        return _Stance(x_m=x_m, y_m=y_m, heading_deg=along_deg + (180.0 if rng.random() < 0.1 else 0.0))
    turn_deg = float(rng.choice((0.0, 90.0, 180.0, 270.0)) + rng.normal(0, 10))
    half_m = thing.half_across_m(turn_deg)
    return _Stance(x_m=kerb_x_m + inwards * (float(rng.uniform(0.05, 0.6)) + half_m), y_m=y_m, heading_deg=turn_deg)


def _on_sidewalk(rng: np.random.Generator, street: Street, side: Side, thing: _Thing, y_m: float) -> _Stance:
    """Beside the carriageway: vehicles along it or a little askew, all else as it comes."""
    limits = street.sidewalk_right_x_m if side is Side.RIGHT else street.sidewalk_left_x_m
    if thing.kind in VEHICLES:
        heading_deg = float(rng.choice((0.0, 180.0)) + rng.normal(0, 9))
    elif thing.kind is BodyKind.PEDESTRIAN:
        heading_deg = float(rng.uniform(0, 360))
    else:
        heading_deg = float(rng.choice((0.0, 90.0, 180.0, 270.0)) + rng.normal(0, 10))
    is_walking = thing.kind is BodyKind.PEDESTRIAN and rng.random() < 0.7
    return _Stance(
        x_m=_inside(rng, limits, 2 * thing.half_across_m(heading_deg)),
        y_m=y_m,
        heading_deg=heading_deg,
        speed_mps=float(rng.uniform(0.6, _TOP_SPEED_MPS[thing.kind])) if is_walking else 0.0,
    )


def _inside(rng: np.random.Generator, limits: tuple[float, float], across_m: float) -> float:
    """A middle for something this wide between two limits; half-way where it does not fit."""
    room_m = max(0.0, limits[1] - limits[0] - across_m)
    return (limits[0] + limits[1]) / 2 + float(rng.uniform(-0.5, 0.5)) * room_m


def pick(rng: np.random.Generator, shares: Mapping[Choice, float]) -> Choice:
    """One of the keys, as often as its share says."""
    weights = np.array(list(shares.values()))
    return list(shares)[int(rng.choice(len(weights), p=weights / weights.sum()))]
