"""Places along a lane and beside it, on the ground in metres."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt

# What stands or drives no further than this beside a vehicle's middle is in its lane.
ASIDE_M = 1.2

Metres = TypeVar("Metres", float, npt.NDArray[np.float64])
Axis = tuple[float, float]


def axis_of(lane_rad: float) -> Axis:
    """[east, north] unit vector along a lane of that direction, clockwise from north."""
    return math.sin(lane_rad), math.cos(lane_rad)


def along_and_aside_m(axis: Axis, east_m: Metres, north_m: Metres) -> tuple[Metres, Metres]:
    """How far along a lane, with its sign, and how far beside it a place lies that is so far east and north."""
    return east_m * axis[0] + north_m * axis[1], abs(east_m * axis[1] - north_m * axis[0])
