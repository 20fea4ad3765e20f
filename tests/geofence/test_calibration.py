"""Calibration: a wrong point is named and left out, an open question is refused, and errors are what they say."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.calibration import Calibration, calibrate
from geofence.errors import CalibrationError
from geofence.homography import fit_homography
from geofence.lens import Lens
from sim.street.pinhole import PinholeCamera

Float64s = npt.NDArray[np.float64]

MAST = PinholeCamera(size_px=(1280, 720), focal_px=900.0, height_m=6.0, tilt_deg=18.0, heading_deg=25.0)
SHARES = [(0.15, 0.55), (0.85, 0.6), (0.3, 0.9), (0.75, 0.95), (0.5, 0.7), (0.1, 0.75), (0.6, 0.5), (0.9, 0.8)]


def points(
    count: int = 8, *, noise_px: float = 0.0, seed: int = 0, camera: PinholeCamera = MAST
) -> tuple[Float64s, Float64s]:
    px = np.array(SHARES[:count]) * camera.size_px
    ground_m = camera.ground_under(px)
    return px + np.random.default_rng(seed).normal(0, noise_px, px.shape), ground_m


def found(px: Float64s, ground_m: Float64s, *, lens: Lens | None = None, wants_lens: bool = False) -> Calibration:
    return calibrate(px, ground_m, camera_id="cam", size_px=MAST.size_px, lens=lens, is_lens_wanted=wants_lens)


def refusal(px: Float64s, ground_m: Float64s) -> str:
    with pytest.raises(CalibrationError) as caught:
        found(px, ground_m)
    assert "\n" not in str(caught.value)
    return caught.value.problem


def test_exact_points_have_no_error_and_no_warning() -> None:
    result = found(*points())
    assert result.is_used.all()
    assert result.rms_px < 1e-6
    assert result.rms_m < 1e-6
    assert result.left_out_rms_px == pytest.approx(0, abs=1e-5)
    assert result.warnings == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 7), st.floats(0, 6.28), st.floats(60, 400), st.integers(0, 1000))
def test_a_wrong_point_of_eight_is_named_and_left_out(row: int, angle: float, by_px: float, seed: int) -> None:
    px, ground_m = points(noise_px=0.5, seed=seed)
    px[row] += by_px * np.array([np.cos(angle), np.sin(angle)])
    result = found(px, ground_m)
    assert np.flatnonzero(~result.is_used).tolist() == [row]
    assert result.residual_px[row] == pytest.approx(by_px, rel=0.25)
    assert result.warnings[0].startswith(f"gcps[{row}] px=[")


def test_a_wrong_point_of_six_is_named_though_the_fit_bends_to_it() -> None:
    px, ground_m = points(6, noise_px=0.3, seed=1)
    px[3] += (40.0, 5.0)
    assert fit_homography(px, ground_m, camera_id="cam").residual_px.max() < 5.0
    assert np.flatnonzero(~found(px, ground_m).is_used).tolist() == [3]


def test_points_left_are_fitted_as_opencv_fits_them_alone() -> None:
    px, ground_m = points(noise_px=0.7)
    px[5] += (0.0, 80.0)
    result = found(px, ground_m)
    theirs, agree = cv2.findHomography(ground_m, px, cv2.RANSAC, 5.0, maxIters=5000)
    assert np.array_equal(agree.ravel() == 1, result.is_used)
    mapped = cv2.perspectiveTransform(ground_m[:, None], theirs)[:, 0]
    their_rms_px = np.sqrt(np.mean(np.sum((mapped - px)[result.is_used] ** 2, axis=1)))
    assert result.rms_px == pytest.approx(their_rms_px, rel=1e-3)


def test_the_same_points_give_the_same_answer() -> None:
    px, ground_m = points(noise_px=1.0)
    px[2] += 90
    first, second = found(px, ground_m), found(px, ground_m)
    assert np.array_equal(first.homography.ground_to_pixel_matrix, second.homography.ground_to_pixel_matrix)


@pytest.mark.parametrize("count", [7, 8])
def test_two_exchanged_px_are_called_so(count: int) -> None:
    px, ground_m = points(count, noise_px=0.5)
    px[[1, 4]] = px[[4, 1]]
    assert found(px, ground_m).warnings[0] == "gcps 1 and 4 (counted from 0) have their px exchanged, and were left out"


@pytest.mark.parametrize("count", [5, 6])
def test_of_few_points_two_exchanged_px_are_guessed(count: int) -> None:
    px, ground_m = points(count)
    px[[1, 4]] = px[[4, 1]]
    assert refusal(px, ground_m).endswith("all agree once gcps 1 and 4 (counted from 0) exchange their px")


def test_five_points_that_disagree_are_refused() -> None:
    px, ground_m = points(5)
    px[4] += (0, 90)
    assert "which one is wrong can only be told from 6" in refusal(px, ground_m)


def test_left_out_error_is_that_of_a_fit_without_the_point() -> None:
    px, ground_m = points(noise_px=1.0, seed=3)
    result = found(px, ground_m)
    for row in range(len(px)):
        others = np.arange(len(px)) != row
        theirs = cv2.findHomography(ground_m[others] - ground_m.mean(axis=0), px[others], 0)[0]
        mapped = cv2.perspectiveTransform((ground_m - ground_m.mean(axis=0))[:, None], theirs)[row, 0]
        assert result.left_out_px[row] == pytest.approx(np.linalg.norm(mapped - px[row]), rel=0.05, abs=0.05)


def test_metres_are_those_between_the_point_and_what_its_pixel_shows() -> None:
    px, ground_m = points(noise_px=1.0)
    result = found(px, ground_m)
    shown_m = result.homography.pixel_to_ground(px)
    assert result.residual_m == pytest.approx(np.linalg.norm(shown_m - ground_m, axis=1))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda px, m: (px[:3], m[:3]), "there are 3 gcps; at least 4 are needed"),
        (lambda px, m: (np.vstack((px, px[:1])), np.vstack((m, m[:1]))), "gcps 0 and 8 (counted from 0) are the same"),
        (lambda px, m: (np.vstack((px, px[:1])), np.vstack((m, m[1:2]))), "gcps 0 and 8 (counted from 0) have one px"),
        (lambda px, m: (np.vstack((px, px[:1] + 9)), np.vstack((m, m[:1]))), "have one place but px 13 apart"),
    ],
)
def test_few_or_double_points_are_refused(change, says: str) -> None:  # type: ignore[no-untyped-def]
    assert says in refusal(*change(*points()))


@pytest.mark.parametrize("off_line", [0, 1])
def test_points_on_a_line_are_refused(off_line: int) -> None:
    px = np.array([(200.0 + 100 * n, 500.0) for n in range(6)])
    px[0, 1] += 150 * off_line
    assert "lie on one line" in refusal(px, MAST.ground_under(px))


def test_weak_sets_are_warned_of() -> None:
    px, ground_m = points(4)
    assert found(px, ground_m).warnings[0].startswith("4 points fit exactly, right or wrong")
    near = np.array([(600, 400), (800, 400), (600, 560), (800, 570), (650, 530), (640, 510.0)])
    assert found(near, MAST.ground_under(near)).warnings[0].startswith("the points span 4% of the picture")


def test_points_in_one_corner_are_refused() -> None:
    near = np.array([(600, 500), (700, 500), (600, 560), (700, 570), (650, 530), (640, 510.0)])
    with pytest.raises(CalibrationError, match=r"gcps span 0\.\d% of the picture, so a pixel's error there is metres"):
        found(near, MAST.ground_under(near))


def _spread(camera: PinholeCamera, *, noise_px: float, step: int = 1) -> tuple[Float64s, Float64s]:
    grid = np.stack(np.meshgrid(np.linspace(0.04, 0.96, 5), np.linspace(0.45, 0.98, 5)), axis=-1).reshape(-1, 2)
    px = (grid * camera.size_px)[::step]
    ground_m = camera.ground_under(px)
    return px + np.random.default_rng(0).normal(0, noise_px, px.shape), ground_m


BENT = replace(MAST, k1=-0.25, k2=0.05)


def test_a_bent_lens_is_found_from_exact_points() -> None:
    result = found(*_spread(BENT, noise_px=0.0), wants_lens=True)
    lens = result.homography.lens
    assert lens is not None
    assert (lens.k1, lens.k2, lens.focal_px) == pytest.approx((-0.25, 0.05, 900.0), rel=1e-3)
    assert result.rms_px < 1e-3


@pytest.mark.parametrize("step", [1, 2])
def test_a_bent_lens_is_found_from_points_with_noise_and_a_wrong_one(step: int) -> None:
    px, ground_m = _spread(BENT, noise_px=0.5, step=step)
    px[3] += (0.0, 40.0)
    result = found(px, ground_m, wants_lens=True)
    assert np.flatnonzero(~result.is_used).tolist() == [3]
    unseen_px, unseen_m = _spread(BENT, noise_px=0.0)
    error_px = np.linalg.norm(result.homography.ground_to_pixel(unseen_m) - unseen_px, axis=1)
    assert np.median(error_px) < 2.0


def _scattered(
    k1: float, *, noise_px: float, seed: int, k2: float = 0.0, span_px: tuple[int, int] = (1268, 648)
) -> tuple[Float64s, Float64s]:
    """24 places of a wide picture, each coordinate off by some chance; span_px: that they lie in, below its middle."""
    chance = np.random.default_rng(seed)
    camera = PinholeCamera(size_px=(1920, 1080), focal_px=1400.0, height_m=6.0, tilt_deg=25.0, k1=k1, k2=k2)
    grid = np.stack(np.meshgrid(np.arange(6), np.arange(4)), axis=-1).reshape(-1, 2)
    px = (grid + chance.uniform(0.1, 0.9, grid.shape)) / (6, 4) * span_px + (960 - span_px[0] / 2, 380)
    return px + chance.normal(0, noise_px, px.shape), camera.ground_under(px)


@pytest.mark.parametrize(
    ("k1", "wrong", "limit_px"),
    [
        (-0.45, 0, 0.5),
        (-0.35, 1, 0.5),
        (-0.25, 2, 1.0),
        (-0.15, 0, 0.5),
        (-0.05, 1, 1.0),
        (0.05, 2, 0.5),
        (0.2, 1, 0.5),
    ],
)
def test_a_bend_between_the_coarse_ones_is_found_under_a_tight_limit(k1: float, wrong: int, limit_px: float) -> None:
    px, ground_m = _scattered(k1, noise_px=0.1, seed=3)
    px[[4, 15][:wrong]] += (12.0, -9.0)
    result = calibrate(px, ground_m, camera_id="cam", size_px=(1920, 1080), limit_px=limit_px, is_lens_wanted=True)
    assert np.flatnonzero(~result.is_used).tolist() == [4, 15][:wrong]
    assert result.rms_px < 0.3


def test_a_lens_whose_first_coefficient_alone_would_show_no_corner_is_found() -> None:
    px, ground_m = _scattered(-0.35, k2=0.12, noise_px=0.1, seed=1, span_px=(1800, 690))
    result = calibrate(px, ground_m, camera_id="cam", size_px=(1920, 1080), limit_px=0.5, is_lens_wanted=True)
    assert result.is_used.all()
    assert result.rms_px < 0.3


def test_points_that_no_lens_makes_agree_are_refused() -> None:
    px, ground_m = _scattered(-0.2, noise_px=0.1, seed=3)
    shuffled = np.random.default_rng(0).permutation(len(px))
    with pytest.raises(CalibrationError, match="gcps"):
        calibrate(px[shuffled], ground_m, camera_id="cam", size_px=(1920, 1080), limit_px=0.5, is_lens_wanted=True)


@pytest.mark.parametrize(
    ("camera", "count", "says"),
    [(MAST, 7, "a lens takes 8 gcps or more"), (MAST, 8, "show no bent lens"), (BENT, -1, "leave the lens open to")],
)
def test_a_lens_that_the_points_do_not_show_is_refused(camera: PinholeCamera, count: int, says: str) -> None:
    px, ground_m = points(count, noise_px=0.5, camera=camera)
    if count < 0:  # all of them in the middle, where a lens bends little
        grid = np.stack(np.meshgrid(np.linspace(0.42, 0.58, 4), np.linspace(0.45, 0.6, 3)), axis=-1).reshape(-1, 2)
        px = grid * camera.size_px
        ground_m = camera.ground_under(px)
        px = px + np.random.default_rng(0).normal(0, 0.3, px.shape)
    with pytest.raises(CalibrationError, match=says):
        found(px, ground_m, wants_lens=True)


def test_a_lens_that_shows_none_of_the_points_is_refused() -> None:
    """A focal length in millimetres: every pixel lies beyond where the picture folds."""
    px, ground_m = points()
    px[0] = np.array(MAST.size_px) / 2
    with pytest.raises(CalibrationError, match=r"lies where a lens of k1 = -0\.05, k2 = 0, focal_px = 4 shows nothing"):
        found(px, ground_m, lens=Lens(focal_px=4.0, center_px=(640.0, 360.0), k1=-0.05))
