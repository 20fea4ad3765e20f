"""Homography: exact for pinholes, as good as OpenCV's on noise, refused where it would be a guess."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.errors import CalibrationError
from geofence.homography import Homography, fit_homography
from tests.geofence.conftest import Pinhole

Float64s = npt.NDArray[np.float64]

LOCAL_M = [(-3.0, 8.0), (3.0, 8.0), (-4.0, 14.0), (4.0, 14.0), (-3.0, 25.0), (5.0, 30.0)]


def points_of(camera: Pinhole, local_m: list[tuple[float, float]]) -> tuple[Float64s, Float64s]:
    px = np.array([camera.local_to_pixel(x, y) for x, y in local_m])
    ground_m = np.array([camera.local_to_ground(x, y) for x, y in local_m])
    return px, ground_m


def fit(camera: Pinhole, local_m: list[tuple[float, float]] = LOCAL_M) -> Homography:
    return fit_homography(*points_of(camera, local_m), camera_id="cam")


CAMERAS = st.builds(
    Pinhole,
    height_m=st.floats(3, 12),
    tilt_deg=st.floats(8, 50),
    focal_px=st.floats(500, 1500),
    heading_deg=st.floats(0, 360),
    east_m=st.floats(-500, 500),
    north_m=st.floats(-500, 500),
)


@settings(max_examples=60)
@given(CAMERAS, st.floats(-6, 6), st.floats(6, 40))
def test_any_pinhole_is_recovered_from_its_own_points(camera: Pinhole, x: float, y: float) -> None:
    homography = fit(camera)
    ground_m = np.array([camera.local_to_ground(x, y)])
    px = np.array([camera.local_to_pixel(x, y)])
    assert homography.rms_px < 1e-6
    assert np.allclose(homography.pixel_to_ground(px), ground_m, atol=1e-4)
    assert np.allclose(homography.ground_to_pixel(ground_m), px, atol=1e-3)


@settings(max_examples=40)
@given(CAMERAS, st.integers(0, 2**32 - 1))
def test_fit_on_noise_is_as_good_as_opencv(camera: Pinhole, seed: int) -> None:
    px, ground_m = points_of(camera, [*LOCAL_M, (0.0, 10.0), (1.0, 18.0)])
    noisy = px + np.random.default_rng(seed).normal(0, 0.5, px.shape)
    ours = fit_homography(noisy, ground_m, camera_id="cam").residual_px
    # OpenCV wants small numbers: the plane's own origin is moved to the points.
    theirs = cv2.findHomography(ground_m - ground_m.mean(axis=0), noisy, 0)[0]
    mapped = cv2.perspectiveTransform((ground_m - ground_m.mean(axis=0))[:, None], theirs)[:, 0]
    assert np.sum(ours**2) <= np.sum((mapped - noisy) ** 2) * (1 + 1e-4) + 1e-9


def test_residuals_are_per_point_and_in_pixels() -> None:
    px, ground_m = points_of(Pinhole(), LOCAL_M)
    px[2, 0] += 12.0
    homography = fit_homography(px, ground_m, camera_id="cam")
    assert homography.residual_px.shape == (6,)
    assert 1.0 < homography.rms_px < 12.0


def test_three_points_are_too_few() -> None:
    with pytest.raises(CalibrationError, match="camera cam: gcps has 3 points; at least 4 are needed"):
        fit(Pinhole(), LOCAL_M[:3])


def test_three_collinear_of_four_are_refused_by_number() -> None:
    with pytest.raises(CalibrationError, match=r"gcps 0, 1, 3 \(counted from 0\) lie on one line in the picture"):
        fit(Pinhole(), [(0.0, 8.0), (0.0, 14.0), (3.0, 10.0), (0.0, 25.0)])


def test_all_but_one_collinear_are_refused_however_many() -> None:
    with pytest.raises(CalibrationError, match="lie on one line"):
        fit(Pinhole(), [(1.0, float(y)) for y in range(8, 20, 2)] + [(4.0, 12.0)])


def test_nearly_collinear_points_are_refused() -> None:
    along_kerb = [(0.02 * (-1) ** n, 8.0 + 3 * n) for n in range(8)]
    with pytest.raises(CalibrationError, match="lie on one line"):
        fit(Pinhole(), along_kerb)


def test_points_that_one_camera_cannot_see_are_refused() -> None:
    px, ground_m = points_of(Pinhole(), LOCAL_M[:4])
    with pytest.raises(CalibrationError, match="gcps"):
        fit_homography(px[[0, 3, 2, 1]], ground_m, camera_id="cam")


def test_mirrored_points_are_refused() -> None:
    px, ground_m = points_of(Pinhole(), LOCAL_M)
    px[:, 0] = 960 - px[:, 0]
    with pytest.raises(CalibrationError, match="from below"):
        fit_homography(px, ground_m, camera_id="cam")


def test_the_horizon_and_the_sky_are_no_place() -> None:
    homography = fit(Pinhole())
    horizon_px = 270 - 800 * math.tan(math.radians(20))
    px = np.array([[480.0, horizon_px - 50], [100.0, horizon_px], [480.0, horizon_px + 2], [480.0, 500.0]])
    is_place = np.isfinite(homography.pixel_to_ground(px)).all(axis=1)
    assert is_place.tolist() == [False, False, True, True]


def test_ground_behind_the_camera_is_no_pixel() -> None:
    camera = Pinhole()
    behind = np.array([camera.local_to_ground(0.0, -10.0), camera.local_to_ground(0.0, 10.0)])
    assert np.isfinite(fit(camera).ground_to_pixel(behind)).all(axis=1).tolist() == [False, True]


def test_no_points_project_to_no_points() -> None:
    assert fit(Pinhole()).pixel_to_ground(np.empty((0, 2))).shape == (0, 2)
