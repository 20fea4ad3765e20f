"""What obstacles leave of a sidewalk, measured from trembling boxes, against what they leave in truth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pytest
import shapely

from bench.incidents.actors import stands
from bench.incidents.delivery import play
from bench.incidents.scenario import CAMERA_ID, Noise
from bench.incidents.site_files import built_site
from bench.incidents.usual import SIX_M, TEN_M, scenario
from detectors.classes import Role
from geofence.judge import CameraState, judge_frame
from geofence.recorded import parse_recorded
from geofence.rules import breaches_of
from sim.street.body import BodyKind
from sim.street.pinhole import PinholeCamera

SIDEWALK_M, WALL_M = (0.2, 3.4), 3.2


@dataclass(frozen=True)
class Measured:
    """One stall that has stood for half a minute: what it leaves in truth and as measured, and whether that is told."""

    true_m: float
    clear_m: float
    is_told: bool


def measure(wide_m: float, left_m: float, y_m: float, *, seed: int, camera: PinholeCamera, jitter: float) -> Measured:
    stall = stands("stall", BodyKind.STALL, SIDEWALK_M[0] + left_m + wide_m / 2, y_m, 2, 60, heading_deg=90)
    street = scenario("x", "x", replace(stall, size_m=(wide_m, 1.25, 2.15)), seconds=36, noise=Noise(jitter=jitter))
    street = replace(street, camera=camera, seed=seed)
    site, state = built_site(street), CameraState()
    for frame in parse_recorded(site, play(street).lines):
        state, _ = judge_frame(site, CAMERA_ID, frame.captured_at, frame.detections, state)
    visits = [visit for visit in state.memory.visits if site.classes.by_name[visit.name].role == Role.OBSTACLE]
    shapes = [shapely.Polygon(visit.footprint.corners_m) for visit in visits if visit.footprint is not None]
    (walkway,) = site.walkways.values()
    assert state.memory.last_frame_at is not None
    told = breaches_of(site, state.memory.visits, state.memory.last_frame_at, {})
    return Measured(WALL_M - wide_m, walkway.clear_width_m(shapely.union_all(shapes)), bool(told))


@pytest.fixture(scope="module")
def measured() -> list[Measured]:
    return [
        measure(wide_m, left_m, y_m, seed=seed, camera=camera, jitter=jitter)
        for (wide_m, left_m), y_m, (seed, camera, jitter) in product(
            ((1.9, 0.0), (1.9, 1.3), (1.6, 0.0), (1.6, 1.6)),
            (9.0, 15.0, 22.0, 30.0, 38.0),
            ((1, SIX_M, 0.01), (2, SIX_M, 0.02), (3, TEN_M, 0.01), (4, TEN_M, 0.02)),
        )
    ]


def test_the_clear_width_is_right_to_thirty_centimetres(measured: list[Measured]) -> None:
    off_m = np.array([abs(one.clear_m - one.true_m) for one in measured])
    assert np.quantile(off_m, 0.95) <= 0.3
    assert off_m.max() <= 0.4


def test_what_leaves_1_3_metres_is_told_and_what_leaves_1_6_is_not(measured: list[Measured]) -> None:
    assert {one.is_told for one in measured if one.true_m < 1.5} == {True}
    assert {one.is_told for one in measured if one.true_m > 1.5} == {False}
