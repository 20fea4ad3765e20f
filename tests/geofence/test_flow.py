"""Lanes that move up: two vehicles together are a flow, one that leaves is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from geofence.boxes import Sighting
from geofence.dwell import Presence, begin
from geofence.flow import MAX_PASSINGS, Passing, driven_sides, moved_up, with_flow, with_passings
from geofence.visit import Departure, Look, Visit
from tests.geofence.plain_street import START
from tests.geofence.test_queueing import car

NOW = START + timedelta(seconds=60)
LOOK = Look(at=NOW, before=NOW - timedelta(seconds=1), counted=timedelta(seconds=1), clock=timedelta(seconds=60))


def standing(number: int, north_m: float, *, is_seen: bool = True, is_off: bool = False) -> Visit:
    seen_at = NOW if is_seen else NOW - timedelta(seconds=2)
    odd = Sighting(
        at=seen_at,
        before=seen_at,
        unseen=timedelta(),
        age=timedelta(),
        xyxy=(5, 5, 15, 15),
        name="car",
        confidence=0.8,
    )
    visit = car(number, north_m, 0.0)
    presence = replace(visit.presence, last_seen_at=seen_at, hits=30)
    return replace(visit, presence=presence, off=(odd,) if is_off else (), driven_sides=(True, True))


def test_who_is_out_of_sight_while_two_of_its_lane_move_has_moved_with_them() -> None:
    visits = [standing(1, 0, is_off=True), standing(2, -6.5, is_seen=False), standing(3, -13, is_off=True)]
    assert 2 in moved_up(with_flow(visits, [], LOOK), ())


def test_who_stays_in_sight_at_its_place_stays() -> None:
    visits = [standing(1, 0, is_off=True), standing(2, -6.5), standing(3, -13, is_off=True)]
    assert 2 not in moved_up(with_flow(visits, [], LOOK), ())


def test_one_that_leaves_takes_nobody_along() -> None:
    visits = [standing(1, 0, is_off=True), standing(2, -6.5, is_seen=False), standing(3, -13)]
    assert 2 not in moved_up(with_flow(visits, [], LOOK), ())


def test_what_left_long_ago_moves_no_lane_now() -> None:
    visits = [standing(1, 0, is_off=True), standing(2, -6.5, is_seen=False)]
    gone: Presence = replace(standing(3, -13).presence, gone_at=NOW - timedelta(seconds=20))
    old = Departure(visit=replace(standing(3, -13), presence=gone), is_replaced=True)
    assert 2 not in moved_up(with_flow(visits, [old], LOOK), ())
    now = Departure(visit=replace(old.visit, presence=replace(gone, gone_at=NOW)), is_replaced=True)
    assert 2 in moved_up(with_flow(visits, [now], LOOK), ())


def test_one_that_drives_past_others_moves_no_lane() -> None:
    """Its new place counts for nothing: what counts is who is gone from where it stood."""
    hidden = [standing(n, -6.5 * n, is_seen=False) for n in range(1, 4)]
    passing = replace(standing(9, -6.5), presence=begin(NOW, LOOK.before))
    left = standing(4, -26)
    gone = Departure(visit=replace(left, presence=replace(left.presence, gone_at=NOW)), is_replaced=True)
    unqueued = [replace(visit, driven_sides=(True, False)) for visit in hidden]
    assert not moved_up(with_flow([*unqueued, passing], [gone], LOOK), ())


def test_where_nobody_drives_it_takes_three_to_make_a_flow() -> None:
    visits = [standing(n, -6.5 * n, is_off=n != 2, is_seen=n != 2) for n in range(1, 4)]
    parked = [replace(visit, driven_sides=(False, False)) for visit in visits]
    assert 2 not in moved_up(with_flow(parked, [], LOOK), ())
    fourth = replace(standing(4, 0.0, is_off=True), driven_sides=(False, False))
    assert 2 in moved_up(with_flow([*parked, fourth], [], LOOK), ())


def passed(number: int, north_m: float, second: float, *, east_m: float = 0.0) -> Departure:
    """A glimpse of a car, seen once at `second` of the sixty that counted."""
    at = START + timedelta(seconds=second)
    presence = replace(begin(at, at - timedelta(seconds=1)), age=timedelta(seconds=60.5 - second))
    return Departure(visit=replace(car(number, north_m, second, east_m=east_m), presence=presence), is_replaced=False)


def test_a_lane_is_driven_where_others_passed_before_and_behind() -> None:
    glimpses = [passed(n, -20 + 5 * n, 30) for n in range(9)]
    passings = with_passings((), glimpses, LOOK)
    assert len(passings) == 9
    stopped = replace(car(1, 0, 45), presence=replace(car(1, 0, 45).presence, age=timedelta(seconds=15)))
    (sides,) = driven_sides([stopped], passings, LOOK)
    assert sides == (True, True)
    head = replace(stopped, anchor_m=(0.0, 19.0))
    beside = replace(stopped, anchor_m=(2.6, 0.0))
    assert driven_sides([head, beside], passings, LOOK) == [(False, True), (False, False)]


def test_through_whose_place_others_drove_stands_in_their_lane_however_far_the_camera_sees() -> None:
    passings = with_passings((), [passed(n, n - 2.0, 15 * n - 10) for n in range(1, 4)], LOOK)
    stopped = replace(car(1, 0, 45), presence=replace(car(1, 0, 45).presence, age=timedelta(seconds=15)))
    assert driven_sides([stopped], passings, LOOK) == [(True, True)]
    assert driven_sides([stopped], passings[:2], LOOK) == [(False, False)]


def test_passings_fade_and_stay_few() -> None:
    many = [passed(n, 0.1 * n, 60 - n / 50, east_m=5.0 * (n % 100)) for n in range(900)]
    assert len(with_passings((), many, LOOK)) <= MAX_PASSINGS
    old = Passing(east_m=0, north_m=0, clock_s=-300)
    assert with_passings([old], [], LOOK) == ()


def test_what_stayed_for_long_did_not_pass() -> None:
    stayed = car(1, 0, 20)
    presence = replace(stayed.presence, dwell=timedelta(seconds=9), age=timedelta(seconds=40))
    assert with_passings((), [Departure(visit=replace(stayed, presence=presence), is_replaced=False)], LOOK) == ()


def test_what_is_reported_moves_up_only_where_it_is_seen_beside_its_place() -> None:
    """A look that misses a parked car while others pass it says nothing."""
    missed = [standing(1, 0, is_off=True), standing(2, -6.5, is_seen=False), standing(3, -13, is_off=True)]
    assert 2 not in moved_up(with_flow(missed, [], LOOK), {2})
    beside = [missed[0], standing(2, -6.5, is_off=True), missed[2]]
    assert 2 in moved_up(with_flow(beside, [], LOOK), {2})
