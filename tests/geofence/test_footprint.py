"""Footprints: where a thing stands on the ground, how it lies, how sure that is, and when nothing can be said."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from detectors.classes import load_classes
from geofence.boxes import Box
from geofence.footprint import Footing, Footprint, fit_footprints, stated_sigma_m
from geofence.homography import Homography, fit_homography
from geofence.pose import Pose, camera_pose
from sim.street.pinhole import PinholeCamera
from tests.geofence.conftest import Pinhole

TABLE = load_classes()
CAMERA = Pinhole(heading_deg=0.0)
NAMES = ["car", "van", "truck", "bicycle", "garbage_bin", "garbage", "stall"]


def homography_of(camera: Pinhole) -> Homography:
    local_m = [(-3.0, 8.0), (3.0, 8.0), (-4.0, 14.0), (4.0, 14.0), (-3.0, 25.0), (5.0, 30.0)]
    px = np.array([camera.local_to_pixel(x, y) for x, y in local_m])
    ground_m = np.array([camera.local_to_ground(x, y) for x, y in local_m])
    return fit_homography(px, ground_m, camera_id="cam")


HOMOGRAPHY = homography_of(CAMERA)
POSE = camera_pose(HOMOGRAPHY, (960, 540))


def footprint_of(name: str, box: Box, *, axis_rad: float | None = 0.0, unseen_edges: str = "") -> Footprint | None:
    footing = Footing(xyxy=box, unseen_edges=unseen_edges, object_class=TABLE.by_name[name], axis_rad=axis_rad)
    return fit_footprints(HOMOGRAPHY, POSE, [footing])[0]


def known(footprint: Footprint | None) -> Footprint:
    assert footprint is not None
    return footprint


def box_of(name: str, x: float, y: float, *, is_across: bool = False) -> Box:
    """The box of a usual thing of this class whose near side is centred at (x, y)."""
    row = TABLE.by_name[name]
    sides = (row.length_m, row.width_m) if is_across else (row.width_m, row.length_m)
    return CAMERA.box_of(x, y, *sides, row.height_m)


@settings(max_examples=80, deadline=None)
@given(st.floats(-4, 4), st.floats(10, 36), st.sampled_from(NAMES), st.booleans())
def test_a_usual_thing_is_found_where_it_stands(x: float, y: float, name: str, is_across: bool) -> None:
    row = TABLE.by_name[name]
    depth_m = row.width_m if is_across else row.length_m
    box = box_of(name, x, y, is_across=is_across)
    assume(box[0] > 0 and box[2] < CAMERA.size_px[0] and box[3] < CAMERA.size_px[1])
    footprint = known(footprint_of(name, box))
    assert math.dist(footprint.center_m, CAMERA.local_to_ground(x, y + depth_m / 2)) < 0.4


@dataclass(frozen=True)
class Placed:
    """A thing of a true place, as some camera sees it."""

    name: str
    box: npt.NDArray[np.float64]
    center_m: tuple[float, float]
    homography: Homography
    pose: Pose | None


def random_things(chance: np.random.Generator, count: int) -> Iterator[Placed]:
    """Things up to 40 m before cameras of many heights, angles and lenses; sizes and directions as in streets."""
    made = 0
    while made < count:
        camera = PinholeCamera(
            size_px=(960, 540),
            focal_px=chance.uniform(600, 1400),
            height_m=chance.uniform(4, 10),
            tilt_deg=chance.uniform(12, 35),
            heading_deg=chance.uniform(-40, 40),
        )
        ground_m = np.array([(x, y) for x in (-8.0, -3.0, 3.0, 8.0) for y in (8.0, 14.0, 22.0, 35.0)])
        px = camera.project(np.column_stack((ground_m, np.zeros(len(ground_m)))))
        shown = (px > 0).all(axis=1) & (px < camera.size_px).all(axis=1)
        if shown.sum() < 8:
            continue
        homography = fit_homography(px[shown] + chance.normal(0, 0.5, px[shown].shape), ground_m[shown], camera_id="c")
        pose = camera_pose(homography, (960, 540))
        for _ in range(5):
            name = str(chance.choice(NAMES))
            row = TABLE.by_name[name]
            sides = np.array([row.length_m, row.width_m, row.height_m]) * np.exp(chance.normal(0, 0.06, 3))
            angle = math.radians(camera.heading_deg + chance.uniform(-20, 20))
            reach_m = chance.uniform(8, 40)
            place = np.array([reach_m * math.sin(angle), reach_m * math.cos(angle)])
            heading = chance.choice([0.0, math.pi / 2], p=[0.7, 0.3]) + chance.normal(0, 0.03)
            along = np.array([math.sin(heading), math.cos(heading)])
            across = np.array([along[1], -along[0]])
            feet = [place + a * sides[0] / 2 * along + b * sides[1] / 2 * across for a in (-1, 1) for b in (-1, 1)]
            seen = camera.project(np.array([[*foot, z] for foot in feet for z in (0.0, sides[2])]))
            box = np.array([*seen.min(axis=0), *seen.max(axis=0)])
            is_whole = np.isfinite(seen).all() and (seen > 2).all() and (seen < np.array([958, 538])).all()
            if is_whole and max(box[2] - box[0], box[3] - box[1]) >= 12:
                made += 1
                yield Placed(name, box, (float(place[0]), float(place[1])), homography, pose)


def test_p95_of_the_ground_error_is_far_below_one_and_a_half_metres_within_forty() -> None:
    chance = np.random.default_rng(721)
    errors_m, sigmas_m, contact_m = [], [], []
    for thing in random_things(chance, 300):
        sides = np.tile(thing.box[2:] - thing.box[:2], 2)
        x0, y0, x1, y1 = (float(edge) for edge in thing.box + sides * chance.normal(0, 0.02, 4))
        footing = Footing(xyxy=(x0, y0, x1, y1), unseen_edges="", object_class=TABLE.by_name[thing.name], axis_rad=0.0)
        found = known(fit_footprints(thing.homography, thing.pose, [footing])[0])
        contact = known(fit_footprints(thing.homography, None, [footing])[0])
        errors_m.append(math.dist(found.center_m, thing.center_m))
        sigmas_m.append(found.sigma_m)
        contact_m.append(math.dist(contact.center_m, thing.center_m))
    assert np.percentile(errors_m, 95) < 0.8
    assert np.percentile(errors_m, 95) < np.percentile(contact_m, 95) / 2
    # What is said to be uncertain is: at most 1 in 20 lies further off than three times as much.
    assert np.percentile(np.array(errors_m) / np.array(sigmas_m), 95) < 3


def test_a_car_parked_along_the_lane_lies_along_it_and_one_across_it_across() -> None:
    along = known(footprint_of("car", box_of("car", -2.0, 14.0)))
    across = known(footprint_of("car", box_of("car", -2.0, 14.0, is_across=True)))
    assert math.sin(along.heading_rad) == pytest.approx(0, abs=1e-6)
    assert math.cos(across.heading_rad) == pytest.approx(0, abs=1e-6)
    for footprint in (along, across):
        assert shapely.Polygon(footprint.corners_m).area == pytest.approx(4.6 * 1.8, rel=0.1)


def test_a_thing_whose_foot_is_hidden_is_placed_by_what_is_seen_of_it() -> None:
    x0, y0, x1, y1 = box_of("car", -2.0, 16.0)
    shown = (x0, y0, x1, y0 + 0.6 * (y1 - y0))
    blind = known(footprint_of("car", shown))
    told = known(footprint_of("car", shown, unseen_edges="B"))
    truth = CAMERA.local_to_ground(-2.0, 18.3)
    assert math.dist(told.center_m, truth) < 1.0 < math.dist(blind.center_m, truth)
    assert told.sigma_m > known(footprint_of("car", (x0, y0, x1, y1))).sigma_m


def test_a_thing_that_the_edge_cuts_is_placed_by_its_other_edges() -> None:
    x0, y0, x1, y1 = box_of("car", -2.0, 14.0)
    half = ((x0 + x1) / 2, y0, x1, y1)
    told = known(footprint_of("car", half, unseen_edges="L"))
    assert math.dist(told.center_m, CAMERA.local_to_ground(-2.0, 16.3)) < 0.7


@pytest.mark.parametrize("box", [(400.0, -80.0, 500.0, -30.0), (400.0, -90.0, 500.0, -21.0)])
def test_boxes_at_and_above_the_horizon_have_no_footprint(box: Box) -> None:
    assert footprint_of("car", box) is None


def test_without_a_pose_the_contact_edge_goes_away_from_the_camera_as_deep_as_the_class() -> None:
    (x0, y0), (x1, y1) = CAMERA.local_to_pixel(-0.9, 12.0), CAMERA.local_to_pixel(0.9, 12.0)
    car = TABLE.by_name["car"]
    footing = Footing(xyxy=(x0, y0 - 100, x1, y1), unseen_edges="", object_class=car, axis_rad=0.0)
    corners = np.array(known(fit_footprints(HOMOGRAPHY, None, [footing])[0]).corners_m)
    assert np.allclose(corners[0], CAMERA.local_to_ground(-0.9, 12.0), atol=1e-3)
    assert np.allclose(corners[2:].mean(axis=0), CAMERA.local_to_ground(0.0, 12.0 + car.length_m), atol=1e-2)


def test_what_is_stated_of_a_place_is_never_less_than_the_thing_s_own_shape() -> None:
    car = TABLE.by_name["car"]
    assert stated_sigma_m(0.0, car) == pytest.approx(0.2 * math.sqrt(car.length_m * car.width_m))
    assert stated_sigma_m(2.0, car) == pytest.approx(math.hypot(2.0, stated_sigma_m(0.0, car)))
    assert stated_sigma_m(0.0, TABLE.by_name["garbage_bin"]) < stated_sigma_m(0.0, car) < 0.6


def test_no_boxes_give_no_footprints() -> None:
    assert fit_footprints(HOMOGRAPHY, POSE, []) == []
