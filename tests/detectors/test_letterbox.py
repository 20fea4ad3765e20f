"""Placing pictures in the network's input, and boxes back."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from detectors.letterbox import FILL, fit, write_into


def test_a_16_9_camera_gets_a_rectangular_input() -> None:
    box = fit((1920, 1080), long_side_px=640, stride=32)
    assert (box.input_px, box.placed_px, box.offset_px) == ((640, 384), (640, 360), (0, 12))


def test_a_square_picture_fills_a_square_input() -> None:
    box = fit((416, 416), long_side_px=640, stride=32)
    assert (box.input_px, box.offset_px) == ((640, 640), (0, 0))


@given(
    width=st.integers(8, 5000),
    height=st.integers(8, 5000),
    corner=st.tuples(st.floats(0, 0.9), st.floats(0, 0.9)),
    side=st.tuples(st.floats(0.01, 0.1), st.floats(0.01, 0.1)),
)
def test_boxes_survive_the_way_to_the_input_and_back(
    width: int, height: int, corner: tuple[float, float], side: tuple[float, float]
) -> None:
    box = fit((width, height), long_side_px=640, stride=32)
    assert all(length % 32 == 0 for length in box.input_px)
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
