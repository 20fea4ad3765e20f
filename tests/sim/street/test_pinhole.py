"""The simulated camera: projection and its inverse agree, and both agree with OpenCV."""

from __future__ import annotations

import math

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.street.pinhole import PinholeCamera

CAMERA = PinholeCamera(size_px=(960, 540), focal_px=800.0, height_m=5.5, tilt_deg=20.0)


@given(x_m=st.floats(-8, 8), y_m=st.floats(6, 60))
def test_ground_point_to_pixel_and_back(x_m: float, y_m: float) -> None:
    px = CAMERA.project(np.array([[x_m, y_m, 0.0]]))
    np.testing.assert_allclose(CAMERA.ground_under(px), [[x_m, y_m]], atol=1e-6)


@given(x_m=st.floats(-8, 8), y_m=st.floats(6, 60), z_m=st.floats(0, 4))
def test_projection_agrees_with_opencv(x_m: float, y_m: float, z_m: float) -> None:
    tilt = math.radians(CAMERA.tilt_deg)
    rotation = np.array(
        [[1, 0, 0], [0, -math.sin(tilt), -math.cos(tilt)], [0, math.cos(tilt), -math.sin(tilt)]], np.float64
    )
    translation = -rotation @ np.array([0.0, 0.0, CAMERA.height_m])
    intrinsics = np.array([[CAMERA.focal_px, 0, 480], [0, CAMERA.focal_px, 270], [0, 0, 1]], np.float64)
    expected, _ = cv2.projectPoints(np.array([[x_m, y_m, z_m]]), rotation, translation, intrinsics, None)
    np.testing.assert_allclose(CAMERA.project(np.array([[x_m, y_m, z_m]])), expected.reshape(1, 2), atol=1e-6)


def test_pixels_above_the_horizon_have_no_ground() -> None:
    flat = PinholeCamera(size_px=(960, 540), focal_px=800.0, height_m=5.5, tilt_deg=5.0)
    assert np.isnan(flat.ground_under(np.array([[480.0, 10.0]]))).all()


def test_points_behind_the_camera_have_no_pixel() -> None:
    assert np.isnan(CAMERA.project(np.array([[0.0, -50.0, 0.0]]))).all()
