"""A calibration drawn: what is painted lies where the view puts it, whatever the camera sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import shapely

from geofence.adapters.calibration_drawing import draw_calibration, visible_ground
from geofence.calibration import Calibration, calibrate
from geofence.places import Cell, Zone, ZoneKind
from sim.street.pinhole import PinholeCamera

U8 = npt.NDArray[np.uint8]

MAST = PinholeCamera(size_px=(1280, 720), focal_px=900.0, height_m=6.0, tilt_deg=18.0)
SHARES = [(0.15, 0.55), (0.85, 0.6), (0.3, 0.9), (0.75, 0.95), (0.5, 0.7), (0.1, 0.75), (0.6, 0.5), (0.9, 0.8)]


def calibrated(camera: PinholeCamera = MAST, *, wrong: int | None = None) -> Calibration:
    px = np.array(SHARES) * camera.size_px
    ground_m = camera.ground_under(px)
    if wrong is not None:
        px[wrong] += (60.0, -20.0)
    return calibrate(px, ground_m, camera_id="cam", size_px=camera.size_px)


def drawn(found: Calibration, camera: PinholeCamera = MAST, *, zones: tuple[Zone, ...] = ()) -> U8:
    width, height = camera.size_px
    cells = (Cell(code="110101001001001", polygon_m=shapely.box(-50, -50, 50, 15)),)
    grey = np.full((height, width, 3), 90, np.uint8)
    return draw_calibration(grey, found, size_px=camera.size_px, zones=zones, cells=cells)


def test_visible_ground_is_what_the_camera_sees() -> None:
    visible_m = visible_ground(calibrated().homography, MAST.size_px)
    assert visible_m is not None
    for x, y, is_seen in ((0.0, 20.0, True), (0.0, 100.0, True), (0.0, 3.0, False), (20.0, 15.0, False)):
        px = MAST.project(np.array([(x, y, 0.0)]))[0]
        assert is_seen == bool((px >= 0).all() and (px <= MAST.size_px).all())
        assert visible_m.contains(shapely.Point(x, y)) == is_seen


def test_a_point_that_is_used_is_green_and_a_wrong_one_red() -> None:
    found = calibrated(wrong=4)
    picture = drawn(found)
    for row, (x, y) in enumerate(found.px):
        around = picture[round(y) - 9 : round(y) + 10, round(x) - 9 : round(x) + 10].reshape(-1, 3).astype(int)
        green, red = around[:, 1] - around[:, [0, 2]].max(axis=1), around[:, 2] - around[:, :2].max(axis=1)
        assert (red.max() > 100) if row == 4 else (green.max() > 100)


def test_a_zone_is_tinted_where_it_lies_and_not_beside() -> None:
    zone = Zone(id="kerb", kind=ZoneKind.NO_PARKING, polygon_m=shapely.box(-4, 8, -1, 25), hours=None, surface=None)
    plain, picture = drawn(calibrated()), drawn(calibrated(), zones=(zone,))
    inside, beside = MAST.project(np.array([(-3.3, 10.3, 0.0), (3.3, 10.3, 0.0)])).round().astype(int)
    assert picture[inside[1], inside[0], 2] > plain[inside[1], inside[0], 2] + 20
    assert np.array_equal(picture[beside[1], beside[0]], plain[beside[1], beside[0]])


def test_the_grid_s_lines_are_a_metre_apart_from_below_the_camera() -> None:
    picture, plain = drawn(calibrated()).astype(int), 90
    for y_m in (10.0, 13.0):
        on, between = MAST.project(np.array([(2.45, y_m, 0.0), (2.45, y_m + 0.5, 0.0)]))
        rows = np.arange(round(on[1]) - 1, round(on[1]) + 2)
        assert picture[rows, round(on[0]), 0].max() > plain + 30
        assert picture[round(between[1]), round(between[0]), 0] == plain


@pytest.mark.parametrize(
    "camera",
    [
        replace(MAST, tilt_deg=89.9, height_m=12.0),
        replace(MAST, tilt_deg=8.0),
        replace(MAST, size_px=(320, 240), focal_px=260.0, tilt_deg=30.0),
        replace(MAST, size_px=(2560, 1440), focal_px=1800.0, tilt_deg=30.0),
    ],
)
def test_any_camera_can_be_drawn(camera: PinholeCamera) -> None:
    picture = drawn(calibrated(camera), camera)
    assert picture.shape[1] == max(1280, camera.size_px[0])
    assert picture.std() > 5
