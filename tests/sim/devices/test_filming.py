"""What leaves a camera, and what a detector could find in it, with and without faults."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest

from sim.devices.filming import Filming, Shot, films_of
from sim.drawing.painter import Shown, StreetPainter
from sim.scenario import parse_scenario
from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Weather
from tests.sim.conftest import CAMERA, EMPTY

Film = Callable[..., Filming]


def fault(kind: str, from_s: int, until_s: int, **keys: float | str) -> str:
    more = "".join(f"{key} = {value}\n" for key, value in keys.items())
    return f'\n[[faults]]\nkind = "{kind}"\ncamera = "cam-a"\nfrom_s = {from_s}\nuntil_s = {until_s}\n{more}'


def car(y_m: float) -> Body:
    length_m, width_m, height_m = SIZE_M[BodyKind.CAR]
    return Body(id="car", kind=BodyKind.CAR, x_m=-1.3, y_m=y_m, length_m=length_m, width_m=width_m, height_m=height_m)


@pytest.fixture(scope="module")
def film_of() -> Film:
    """Films of the small street that share their painters: a picture depends on nothing drawn before."""
    painters: OrderedDict[PinholeCamera, StreetPainter] = OrderedDict()

    def make(text: str = EMPTY) -> Filming:
        scenario = parse_scenario(text)
        (film,) = films_of(scenario, scenario.built_street())
        film._painters = painters
        return film

    return make


def shots(film: Filming, count: int) -> list[Shot]:
    """The first frames; at second n the car stands at 15 + n metres."""
    return [film.shoot(index, [car(15 + index)]) for index in range(count)]


def seen_at(shown: Sequence[Shown]) -> list[float]:
    return [item.body.y_m for item in shown]


def readable(shot: Shot) -> list[tuple[float, list[float]]]:
    """(captured second, where the cars stand) of the pictures that can be decoded."""
    return [(second, seen_at(shown)) for second, shown in shot.readable]


def test_a_sound_camera_sends_one_picture_of_what_is_there(film_of: Film) -> None:
    (shot,) = shots(film_of(), 1)
    assert readable(shot) == [(0.0, [15])]
    assert seen_at(shot.shown) == [15]
    assert (shot.weather, shot.faults, shot.second) == (Weather.DAY, (), 0.0)
    picture = cv2.imdecode(np.frombuffer(shot.outgoing[0].jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.shape == (180, 320, 3)


def test_the_cameras_of_a_street_take_turns() -> None:
    scenario = parse_scenario(EMPTY + CAMERA.replace("cam-a", "cam-b") + "frames_per_s = 2\n")
    first, second = films_of(scenario, scenario.built_street())
    assert [first.second_of(index) for index in range(3)] == [0.0, 1.0, 2.0]
    assert [second.second_of(index) for index in range(3)] == [0.25, 0.75, 1.25]


def test_a_frozen_picture_shows_what_was_there_before(film_of: Film) -> None:
    told = shots(film_of(EMPTY + fault("freeze", 1, 3)), 4)
    assert [readable(shot) for shot in told] == [[(0, [15])], [(1, [15])], [(2, [15])], [(3, [18])]]
    assert [seen_at(shot.shown) for shot in told] == [[15], [16], [17], [18]]
    assert [shot.faults for shot in told] == [(), ("freeze",), ("freeze",), ()]


def test_in_a_loop_a_fault_comes_again(film_of: Film) -> None:
    told = shots(film_of("loop_s = 3\n" + EMPTY + fault("freeze", 1, 2)), 6)
    assert [readable(shot)[0][1] for shot in told] == [[15], [15], [17], [18], [18], [20]]
    assert [shot.faults for shot in told] == [(), ("freeze",), ()] * 2


def test_a_black_picture_shows_nothing(film_of: Film) -> None:
    told = shots(film_of(EMPTY + fault("black", 1, 2)), 3)
    assert [readable(shot) for shot in told] == [[(0, [15])], [(1, [])], [(2, [17])]]


def test_a_truncated_picture_cannot_be_read(film_of: Film) -> None:
    told = shots(film_of(EMPTY + fault("truncate", 1, 2)), 3)
    assert [len(shot.outgoing) for shot in told] == [1, 1, 1]
    assert [readable(shot) for shot in told] == [[(0, [15])], [], [(2, [17])]]


def test_a_truncated_picture_that_comes_late_cannot_be_read_either(film_of: Film) -> None:
    text = EMPTY + fault("truncate", 1, 2) + fault("link_lost", 1, 2, keeps_backlog="true")
    told = shots(film_of(text), 3)
    assert [len(shot.outgoing) for shot in told] == [1, 0, 2]
    assert [readable(shot) for shot in told] == [[(0, [15])], [], [(2, [17])]]


def test_a_black_picture_that_comes_while_others_are_truncated_shows_nothing(film_of: Film) -> None:
    text = EMPTY + fault("black", 1, 2) + fault("link_lost", 1, 2, keeps_backlog="true") + fault("truncate", 2, 3)
    told = shots(film_of(text), 3)
    assert [readable(shot) for shot in told] == [[(0, [15])], [], [(1, [])]]


def test_a_repeated_picture_shows_the_same_twice(film_of: Film) -> None:
    told = shots(film_of(EMPTY + fault("repeat", 1, 2)), 2)
    assert readable(told[1]) == [(1, [16]), (1, [16])]
    assert told[1].outgoing[0] == told[1].outgoing[1]


def test_nothing_leaves_without_a_link(film_of: Film) -> None:
    told = shots(film_of(EMPTY + fault("link_lost", 1, 3)), 4)
    assert [readable(shot) for shot in told] == [[(0, [15])], [], [], [(3, [18])]]


def test_what_was_kept_shows_what_was_there_then(film_of: Film) -> None:
    told = shots(film_of(EMPTY + fault("link_lost", 1, 3, keeps_backlog="true")), 4)
    assert [readable(shot) for shot in told] == [[(0, [15])], [], [], [(1, [16]), (2, [17]), (3, [18])]]


def test_a_wrong_clock_moves_the_captured_second_alone(film_of: Film) -> None:
    told = shots(film_of(EMPTY + fault("clock_jump", 1, 2, jump_s=-30)), 2)
    assert readable(told[1]) == [(-29, [16])]
    assert told[1].second == 1


def test_a_moved_camera_looks_from_its_new_pose(film_of: Film) -> None:
    told = shots(film_of(EMPTY + fault("move", 1, 2, pan_deg=10)), 3)
    assert [shot.pose.heading_deg for shot in told] == [0, 10, 0]
    boxes = [shot.shown[0].xyxy for shot in told]
    assert boxes[1][2] < boxes[0][0]


def test_a_frame_is_the_same_whatever_was_drawn_before(film_of: Film) -> None:
    *_, last = shots(film_of(), 3)
    again = film_of().shoot(2, [car(17)])
    assert again.outgoing == last.outgoing


def test_a_camera_with_infrared_uses_it_at_night_only() -> None:
    weather = '\n[[weather]]\nkind = "dusk"\n\n[[weather]]\nkind = "night"\nfrom_s = 5\n'
    scenario = parse_scenario(EMPTY + CAMERA.replace("cam-a", "cam-b") + "has_infrared = true\n" + weather)
    plain, infrared = films_of(scenario, scenario.built_street())
    assert [plain._weather(second) for second in (0, 6)] == [Weather.DUSK, Weather.NIGHT]
    assert [infrared._weather(second) for second in (0, 6)] == [Weather.DUSK, Weather.INFRARED]


def test_the_boxes_of_a_swaying_camera_sway_with_it(film_of: Film) -> None:
    swaying = film_of(EMPTY.replace("tilt_deg = 20", "tilt_deg = 20\nvibration_px = 2"))
    still = film_of()
    off = []
    for index in range(8):
        moved = swaying.shoot(index, [car(19)]).shown[0].xyxy
        off.append(np.subtract(moved, still.shoot(index, [car(19)]).shown[0].xyxy))
    assert np.ptp(np.array(off)[:, 0]) > 1
    assert np.array(off)[:, 0] == pytest.approx(np.array(off)[:, 2])
