"""Metres per pixel: those of the pinhole's own geometry."""

from __future__ import annotations

import numpy as np
import pytest

from geofence.ground_error import ground_error, metres_per_pixel, reaches
from geofence.homography import Homography, fit_homography
from sim.street.pinhole import PinholeCamera

CAMERA = PinholeCamera(size_px=(960, 540), focal_px=800.0, height_m=5.5, tilt_deg=20.0)


@pytest.fixture(scope="module")
def homography() -> Homography:
    px = np.array([(100.0, 200.0), (860.0, 220.0), (120.0, 500.0), (800.0, 520.0), (480.0, 300.0)])
    return fit_homography(px, CAMERA.ground_under(px), camera_id="cam")


def test_a_pixel_in_the_middle_column_is_worth_what_the_geometry_says(homography: Homography) -> None:
    for row_px in (150.0, 270.0, 500.0):
        down = np.radians(20.0) + np.arctan((row_px - 270) / 800)
        slope = 800 / (800**2 + (row_px - 270) ** 2)  # radians per pixel
        along_m = 5.5 / np.sin(down) ** 2 * slope
        across_m = 5.5 / np.sin(down) / np.hypot(800, row_px - 270)
        worth = metres_per_pixel(homography, np.array([(480.0, row_px)]))[0]
        assert worth == pytest.approx((along_m, across_m), rel=1e-3)


def test_no_ground_is_seen_above_the_horizon(homography: Homography) -> None:
    grid = ground_error(homography, (960, 540), columns=4, rows=60)
    horizon_px = 270 - 800 * np.tan(np.radians(20.0))
    assert horizon_px < -20
    assert np.isfinite(grid.along_m).all()
    assert np.isnan(metres_per_pixel(homography, np.array([(480.0, horizon_px - 5)]))).all()
    assert (np.diff(grid.along_m[:, 2]) < 0).all()


def test_reach_ends_where_a_pixel_is_worth_its_limit(homography: Homography) -> None:
    found = reaches(homography, (960, 540), (0.001, 0.1, 0.5))
    assert [reach.limit_m for reach in found] == [0.1, 0.5]
    nearest_m = CAMERA.ground_under(np.array([(480.0, 540.0)]))[0]
    for reach in found:
        spot = np.array([(480.0, reach.to_row_px)])
        assert metres_per_pixel(homography, spot)[0, 0] == pytest.approx(reach.limit_m, rel=0.03)
        assert reach.to_m == pytest.approx(np.linalg.norm(CAMERA.ground_under(spot)[0] - nearest_m), rel=1e-3)
