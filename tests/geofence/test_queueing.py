"""Queues against rows of parked cars: by the order in which neighbours came to stand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from geofence.boxes import NOTHING_SETTLED
from geofence.dwell import DwellSettings, Presence
from geofence.footprint import Footprint
from geofence.queueing import is_queueing, queueing_numbers, with_queues
from geofence.visit import Look, Visit
from tests.geofence.plain_street import START

RULE = DwellSettings(min_dwell_s=60)


def car(number: int, north_m: float, came_s: float, *, east_m: float = 0.0, slant_deg: float = 0.0) -> Visit:
    """A car 4.6 m long in a lane that runs north, its own direction as slanted as footprints err."""
    came_at = START + timedelta(seconds=came_s)
    return Visit(
        number=number,
        group="vehicle",
        presence=Presence(began_at=came_at, last_seen_at=came_at, is_start_unknown=False, hits=9),
        anchor_m=(east_m, north_m),
        usual=NOTHING_SETTLED.with_box((0, 0, 10, 10)),
        recent=(),
        votes=(("car", 1.0),),
        name="car",
        named_at=came_at,
        placed_at=came_at,
        confidence_sum=1.0,
        last_xyxy=(0, 0, 10, 10),
        footprint=Footprint(
            corners_m=((0, 0), (1, 0), (1, 1), (0, 1)),
            center_m=(east_m, north_m),
            heading_rad=math.radians(slant_deg),
            length_m=4.6,
            width_m=1.8,
            sway_m=(0.1, 0.0),
            axis_rad=0.0,
        ),
    )


def at(second: float) -> datetime:
    return START + timedelta(seconds=second)


def queued(*cars: Visit, second: float = 50.0) -> frozenset[int]:
    return queueing_numbers(cars, at(second), RULE)


@pytest.mark.parametrize("way", [1, -1])
def test_three_that_stop_one_behind_the_other_are_a_queue(way: int) -> None:
    assert queued(car(1, 0, 10), car(2, -6.5 * way, 13), car(3, -13 * way, 17)) == {1, 2, 3}


def test_two_are_none() -> None:
    assert queued(car(1, 0, 10), car(2, -6.5, 13)) == frozenset()


@pytest.mark.parametrize("came_s", [(10, 40, 70), (10, 10, 10), (13, 10, 17.5)], ids=["slowly", "at once", "any order"])
def test_a_row_of_parked_cars_is_none(came_s: tuple[float, ...]) -> None:
    assert queued(*(car(n, -6.5 * n, second) for n, second in enumerate(came_s)), second=75) == frozenset()


@pytest.mark.parametrize(("north_m", "is_part"), [(-9.75, True), (-26, False)], ids=["between", "behind"])
def test_one_that_nobody_saw_come_is_part_of_a_queue_between_two_of_it(north_m: float, is_part: bool) -> None:
    there = car(9, north_m, 0)
    there = replace(there, presence=replace(there.presence, is_start_unknown=True))
    assert (9 in queued(car(1, 0, 10), car(2, -6.5, 13), there, car(3, -13, 17))) is is_part


def test_some_seconds_of_doubt_about_one_of_them_leave_it_a_queue() -> None:
    """Another car drove through the second one's place before it."""
    assert queued(car(1, 0, 14), car(2, -6.5, 12), car(3, -13, 19), car(4, -19.5, 23)) == {1, 2, 3, 4}


def test_a_slanted_footprint_leaves_the_lane_no_narrower() -> None:
    assert queued(*(car(n, -6.5 * n, 10 + 3 * n, slant_deg=15) for n in range(4))) == {0, 1, 2, 3}


def driven(visit: Visit) -> Visit:
    return replace(visit, driven_sides=(True, True))


def test_behind_a_head_beyond_which_others_drove_the_next_ones_may_take_their_time() -> None:
    cars = [car(n, -8.0 * n, 10 + 14 * n) for n in range(4)]
    assert queued(*cars, second=65) == frozenset()
    assert queued(driven(cars[0]), *cars[1:], second=65) == {0, 1, 2, 3}
    # A row of parked cars: the later ones drove along it up to where it ends, not beyond.
    row = [replace(one, driven_sides=(False, True)) for one in cars]
    assert queued(*row, second=65) == frozenset()


def test_where_others_drove_the_light_may_be_red_through_a_lull() -> None:
    cars = [car(0, 0, 10), car(1, -7, 15), car(2, -14, 50)]
    assert queued(*cars, second=60) == frozenset()
    assert queued(driven(cars[0]), *cars[1:], second=60) == {0, 1, 2}


def test_one_that_was_hidden_when_it_came_breaks_no_row() -> None:
    """The nearest one behind the head is first seen long after those that stand behind it."""
    cars = [driven(car(0, 0, 10)), car(1, -6.5, 40), car(2, -13, 14), car(3, -19.5, 17)]
    assert queued(*cars, second=60) == {0, 1, 2, 3}


def test_a_hidden_one_between_two_makes_three() -> None:
    head, hidden, last = car(0, 0, 10), car(1, -6.5, 90), car(2, -14, 15)
    assert queued(driven(head), last, second=95) == frozenset()
    assert queued(driven(head), hidden, last, second=95) == {0, 1, 2}
    assert queued(head, hidden, last, second=95) == frozenset()


def test_who_stands_between_two_of_a_queue_is_part_of_it() -> None:
    cars = [car(0, 0, 10), car(1, -6.5, 13), car(2, -13, 17), car(3, -19.5, 20)]
    late = car(4, -9.7, 45)
    assert 4 in queued(*cars, late)
    assert 4 not in queued(*cars, replace(late, anchor_m=(3.0, -9.7), footprint=car(4, -9.7, 45, east_m=3.0).footprint))


def test_what_is_left_of_a_queue_that_dissolves_is_one_for_a_moment() -> None:
    look = Look(at=at(50), before=at(49), counted=timedelta(seconds=1), clock=timedelta(seconds=50))
    cars = [car(0, 0, 10), car(1, -6.5, 13), car(2, -13, 17)]
    *_, last = with_queues(cars, frozenset({0, 1, 2}), (), look, RULE)
    assert is_queueing(last, at(65))
    assert not is_queueing(last, at(71))


def test_another_lane_is_another_queue() -> None:
    assert queued(car(1, 0, 10), car(2, -6.5, 13, east_m=3.2), car(3, -13, 17)) == frozenset()


def test_a_queue_is_believed_for_twice_the_limit() -> None:
    cars = [car(n, -6.5 * n, 10 + 3 * n) for n in range(3)]
    assert queued(*cars, second=125) == {0, 1, 2}
    assert 0 not in queued(*cars, second=131)


def test_things_at_one_place_lead_to_no_endless_chain() -> None:
    cars = [car(n, 0.3 * (n % 3), 10 + n) for n in range(9)]
    assert queued(*cars) <= set(range(9))
