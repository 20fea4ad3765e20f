"""What things look like: the same in other light, another where another stands."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from detectors.appearance import NUMBERS, appearances, as_text, crops, is_text, stacked, to_text, units_of
from detectors.messages import FrameDetections

U8 = npt.NDArray[np.uint8]
BOX = (100.0, 80.0, 190.0, 150.0)


def _patterned(seed: int, size_px: tuple[int, int] = (320, 240)) -> U8:
    """Soft blobs of a car's coarseness, over the whole picture."""
    chance = np.random.default_rng(seed)
    rough = chance.integers(30, 226, (size_px[1] // 12, size_px[0] // 12, 3), np.uint8)
    return np.asarray(cv2.resize(rough, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)


def _unit(picture: U8, box: tuple[float, float, float, float] = BOX) -> npt.NDArray[np.float64]:
    found = appearances(crops(picture[None], np.zeros(1, np.intp), np.array([box], np.float32)))
    return np.asarray(units_of([as_text(found[0])])[0], np.float64)


def _noisy(picture: npt.NDArray[np.float32], seed: int) -> U8:
    return np.clip(picture + np.random.default_rng(seed).normal(0, 4, picture.shape), 0, 255).astype(np.uint8)


def test_the_same_thing_in_other_light_looks_alike() -> None:
    street = _patterned(1)
    light = street.astype(np.float32)
    usual = _unit(street)
    grey = cv2.cvtColor(street, cv2.COLOR_BGR2GRAY).astype(np.float32)
    half_in_shadow = light.copy()
    half_in_shadow[:, :140] *= 0.45
    for name, picture in {
        "dark": light * 0.3,
        "gamma": 255 * (light / 255) ** 1.8,
        "infrared": np.repeat(grey[..., None], 3, 2),
        "half in shadow": half_in_shadow,
    }.items():
        assert usual @ _unit(_noisy(picture, 2)) > 0.8, name


def test_another_thing_does_not() -> None:
    usual = _unit(_patterned(1))
    assert max(usual @ _unit(_patterned(seed)) for seed in range(2, 30)) < 0.45


def test_a_box_that_trembles_shows_the_same() -> None:
    street = _patterned(1)
    usual = _unit(street)
    assert usual @ _unit(street, (101.0, 79.0, 191.0, 149.0)) > 0.8


def test_a_thing_is_found_at_its_subpixel_place_in_its_own_picture() -> None:
    pictures = np.stack([_patterned(3), _patterned(4)])
    boxes = np.array([BOX, BOX, (10.25, 20.5, 42.25, 52.5)], np.float32)
    found = crops(pictures, np.array([1, 0, 1]), boxes)
    grey = cv2.cvtColor(pictures[1], cv2.COLOR_BGR2GRAY).astype(np.float32)
    shifted = (grey[20:52] + grey[21:53]) / 2
    expected = 0.75 * shifted[:, 10:42] + 0.25 * shifted[:, 11:43]
    assert np.abs(found[2].astype(np.float32) - expected).max() <= 1.5
    assert not np.array_equal(found[0], found[1])


def test_a_plain_place_has_numbers_that_stay_small_and_none_are_lost_in_text() -> None:
    plain = np.full((1, 32, 32), 90, np.uint8)
    found = appearances(np.concatenate((plain, crops(_patterned(1)[None], np.zeros(1, np.intp), np.array([BOX])))))
    assert found.shape == (2, NUMBERS)
    assert not found[0].any()
    assert np.array_equal(stacked([as_text(found[1]), None]), [found[1], np.zeros(NUMBERS)])
    assert to_text(3.0 * units_of([as_text(found[1])])[0]) == pytest.approx(as_text(found[1]))


def test_no_boxes_have_no_appearances() -> None:
    none = crops(_patterned(1)[None], np.empty(0, np.intp), np.empty((0, 4), np.float32))
    assert appearances(none).shape == (0, NUMBERS)


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "ä" * 136])
def test_other_texts_are_no_appearance(text: str) -> None:
    assert not is_text(text)
    assert is_text(as_text(np.zeros(NUMBERS, np.int8)))


def test_detections_know_their_appearance_where_someone_looked() -> None:
    look = np.zeros((2, NUMBERS), np.int8)
    look[1, 5] = 7
    found = FrameDetections(
        xyxy=np.zeros((2, 4), np.float32),
        confidence=np.zeros(2, np.float32),
        class_id=np.zeros(2, np.int32),
        size_px=(10, 10),
        appearance=look,
    )
    assert found.appearance_of(0) is None
    assert found.appearance_of(1) == as_text(look[1])
    assert FrameDetections.empty((10, 10)).appearance_of(0) is None
    with pytest.raises(ValueError, match=r"expected \(2, 100\)"):
        FrameDetections(
            xyxy=found.xyxy, confidence=found.confidence, class_id=found.class_id, size_px=(1, 1), appearance=look[:1]
        )
