"""What is really wrong on the street, judged moment by moment."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.layout import StreetPart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.referee import Limits, Referee, Trouble, TrueIncident, sees
from sim.street.street import Street

CAMERA = PinholeCamera(size_px=(960, 540), focal_px=800, height_m=5.5, tilt_deg=20)
LIMITS = Limits(parking_s=10, garbage_s=20, blocked_s=15, merge_m=5, min_clear_m=1.5)


def street() -> Street:
    zones = [
        {"id": "kerb", "kind": "no_parking", "y_m": (5, 40)},
        {"id": "walk", "kind": "sidewalk", "y_m": (5, 40)},
        {"id": "road", "kind": "street", "y_m": (5, 40)},
        {"id": "collection", "kind": "collection_point", "x_m": (3, 5), "y_m": (11, 15)},
        {"id": "on-the-walk", "kind": "collection_point", "x_m": (1, 3), "y_m": (30, 34)},
    ]
    return build_street(StreetPart.model_validate({"y_m": (-10, 50), "zones": zones}), seed=7)


@pytest.fixture
def referee() -> Referee:
    return Referee(street(), {"cam-a": CAMERA}, LIMITS)


def body(kind: str, x_m: float, y_m: float, *, name: str | None = None, **keys: float) -> Body:
    length_m, width_m, height_m = SIZE_M[BodyKind(kind)]
    made = Body(
        id=name or f"{kind}-a", kind=BodyKind(kind), x_m=x_m, y_m=y_m,
        length_m=length_m, width_m=width_m, height_m=height_m,
    )  # fmt: skip
    return replace(made, **keys)  # type: ignore[arg-type]


def open_kinds(referee: Referee) -> list[str]:
    return sorted(incident.kind for incident in referee.open.values())


def only(referee: Referee) -> TrueIncident:
    (incident,) = referee.open.values()
    return incident


def overflow(sensor: str = "bin-001", *, actors: tuple[str, ...] = (), x_m: float = 2.0, y_m: float = 20.0) -> Trouble:
    return Trouble(
        key=f"sensor:{sensor}", kind="bin_overflow", x_m=x_m, y_m=y_m, zone_id=None, subject="level",
        actors=actors, sources=(sensor,), limit_s=5,
    )  # fmt: skip


# Parking


@pytest.mark.parametrize("heading_deg", [0.0, 180.0])
@pytest.mark.parametrize(
    ("y_m", "is_parking"), [(38.999, True), (39.0, True), (39.001, True), (40.0, True), (40.01, False)]
)
def test_half_of_the_footprint_in_the_zone_is_parking(
    referee: Referee, heading_deg: float, y_m: float, is_parking: bool
) -> None:
    referee.look(0, [body("car", -1.25, y_m, length_m=4, width_m=2, heading_deg=heading_deg)])
    assert open_kinds(referee) == ["illegal_parking"] * is_parking


def test_a_car_half_on_the_sidewalk_stands_in_both_zones_together(referee: Referee) -> None:
    referee.look(0, [body("car", 0.0, 20)])
    assert (only(referee).kind, only(referee).subject, only(referee).actors) == ("illegal_parking", "car", ("car-a",))


def test_who_waits_in_the_lane_does_not_park(referee: Referee) -> None:
    referee.look(0, [body("car", -2.7, 20, is_running=True)])
    assert referee.open == {}


def test_who_stands_at_the_kerb_with_the_engine_on_does(referee: Referee) -> None:
    referee.look(0, [body("car", -1.3, 20, is_running=True)])
    assert open_kinds(referee) == ["illegal_parking"]


def test_who_drives_does_not_park(referee: Referee) -> None:
    referee.look(0, [body("car", -1.3, 20, speed_mps=0.1)])
    assert referee.open == {}


@pytest.mark.parametrize(("ended_s", "due_s"), [(109.9, None), (110.0, 110.0), (200.0, 110.0)])
def test_a_stop_is_due_only_if_it_lasts_as_long_as_the_limit(
    referee: Referee, ended_s: float, due_s: float | None
) -> None:
    referee.look(100, [body("car", -1.3, 20)])
    (ended,) = referee.look(ended_s, [])
    assert (ended.began_s, ended.ended_s, ended.due_s) == (100, ended_s, due_s)


def test_a_second_car_at_the_same_place_begins_anew(referee: Referee) -> None:
    referee.look(0, [body("car", -1.3, 20, name="first")])
    (ended,) = referee.look(5, [body("car", -1.3, 20, name="second")])
    assert (ended.actors, ended.ended_s) == (("first",), 5)
    assert (only(referee).actors, only(referee).began_s) == (("second",), 5)


def test_a_car_that_stands_elsewhere_begins_anew(referee: Referee) -> None:
    referee.look(0, [body("car", -1.3, 20)])
    (ended,) = referee.look(5, [body("car", -1.3, 30)])
    assert (ended.y_m, only(referee).y_m, only(referee).began_s) == (20, 30, 5)


@pytest.mark.parametrize("kind", ["bicycle", "motorcycle", "stall"])
def test_only_vehicles_park(referee: Referee, kind: str) -> None:
    referee.look(0, [body(kind, -1.3, 20)])
    assert referee.open == {}


# Garbage


@pytest.mark.parametrize(
    ("x_m", "zone"), [(1.0, "walk"), (-1.0, "kerb"), (-5.0, "road"), (4.0, None), (1.0 - 20, None)]
)
def test_garbage_is_exposed_where_it_lies_in_a_zone_outside_a_collection_point(
    referee: Referee, x_m: float, zone: str | None
) -> None:
    referee.look(0, [body("garbage", x_m, 13)])
    assert [(one.kind, one.zone_id) for one in referee.open.values()] == [("exposed_garbage", zone)] * (
        zone is not None
    )


def test_garbage_at_a_collection_point_on_a_sidewalk_is_none_but_a_bin_that_spills_there_is(referee: Referee) -> None:
    referee.look(0, [body("garbage", 2, 32), body("bag", 2, 33)])
    assert referee.open == {}
    referee.look(1, [body("garbage", 2, 32), body("bin", 2, 33, fill=1.2)])
    assert (only(referee).kind, only(referee).actors) == ("bin_overflow", ("bin-a",))


def test_pieces_within_the_limit_are_one_heap(referee: Referee) -> None:
    referee.look(0, [body("bag", 1, 20, name="a"), body("bag", 1, 25, name="b"), body("bag", 1, 25.01, name="c")])
    assert sorted(one.actors for one in referee.open.values()) == [("a", "b"), ("c",)]


def test_a_heap_ends_with_its_last_piece(referee: Referee) -> None:
    first, second = body("bag", 1, 20, name="a"), body("garbage", 1, 22, name="b")
    assert referee.look(0, [first]) == []
    assert referee.look(10, [first, second]) == []
    assert referee.look(20, [second]) == []
    (ended,) = referee.look(30, [])
    assert (ended.began_s, ended.due_s, ended.ended_s) == (0, 20, 30)
    assert (ended.y_m, ended.actors) == (20, ("a", "b"))


def test_a_camera_that_sees_one_piece_of_a_heap_can_tell_of_it(referee: Referee) -> None:
    referee.look(0, [body("garbage", 1, 7, name="below"), body("garbage", 1, 12, name="seen")])
    assert not sees(CAMERA, body("garbage", 1, 7))
    assert sees(CAMERA, body("garbage", 1, 12))
    assert (only(referee).actors, only(referee).sources) == (("below", "seen"), ("cam-a",))


def test_a_full_bin_is_no_garbage_and_an_overflowing_one_is_told_of(referee: Referee) -> None:
    referee.look(0, [body("bin", 4, 13, fill=1.0)])
    assert referee.open == {}
    referee.look(1, [body("bin", 4, 13, fill=1.01)])
    incident = only(referee)
    assert (incident.kind, incident.also, incident.subject) == ("bin_overflow", ("exposed_garbage",), "overflow")
    assert (incident.zone_id, incident.limit_s) == (None, LIMITS.garbage_s)


def test_garbage_beside_a_spilling_bin_is_one_heap_with_it(referee: Referee) -> None:
    pile, spilling = body("garbage", 2, 14), body("bin", 2, 16, fill=1.2)
    referee.look(0, [spilling])
    referee.look(5, [spilling, pile])
    assert (only(referee).kind, only(referee).also) == ("bin_overflow", ("exposed_garbage",))
    referee.look(9, [pile])
    assert (only(referee).kind, only(referee).also) == ("bin_overflow", ("exposed_garbage",))
    assert only(referee).actors == ("bin-a", "garbage-a")


def test_a_bin_and_the_sensor_in_it_are_one_incident_of_both(referee: Referee) -> None:
    referee.look(0, [body("bin", 2, 20, fill=0.9)], [overflow(actors=("bin-a",))])
    assert (only(referee).sources, only(referee).also) == (("bin-001",), ())
    referee.look(3, [body("bin", 2, 20, fill=1.2)], [overflow(actors=("bin-a",))])
    incident = only(referee)
    assert (incident.sources, incident.also) == (("bin-001", "cam-a"), ("exposed_garbage",))
    assert (incident.kind, incident.began_s, incident.due_s) == ("bin_overflow", 0, 5)


def test_garbage_beside_a_bin_that_its_sensor_tells_of_is_an_incident_of_its_own(referee: Referee) -> None:
    spilling, pile = body("bin", 2, 20, fill=1.2), body("garbage", 2, 22)
    referee.look(0, [spilling, pile], [overflow(actors=("bin-a",))])
    assert sorted((one.kind, one.actors) for one in referee.open.values()) == [
        ("bin_overflow", ("bin-a",)),
        ("exposed_garbage", ("garbage-a",)),
    ]


def test_a_sensor_that_follows_nothing_speaks_of_the_bin_beside_it(referee: Referee) -> None:
    spilling = body("bin", 2, 20, fill=1.2)
    referee.look(0, [spilling], [overflow(x_m=2, y_m=23)])
    assert only(referee).sources == ("bin-001", "cam-a")
    referee.look(1, [spilling], [overflow("bin-002", x_m=2, y_m=23.01)])
    assert sorted(one.sources for one in referee.open.values()) == [("bin-002",), ("cam-a",)]


# Sidewalk


def goods(*, clear_m: float, name: str = "goods-a") -> Body:
    """Goods at the house whose passage along the kerb is so wide."""
    return body("goods", 3 - (3 - clear_m) / 2, 20, name=name, width_m=3 - clear_m)


@pytest.mark.parametrize(("clear_m", "is_blocked"), [(1.499, True), (1.5, False), (1.501, False)])
def test_exactly_the_least_width_is_passable(referee: Referee, clear_m: float, is_blocked: bool) -> None:
    referee.look(0, [goods(clear_m=clear_m)])
    assert open_kinds(referee) == ["blocked_sidewalk"] * is_blocked


def test_two_things_block_together_and_the_larger_one_is_the_subject(referee: Referee) -> None:
    referee.look(0, [body("bicycle", 2.5, 20), body("stall", 0.5, 20)])
    incident = only(referee)
    assert (incident.kind, sorted(incident.actors)) == ("blocked_sidewalk", ["bicycle-a", "stall-a"])
    assert (incident.subject, incident.x_m, incident.zone_id) == ("stall", 0.5, "walk")


def test_a_vehicle_on_the_sidewalk_parks_and_does_not_block_as_well(referee: Referee) -> None:
    referee.look(0, [body("van", 1.5, 20)])
    assert open_kinds(referee) == ["illegal_parking"]


def test_people_and_garbage_do_not_block(referee: Referee) -> None:
    crowd = [body("pedestrian", 0.3 + 0.6 * number, 20, name=str(number)) for number in range(5)]
    referee.look(0, [*crowd, body("garbage", 1.5, 25, width_m=3)])
    assert open_kinds(referee) == ["exposed_garbage"]


def test_a_bicycle_that_rides_does_not_block(referee: Referee) -> None:
    referee.look(0, [body("bicycle", 1.5, 20, width_m=3, speed_mps=3)])
    assert referee.open == {}


def test_a_sidewalk_goes_on_being_blocked_while_things_change_places(referee: Referee) -> None:
    referee.look(0, [goods(clear_m=1, name="first")])
    assert referee.look(9, [goods(clear_m=1, name="second")]) == []
    (ended,) = referee.look(20, [])
    assert (ended.began_s, ended.due_s, ended.actors) == (0, 15, ("first", "second"))


def test_two_places_that_are_shut_are_two_incidents(referee: Referee) -> None:
    near, far = body("stall", 1.5, 10, name="near", width_m=2), body("stall", 1.5, 26, name="far", width_m=2)
    referee.look(0, [near, far])
    assert sorted(incident.actors for incident in referee.open.values()) == [("far",), ("near",)]
    (ended,) = referee.look(20, [far])
    assert ended.actors == ("near",)
    assert only(referee).actors == ("far",)


def test_a_row_of_stalls_is_one_blockade_until_the_last_has_gone(referee: Referee) -> None:
    row = [body("stall", 1.5, 10 + 4 * n, name=str(n), width_m=2) for n in range(3)]
    for second in range(3):
        assert referee.look(second, row[second:]) == []
    (ended,) = referee.look(9, [])
    assert (ended.began_s, ended.ended_s) == (0, 9)


# Who can see it


@pytest.mark.parametrize(("y_m", "is_seen"), [(2.0, False), (20.0, True), (39.0, True)])
def test_a_car_is_seen_when_its_whole_foot_is_in_the_picture(y_m: float, is_seen: bool) -> None:
    assert sees(CAMERA, body("car", -1.3, y_m)) is is_seen


def test_what_is_too_small_in_the_picture_is_not_seen() -> None:
    bag = body("bag", 0, 20)
    assert sees(CAMERA, bag)
    assert not sees(CAMERA, body("bag", 0, 60))


def test_what_stands_behind_the_camera_is_not_seen() -> None:
    assert not sees(CAMERA, body("car", 0, -30))


def test_nothing_is_kept_of_what_is_gone(referee: Referee) -> None:
    kinds = ("car", "bag", "garbage", "bin", "stall", "bicycle")
    for round_number in range(100):
        crowd = [
            body(kinds[n % 6], (n % 10) - 5, 6 + (n // 10) * 3, name=f"{round_number}-{n}", fill=1.2 * (n % 6 == 3))
            for n in range(100)
        ]
        referee.look(2 * round_number, crowd)
        referee.look(2 * round_number + 1, crowd[::2])
    assert referee.open
    referee.look(1000, [])
    assert referee.open == {}
    assert referee._heaps == {}
    assert referee._heap_of == {}
