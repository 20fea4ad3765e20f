"""The step functions from detections and readings to events, on the one-camera site."""

from __future__ import annotations

import dataclasses
import math
from datetime import timedelta

import numpy as np
import pytest

from detectors.messages import FrameDetections
from geofence.errors import GeofenceError
from geofence.judge import CameraState, SensorState, judge_frame, judge_reading
from geofence.messages import CellMatch, EventType, IncidentEvent, IncidentKind
from geofence.permits import Permit
from geofence.site import Site
from ingest.messages import Reading, SensorId, TimeSource
from tests.geofence.conftest import NOON, Pinhole, Seen, Watch, at_half_size, frame_of
from tests.geofence.test_rules import with_hours

CAR = Seen("car", Pinhole().box_of(-1.25, 14.0, 1.8, 4.6, 1.5))
PASSING = Seen("car", Pinhole().box_of(-5.0, 20.0, 1.8, 4.6, 1.5))
BAG = Seen("garbage", Pinhole().box_of(1.5, 10.0, 0.8, 0.8, 0.5))
BLOCK = [
    Seen("bicycle", Pinhole().box_of(0.9, 12.0, 1.8, 0.6, 1.1)),
    Seen("bicycle", Pinhole().box_of(2.5, 12.0, 0.9, 0.6, 1.1)),
]


def reading(second: float, value: float, *, sensor: str = "bin-007", metric: str = "level") -> Reading:
    at = NOON + timedelta(seconds=second)
    return Reading(
        sensor_id=SensorId(sensor),
        metric=metric,
        value=value,
        unit=None,
        measured_at=at,
        received_at=at,
        time_source=TimeSource.DEVICE,
    )


def judge_all(site: Site, *readings: Reading) -> list[IncidentEvent]:
    state: SensorState | None = None
    events: list[IncidentEvent] = []
    for one in readings:
        state, new = judge_reading(site, one, state)
        events.extend(new)
    return events


def test_all_three_rules_open_at_their_limits_and_clear(watch: Watch) -> None:
    for second in range(60):
        watch.see(second, *([CAR, BAG, *BLOCK] if 5 <= second < 40 else []))
    told = [(event.at - NOON, event.event.value, event.kind.value) for event in watch.events]
    assert told == [
        (timedelta(seconds=20), "opened", "exposed_garbage"),
        (timedelta(seconds=20), "opened", "blocked_sidewalk"),
        (timedelta(seconds=25), "opened", "illegal_parking"),
        (timedelta(seconds=39.5), "cleared", "illegal_parking"),
        (timedelta(seconds=39.5), "cleared", "exposed_garbage"),
        (timedelta(seconds=39.5), "cleared", "blocked_sidewalk"),
    ]


def test_an_event_says_what_where_and_since_when(watch: Watch, small_site: Site, mast_camera: Pinhole) -> None:
    watch.see(0)
    (event,) = watch.see_every(range(1, 22), CAR)
    assert (event.event, event.kind, event.subject) == (EventType.OPENED, IncidentKind.ILLEGAL_PARKING, "car")
    assert (event.site_id, event.source_id, event.zone_id, event.surface) == ("demo", "cam-01", "kerb-1", "roadway")
    assert (event.cell, event.cell_match) == ("110101001001010", CellMatch.INSIDE)
    assert event.began_at == NOON + timedelta(seconds=0.5)
    assert event.at == NOON + timedelta(seconds=21)
    assert event.dwell_s == 20.5
    assert event.confidence == pytest.approx(0.8)
    assert (event.is_start_unknown, event.clear_width_m, event.is_passage_blocked) == (False, None, False)
    assert event.place_sigma_m is not None
    # A car's shape, 0.2 √(4.6 · 1.8) m, and what its box trembles by.
    assert 0.575 < event.place_sigma_m < 0.75
    assert event.place_key.startswith("zone:kerb-1:")
    assert np.allclose(event.xyxy, [CAR.xyxy], atol=1e-3)
    place_m = small_site.plane.to_ground(np.array([[event.lat, event.lng]]))[0]
    assert math.dist(place_m, mast_camera.local_to_ground(-1.25, 16.3)) < 0.5
    assert event.reason == (
        "违规停放:小汽车在禁停区 kerb-1 20 s,限 20 s · illegal parking: car in no_parking kerb-1 for 20 s, limit 20 s"
    )


def test_a_thing_there_at_first_sight_says_that_its_start_is_unknown(watch: Watch) -> None:
    (event,) = watch.see_every(range(21), CAR)
    assert "首次看到时已在,起始时间未知" in event.reason
    assert "there at first sight, so its true start is unknown" in event.reason
    assert event.is_start_unknown
    assert event.began_at == NOON


def test_a_blocked_sidewalk_reports_its_narrowest_gap(watch: Watch) -> None:
    (event,) = watch.see_every(range(16), *BLOCK)
    assert event.place_key.startswith("zone:sidewalk-1:")
    assert "最窄处净宽" in event.reason
    assert "narrowest passage" in event.reason
    assert event.clear_width_m == pytest.approx(0.0, abs=0.3)
    assert event.is_passage_blocked
    assert len(event.xyxy) == 2


def test_traffic_that_passes_or_queues_never_alarms(watch: Watch) -> None:
    camera = Pinhole()
    for tick in range(1500):
        second = tick / 5
        boxes = [camera.box_of(-5.0, 9 + (second * 8 + 12 * n) % 30, 1.8, 4.6, 1.5) for n in range(2)]
        queue = [camera.box_of(-1.25, 10 + 7 * n - (second % 18) * 0.35, 1.8, 4.6, 1.5) for n in range(3)]
        watch.see(second, *(Seen("car", box) for box in boxes + queue))
    assert watch.events == []
    assert len(watch.state.visits) < 60


def test_a_vehicle_taken_for_another_class_in_some_frames_is_one_visit(watch: Watch) -> None:
    names = ["car", "truck", "car", "bus", "car"]
    events = [e for second in range(40) for e in watch.see(second, dataclasses.replace(CAR, name=names[second % 5]))]
    assert [event.event for event in events] == [EventType.OPENED]


def test_one_heap_of_garbage_seen_as_many_boxes_is_one_incident(watch: Watch) -> None:
    heap = [Seen("garbage", Pinhole().box_of(0.6 + 0.9 * n, 10.0 + n, 0.8, 0.8, 0.5)) for n in range(3)]
    (event,) = watch.see_every(range(30), *heap)
    assert (event.event, event.kind, len(event.xyxy)) == (EventType.OPENED, IncidentKind.EXPOSED_GARBAGE, 3)


def test_a_car_on_the_sidewalk_says_that_it_blocks_and_what_gap_it_leaves(watch: Watch) -> None:
    watch.see(0)
    (event,) = watch.see_every(range(1, 22), Seen("car", Pinhole().box_of(1.5, 14.0, 1.8, 4.6, 1.5)))
    assert (event.kind, event.is_passage_blocked) == (IncidentKind.ILLEGAL_PARKING, True)
    assert event.clear_width_m == pytest.approx(0.6, abs=0.2)
    assert f"同时阻断人行道,仅余 {event.clear_width_m:.1f} m" in event.reason
    assert f"it also blocks the sidewalk, {event.clear_width_m:.1f} m are left" in event.reason


def test_a_passage_that_becomes_narrower_is_told_at_once(watch: Watch) -> None:
    camera = Pinhole()
    two = [Seen("garbage_bin", camera.box_of(x, 12.0, 0.6, 0.6, 1.05)) for x in (0.3, 1.5)]
    one_more = Seen("garbage_bin", camera.box_of(2.4, 12.0, 0.6, 0.6, 1.05))
    opened, *_ = watch.see_every(range(20), *two)
    (worse,) = [event for event in watch.see_every(range(20, 30), *two, one_more) if "worse" in event.reason]
    assert (worse.event, worse.incident_id) == (EventType.UPDATED, opened.incident_id)
    assert worse.reason.split(";")[1] == "情况加重"
    assert opened.clear_width_m is not None
    assert worse.clear_width_m is not None
    assert worse.clear_width_m < opened.clear_width_m - 0.3


def test_a_car_that_is_shunted_a_little_is_told_where_it_stands_now(watch: Watch) -> None:
    camera = Pinhole()
    before, after = (Seen("car", camera.box_of(-1.25, y, 1.8, 4.6, 1.5)) for y in (14.0, 15.4))
    opened, *_ = watch.see_every(range(25), before)
    (moved,) = [event for event in watch.see_every(range(25, 70), after) if "moved" in event.reason]
    assert (moved.event, moved.incident_id) == (EventType.UPDATED, opened.incident_id)
    plane = watch.site.plane
    places_m = plane.to_ground(np.array([(opened.lat, opened.lng), (moved.lat, moved.lng)]))
    assert math.dist(*places_m) == pytest.approx(1.4, abs=0.3)
    later = watch.see_every(range(70, 140), after)
    assert {event.event for event in later} == {EventType.UPDATED}
    assert {(event.lat, event.lng) for event in later} == {(moved.lat, moved.lng)}
    assert not any("moved" in event.reason for event in later)


def test_ids_are_the_same_whenever_the_same_frames_are_judged(small_site: Site) -> None:
    first, second = Watch(small_site), Watch(small_site)
    first.see_every(range(30), CAR, BAG)
    second.see_every(range(30), CAR, BAG)
    assert first.events == second.events
    assert len({event.incident_id for event in first.events}) == 2


def test_opened_updated_and_cleared_share_their_identity(watch: Watch) -> None:
    watch.see_every(range(100), CAR)
    watch.see_every(range(100, 120))
    assert [event.event.value for event in watch.events] == ["opened", "updated", "cleared"]
    identities = {
        (event.incident_id, event.place_key, event.began_at, event.cell, event.subject) for event in watch.events
    }
    assert len(identities) == 1
    assert watch.events[-1].reason.startswith("违规停放已消除:禁停区 kerb-1,共 100 s · illegal parking over")


def test_state_saved_and_restored_in_the_middle_of_a_visit_loses_no_second(small_site: Site) -> None:
    through, restarted = Watch(small_site), Watch(small_site)
    for second in range(70):
        seen = [CAR, BAG] if second < 40 else []
        if second in {3, 19, 20, 42}:
            restarted.state = CameraState.from_json(restarted.state.to_json())
        through.see(second, *seen)
        restarted.see(second, *seen)
    assert restarted.events == through.events
    assert len(through.events) == 4


def test_pictures_that_failed_are_no_look_at_all(small_site: Site) -> None:
    watch = Watch(small_site)
    watch.see_every(range(10), CAR)
    before = watch.state
    for second in range(10, 38):
        failed = FrameDetections.empty((0, 0), failure="truncated JPEG")
        watch.state, events = judge_frame(small_site, "cam-01", NOON + timedelta(seconds=second), failed, watch.state)
        assert events == ()
    assert watch.state is before
    # They are no silence either: the camera's time goes on, and the car has stood all along.
    assert [event.at - NOON for event in watch.see_every(range(38, 51), CAR)] == [timedelta(seconds=38)]


def test_boxes_in_events_are_pixels_of_the_frame_that_was_judged(watch: Watch) -> None:
    half = at_half_size(CAR)
    events = [event for second in range(21) for event in watch.see(second, half, size_px=(480, 270))]
    assert np.allclose(events[0].xyxy, [half.xyxy], atol=1e-3)


def test_an_unknown_camera_is_refused(small_site: Site) -> None:
    with pytest.raises(GeofenceError, match="no camera 'cam-02'"):
        judge_frame(small_site, "cam-02", NOON, frame_of(), CameraState())


def test_a_full_bin_opens_and_an_emptied_one_clears(small_site: Site) -> None:
    events = judge_all(small_site, reading(0, 50), reading(1, 90), reading(6, 91), reading(9, 20), reading(14, 20))
    opened, cleared = events
    assert (opened.event, opened.kind, opened.subject) == (EventType.OPENED, IncidentKind.BIN_OVERFLOW, "level")
    assert (opened.place_key, opened.source_id) == ("sensor:bin-007", "bin-007")
    assert (opened.began_at, opened.at) == (NOON + timedelta(seconds=1), NOON + timedelta(seconds=6))
    assert (opened.dwell_s, opened.confidence, opened.xyxy) == (5.0, 1.0, ())
    assert (opened.cell, opened.cell_match) == ("110101001001007", CellMatch.INSIDE)
    sensor = small_site.sensors["bin-007"]
    assert (opened.lat, opened.lng) == (sensor.lat, sensor.lng)
    assert opened.reason == (
        "垃圾满溢:bin-007 level 91 > 85,持续 5 s 以上 · bin overflow: bin-007 level 91 > 85 for 5 s or more"
    )
    assert cleared.event == EventType.CLEARED
    assert (cleared.incident_id, cleared.began_at) == (opened.incident_id, opened.began_at)
    assert cleared.reason.startswith("垃圾满溢已消除:bin-007 level 20 < 60,持续 5 s 以上 · bin overflow over: ")


def test_a_taken_bay_is_illegal_parking(small_site: Site) -> None:
    events = judge_all(small_site, *(reading(second, 1, sensor="bay-003", metric="occupied") for second in (0, 5)))
    assert [(event.kind, event.subject) for event in events] == [(IncidentKind.ILLEGAL_PARKING, "occupied")]
    assert "起始时间未知" in events[0].reason


def test_a_bare_number_speaks_of_the_sensors_metric(small_site: Site) -> None:
    assert len(judge_all(small_site, reading(0, 90, metric="value"), reading(5, 90, metric="value"))) == 1


def test_other_metrics_and_unknown_sensors_change_nothing(small_site: Site) -> None:
    assert judge_all(small_site, reading(0, 99, metric="battery"), reading(9, 99, metric="battery")) == []
    assert judge_all(small_site, reading(0, 99, sensor="bin-999"), reading(9, 99, sensor="bin-999")) == []


def test_a_sensor_without_a_rule_is_judged_by_none(small_site: Site) -> None:
    quiet = dataclasses.replace(small_site.sensors["bin-007"], rule=None)
    site = dataclasses.replace(small_site, sensors={**small_site.sensors, "bin-007": quiet})
    assert judge_reading(site, reading(0, 99), None) == (SensorState(), ())
    assert judge_all(site, reading(0, 99), reading(9, 99), reading(60, 99)) == []


def test_a_sensor_in_a_zone_names_it(small_site: Site) -> None:
    east, north = 46.0, 24.0
    places = {**small_site.sensor_places_m, "bay-003": (east, north)}
    site = dataclasses.replace(small_site, sensor_places_m=places)
    events = judge_all(site, *(reading(second, 1, sensor="bay-003", metric="occupied") for second in (0, 5)))
    assert (events[0].zone_id, events[0].surface) == ("kerb-1", "roadway")


def told(watch: Watch) -> list[tuple[str, str, timedelta]]:
    return [(e.event.value, e.kind.value, e.at - NOON) for e in watch.events if e.event != EventType.UPDATED]


def test_when_the_hours_end_the_incident_is_over_and_the_car_is_where_it_was(small_site: Site) -> None:
    """12:00 in Shanghai; the zone is in force until 12:01."""
    watch = Watch(with_hours(small_site, "kerb-1", "07:00-12:01"))
    watch.see_every(range(100), CAR)
    opened, cleared = told(watch)
    assert opened == ("opened", "illegal_parking", timedelta(seconds=20))
    assert cleared == ("cleared", "illegal_parking", timedelta(seconds=60))
    assert "不再违规" in watch.events[-1].reason
    assert "no longer against the rule" in watch.events[-1].reason


def test_a_stay_counts_from_when_the_hours_begin(small_site: Site) -> None:
    watch = Watch(with_hours(small_site, "kerb-1", "12:01-22:00"))
    watch.see_every(range(100), CAR)
    (opened,) = told(watch)
    assert opened == ("opened", "illegal_parking", timedelta(seconds=80))
    assert watch.events[0].began_at == NOON + timedelta(seconds=60)
    assert watch.events[0].dwell_s == 20.0


def with_permit_until(site: Site, second: float, kind: IncidentKind, name: str) -> Site:
    permit = Permit(
        id="until",
        kinds=frozenset({kind}),
        starts_at=NOON - timedelta(hours=1),
        ends_at=NOON + timedelta(seconds=second),
        classes=frozenset({name}),
    )
    return dataclasses.replace(site, permits=(permit,))


def test_a_stay_counts_from_when_its_permit_ends(small_site: Site) -> None:
    watch = Watch(with_permit_until(small_site, 40, IncidentKind.ILLEGAL_PARKING, "car"))
    watch.see_every(range(80), CAR)
    assert told(watch) == [("opened", "illegal_parking", timedelta(seconds=60))]
    assert watch.events[0].began_at == NOON + timedelta(seconds=40)


def test_a_blockade_counts_from_when_its_permit_ends(small_site: Site) -> None:
    watch = Watch(with_permit_until(small_site, 40, IncidentKind.BLOCKED_SIDEWALK, "bicycle"))
    watch.see_every(range(120), *BLOCK)
    assert watch.events[0].began_at == NOON + timedelta(seconds=40)


def test_a_permit_that_begins_ends_an_incident(small_site: Site) -> None:
    permit = Permit(
        id="movers",
        kinds=frozenset({IncidentKind.ILLEGAL_PARKING}),
        starts_at=NOON + timedelta(seconds=50),
        ends_at=NOON + timedelta(hours=1),
    )
    watch = Watch(dataclasses.replace(small_site, permits=(permit,)))
    watch.see_every(range(80), CAR)
    assert [step for step, _, _ in told(watch)] == ["opened", "cleared"]
    assert told(watch)[-1][2] == timedelta(seconds=50)


def cut(seen: Seen, share: float) -> Seen:
    """What is left to see of it when something covers its right part."""
    x0, y0, x1, y1 = seen.xyxy
    return dataclasses.replace(seen, xyxy=(x0, y0, x1 - share * (x1 - x0), y1))


def test_who_walks_past_a_heap_does_not_end_it(watch: Watch) -> None:
    x0, y0, x1, y1 = BAG.xyxy
    for second in range(60):
        covered = {20: 0.2, 21: 0.5, 22: 0.8, 24: 0.4, 25: 0.15}.get(second, 0.0)
        walker = Seen("person", (x1 - covered * (x1 - x0), y0 - 60, x1 - covered * (x1 - x0) + 30, y1 + 20))
        seen = [cut(BAG, covered), walker] if covered else [BAG]
        watch.see(second, *([walker] if second == 23 else seen))
    assert told(watch) == [("opened", "exposed_garbage", timedelta(seconds=15))]


def test_lamps_that_dazzle_the_camera_end_no_stay(watch: Watch) -> None:
    x0, y0, x1, y1 = CAR.xyxy
    wide = dataclasses.replace(CAR, xyxy=(x0 - 12, y0 - 14, x1 + 12, y1 + 10))
    for second in range(120):
        phase = second % 20
        seen = [] if phase in {5, 6, 11} else [wide if 7 <= phase <= 10 else CAR]
        watch.see(second, *seen)
    assert [step for step, _, _ in told(watch)] == ["opened"]


def test_a_heap_that_grows_is_the_same_heap(watch: Watch) -> None:
    camera = Pinhole()
    sizes = {0: 0.5, 1: 0.8, 2: 1.1, 3: 1.4}
    for second in range(80):
        size = sizes[min(second // 5, 3)]
        watch.see(second, Seen("garbage", camera.box_of(1.5, 10.0 - size / 2, size, size, 0.3 + size / 3)))
    (opened,) = told(watch)
    assert opened == ("opened", "exposed_garbage", timedelta(seconds=15))
    assert watch.events[0].began_at == NOON


def test_a_bus_before_a_stall_neither_ends_nor_restarts_what_it_blocks(watch: Watch) -> None:
    camera = Pinhole()
    stall = Seen("stall", camera.box_of(1.0, 14.0, 1.9, 1.2, 2.1))
    x0, y0, x1, y1 = stall.xyxy
    foot_hidden = dataclasses.replace(stall, xyxy=(x0, y0, x1, y1 - 0.35 * (y1 - y0)))
    bus = Seen("bus", (x0 - 200, y1 - 0.35 * (y1 - y0), x1 + 60, y1 + 80))
    for second in range(120):
        watch.see(second, *([foot_hidden, bus] if 30 <= second < 70 else [stall]))
    assert [step for step, kind, _ in told(watch) if kind == "blocked_sidewalk"] == ["opened"]


def before(seen: Seen, share: float) -> Seen:
    """A bus that stands nearer and hides the left part of it."""
    x0, _, x1, y1 = seen.xyxy
    return Seen("bus", (x0 - 200, y1 - 200, x0 + share * (x1 - x0), y1 + 60))


def test_what_is_left_to_see_beside_a_bus_is_the_same_car_though_the_bus_is_missed_now_and_then(watch: Watch) -> None:
    x0, y0, x1, y1 = CAR.xyxy
    rest = dataclasses.replace(CAR, xyxy=(x0 + 0.6 * (x1 - x0), y0, x1, y1))
    watch.see(0)
    for half in range(2, 160):
        seen = [CAR]
        if 20 <= half < 80:
            seen = [rest] if (half - 20) % 3 else [rest, before(CAR, 0.6)]
        watch.see(half / 2, *seen)
    assert [step for step, _, _ in told(watch)] == ["opened"]
    assert (watch.events[0].began_at - NOON).total_seconds() == pytest.approx(0.5)


def test_a_car_whose_foot_is_hidden_and_boxed_now_with_it_and_now_without_is_one(watch: Watch) -> None:
    """What hides it is missed in every third look; its own box ends now where the cover begins, now where it stands."""
    far = Seen("car", Pinhole().box_of(-1.25, 26.0, 1.8, 4.6, 1.5))
    x0, y0, x1, y1 = far.xyxy
    cut_off = dataclasses.replace(far, xyxy=(x0, y0, x1, y1 - 0.25 * (y1 - y0)))
    cover = Seen("car", (x0 - 20, y1 - 0.25 * (y1 - y0), x1 + 5, y1 + 40))
    watch.see(0)
    watch.see_every([half / 2 for half in range(2, 30)], far)
    for half in range(30, 160):
        own = far if half % 7 == 0 else cut_off
        watch.see(half / 2, *([own] if half % 3 == 0 else [own, cover]))
    assert [step for step, _, _ in told(watch)] == ["opened", "opened"]
    itself, what_hides_it = (event for event in watch.events if event.event == EventType.OPENED)
    assert (itself.at - NOON).total_seconds() == pytest.approx(21, abs=1)
    assert (what_hides_it.began_at - NOON).total_seconds() == pytest.approx(15, abs=0.5)


def test_who_comes_along_the_lane_into_an_empty_place_is_another_though_it_stands_as_the_first_did(
    watch: Watch,
) -> None:
    """Sooner than absence_s; who was missed for as long and comes back without having come is the same."""

    def comes(y: float) -> Seen:
        return Seen("car", Pinhole().box_of(-1.25, y, 1.8, 4.6, 1.5))

    watch.see(0)
    watch.see_every([half / 2 for half in range(2, 30)], CAR)
    watch.see_every([half / 2 for half in range(30, 40)])
    watch.see(20, comes(8.5))
    watch.see(20.5, comes(11.5))
    watch.see_every([half / 2 for half in range(42, 100)], CAR)
    assert [step for step, _, _ in told(watch)] == ["opened"]
    assert (watch.events[0].began_at - NOON).total_seconds() == pytest.approx(20.75, abs=0.5)
    missed = Watch(watch.site)
    missed.see(0)
    for half in range(2, 100):
        missed.see(half / 2, *([] if 30 <= half < 41 else [CAR]))
    assert (missed.events[0].began_at - NOON).total_seconds() == pytest.approx(0.5)


def test_a_bus_that_has_gone_hides_nobody(watch: Watch) -> None:
    """The car left behind it, and another stops there before the place was seen empty for long."""
    other = Seen("car", Pinhole().box_of(-1.2, 14.8, 1.8, 4.4, 1.5))
    watch.see(0)
    watch.see_every(range(1, 15), CAR)
    watch.see_every(range(15, 30), before(CAR, 1.2))
    watch.see_every(range(30, 35))
    watch.see_every(range(35, 70), other)
    assert [step for step, _, _ in told(watch)] == ["opened"]
    assert (watch.events[0].began_at - NOON).total_seconds() == pytest.approx(34.5, abs=0.5)


def test_the_second_car_in_a_spot_begins_when_it_comes(watch: Watch) -> None:
    """The first one drives off in plain view, the next is a little longer and stands a little further back."""
    camera = Pinhole()

    def box(y: float, length: float) -> Seen:
        return Seen("car", camera.box_of(-1.25, y, 1.8, length, 1.5))

    watch.see(0)
    for second in range(1, 100):
        if second < 40:
            watch.see(second, box(14.0, 4.4))
        elif second < 43:
            watch.see(second, box(14.0 + 1.2 * (second - 39) ** 2, 4.4))
        elif second < 50:
            watch.see(second)
        else:
            watch.see(second, box(13.6, 4.9))
    assert [step for step, _, _ in told(watch)] == ["opened", "cleared", "opened"]
    first, gone, second_car = [e for e in watch.events if e.event != EventType.UPDATED]
    assert (gone.at - NOON).total_seconds() == pytest.approx(40, abs=1)
    assert (second_car.began_at - NOON).total_seconds() == pytest.approx(49.5, abs=0.5)
    assert first.incident_id != second_car.incident_id
