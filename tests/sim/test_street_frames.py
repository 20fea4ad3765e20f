"""Drawn frames: the same input gives the same picture, and the boxes lie where the things are."""

from __future__ import annotations

import numpy as np
import pytest

from sim.pinhole import PinholeCamera
from sim.street_frames import StreetLayout, StreetPainter, Thing, ThingKind

CAMERA = PinholeCamera(size_px=(960, 540), focal_px=800.0, height_m=5.5, tilt_deg=20.0)
PILE = Thing(kind=ThingKind.GARBAGE, x_m=1.5, y_m=13.5, width_m=1.7, seed=3)
BIN = Thing(kind=ThingKind.GARBAGE_BIN, x_m=3.7, y_m=12.8, width_m=0.7, seed=4)


@pytest.fixture(scope="module")
def painter() -> StreetPainter:
    return StreetPainter(CAMERA, StreetLayout(), seed=7)


def test_same_things_and_seed_give_the_same_picture(painter: StreetPainter) -> None:
    again = StreetPainter(CAMERA, StreetLayout(), seed=7)
    first, second = painter.draw((PILE, BIN), noise_seed=5), again.draw((PILE, BIN), noise_seed=5)
    np.testing.assert_array_equal(first.image, second.image)
    assert first.boxes == second.boxes


def test_another_seed_gives_another_picture(painter: StreetPainter) -> None:
    assert (painter.draw((), noise_seed=1).image != painter.draw((), noise_seed=2).image).any()


@pytest.mark.parametrize("thing", [PILE, BIN], ids=["garbage", "bin"])
def test_the_box_stands_on_the_ground_point_of_the_thing(painter: StreetPainter, thing: Thing) -> None:
    ((name, (x0, y0, x1, y1)),) = painter.draw((thing,)).boxes
    foot = CAMERA.project(np.array([[thing.x_m, thing.y_m, 0.0]]))[0]
    assert name == thing.kind
    assert y1 == pytest.approx(foot[1], abs=6)
    assert (x0 + x1) / 2 == pytest.approx(foot[0], abs=10)
    assert x1 - x0 == pytest.approx(thing.width_m * CAMERA.pixels_per_metre(thing.y_m), rel=0.25)
    assert y0 < y1


def test_pixels_change_only_around_the_thing(painter: StreetPainter) -> None:
    empty, drawn = painter.draw((), noise_seed=9), painter.draw((PILE,), noise_seed=9)
    rows, columns = np.nonzero((empty.image != drawn.image).any(axis=2))
    (_, (x0, y0, x1, y1)) = drawn.boxes[0]
    margin = 0.6 * (x1 - x0)
    assert x0 - margin < columns.min()
    assert columns.max() < x1 + margin
    assert y0 - margin < rows.min()
    assert rows.max() < y1 + margin


def test_a_darker_light_gives_a_darker_picture(painter: StreetPainter) -> None:
    assert painter.draw((), light=0.4).image.mean() < 0.5 * painter.draw(()).image.mean()


def test_a_thing_outside_the_picture_is_refused(painter: StreetPainter) -> None:
    with pytest.raises(ValueError, match="outside the picture"):
        painter.draw((Thing(kind=ThingKind.GARBAGE, x_m=90, y_m=12, width_m=1),))
