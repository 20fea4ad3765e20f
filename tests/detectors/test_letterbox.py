"""Placing pictures in the network's input, and boxes back."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.letterbox import FILL, SizePx, fit, fit_fixed, write_into


def test_a_16_9_camera_gets_a_rectangular_input() -> None:
    box = fit((1920, 1080), long_side_px=640, stride=32)
    assert (box.input_px, box.placed_px, box.offset_px) == ((640, 384), (640, 360), (0, 12))


@pytest.mark.parametrize(
    ("picture_px", "input_px", "offset_px"),
    [
        ((416, 416), (416, 416), (0, 0)),
        ((640, 360), (640, 384), (0, 12)),
        ((400, 300), (416, 320), (8, 10)),
        ((33, 1), (64, 32), (15, 15)),
        ((360, 640), (384, 640), (12, 0)),
    ],
)
def test_a_picture_is_never_enlarged(picture_px: SizePx, input_px: SizePx, offset_px: SizePx) -> None:
    box = fit(picture_px, long_side_px=640, stride=32)
    assert (box.placed_px, box.input_px, box.offset_px) == (picture_px, input_px, offset_px)


def test_one_pixel_too_many_is_scaled_down() -> None:
    assert fit((641, 641), long_side_px=640, stride=32).placed_px == (640, 640)


def test_a_fixed_input_is_filled_whatever_the_picture() -> None:
    small, large = (fit_fixed(size, input_px=(640, 640)) for size in ((416, 208), (1920, 960)))
    for box in (small, large):
        assert (box.input_px, box.placed_px, box.offset_px) == ((640, 640), (640, 320), (0, 160))


def test_a_fixed_rectangle_takes_the_side_that_is_short_of_room() -> None:
    box = fit_fixed((400, 400), input_px=(640, 320))
    assert (box.placed_px, box.offset_px) == ((320, 320), (160, 0))


def test_a_network_that_wants_its_picture_at_the_corner_gets_it_there() -> None:
    assert fit((400, 300), long_side_px=640, stride=32, is_centred=False).offset_px == (0, 0)
    assert fit_fixed((400, 300), input_px=(416, 416), is_centred=False).offset_px == (0, 0)


@given(
    width=st.integers(8, 5000),
    height=st.integers(8, 5000),
    corner=st.tuples(st.floats(0, 0.9), st.floats(0, 0.9)),
    side=st.tuples(st.floats(0.01, 0.1), st.floats(0.01, 0.1)),
    is_centred=st.booleans(),
    is_fixed=st.booleans(),
)
def test_boxes_survive_the_way_to_the_input_and_back(
    *,
    width: int,
    height: int,
    corner: tuple[float, float],
    side: tuple[float, float],
    is_centred: bool,
    is_fixed: bool,
) -> None:
    box = (
        fit_fixed((width, height), input_px=(640, 416), is_centred=is_centred)
        if is_fixed
        else fit((width, height), long_side_px=640, stride=32, is_centred=is_centred)
    )
    assert all(length % 32 == 0 for length in box.input_px)
    assert all(0 < placed <= whole for placed, whole in zip(box.placed_px, box.input_px, strict=True))
    original = np.array([[corner[0], corner[1], corner[0] + side[0], corner[1] + side[1]]]) * [
        width, height, width, height,
    ]  # fmt: skip
    scale = np.array([box.placed_px[0] / width, box.placed_px[1] / height] * 2)
    there = original * scale + np.array(box.offset_px * 2)
    back = box.to_picture(there.astype(np.float32))
    np.testing.assert_allclose(back, original, atol=max(width, height) * 1e-4)


def test_boxes_are_clipped_to_the_picture() -> None:
    box = fit((640, 360), long_side_px=640, stride=32)
    np.testing.assert_array_equal(box.to_picture(np.array([[-5, 0, 700, 384]], np.float32)), [[0, 0, 640, 360]])


def test_the_row_holds_rgb_between_0_and_1_with_grey_around() -> None:
    picture = np.zeros((180, 320, 3), np.uint8)
    picture[..., 2] = 255  # pure red in BGR
    box = fit((320, 180), long_side_px=320, stride=32)
    row = np.empty((3, box.input_px[1], box.input_px[0]), np.float32)
    write_into(row, picture, box)
    assert row.shape == (3, 192, 320)
    np.testing.assert_allclose(row[:, 96, 160], [1, 0, 0])
    np.testing.assert_allclose(row[:, 0, 0], [FILL / 255] * 3)
    np.testing.assert_allclose(row[:, 191, 319], [FILL / 255] * 3)


def test_a_raw_row_holds_the_bytes_of_the_picture_as_they_are() -> None:
    picture = np.zeros((20, 32, 3), np.uint8)
    picture[:] = (10, 120, 250)
    box = fit((32, 20), long_side_px=64, stride=32, is_centred=False)
    row = np.empty((3, 32, 32), np.float32)
    write_into(row, picture, box, is_raw_bgr=True)
    np.testing.assert_array_equal(row[:, 19, 31], [10, 120, 250])
    np.testing.assert_array_equal(row[:, 20, 0], [FILL, FILL, FILL])


def test_a_picture_that_fits_is_written_pixel_by_pixel() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    box = fit((96, 64), long_side_px=640, stride=32)
    row = np.empty((3, 64, 96), np.float32)
    write_into(row, picture, box, is_raw_bgr=True)
    np.testing.assert_array_equal(row.transpose(1, 2, 0), picture)


def test_writing_agrees_with_a_plain_opencv_letterbox() -> None:
    rng = np.random.default_rng(3)
    picture = cv2.GaussianBlur(rng.integers(0, 256, (540, 960, 3), np.uint8), (0, 0), 3).astype(np.uint8)
    box = fit((960, 540), long_side_px=640, stride=32)
    row = np.empty((3, 384, 640), np.float32)
    write_into(row, picture, box)
    small = cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA)
    padded = cv2.copyMakeBorder(small, 12, 12, 0, 0, cv2.BORDER_CONSTANT, value=(FILL, FILL, FILL))
    expected = cv2.cvtColor(padded, cv2.COLOR_BGR2RGB).astype(np.float32).transpose(2, 0, 1) / 255
    np.testing.assert_allclose(row, expected, atol=1e-6)
