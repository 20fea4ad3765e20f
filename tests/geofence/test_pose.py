"""Pose: the camera behind a homography, so that tops of things are drawn where the street's own pinhole sees them."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geofence.homography import Homography, fit_homography
from geofence.lens import Lens
from geofence.pose import Pose, camera_pose
from sim.street.pinhole import PinholeCamera

Float64s = npt.NDArray[np.float64]

MAST = PinholeCamera(size_px=(1280, 720), focal_px=900.0, height_m=6.0, tilt_deg=18.0, heading_deg=25.0)
# Shares of the picture: where control points lie, all on the ground for a camera that looks down a little.
SPREAD = [(0.15, 0.55), (0.85, 0.6), (0.3, 0.9), (0.75, 0.95), (0.5, 0.7), (0.1, 0.75), (0.6, 0.5), (0.9, 0.8)]


def homography_of(
    camera: PinholeCamera, *, noise_px: float = 0.0, seed: int = 0, lens: Lens | None = None
) -> Homography:
    px = np.array(SPREAD) * camera.size_px
    ground_m = camera.ground_under(px)
    noisy = px + np.random.default_rng(seed).normal(0, noise_px, px.shape)
    return fit_homography(noisy, ground_m, camera_id="cam", lens=lens)


def pose_of(camera: PinholeCamera, *, noise_px: float = 0.0, seed: int = 0, lens: Lens | None = None) -> Pose:
    pose = camera_pose(homography_of(camera, noise_px=noise_px, seed=seed, lens=lens), camera.size_px)
    assert pose is not None
    return pose


def tops(camera: PinholeCamera, height_m: float) -> Float64s:
    """(N, 3) points above the ground that is seen in the lower half of the picture."""
    shares = np.array([(0.2, 0.65), (0.5, 0.6), (0.8, 0.7), (0.35, 0.8), (0.65, 0.9)])
    ground_m = camera.ground_under(shares * camera.size_px)
    return np.column_stack((ground_m, np.full(len(ground_m), height_m)))


def worst_px(pose: Pose, camera: PinholeCamera, height_m: float = 1.6) -> float:
    points_m = tops(camera, height_m)
    return float(np.linalg.norm(pose.project(points_m) - camera.project(points_m), axis=1).max())


CAMERAS = st.builds(
    PinholeCamera,
    size_px=st.sampled_from([(640, 360), (1280, 720), (1920, 1080)]),
    focal_px=st.just(0.0),
    height_m=st.floats(3, 12),
    tilt_deg=st.floats(12, 55),
    heading_deg=st.floats(0, 360),
    x_m=st.floats(-500, 500),
    y_m=st.floats(-500, 500),
)


@settings(max_examples=80, deadline=None)
@given(CAMERAS, st.floats(0.5, 1.6), st.floats(0.5, 2.5))
def test_any_street_camera_is_recovered_from_its_view_of_the_ground(
    camera: PinholeCamera, focal_share: float, height_m: float
) -> None:
    camera = replace(camera, focal_px=focal_share * camera.size_px[0])
    assume(np.isfinite(camera.ground_under(np.array(SPREAD) * camera.size_px)).all())
    pose = pose_of(camera)
    assert pose.is_focal_measured
    assert pose.focal_px == pytest.approx(camera.focal_px, rel=1e-4)
    assert pose.position_m == pytest.approx(camera.position_m, abs=0.01)
    assert pose.axes == pytest.approx(camera.axes(), abs=1e-4)
    assert pose.tilt_deg == pytest.approx(camera.tilt_deg, abs=0.01)
    assert worst_px(pose, camera, height_m) < 0.1


def test_ground_is_projected_as_the_homography_does() -> None:
    homography, pose = homography_of(MAST), pose_of(MAST)
    ground_m = MAST.ground_under(np.array(SPREAD) * MAST.size_px)
    on_ground = np.column_stack((ground_m, np.zeros(len(ground_m))))
    assert np.allclose(pose.project(on_ground), homography.ground_to_pixel(ground_m), atol=1e-3)
    assert pose.misfit_px < 1e-3


def test_projection_is_the_one_of_opencv() -> None:
    pose = pose_of(MAST)
    points_m = tops(MAST, 1.6)
    turn, way = cv2.Rodrigues(pose.axes)[0], -pose.axes @ pose.position_m
    matrix = np.array([(pose.focal_px, 0, pose.center_px[0]), (0, pose.focal_px, pose.center_px[1]), (0, 0, 1)])
    theirs = cv2.projectPoints(points_m, turn, way, matrix, np.zeros(4))[0][:, 0]
    assert np.allclose(pose.project(points_m), theirs, atol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_a_pixel_of_noise_moves_tops_by_a_few_pixels(seed: int) -> None:
    pose = pose_of(MAST, noise_px=1.0, seed=seed)
    assert pose.is_focal_measured
    assert worst_px(pose, MAST) < 4.0
    assert pose.height_m == pytest.approx(6.0, abs=0.6)


def test_a_bent_picture_is_projected_through_its_lens() -> None:
    bent = replace(MAST, k1=-0.25, k2=0.05)
    lens = Lens(focal_px=bent.focal_px, center_px=(640.0, 360.0), k1=bent.k1, k2=bent.k2)
    pose = pose_of(bent, lens=lens)
    assert (pose.lens, pose.focal_px, pose.is_focal_measured) == (lens, lens.focal_px, True)
    assert worst_px(pose, bent) < 0.1


def test_a_view_straight_down_takes_a_usual_focal_length_and_keeps_the_ground() -> None:
    nadir = PinholeCamera(size_px=(1280, 720), focal_px=700.0, height_m=8.0, tilt_deg=89.9)
    pose = pose_of(nadir, noise_px=0.3)
    assert not pose.is_focal_measured
    assert pose.focal_px == pytest.approx(0.8 * 1280)
    assert worst_px(pose, nadir, 0.0) < 3.0


def test_points_behind_the_camera_are_nowhere() -> None:
    behind = MAST.position_m - 5 * MAST.axes()[2]
    assert np.isnan(pose_of(MAST).project(behind[None])).all()


def test_a_stretched_picture_has_no_pose() -> None:
    px = np.array(SPREAD) * MAST.size_px
    squeezed = px * (0.45, 1.0) + (300.0, 0.0)
    sheared = np.column_stack((squeezed[:, 0] + 0.8 * squeezed[:, 1] - 300, squeezed[:, 1]))
    homography = fit_homography(sheared, MAST.ground_under(px), camera_id="cam")
    assert camera_pose(homography, MAST.size_px) is None
