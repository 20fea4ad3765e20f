"""A glance knows pictures apart that differ, and takes the same places of a picture at any size."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.glance import COLUMNS, ROWS, equal_share, glance_of


@pytest.mark.parametrize("size_px", [(640, 360), (960, 540), (50, 28), (31, 17), (1, 1)])
def test_any_picture_gives_a_glance(size_px: tuple[int, int]) -> None:
    width, height = size_px
    picture = np.zeros((height, width, 3), np.uint8)
    picture[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)
    picture[..., 1] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    glance = glance_of(picture)
    assert glance.shape == (ROWS, COLUMNS, 3)
    if width > COLUMNS:
        np.testing.assert_allclose(glance[0, :, 0], (np.arange(COLUMNS) + 0.5) * 255 / COLUMNS, atol=3)
        np.testing.assert_allclose(glance[:, 0, 1], (np.arange(ROWS) + 0.5) * 255 / ROWS, atol=5)


def test_the_share_of_equal_places() -> None:
    first = np.random.default_rng(0).integers(0, 256, (ROWS, COLUMNS, 3), np.uint8)
    second = first.copy()
    assert equal_share(first, second) == 1.0
    second[:7, :, 1] ^= 1
    assert equal_share(first, second) == pytest.approx(0.75)
