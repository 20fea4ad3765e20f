"""Rain, glare, lens and noise."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pytest

from sim.drawing.air import Air
from sim.street.weather import LIGHTS, Light, Weather

_SIZE_PX = (160, 96)


def _grey(level: int = 100) -> npt.NDArray[np.uint8]:
    return np.full((_SIZE_PX[1], _SIZE_PX[0], 3), level, np.uint8)


def _covered(light: Light, *, second: float = 0.0, grain: int = 0, seed: int = 1) -> npt.NDArray[np.uint8]:
    return Air(_SIZE_PX, light, seed=seed).cover(_grey(), second=second, grain=grain)


@pytest.mark.parametrize("weather", list(Weather))
def test_the_same_grain_gives_the_same_picture_whatever_came_before(weather: Weather) -> None:
    air = Air(_SIZE_PX, LIGHTS[weather], seed=1)
    first = air.cover(_grey(), second=3.0, grain=5)
    air.cover(_grey(), second=4.0, grain=6)
    assert (air.cover(_grey(), second=3.0, grain=5) == first).all()
    assert (air.cover(_grey(), second=3.0, grain=6) != first).any()


def test_noise_is_as_strong_as_the_light_says() -> None:
    for noise in (1.5, 6.0):
        middle = _covered(dataclasses.replace(LIGHTS[Weather.DAY], noise=noise, tone=1.0))[30:66, 50:110]
        assert np.std(middle.mean(axis=2)) == pytest.approx(noise, rel=0.35)


def test_noise_leaves_the_mean_alone() -> None:
    linear = dataclasses.replace(LIGHTS[Weather.NIGHT], tone=1.0)
    assert _covered(linear)[30:66, 50:110].mean() == pytest.approx(100, abs=2.5)


def test_a_tone_below_one_lifts_what_is_dark_and_keeps_black_and_white() -> None:
    light = dataclasses.replace(LIGHTS[Weather.INFRARED], noise=0.0, tone=0.5, is_infrared=False)
    for level, shown in ((0, 0), (64, 128), (255, 255)):
        picture = Air(_SIZE_PX, light, seed=1).cover(_grey(level), second=0.0, grain=0)
        assert abs(float(picture[48, 80].mean()) - shown) <= 2


def test_corners_are_darker_than_the_middle_and_much_so_in_infrared() -> None:
    def loss(weather: Weather) -> float:
        picture = _covered(LIGHTS[weather]).astype(np.float64)
        return float(1 - picture[:8, :8].mean() / picture[40:56, 70:90].mean())

    assert 0.02 < loss(Weather.DAY) < 0.2
    assert loss(Weather.INFRARED) > 0.3


def test_glare_veils_the_top_more_than_the_foot_of_the_picture() -> None:
    picture = _covered(LIGHTS[Weather.GLARE])
    assert picture[:10, 60:110].mean() > picture[-10:, 60:110].mean() + 40


def test_rain_falls_elsewhere_in_the_next_moment() -> None:
    quiet = dataclasses.replace(LIGHTS[Weather.RAIN], noise=0.0, tone=1.0)
    assert (_covered(quiet, second=1.0) != _covered(quiet, second=1.1)).any()
    assert _covered(quiet).max() > 110
    assert _covered(dataclasses.replace(quiet, rain=0.0)).max() <= 101


def test_infrared_pictures_have_no_colour() -> None:
    picture = _covered(LIGHTS[Weather.INFRARED])
    assert (picture[..., 0] == picture[..., 1]).all()
    assert (picture[..., 0] == picture[..., 2]).all()
