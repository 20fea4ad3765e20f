"""Placing pictures in the network's input, and boxes back."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.letterbox import FILL, Letterbox, SizePx, fit, fit_fixed, write_into


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


def _slot(box: Letterbox) -> npt.NDArray[np.uint8]:
    """A slot of a batch that was used before."""
    batch = np.full((2, box.input_px[1], box.input_px[0], 3), 7, np.uint8)
    return np.asarray(batch[1])


def test_the_slot_holds_the_picture_with_grey_around_and_nothing_of_the_one_before() -> None:
    picture = np.full((180, 320, 3), (10, 120, 250), np.uint8)
    box = fit((320, 180), long_side_px=320, stride=32)
    slot = _slot(box)
    write_into(slot, picture, box)
    assert slot.shape == (192, 320, 3)
    np.testing.assert_array_equal(slot[6:186], picture)
    assert set(slot[:6].ravel()) == set(slot[186:].ravel()) == {FILL}


def test_a_picture_at_the_corner_has_grey_to_the_right_and_below() -> None:
    picture = np.full((20, 40, 3), (10, 120, 250), np.uint8)
    box = fit((40, 20), long_side_px=64, stride=32, is_centred=False)
    slot = _slot(box)
    write_into(slot, picture, box)
    np.testing.assert_array_equal(slot[:20, :40], picture)
    assert set(slot[20:].ravel()) == set(slot[:, 40:].ravel()) == {FILL}


def test_a_picture_that_fits_is_written_pixel_by_pixel() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    box = fit((96, 64), long_side_px=640, stride=32)
    slot = _slot(box)
    write_into(slot, picture, box)
    np.testing.assert_array_equal(slot, picture)


@pytest.mark.parametrize(("size_px", "how"), [((960, 540), cv2.INTER_LINEAR), ((1600, 900), cv2.INTER_AREA)])
def test_writing_agrees_with_a_plain_opencv_letterbox(size_px: tuple[int, int], how: int) -> None:
    rng = np.random.default_rng(3)
    noise = rng.integers(0, 256, (size_px[1], size_px[0], 3), np.uint8)
    picture = cv2.GaussianBlur(noise, (0, 0), 3).astype(np.uint8)
    box = fit(size_px, long_side_px=640, stride=32)
    slot = _slot(box)
    write_into(slot, picture, box)
    small = cv2.resize(picture, (640, 360), interpolation=how)
    expected = cv2.copyMakeBorder(small, 12, 12, 0, 0, cv2.BORDER_CONSTANT, value=(FILL, FILL, FILL))
    np.testing.assert_array_equal(slot, expected)
