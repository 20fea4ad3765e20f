"""Lens distortion: its own inverse, as OpenCV bends and unbends, and nothing beyond the fold."""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geofence.errors import CalibrationError
from geofence.homography import fit_homography
from geofence.lens import Lens
from tests.geofence.conftest import Pinhole

Float64s = npt.NDArray[np.float64]

WIDTH, HEIGHT = 640, 360
BARREL = Lens(focal_px=520.0, center_px=(320.0, 180.0), k1=-0.08, k2=0.01)
LENSES = st.builds(
    Lens,
    focal_px=st.floats(200, 1500),
    center_px=st.tuples(st.floats(300, 340), st.floats(160, 200)),
    k1=st.floats(-1, 1),
    k2=st.floats(-1, 1),
)
PIXELS = st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT))


def at(*px: tuple[float, float]) -> Float64s:
    return np.array(px, np.float64)


def matrix_of(lens: Lens) -> Float64s:
    """The camera matrix of OpenCV."""
    (x, y), focal = lens.center_px, lens.focal_px
    return np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]], np.float64)


@given(LENSES, PIXELS)
def test_bending_takes_unbending_back_wherever_the_lens_shows_something(lens: Lens, px: tuple[float, float]) -> None:
    ideal = lens.unbend(at(px))
    assume(np.isfinite(ideal).all())
    assert np.abs(lens.bend(ideal) - at(px)).max() < 1e-6


@given(LENSES, PIXELS)
def test_unbending_takes_bending_back_before_the_fold(lens: Lens, px: tuple[float, float]) -> None:
    radius = math.dist(px, lens.center_px) / lens.focal_px
    assume(radius < 0.9 * lens.fold)
    assert np.abs(lens.unbend(lens.bend(at(px))) - at(px)).max() < 1e-6


@given(st.floats(-0.1, 0.1), st.floats(-0.02, 0.02), st.floats(500, 1500), PIXELS)
def test_a_usual_lens_unbends_every_pixel_of_its_picture(
    k1: float, k2: float, focal_px: float, px: tuple[float, float]
) -> None:
    lens = Lens(focal_px=focal_px, center_px=(320.0, 180.0), k1=k1, k2=k2)
    assert np.abs(lens.bend(lens.unbend(at(px))) - at(px)).max() < 1e-6


@given(LENSES, PIXELS)
def test_it_bends_as_opencv_does(lens: Lens, px: tuple[float, float]) -> None:
    ideal = at(px)
    assume(math.dist(px, lens.center_px) / lens.focal_px < 0.99 * lens.fold)
    rays = np.column_stack(((ideal - lens.center_px) / lens.focal_px, np.ones(1)))
    bent = cv2.projectPoints(rays, np.zeros(3), np.zeros(3), matrix_of(lens), np.array([lens.k1, lens.k2, 0.0, 0.0]))[0]
    assert np.allclose(lens.bend(ideal), bent[:, 0], atol=1e-6)


@given(st.floats(-0.15, 0.15), st.floats(-0.02, 0.02), PIXELS)
def test_it_unbends_as_opencv_does(k1: float, k2: float, px: tuple[float, float]) -> None:
    lens = replace(BARREL, k1=k1, k2=k2)
    matrix, exactly = matrix_of(lens), (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-12)
    theirs = cv2.undistortPoints(
        at(px)[:, None], matrix, np.array([k1, k2, 0.0, 0.0]), None, np.eye(3), matrix, exactly
    )
    assert np.allclose(lens.unbend(at(px)), theirs[:, 0], atol=1e-4)


def test_without_coefficients_nothing_moves() -> None:
    straight = Lens(focal_px=520.0, center_px=(320.0, 180.0))
    px = at((0, 0), (320, 180), (640, 360))
    assert np.allclose(straight.bend(px), px, atol=1e-12)
    assert np.allclose(straight.unbend(px), px, atol=1e-12)
    assert straight.fold == math.inf


def test_a_barrel_draws_the_edge_nearer_to_the_centre_and_leaves_the_centre() -> None:
    bent = BARREL.bend(at((320, 180), (640, 180)))
    assert bent[0].tolist() == [320, 180]
    plane = 320 / 520
    assert bent[1] == pytest.approx([320 + 320 * (1 - 0.08 * plane**2 + 0.01 * plane**4), 180])


@pytest.mark.parametrize(
    ("k1", "k2", "fold"),
    [
        (-1 / 3, 0.0, 1.0),
        (0.0, -0.2, 1.0),
        (1.0, 0.0, math.inf),
        (0.0, 1.0, math.inf),
        (-0.1, 0.05, math.inf),
        (-0.5, 0.1, math.sqrt(1.0)),
    ],
)
def test_the_fold_is_where_the_bent_radius_stops_rising(k1: float, k2: float, fold: float) -> None:
    assert replace(BARREL, k1=k1, k2=k2).fold == pytest.approx(fold)


def test_beyond_the_fold_there_is_no_pixel_and_no_ray() -> None:
    lens = Lens(focal_px=100.0, center_px=(0.0, 0.0), k1=-1 / 3)
    assert np.isfinite(lens.bend(at((99.9, 0), (0, 100.1), (3000, 0)))[:, 0]).tolist() == [True, False, False]
    # The farthest that this lens draws is 1 · (1 − 1/3) focal lengths from the centre.
    assert np.isfinite(lens.unbend(at((66.6, 0), (0, 66.7), (3000, 0)))[:, 0]).tolist() == [True, False, False]


def test_no_pixels_and_what_is_no_pixel_stay_so() -> None:
    assert BARREL.unbend(np.empty((0, 2))).shape == (0, 2)
    assert BARREL.bend(np.empty((0, 2))).shape == (0, 2)
    assert np.isnan(BARREL.unbend(at((np.nan, np.nan), (1, 1)))[:, 0]).tolist() == [True, False]
    assert np.isnan(BARREL.bend(at((np.nan, np.nan), (1, 1)))[:, 0]).tolist() == [True, False]


CAMERA = Pinhole(focal_px=520.0, size_px=(WIDTH, HEIGHT))
LOCAL_M = [(-3.0, 8.0), (3.0, 8.0), (-4.0, 14.0), (4.0, 14.0), (-3.0, 25.0), (5.0, 30.0), (0.0, 11.0)]


def seen_through(lens: Lens, local_m: list[tuple[float, float]]) -> tuple[Float64s, Float64s]:
    """Pixels of the real picture and ground metres of local places."""
    px = lens.bend(np.array([CAMERA.local_to_pixel(x, y) for x, y in local_m]))
    return px, np.array([CAMERA.local_to_ground(x, y) for x, y in local_m])


def test_a_camera_with_its_lens_finds_the_ground_and_one_without_does_not() -> None:
    lens = replace(BARREL, k1=-0.25)
    px, ground_m = seen_through(lens, LOCAL_M)
    with_lens = fit_homography(px, ground_m, camera_id="cam", lens=lens)
    place_px, place_m = seen_through(lens, [(-5.0, 9.0), (4.5, 12.0), (2.0, 40.0)])
    assert with_lens.rms_px < 1e-6
    assert np.allclose(with_lens.pixel_to_ground(place_px), place_m, atol=1e-5)
    assert np.allclose(with_lens.ground_to_pixel(place_m), place_px, atol=1e-5)
    without = fit_homography(px, ground_m, camera_id="cam")
    assert without.rms_px > 0.3
    assert np.linalg.norm(without.pixel_to_ground(place_px) - place_m, axis=1).max() > 0.3


def test_residuals_are_in_pixels_of_the_real_picture() -> None:
    lens = Lens(focal_px=520.0, center_px=(320.0, 180.0), k1=-0.3)
    places = [*LOCAL_M, (5.5, 12.0), (-5.0, 13.0), (2.0, 20.0)]
    px, ground_m = seen_through(lens, places)
    px[7, 0] += 3.0
    fit = fit_homography(px, ground_m, camera_id="cam", lens=lens)
    expected = np.linalg.norm(fit.ground_to_pixel(ground_m) - px, axis=1)
    assert np.allclose(fit.residual_px, expected)
    assert 1.0 < fit.residual_px[7] < 3.0


def test_a_control_point_where_the_lens_shows_nothing_is_refused() -> None:
    px, ground_m = seen_through(BARREL, LOCAL_M)
    lens = replace(BARREL, k1=-1.0, k2=-1.0)
    lost = np.flatnonzero(np.isnan(lens.unbend(px)[:, 0]))[0]
    with pytest.raises(CalibrationError) as caught:
        fit_homography(px, ground_m, camera_id="cam", lens=lens)
    assert str(caught.value) == (
        f"camera cam: gcps[{lost}] px=[{px[lost, 0]:g}, {px[lost, 1]:g}] lies where a lens of k1 = -1, k2 = -1, "
        "focal_px = 520 shows nothing; measure the lens again, or leave the point out"
    )


def test_what_the_lens_does_not_show_is_no_place() -> None:
    px, ground_m = seen_through(BARREL, LOCAL_M)
    fit = fit_homography(px, ground_m, camera_id="cam", lens=replace(BARREL, k1=-0.35, k2=0.0))
    assert np.isfinite(fit.pixel_to_ground(at((400, 300), (-400, 900)))[:, 0]).tolist() == [True, False]
