"""Lanes that move up: two vehicles together are a flow, one that leaves is none."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from geofence.boxes import Sighting
from geofence.dwell import Presence
from geofence.flow import moved_up, with_flow
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
    assert 2 in moved_up(with_flow(visits, [], LOOK))


def test_who_stays_in_sight_at_its_place_stays() -> None:
    visits = [standing(1, 0, is_off=True), standing(2, -6.5), standing(3, -13, is_off=True)]
    assert 2 not in moved_up(with_flow(visits, [], LOOK))


def test_one_that_leaves_takes_nobody_along() -> None:
    visits = [standing(1, 0, is_off=True), standing(2, -6.5, is_seen=False), standing(3, -13)]
    assert 2 not in moved_up(with_flow(visits, [], LOOK))


def test_what_left_long_ago_moves_no_lane_now() -> None:
    visits = [standing(1, 0, is_off=True), standing(2, -6.5, is_seen=False)]
    gone: Presence = replace(standing(3, -13).presence, gone_at=NOW - timedelta(seconds=20))
    old = Departure(visit=replace(standing(3, -13), presence=gone), is_replaced=True)
    assert 2 not in moved_up(with_flow(visits, [old], LOOK))
    now = Departure(visit=replace(old.visit, presence=replace(gone, gone_at=NOW)), is_replaced=True)
    assert 2 in moved_up(with_flow(visits, [now], LOOK))
