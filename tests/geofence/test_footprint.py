"""Footprints: where a box stands on the ground, how deep, and when nothing can be said."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.classes import ClassTable, load_classes
from geofence.footprint import Footprints, project_footprints
from geofence.homography import Homography, fit_homography
from tests.geofence.conftest import Box, Pinhole

TABLE = load_classes()
CAMERA = Pinhole()


def homography_of(camera: Pinhole) -> Homography:
    local_m = [(-3.0, 8.0), (3.0, 8.0), (-4.0, 14.0), (4.0, 14.0), (-3.0, 25.0), (5.0, 30.0)]
    px = np.array([camera.local_to_pixel(x, y) for x, y in local_m])
    ground_m = np.array([camera.local_to_ground(x, y) for x, y in local_m])
    return fit_homography(px, ground_m, camera_id="cam")


def footprints_of(*seen: tuple[str, Box], table: ClassTable = TABLE) -> Footprints:
    return project_footprints(
        np.array([box for _, box in seen], np.float64).reshape(-1, 4),
        np.array([table.by_name[name].id for name, _ in seen], np.int32),
        homography=homography_of(CAMERA),
        classes=table,
        size_px=(960, 540),
    )


@settings(max_examples=100)
@given(st.floats(-4, 4), st.floats(9, 38), st.sampled_from(["garbage", "garbage_bin", "car", "bicycle"]))
def test_centre_is_within_a_metre_of_the_true_one(x: float, y: float, name: str) -> None:
    row = TABLE.by_name[name]
    box = CAMERA.box_of(x, y, row.width_m, row.length_m, row.height_m)
    centre = footprints_of((name, box)).center_m[0]
    assert math.dist(centre, CAMERA.local_to_ground(x, y + row.length_m / 2)) < 1.0


def test_p95_of_ground_error_is_below_one_and_a_half_metres_with_pixel_noise() -> None:
    random = np.random.default_rng(721)
    errors_m = []
    for _ in range(400):
        name = str(random.choice(["garbage", "garbage_bin", "car", "bicycle", "truck"]))
        row = TABLE.by_name[name]
        x, y = float(random.uniform(-5, 5)), float(random.uniform(9, 38))
        box = np.array(CAMERA.box_of(x, y, row.width_m, row.length_m, row.height_m)) + random.normal(0, 1, 4)
        centre = footprints_of((name, (box[0], box[1], box[2], box[3]))).center_m[0]
        errors_m.append(math.dist(centre, CAMERA.local_to_ground(x, y + row.length_m / 2)))
    assert np.percentile(errors_m, 95) < 1.5


def test_contact_edge_is_the_lower_edge_and_depth_goes_away_from_the_camera() -> None:
    car = TABLE.by_name["car"]
    (x0, y0), (x1, y1) = CAMERA.local_to_pixel(-0.9, 12.0), CAMERA.local_to_pixel(0.9, 12.0)
    polygon = footprints_of(("car", (x0, y0 - 100, x1, y1))).polygon_m[0]
    assert np.allclose(polygon[0], CAMERA.local_to_ground(-0.9, 12.0), atol=1e-3)
    assert np.allclose(polygon[1], CAMERA.local_to_ground(0.9, 12.0), atol=1e-3)
    assert np.allclose(polygon[2:].mean(axis=0), CAMERA.local_to_ground(0.0, 12.0 + car.length_m), atol=1e-2)


def test_a_car_seen_from_its_side_is_as_deep_as_it_is_wide() -> None:
    (x0, y0), (x1, _) = CAMERA.local_to_pixel(-2.3, 14.0), CAMERA.local_to_pixel(2.3, 14.0)
    polygon = footprints_of(("car", (x0, y0 - 80, x1, y0))).polygon_m[0]
    assert shapely.Polygon(polygon).area == pytest.approx(4.6 * 1.8, rel=0.02)


def test_boxes_at_and_above_the_horizon_are_dropped_and_rows_say_which_are_left() -> None:
    found = footprints_of(
        ("car", (400.0, -80.0, 500.0, -30.0)),
        ("car", (400.0, 200.0, 500.0, 300.0)),
        ("car", (400.0, -90.0, 500.0, -21.0)),
    )
    assert found.row.tolist() == [1]
    assert len(found) == 1
    assert found.polygon_m.shape == (1, 4, 2)


def test_boxes_cut_by_the_edge_are_marked() -> None:
    found = footprints_of(
        ("car", (300.0, 200.0, 400.0, 300.0)),
        ("car", (0.0, 200.0, 100.0, 300.0)),
        ("car", (900.0, 200.0, 960.0, 300.0)),
        ("car", (300.0, 400.0, 500.0, 540.0)),
    )
    assert found.is_cut.tolist() == [False, True, True, True]
    assert found.is_foot_cut.tolist() == [False, False, False, True]


def test_no_boxes_give_no_footprints() -> None:
    assert footprints_of().polygon_m.shape == (0, 4, 2)
