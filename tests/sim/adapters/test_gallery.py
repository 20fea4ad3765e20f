"""One moment in several weathers, as one picture."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from sim.adapters.gallery import write_gallery
from sim.scenario import Scenario, ScenarioError, parse_scenario
from sim.street.weather import Weather
from tests.sim.conftest import CAMERA, EMPTY


def shape_of(file: Path) -> tuple[int, ...]:
    picture = cv2.imdecode(np.frombuffer(file.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return tuple(picture.shape)


@pytest.mark.parametrize(
    ("weathers", "shape"),
    [
        ([Weather.DAY], (180, 320, 3)),
        ([Weather.DAY, Weather.OVERCAST], (180, 646, 3)),
        ([Weather.DAY, Weather.OVERCAST, Weather.FOG], (366, 646, 3)),
    ],
)
def test_pictures_stand_two_in_a_row(
    small_scenario: Scenario, tmp_path: Path, weathers: list[Weather], shape: tuple[int, ...]
) -> None:
    out = tmp_path / "new" / "gallery.jpg"
    write_gallery(small_scenario, out, camera_id=None, second=3, weathers=weathers)
    assert shape_of(out) == shape


def test_the_camera_can_be_chosen(tmp_path: Path) -> None:
    other = CAMERA.replace("cam-a", "cam-b").replace("[320, 180]", "[160, 96]")
    out = tmp_path / "gallery.jpg"
    write_gallery(parse_scenario(EMPTY + other), out, camera_id="cam-b", second=0, weathers=[Weather.DAY])
    assert shape_of(out) == (96, 160, 3)


def test_a_camera_that_is_not_there_is_named(small_scenario: Scenario, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"there is no camera 'cam-z'; there are cam-a$"):
        write_gallery(small_scenario, tmp_path / "g.jpg", camera_id="cam-z", second=0, weathers=[Weather.DAY])
    assert list(tmp_path.iterdir()) == []
