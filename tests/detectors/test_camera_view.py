"""What is wrong with a camera's view: drawn streets in every weather, and what happens to cameras."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from detectors.camera_view import (
    ViewChange,
    ViewProblem,
    ViewSettings,
    ViewState,
    advance_view,
    is_a_look,
)
from detectors.glance import Glance, glance_of
from sim.drawing.painter import StreetPainter
from sim.street.body import BodyKind
from sim.street.layout import StreetPart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Weather
from tests.drawn_street import standing

U8 = npt.NDArray[np.uint8]
BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def _painter(pan_deg: float = 0.0) -> StreetPainter:
    camera = PinholeCamera(size_px=(640, 360), focal_px=540.0, height_m=5.5, tilt_deg=20.0, heading_deg=pan_deg)
    return StreetPainter(build_street(StreetPart(y_m=(-20.0, 120.0)), seed=3), camera, seed=3)


@pytest.fixture(scope="module")
def street() -> StreetPainter:
    return _painter()


def _live(painter: StreetPainter, second: int, *, weather: Weather = Weather.DAY) -> U8:
    """The street with somebody walking by, as a camera sees it: every picture has its own noise."""
    walker = standing(BodyKind.PEDESTRIAN, x_m=1.5, y_m=8.0 + second % 40, look=1)
    return np.asarray(painter.draw([walker], weather=weather, second=float(second), grain=second).image, np.uint8)


class Watched:
    """A camera that gives a glance a second."""

    def __init__(self, state: ViewState | None = None) -> None:
        self.state = state or ViewState()
        self.second = 0
        self.changes: list[tuple[int, ViewProblem | None]] = []

    def see(self, picture: Callable[[int], U8], seconds: int) -> None:
        for _ in range(seconds):
            self.second += 1
            at = BEGAN + timedelta(seconds=self.second)
            self.state, change = advance_view(self.state, glance_of(picture(self.second)), at, ViewSettings())
            if change is not None:
                assert change.at == at
                self.changes.append((self.second, change.problem))


def _black(second: int) -> U8:
    return np.random.default_rng(second).normal(5, 2, (360, 640, 3)).clip(0, 255).astype(np.uint8)


def _covered(second: int) -> U8:
    return np.random.default_rng(second).normal(140, 2, (360, 640, 3)).clip(0, 255).astype(np.uint8)


def _encoded(picture: U8) -> U8:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", picture)[1], cv2.IMREAD_COLOR), np.uint8)


def _noisy(picture: U8, second: int) -> U8:
    noise = np.random.default_rng(second).normal(0, 2, picture.shape)
    return (picture + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("weather", list(Weather))
def test_a_living_street_is_no_problem_in_any_weather(street: StreetPainter, weather: Weather) -> None:
    camera = Watched()
    camera.see(lambda second: _encoded(_live(street, second, weather=weather)), 90)
    assert camera.changes == []
    assert is_a_look(camera.state)


@pytest.mark.parametrize(
    ("picture", "problem"), [(_black, ViewProblem.BLACK), (_covered, ViewProblem.BLINDED)], ids=["black", "covered"]
)
def test_a_camera_that_sees_nothing_is_reported_within_thirty_seconds_and_is_no_look_at_once(
    street: StreetPainter, picture: Callable[[int], U8], problem: ViewProblem
) -> None:
    camera = Watched()
    camera.see(lambda second: _live(street, second), 5)
    camera.see(picture, 1)
    assert not is_a_look(camera.state)
    camera.see(picture, 29)
    ((second, reported),) = camera.changes
    assert (reported, second <= 5 + 30) == (problem, True)
    camera.see(lambda second: _live(street, second), 30)
    assert [what for _, what in camera.changes] == [problem, None]
    assert is_a_look(camera.state)


def test_a_picture_that_stands_still_is_reported_within_thirty_seconds_though_its_clock_goes_on(
    street: StreetPainter,
) -> None:
    stuck = _live(street, 7)

    def with_clock(second: int) -> U8:
        picture = stuck.copy()
        cv2.putText(picture, f"12:00:{second:02}", (10, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 2)
        return picture

    camera = Watched()
    camera.see(lambda second: _live(street, second), 5)
    camera.see(with_clock, 30)
    assert [what for _, what in camera.changes] == [ViewProblem.FROZEN]
    assert not is_a_look(camera.state)
    camera.see(lambda second: _live(street, second), 30)
    assert [what for _, what in camera.changes] == [ViewProblem.FROZEN, None]


def test_a_street_where_nothing_moves_is_not_frozen(street: StreetPainter) -> None:
    empty = np.asarray(street.draw([], weather=Weather.DAY).image, np.uint8)
    camera = Watched()
    camera.see(lambda second: _encoded(_noisy(empty, second)), 60)
    assert camera.changes == []


def test_a_camera_that_was_turned_is_reported_within_thirty_seconds_and_its_pictures_are_no_looks(
    street: StreetPainter,
) -> None:
    turned = _painter(pan_deg=25.0)
    camera = Watched()
    camera.see(lambda second: _live(street, second), 120)
    camera.see(lambda second: _live(turned, second), 30)
    assert [what for _, what in camera.changes] == [ViewProblem.MOVED]
    assert not is_a_look(camera.state)
    camera.see(lambda second: _live(turned, second), 600)
    assert [what for _, what in camera.changes] == [ViewProblem.MOVED], "another street does not become the usual one"
    camera.see(lambda second: _live(street, second), 30)
    assert [what for _, what in camera.changes] == [ViewProblem.MOVED, None]


def test_what_was_usual_outlives_a_restart(street: StreetPainter) -> None:
    camera = Watched()
    camera.see(lambda second: _live(street, second), 120)
    again = Watched(ViewState.from_json(camera.state.to_json()))
    turned = _painter(pan_deg=25.0)
    again.see(lambda second: _live(turned, second), 30)
    assert [what for _, what in again.changes] == [ViewProblem.MOVED]
    once_more = Watched(ViewState.from_json(again.state.to_json()))
    assert not is_a_look(once_more.state)
    once_more.see(lambda second: _live(turned, second), 30)
    assert once_more.changes == []
    assert once_more.state.problem is ViewProblem.MOVED


def test_infrared_at_night_is_another_usual_view(street: StreetPainter) -> None:
    camera = Watched()
    for weather in (Weather.DAY, Weather.INFRARED, Weather.DAY, Weather.INFRARED):
        camera.see(lambda second, weather=weather: _live(street, second, weather=weather), 90)  # type: ignore[misc]
    assert camera.changes == []
    assert set(camera.state.usual) == {"colour", "infrared"}


def test_a_bus_before_the_lens_is_not_reported(street: StreetPainter) -> None:
    camera = Watched()
    camera.see(lambda second: _live(street, second), 90)
    camera.see(_covered, 8)
    camera.see(lambda second: _live(street, second), 30)
    assert camera.changes == []


def test_a_late_glance_changes_nothing(street: StreetPainter) -> None:
    glance: Glance = glance_of(_live(street, 1))
    state, _ = advance_view(ViewState(), glance, BEGAN, ViewSettings())
    late: tuple[ViewState, ViewChange | None] = advance_view(
        state, glance_of(_black(1)), BEGAN - timedelta(seconds=1), ViewSettings()
    )
    assert late == (state, None)
