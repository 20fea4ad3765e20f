"""A street built by hand, a small camera above it, and bodies on it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.pinhole import PinholeCamera
from sim.street.street import Building, Crossing, Lamp, Lane, Side, Signal, Street, Tree, Zone

MakeBody = Callable[..., Body]


@pytest.fixture(scope="session")
def camera() -> PinholeCamera:
    """Small pictures: the empty street is painted anew for every weather."""
    return PinholeCamera(size_px=(320, 180), focal_px=265.0, height_m=5.5, tilt_deg=20.0, x_m=-1.0)


@pytest.fixture(scope="session")
def street() -> Street:
    """A lane each way, houses, trees, lamps and a signal."""
    return hand_made_street()


def hand_made_street(zones: tuple[Zone, ...] = (), trees_x_m: float = 4.1) -> Street:
    """The street of these tests; trees stand at trees_x_m."""
    return Street(
        y_m=(-20.0, 170.0),
        carriageway_x_m=(-12.0, 0.0),
        kerb_strip_m=2.5,
        sidewalk_right_x_m=(0.0, 3.0),
        sidewalk_left_x_m=(-15.0, -12.0),
        planting_m=2.2,
        lanes=(Lane(x_m=-4.25, width_m=3.5, direction=1), Lane(x_m=-7.75, width_m=3.5, direction=-1)),
        zones=zones,
        crossings=(Crossing(y0_m=46.0, y1_m=50.0, signal=Signal(green_s=30.0, red_s=20.0)),),
        buildings=tuple(
            Building(
                side=side,
                x_m=x_m,
                y0_m=20.0 * number,
                y1_m=20.0 * number + 18.0,
                height_m=12.0,
                is_shop=number % 2 == 0,
                look=number,
            )
            for side, x_m in ((Side.RIGHT, 5.2), (Side.LEFT, -17.2))
            for number in range(9)
        ),
        trees=tuple(
            Tree(x_m=trees_x_m, y_m=y_m, height_m=6.5, crown_m=1.8, look=int(y_m))
            for y_m in np.arange(16.0, 160.0, 9.0).tolist()
        ),
        lamps=tuple(
            Lamp(x_m=3.4, y_m=y_m, head_x_m=-0.1, height_m=8.0) for y_m in np.arange(12.0, 150.0, 30.0).tolist()
        ),
    )


@pytest.fixture(scope="session")
def make_body() -> MakeBody:
    """A body of a kind at a place, of its kind's usual size."""

    def make(kind: BodyKind, x_m: float, y_m: float, *, name: str = "", **rest: float) -> Body:
        length_m, width_m, height_m = SIZE_M[kind]
        size = {"length_m": length_m, "width_m": width_m, "height_m": height_m}
        return Body(id=name or f"{kind}@{x_m},{y_m}", kind=kind, x_m=x_m, y_m=y_m, **{**size, **rest})  # type: ignore[arg-type]

    return make
