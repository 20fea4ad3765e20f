"""Ground outlines in the picture."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from sim.drawing.outline import fill, ground_outline_px
from sim.street.pinhole import PinholeCamera

_SQUARE_M = np.array([(-1.0, 11.0), (1.0, 11.0), (1.0, 13.0), (-1.0, 13.0)])


def test_an_outline_in_view_is_its_projected_corners(camera: PinholeCamera) -> None:
    expected = camera.project(np.column_stack((_SQUARE_M, np.zeros(4))))
    assert ground_outline_px(camera, _SQUARE_M) == pytest.approx(expected)


def test_an_outline_behind_the_camera_is_empty(camera: PinholeCamera) -> None:
    assert ground_outline_px(camera, _SQUARE_M - (0, 40)).shape == (0, 2)


def test_an_outline_that_passes_under_the_camera_covers_what_lies_in_the_picture(camera: PinholeCamera) -> None:
    road = np.array([(-12.0, -40.0), (0.0, -40.0), (0.0, 60.0), (-12.0, 60.0)])
    mask = np.zeros((180, 320), np.uint8)
    fill(mask, ground_outline_px(camera, road), (255,))
    grid = np.stack(np.meshgrid(np.arange(320) + 0.5, np.arange(180) + 0.5), axis=-1).reshape(-1, 2)
    ground = camera.ground_under(grid)
    inside = (ground[:, 0] > -12) & (ground[:, 0] < 0) & (ground[:, 1] < 60)
    assert np.mean((mask.reshape(-1) > 127) == inside) > 0.995


def test_a_bent_lens_bends_long_edges(camera: PinholeCamera) -> None:
    bent = dataclasses.replace(camera, k1=-0.2)
    assert len(ground_outline_px(bent, _SQUARE_M)) > 4


def test_fill_covers_a_pixel_that_the_outline_covers() -> None:
    mask = np.zeros((8, 8), np.uint8)
    fill(mask, np.array([(2.0, 3.0), (5.0, 3.0), (5.0, 6.0), (2.0, 6.0)]), (255,))
    assert (mask[3:6, 2:5] == 255).all()
    assert mask[0].max() == 0
    assert mask[:, 7].max() == 0
