"""The occupant by its picture: a car that takes another's very place is another visit; light makes none."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from detectors.appearance import to_text, units_of
from geofence.appearances import blended, first_unlike
from geofence.boxes import Sighting
from geofence.messages import EventType
from tests.geofence.plain_street import START, PlainCamera, Seen

OPENED, CLEARED = EventType.OPENED, EventType.CLEARED
FIRST, SECOND = 1, 2


def look(of: int, second: float = 0.0, noise: float = 0.4) -> str:
    """What car number `of` looks like at a time, with what cameras and boxes add."""
    usual = np.random.default_rng(of).normal(size=100)
    return to_text(usual + noise * np.random.default_rng([of, round(10 * second)]).normal(size=100))


def hand_over(camera: PlainCamera, *, gone: range, until: int, step: int = 1, after: int = SECOND) -> None:
    """One car stands, is out of sight, and then `after` stands there."""
    for second in range(0, until, step):
        if second not in gone:
            who = FIRST if second < gone.start else after
            camera.see(second, Seen(0, appearance=look(who, second)))
        else:
            camera.see(second, others=[(0.0, 90.0, 200.0, 260.0)])


def steps(camera: PlainCamera) -> list[EventType]:
    """What was told, without heartbeats."""
    return [event for _, event in camera.events if event != EventType.UPDATED]


def test_a_second_car_in_the_very_place_starts_anew() -> None:
    camera = PlainCamera()
    hand_over(camera, gone=range(40, 44), until=90)
    assert steps(camera) == [OPENED, CLEARED, OPENED]
    cleared, opened = (at for at, event in camera.events[1:] if event != EventType.UPDATED)
    assert cleared <= 50
    assert opened == pytest.approx(44 + 30, abs=1)


def test_the_same_car_after_a_bus_has_passed_goes_on() -> None:
    camera = PlainCamera()
    hand_over(camera, gone=range(20, 24), until=40, after=FIRST)
    assert camera.events == [(30, OPENED)]


def test_one_car_alone_is_not_split_by_what_is_no_gap() -> None:
    camera = PlainCamera()
    for second in range(80):
        camera.see(second, Seen(0, appearance=look(FIRST if second < 40 else SECOND, second)))
    assert steps(camera) == [OPENED]


def test_at_slow_looks_every_interval_may_hide_a_change() -> None:
    camera = PlainCamera()
    hand_over(camera, gone=range(0), until=200, step=10, after=FIRST)
    assert steps(camera) == [OPENED]
    for second in range(200, 300, 10):
        camera.see(second, Seen(0, appearance=look(SECOND, second)))
    assert steps(camera) == [OPENED, CLEARED, OPENED]


def test_lamps_that_pass_are_no_other_car() -> None:
    camera = PlainCamera()
    for second in range(60):
        if 20 <= second < 24:
            camera.see(second, others=[(0.0, 90.0, 200.0, 260.0)])
            continue
        # Right after the bus its lamps shine on the car, from elsewhere at every look.
        dazzled = 24 <= second < 30
        appearance = look(100 + second if dazzled else FIRST, second)
        camera.see(second, Seen(0, appearance=appearance))
    assert steps(camera) == [OPENED]


def test_few_looks_tell_nothing() -> None:
    camera = PlainCamera()
    hand_over(camera, gone=range(20, 24), until=26)
    assert len(camera.visits) == 1
    camera.see(26, Seen(0, appearance=look(SECOND, 26)))
    assert camera.visits[0].presence.began_at > START + timedelta(seconds=20)


def test_without_appearances_boxes_decide() -> None:
    camera = PlainCamera()
    for second in [*range(20), *range(24, 40)]:
        camera.see(second, Seen(0))
    assert steps(camera) == [OPENED]


def test_the_look_of_long_ago_is_remembered() -> None:
    camera = PlainCamera()
    for second in range(25):
        camera.see(second, Seen(0, appearance=look(FIRST, second)))
    usual = camera.visits[0].appearance
    assert usual is not None
    assert units_of([usual])[0] @ units_of([look(FIRST, noise=0)])[0] > 0.95


def test_a_mean_follows_slow_changes() -> None:
    usual = blended(None, look(FIRST))
    for second in range(60):
        usual = blended(usual, look(SECOND, second))
    assert usual is not None
    assert units_of([usual])[0] @ units_of([look(SECOND, noise=0)])[0] > 0.9
    assert blended(usual, None) == usual


def test_at_thirty_frames_a_second_a_tenth_of_one_is_no_proof() -> None:
    def sightings(count: int, who: int, first: float) -> list[Sighting]:
        return [_sighting(first + n / 30, who, 5.0 if n == 0 and first else 0.0) for n in range(count)]

    before = sightings(6, FIRST, 0)
    assert first_unlike(None, before + sightings(4, SECOND, 10)) is None
    assert first_unlike(None, before[3:] + sightings(10, SECOND, 10)) == 3


def _sighting(second: float, who: int, unseen_s: float) -> Sighting:
    at = START + timedelta(seconds=second)
    return Sighting(
        at=at,
        before=at - timedelta(seconds=1 / 30),
        unseen=timedelta(seconds=unseen_s),
        age=timedelta(seconds=second),
        xyxy=(0.0, 0.0, 10.0, 10.0),
        name="car",
        confidence=0.8,
        appearance=look(who, second),
    )
