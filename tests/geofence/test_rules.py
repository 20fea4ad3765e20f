"""The three camera rules on one frame: what counts, where, and which rule a thing belongs to."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from geofence.breach import Breach
from geofence.hours import parse_hours
from geofence.memory import Memory, advance_camera
from geofence.messages import IncidentKind
from geofence.permits import Permit
from geofence.places import ZoneIndex
from geofence.rules import breaches_of
from geofence.scene import observe
from geofence.site import Site
from tests.geofence.conftest import NOON, Pinhole, Seen, at_half_size, frame_of

CAMERA = Pinhole()
PARKING, GARBAGE, SIDEWALK = (
    IncidentKind.ILLEGAL_PARKING,
    IncidentKind.EXPOSED_GARBAGE,
    IncidentKind.BLOCKED_SIDEWALK,
)


def on_ground(name: str, x: float, y: float, across_m: float, along_m: float) -> Seen:
    """A detection whose footprint is this flat rectangle, near side centred at (x, y) in local metres."""
    (x0, y1), (x1, _) = CAMERA.local_to_pixel(x - across_m / 2, y), CAMERA.local_to_pixel(x + across_m / 2, y)
    _, y0 = CAMERA.local_to_pixel(x, y + along_m)
    return Seen(name, (x0, y0, x1, y1))


def car(x: float, y: float = 14.0) -> Seen:
    return Seen("car", CAMERA.box_of(x, y, 1.8, 4.6, 1.5))


def bag(x: float, y: float) -> Seen:
    return Seen("garbage", CAMERA.box_of(x, y, 0.8, 0.8, 0.5))


def bins(*spans: tuple[float, float], y: float = 12.0) -> list[Seen]:
    """Bins over these spans of local x."""
    return [on_ground("garbage_bin", (left + right) / 2, y, right - left, 0.6) for left, right in spans]


def judged(
    site: Site, *seen: Seen, at: datetime = NOON, size_px: tuple[int, int] = (960, 540), seconds: int = 9
) -> list[Breach]:
    """What is broken at `at` by things that have stood there for so long, a frame a second."""
    camera, memory = site.cameras["cam-01"], Memory()
    scene = observe(site, camera, frame_of(*seen, size_px=size_px))
    for second in range(-seconds, 1):
        memory, _ = advance_camera(site, camera, memory, scene, at + timedelta(seconds=second))
    return list(breaches_of(site, memory.visits, at, {}))


def kinds(site: Site, *seen: Seen, at: datetime = NOON) -> list[tuple[IncidentKind, str]]:
    return [(breach.kind, breach.zone.id) for breach in judged(site, *seen, at=at)]


def with_hours(site: Site, zone_id: str, text: str) -> Site:
    zones = tuple(
        dataclasses.replace(zone, hours=parse_hours(text)) if zone.id == zone_id else zone for zone in site.zones.zones
    )
    return dataclasses.replace(site, zones=ZoneIndex(zones))


def with_exempt(site: Site, name: str) -> Site:
    zones = tuple(dataclasses.replace(zone, exempt=frozenset({name})) for zone in site.zones.zones)
    return dataclasses.replace(site, zones=ZoneIndex(zones))


def test_an_empty_street_breaks_no_rule(small_site: Site) -> None:
    assert kinds(small_site) == []


def test_a_car_at_the_kerb_parks_illegally(small_site: Site) -> None:
    assert kinds(small_site, car(-1.25)) == [(PARKING, "kerb-1")]


@pytest.mark.parametrize(("x", "is_hidden", "is_told"), [(-2.4, False, True), (-2.4, True, False), (-2.1, True, True)])
def test_a_car_whose_foot_is_hidden_parks_where_every_place_it_may_have_is_forbidden(
    small_site: Site, x: float, is_hidden: bool, is_told: bool
) -> None:
    """Half of it must be on the ground behind the kerb, which begins 2.5 m from it."""
    x0, y0, x1, y1 = car(x, 26.0).xyxy
    foot = y1 - 0.4 * (y1 - y0)
    before = Seen("car", (x0 - 30, foot, x1 + 30, y1 + 80))
    seen = [Seen("car", (x0, y0, x1, foot + 3)), before] if is_hidden else [car(x, 26.0)]
    told = {round(box[0]) for breach in judged(small_site, *seen, seconds=60) for box in breach.boxes}
    assert (round(x0) in told) is is_told


def test_a_car_in_the_lane_does_not(small_site: Site) -> None:
    assert kinds(small_site, car(-5.0)) == []


def test_a_car_on_the_sidewalk_is_parking_and_no_obstacle(small_site: Site) -> None:
    (found,) = judged(small_site, car(1.5))
    assert (found.kind, found.zone.id, found.zone.surface) == (PARKING, "sidewalk-1", "sidewalk")


@pytest.mark.parametrize(("x", "left_m", "is_blocked"), [(1.5, 0.6, True), (0.3, 1.8, False)])
def test_a_car_on_the_sidewalk_says_what_it_leaves(small_site: Site, x: float, left_m: float, is_blocked: bool) -> None:
    (found,) = judged(small_site, car(x))
    assert found.clear is not None
    assert found.clear.width_m == pytest.approx(left_m, abs=0.2)
    assert found.clear.is_blocked is is_blocked


def test_a_car_and_what_stands_beside_it_block_together(small_site: Site) -> None:
    beside = bins((1.9, 2.6), y=15.0)
    assert kinds(small_site, *beside) == []
    (found,) = judged(small_site, car(0.3), *beside)
    assert found.kind == PARKING
    assert found.clear is not None
    assert found.clear.is_blocked


def test_a_car_is_not_blamed_for_what_others_block_further_along(small_site: Site) -> None:
    far = bins((0.0, 0.9), (2.1, 3.0), y=24.0)
    by_kind = {breach.kind: breach for breach in judged(small_site, car(0.3, 10.0), *far)}
    assert set(by_kind) == {PARKING, SIDEWALK}
    clear = by_kind[PARKING].clear
    assert clear is not None
    assert not clear.is_blocked


def test_a_car_at_the_kerb_leaves_the_sidewalk_alone(small_site: Site) -> None:
    (found,) = judged(small_site, car(-1.25))
    assert found.clear is None


def test_a_car_across_the_kerb_counts_by_both_sides_together(small_site: Site) -> None:
    assert [kind for kind, _ in kinds(small_site, car(0.0))] == [PARKING]


@pytest.mark.parametrize(("x", "is_parking"), [(-2.6, False), (-2.4, True)])
def test_half_of_the_footprint_decides(small_site: Site, x: float, is_parking: bool) -> None:
    """A straight strip 1.8 m wide against the zone's border at x = -2.5."""
    seen = on_ground("car", x, 14.0, 1.8, 1.0)
    narrow = small_site.classes.by_name["car"]
    flat = dataclasses.replace(narrow, length_m=0.5, width_m=0.5)
    table = dataclasses.replace(
        small_site.classes,
        classes=tuple(flat if row.name == "car" else row for row in small_site.classes.classes),
    )
    site = dataclasses.replace(small_site, classes=table)
    assert bool(kinds(site, seen)) is is_parking


@pytest.mark.parametrize("name", ["person", "bicycle", "motorcycle", "garbage_bin"])
def test_only_vehicles_park(small_site: Site, name: str) -> None:
    assert kinds(small_site, on_ground(name, -1.25, 14.0, 1.0, 1.0)) == []


def test_zone_hours_are_local_time_of_the_site(small_site: Site) -> None:
    site = with_hours(small_site, "kerb-1", "07:00-22:00")
    at_0659, at_0700 = datetime(2026, 5, 1, 22, 59, tzinfo=UTC), datetime(2026, 5, 1, 23, 0, tzinfo=UTC)
    assert kinds(site, car(-1.25), at=at_0659) == []
    assert kinds(site, car(-1.25), at=at_0700) == [(PARKING, "kerb-1")]


def test_one_car_seen_as_two_classes_is_one_sighting(small_site: Site) -> None:
    truck = dataclasses.replace(car(-1.25), name="truck", confidence=0.6)
    (found,) = judged(small_site, truck, car(-1.25))
    assert found.subject == "car"


@pytest.mark.parametrize(
    ("x", "y", "zone_id"), [(1.5, 10.0, "sidewalk-1"), (-1.2, 10.0, "kerb-1"), (-5.0, 14.0, "street-1")]
)
def test_garbage_on_public_ground_is_exposed(small_site: Site, x: float, y: float, zone_id: str) -> None:
    assert kinds(small_site, bag(x, y)) == [(GARBAGE, zone_id)]


def test_garbage_at_the_collection_point_is_where_it_belongs(small_site: Site) -> None:
    assert kinds(small_site, bag(4.0, 12.0)) == []


def test_a_spilling_bin_counts_at_the_collection_point_too(small_site: Site) -> None:
    overflow = Seen("overflow", CAMERA.box_of(4.0, 12.0, 0.8, 0.8, 1.2))
    assert kinds(small_site, overflow) == [(GARBAGE, "collection-1")]


def test_garbage_beyond_all_zones_is_nobodys(small_site: Site) -> None:
    assert kinds(small_site, bag(6.0, 20.0)) == []


def test_clear_width_of_1_6_metres_passes(small_site: Site) -> None:
    assert kinds(small_site, *bins((0.0, 0.7), (0.7, 1.35))) == []


def test_clear_width_of_1_3_metres_blocks_and_says_the_gap(small_site: Site) -> None:
    (found,) = judged(small_site, *bins((0.0, 0.85), (0.85, 1.7)))
    assert (found.kind, found.zone.id) == (SIDEWALK, "sidewalk-1")
    assert found.clear is not None
    # Footprints go away from the camera along its view, so that a thing off the axis is a little slanted.
    assert found.clear.width_m == pytest.approx(1.3, abs=0.15)
    assert (found.clear.wanted_m, found.clear.is_blocked) == (1.5, True)
    assert len(found.boxes) == 2


def test_one_obstacle_that_touches_the_sidewalk_does_not_block_it(small_site: Site) -> None:
    assert kinds(small_site, *bins((0.2, 0.9))) == []


def test_obstacles_block_together_where_none_does_alone(small_site: Site) -> None:
    left, right = bins((0.0, 0.9)), bins((2.1, 3.0))
    assert kinds(small_site, *left) == []
    assert kinds(small_site, *right) == []
    assert kinds(small_site, *left, *right) == [(SIDEWALK, "sidewalk-1")]


def test_who_stands_before_a_stall_does_not_hide_that_it_blocks(small_site: Site) -> None:
    stall = Seen("stall", CAMERA.box_of(1.0, 14.0, 1.9, 1.2, 2.1))
    for x in (0.4, 0.8, 1.2, 1.6):
        vendor = Seen("person", CAMERA.box_of(x, 13.0, 0.5, 0.5, 1.7))
        assert kinds(small_site, stall, vendor) == [(SIDEWALK, "sidewalk-1")]


def test_what_hides_its_foot_blocks_where_every_place_that_it_may_have_is_in_the_way(small_site: Site) -> None:
    """A hoarding across the whole sidewalk, its foot behind a row of parked cars, somewhere along the sidewalk."""
    hoarding = Seen("works", CAMERA.box_of(1.5, 15.0, 3.0, 0.5, 1.2))
    x0, y0, x1, y1 = hoarding.xyxy
    car_before = Seen("car", (x0 - 20, y1 - 0.5 * (y1 - y0), x1 + 20, y1 + 60))
    assert SIDEWALK in {kind for kind, _ in kinds(small_site, hoarding, car_before)}


def test_a_car_that_no_parking_rule_claims_is_an_obstacle(small_site: Site) -> None:
    by_night = with_hours(small_site, "sidewalk-1", "22:00-06:00")
    assert kinds(by_night, car(1.5)) == [(SIDEWALK, "sidewalk-1")]
    assert kinds(by_night, car(0.2)) == []
    # One that stops for a moment, or drives off slowly, is none yet.
    assert judged(by_night, car(1.5), seconds=5) == []


def test_people_and_garbage_are_no_obstacles(small_site: Site) -> None:
    crowd = [on_ground("person", 0.3 + 0.6 * n, 12.0, 0.5, 0.5) for n in range(5)]
    assert kinds(small_site, *crowd) == []
    heap = [bag(0.4 + 0.75 * n, 12.0) for n in range(4)]
    assert {kind for kind, _ in kinds(small_site, *heap)} == {GARBAGE}


def test_a_bin_that_is_also_seen_spilling_belongs_to_the_garbage_rule(small_site: Site) -> None:
    row = bins((0.0, 0.9), (0.9, 1.8))
    spilling = [dataclasses.replace(seen, name="overflow", confidence=0.5) for seen in row]
    assert {kind for kind, _ in kinds(small_site, *row, *spilling)} == {GARBAGE}


def test_subject_is_what_takes_most_of_the_sidewalk(small_site: Site) -> None:
    bicycle = Seen("bicycle", on_ground("bicycle", 1.4, 12.0, 1.8, 0.6).xyxy)
    (found,) = judged(small_site, bicycle, *bins((0.0, 0.4)))
    assert found.subject == "bicycle"


def test_things_whose_foot_is_cut_off_are_not_judged(small_site: Site) -> None:
    assert kinds(small_site, Seen("car", (300.0, 300.0, 500.0, 540.0))) == []


def test_sizes_other_than_the_calibrated_are_scaled(small_site: Site) -> None:
    half = at_half_size(car(-1.25))
    found = judged(small_site, half, size_px=(480, 270))
    assert [breach.zone.id for breach in found] == ["kerb-1"]


def test_place_key_survives_jitter_of_a_few_pixels(small_site: Site) -> None:
    x0, y0, x1, y1 = car(-1.25).xyxy
    keys = {judged(small_site, Seen("car", (x0 + d, y0, x1 + d, y1)))[0].place_key for d in (-1.0, 0.0, 1.0)}
    assert len(keys) == 1


def test_an_exempt_class_may_stand_where_others_may_not(small_site: Site) -> None:
    assert kinds(with_exempt(small_site, "car"), car(-1.25)) == []
    assert kinds(with_exempt(small_site, "bus"), car(-1.25)) == [(PARKING, "kerb-1")]


@pytest.mark.parametrize(("ends_min", "is_told"), [(1, False), (-1, True)])
def test_a_permit_lifts_the_rule_for_its_time(small_site: Site, ends_min: int, is_told: bool) -> None:
    permit = Permit(
        id="movers",
        kinds=frozenset({IncidentKind.ILLEGAL_PARKING}),
        starts_at=NOON - timedelta(hours=1),
        ends_at=NOON + timedelta(minutes=ends_min),
        classes=frozenset({"car"}),
    )
    assert bool(kinds(dataclasses.replace(small_site, permits=(permit,)), car(-1.25))) is is_told
