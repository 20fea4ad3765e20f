"""Which mesh shows a body; built once per kind, size, look and pose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from sim.drawing import buses, litter, lorries, people, street_things, two_wheelers, vehicles
from sim.drawing.mesh import Mesh
from sim.street.body import OVERFLOW_FILL, Body, BodyKind

POSES = 8
_STRIDE_M = 1.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """All that decides what a thing looks like from every side.

    pose: 0 … POSES - 1, where in their stride its legs are; -1 for legs that stand still
    """

    kind: BodyKind
    length_m: float
    width_m: float
    height_m: float
    look: int
    has_rider: bool = False
    is_overfull: bool = False
    pose: int = -1

    def chances(self) -> np.random.Generator:
        """Its own source of chance, the same every time."""
        return np.random.default_rng((self.look & 0xFFFFFFFF, list(BodyKind).index(self.kind)))

    @property
    def size_m(self) -> tuple[float, float, float]:
        """Length, width, height."""
        return self.length_m, self.width_m, self.height_m


def mesh_of(body: Body) -> Mesh:
    """The mesh that shows a body, in its own axes."""
    is_walking = body.kind is BodyKind.PEDESTRIAN and body.speed_mps > 0
    return _mesh(
        Model(
            kind=body.kind,
            length_m=body.length_m,
            width_m=body.width_m,
            height_m=body.height_m,
            look=body.look,
            has_rider=body.has_rider,
            is_overfull=body.kind is BodyKind.BIN and body.fill > OVERFLOW_FILL,
            pose=_pose(body) if is_walking else -1,
        )
    )


def _pose(body: Body) -> int:
    """Where in the stride: legs move with the ground that is covered, in whatever direction."""
    ahead, _ = body.axes()
    covered_m = float(ahead @ (body.x_m, body.y_m))
    return int(covered_m / _STRIDE_M * POSES) % POSES


@lru_cache(maxsize=512)
def _mesh(model: Model) -> Mesh:
    return _BUILDERS[model.kind](model)


def _car(model: Model) -> Mesh:
    return vehicles.car(model.size_m, model.chances())


def _van(model: Model) -> Mesh:
    return vehicles.van(model.size_m, model.chances())


def _truck(model: Model) -> Mesh:
    return lorries.truck(model.size_m, model.chances())


def _bus(model: Model) -> Mesh:
    return buses.bus(model.size_m, model.chances())


def _motorcycle(model: Model) -> Mesh:
    return two_wheelers.motorcycle(model.size_m, model.chances(), has_rider=model.has_rider)


def _bicycle(model: Model) -> Mesh:
    return two_wheelers.bicycle(model.size_m, model.chances(), has_rider=model.has_rider)


def _pedestrian(model: Model) -> Mesh:
    stride = None if model.pose < 0 else model.pose / POSES
    return people.pedestrian(model.size_m, model.chances(), stride=stride)


def _stall(model: Model) -> Mesh:
    return street_things.stall(model.size_m, model.chances())


def _goods(model: Model) -> Mesh:
    return street_things.goods(model.size_m, model.chances())


def _bag(model: Model) -> Mesh:
    return litter.bag(model.size_m, model.chances())


def _garbage(model: Model) -> Mesh:
    return litter.heap(model.size_m, model.chances())


def _bin(model: Model) -> Mesh:
    return street_things.wheeled_bin(model.size_m, model.chances(), is_overfull=model.is_overfull)


_BUILDERS: MappingProxyType[BodyKind, Callable[[Model], Mesh]] = MappingProxyType(
    {
        BodyKind.CAR: _car,
        BodyKind.VAN: _van,
        BodyKind.TRUCK: _truck,
        BodyKind.BUS: _bus,
        BodyKind.MOTORCYCLE: _motorcycle,
        BodyKind.BICYCLE: _bicycle,
        BodyKind.PEDESTRIAN: _pedestrian,
        BodyKind.STALL: _stall,
        BodyKind.GOODS: _goods,
        BodyKind.BAG: _bag,
        BodyKind.GARBAGE: _garbage,
        BodyKind.BIN: _bin,
    }
)
