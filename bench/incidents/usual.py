"""The cameras and things that most scenarios share."""

from __future__ import annotations

from dataclasses import replace

from bench.incidents.actors import Actor, parks, passes, stands
from bench.incidents.scenario import Scenario
from sim.street.body import BodyKind
from sim.street.pinhole import PinholeCamera

SIX_M = PinholeCamera(size_px=(960, 540), focal_px=850, height_m=6.0, tilt_deg=17, heading_deg=4, x_m=-4.5, y_m=-4.0)
TEN_M = PinholeCamera(size_px=(1280, 720), focal_px=1250, height_m=10.0, tilt_deg=22, heading_deg=10, x_m=-6, y_m=-8)
LOW = PinholeCamera(size_px=(960, 540), focal_px=700, height_m=4.2, tilt_deg=14, heading_deg=-6, x_m=1.0, y_m=-3.0)
KERB_M = -1.2
CAR = parks("car", KERB_M, 16, 20, 200)
HEAP = stands("heap", BodyKind.GARBAGE, 1.6, 14, 20, 200)
TRAFFIC = tuple(passes(f"lane-{n}", -6.5, 3.0 + 9 * n) for n in range(26))
FAR = parks("far", KERB_M, 36, 30, 210)


def scenario(name: str, says: str, *actors: Actor, seconds: float = 260, **facts: object) -> Scenario:
    """A scenario before the camera at six metres, but for the facts named."""
    plain = Scenario(name=name, says=says, seconds=seconds, actors=actors, camera=SIX_M)
    return replace(plain, **facts)  # type: ignore[arg-type]


def heap(x_m: float, y_m: float, from_s: float, until_s: float, name: str = "heap") -> Actor:
    """Garbage that is put down and taken away."""
    return stands(name, BodyKind.GARBAGE, x_m, y_m, from_s, until_s)
