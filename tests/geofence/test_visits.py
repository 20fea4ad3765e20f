"""All visits of a camera: who is who, one report for one thing, nothing twice, bounded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.boxes import Box, iou
from geofence.claims import Ending
from geofence.messages import EventType
from geofence.visits import MAX_VISITS
from tests.geofence.plain_street import PARKING, RULES, START, PlainCamera, Seen

OPENED, UPDATED, CLEARED = EventType.OPENED, EventType.UPDATED, EventType.CLEARED


def test_dwell_fires_once_per_visit_then_updates_then_clears() -> None:
    camera = PlainCamera()
    for second in range(60):
        camera.see(second, Seen(0))
    for second in range(60, 80):
        camera.see(second)
    assert camera.events == [(30, OPENED), (50, UPDATED), (65, CLEARED)]
    assert len({report.incident.incident_id for report in camera.full}) == 1
    assert camera.visits == []


def test_first_frame_ever_means_unknown_start_and_counts_from_first_sight() -> None:
    camera = PlainCamera()
    for second in range(31):
        camera.see(second, Seen(0), *([Seen(9)] if second > 0 else []))
    camera.see(31, Seen(0), Seen(9))
    by_place = {report.incident.place_key: report for report in camera.full}
    assert by_place["z:0"].is_start_unknown
    assert not by_place["z:9"].is_start_unknown
    assert by_place["z:0"].incident.began_at == START
    assert by_place["z:9"].incident.began_at == START + timedelta(seconds=0.5)


def test_a_thing_that_came_during_a_silence_has_an_unknown_start() -> None:
    camera = PlainCamera()
    camera.see(0)
    camera.see(21, Seen(0), is_silence=True)
    assert camera.visits[0].presence.is_start_unknown
    other = PlainCamera()
    other.see(0)
    other.see(20, Seen(0))
    assert not other.visits[0].presence.is_start_unknown


def test_a_silence_freezes_the_clock() -> None:
    camera = PlainCamera()
    for second in [*range(25), *range(124, 140)]:
        camera.see(second, Seen(0), is_silence=second == 124)
    assert camera.events == [(130, OPENED)]


def test_a_gap_of_exactly_the_limit_counts() -> None:
    camera = PlainCamera()
    for second in (0, 20, 40):
        camera.see(second, Seen(0))
    assert camera.events == [(40, OPENED)]


def test_another_thing_after_a_silence_is_another_even_if_the_first_look_misses_it() -> None:
    camera = PlainCamera()
    for second in range(20):
        camera.see(second, Seen(3))
    camera.see(140, is_silence=True)
    for second in range(141, 160):
        camera.see(second, Seen(3, shift_px=12))
    (visit,) = camera.visits
    assert (visit.presence.began_at - START).total_seconds() == pytest.approx(140.5)


def test_one_miss_after_a_pause_between_bursts_keeps_the_begin() -> None:
    """Five looks in a second, then ten seconds without: the one look that misses it speaks for ten seconds."""
    camera = PlainCamera()
    for burst in range(5):
        for number in range(5):
            second = 11.0 * burst + 0.2 * number
            camera.see(second, *([] if burst == 0 or (burst, number) == (2, 0) else [Seen(3)]))
    (opened,) = camera.full
    assert (opened.incident.began_at - START).total_seconds() == pytest.approx(5.9)


def test_a_second_thing_in_the_same_spot_starts_anew() -> None:
    camera = PlainCamera()
    for second in range(20):
        camera.see(second, Seen(0))
    for second in range(20, 60):
        camera.see(second, Seen(1, shift_px=60))
    assert camera.events == [(50, OPENED)]
    assert camera.full[0].incident.began_at == START + timedelta(seconds=19.5)


def test_a_reported_thing_beside_which_another_stands_is_cleared_when_it_has_been_gone_for_long_enough() -> None:
    camera = PlainCamera()
    for second in range(35):
        camera.see(second, Seen(0))
    for second in range(35, 70):
        camera.see(second, Seen(1, shift_px=60))
    assert camera.events == [(30, OPENED), (40, CLEARED), (65, OPENED)]
    assert camera.full[1].ending == Ending.GONE
    assert camera.full[0].incident.incident_id != camera.full[2].incident.incident_id


def drives(camera: PlainCamera, first_s: int, *east_m: float) -> None:
    """A car alone in the picture, a look a second from `first_s` on."""
    for second, east in enumerate(east_m, start=first_s):
        camera.see(second, Seen(east))


def test_a_stay_begins_when_the_thing_has_come_to_rest_and_ends_when_it_drives_on() -> None:
    camera = PlainCamera()
    camera.see(0)
    drives(camera, 1, -1.8, -0.8, -0.2)
    for second in range(4, 44):
        camera.see(second, Seen(0))
    drives(camera, 44, 0.2, 0.8, 1.8)
    for second in range(47, 60):
        camera.see(second)
    assert [event for _, event in camera.events] == [OPENED, CLEARED]
    opened, cleared = camera.full
    assert abs(opened.incident.began_at - (START + timedelta(seconds=4))) < timedelta(seconds=0.5)
    assert abs(cleared.at - (START + timedelta(seconds=43))) < timedelta(seconds=0.5)
    assert cleared.dwell == cleared.at - opened.incident.began_at


def test_rolling_in_and_out_does_not_count_as_staying() -> None:
    camera = PlainCamera()
    camera.see(0)
    drives(camera, 1, -1.6, -1.0, -0.5, -0.3)
    for second in range(5, 33):
        camera.see(second, Seen(0))
    drives(camera, 33, 0.4, 0.9, 1.5)
    for second in range(36, 60):
        camera.see(second)
    assert camera.events == []


def test_a_reported_thing_stays_the_same_however_it_came() -> None:
    camera = PlainCamera(rules={**RULES, PARKING: replace(RULES[PARKING], min_dwell_s=8)})
    camera.see(0)
    drives(camera, 1, -1.5, -0.8, -0.3)
    for second in range(4, 40):
        camera.see(second, Seen(0))
    assert [event for _, event in camera.events].count(OPENED) == 1


def test_one_odd_box_does_not_replace_a_thing() -> None:
    camera = PlainCamera()
    for second in range(40):
        odd = second in {7, 15, 16 + 5}
        camera.see(second, Seen(0, shift_px=70 if odd else 0))
    assert camera.events == [(30, OPENED)]


def test_things_that_creep_on_never_stay() -> None:
    camera = PlainCamera()
    for second in range(200):
        camera.see(second, Seen(0.3 * second))
    assert camera.events == []
    assert len(camera.visits) < 12


def test_queueing_things_that_follow_each_other_never_stay() -> None:
    camera = PlainCamera()
    for second in range(400):
        # Every 25 s the queue moves up by one length: each thing stands at most 20 s at one place.
        phase = second % 25
        offset = 0.0 if phase < 20 else 1.2 * (phase - 20)
        camera.see(second, Seen(offset), Seen(offset - 6.0))
    assert camera.events == []


def test_a_class_flip_does_not_split_a_visit() -> None:
    camera = PlainCamera()
    for second in range(40):
        camera.see(second, Seen(0, name="car" if second % 3 else "truck"))
    assert camera.events == [(30, OPENED)]


def test_jitter_does_not_split_a_visit() -> None:
    random = np.random.default_rng(721)
    camera = PlainCamera()
    for second in range(40):
        east, shift = random.normal(0, 0.4), random.normal(0, 8)
        camera.see(second, Seen(east, shift_px=shift - 20 * east))
    assert camera.events == [(30, OPENED)]
    assert camera.full[0].incident.place_key == "z:0"


def test_a_passing_bus_neither_ends_nor_restarts_a_visit() -> None:
    camera = PlainCamera()
    bus = (-100.0, 50.0, 150.0, 260.0)
    for second in range(20):
        camera.see(second, Seen(0))
    for second in range(20, 50):
        camera.see(second, others=[bus])
    for second in range(50, 54):
        camera.see(second, Seen(0))
    # Three looks say that it is the same thing and not another one.
    assert camera.events == [(52, OPENED)]
    assert camera.full[0].dwell == timedelta(seconds=52)


def test_a_thing_half_hidden_by_a_bus_is_not_replaced_by_its_other_half() -> None:
    camera = PlainCamera()
    bus = (-100.0, 50.0, 60.0, 260.0)
    for second in range(20):
        camera.see(second, Seen(0))
    for second in range(20, 28):
        camera.see(second, Seen(0, shift_px=60, wide_px=40), others=[bus])
    for second in range(28, 40):
        camera.see(second, Seen(0))
    assert camera.events == [(30, OPENED)]


@pytest.mark.parametrize(("foot_px", "is_same"), [(230.0, True), (190.0, False)])
def test_only_what_is_nearer_takes_a_part_of_a_thing_away(foot_px: float, is_same: bool) -> None:
    """What ends higher in the picture is seen where the thing no longer is: a smaller one stands there now."""
    camera = PlainCamera()
    camera.see(0)
    for second in range(1, 20):
        camera.see(second, Seen(3))
    for second in range(23, 50):
        camera.see(second, Seen(3, wide_px=60), others=[(115.0, 80.0, 220.0, foot_px)])
    began_s = [(visit.presence.began_at - START).total_seconds() for visit in camera.visits]
    assert began_s == pytest.approx([0.5] if is_same else [21.5], abs=1.1)


def test_a_crowd_hides_what_none_of_it_hides_alone() -> None:
    """Four people side by side before a thing, which is seen again when they have gone."""
    crowd = [(60.0 + 25 * n, 140.0, 85.0 + 25 * n, 220.0) for n in range(4)]
    for people, is_same in ((crowd, True), ([], False)):
        camera = PlainCamera()
        camera.see(0)
        for second in range(1, 60):
            seen = [Seen(3)] if second < 25 or second > 45 else []
            camera.see(second, *seen, people=people if 25 <= second <= 45 else [], at_m=(3.0, -1.0))
        began_s = (camera.visits[0].presence.began_at - START).total_seconds()
        assert (began_s == pytest.approx(0.5)) is is_same


def test_what_always_stands_before_a_thing_does_not_hide_it() -> None:
    """A van covers a third of the car's box, and the car is seen all the same: when it is not, it has gone."""
    for van_from_s, is_same in ((0, False), (25, True)):
        camera = PlainCamera()
        camera.see(0)
        for second in range(1, 60):
            seen = [Seen(3)] if second < 25 or second > 45 else []
            van = [(0.0, 90.0, 100.0, 230.0)] if second >= van_from_s else []
            camera.see(second, *seen, others=van)
        began_s = (camera.visits[0].presence.began_at - START).total_seconds()
        assert (began_s == pytest.approx(0.5)) is is_same


def test_one_glimpse_of_others_now_and_then_does_not_keep_what_has_gone() -> None:
    """Others that drive through the place every four seconds, each boxed a little elsewhere."""
    camera = PlainCamera()
    camera.see(0)
    for second in range(1, 40):
        camera.see(second, Seen(3))
    assert [second for second, _ in camera.events] == [31]
    for second in range(40, 60):
        passing = Seen(3, shift_px=8 * (-1) ** (second // 4), wide_px=108)
        camera.see(second, *([passing] if second % 4 == 3 else []))
    cleared = camera.full[-1]
    assert cleared.event == CLEARED
    assert (cleared.at - START).total_seconds() == pytest.approx(39.5)


def test_the_last_looks_before_it_left_count_though_they_came_after_a_miss() -> None:
    """At a look in five seconds two boxes are too few to say that it is the same thing; they are no other's either."""
    camera = PlainCamera()
    for second in range(0, 100, 5):
        camera.see(second, Seen(3))
    camera.see(100)
    camera.see(105, Seen(3))
    camera.see(110, Seen(3))
    for second in range(115, 180, 5):
        camera.see(second)
    assert camera.full[-1].event == CLEARED
    assert (camera.full[-1].at - START).total_seconds() == pytest.approx(112.5)


def test_a_thing_behind_does_not_hide_what_stands_before_it() -> None:
    camera = PlainCamera()
    behind = (-100.0, 50.0, 150.0, 199.0)
    for second in range(20):
        camera.see(second, Seen(0))
    for second in range(20, 30):
        camera.see(second, others=[behind])
    assert camera.visits == []


def test_near_garbage_is_one_incident_and_clears_when_the_last_piece_is_gone() -> None:
    camera = PlainCamera()
    pieces = [Seen(east, group="garbage", name="bag") for east in (0, 4, 9)]
    for second in range(40):
        camera.see(second, *pieces)
    for second in range(40, 50):
        camera.see(second, pieces[1])
    for second in range(50, 60):
        camera.see(second)
    assert camera.events == [(30, OPENED), (55, CLEARED)]
    assert len(camera.full[0].boxes) == 3


def test_garbage_further_than_the_merge_distance_is_an_incident_of_its_own() -> None:
    camera = PlainCamera()
    for second in range(31):
        camera.see(second, Seen(0, group="garbage", name="bag"), Seen(10.5, group="garbage", name="bag"))
    assert camera.events == [(30, OPENED), (30, OPENED)]


def test_near_cars_are_incidents_of_their_own() -> None:
    camera = PlainCamera()
    for second in range(31):
        camera.see(second, Seen(0), Seen(5.5))
    assert camera.events == [(30, OPENED), (30, OPENED)]


def test_visits_are_bounded_and_reported_ones_stay() -> None:
    camera = PlainCamera()
    for second in range(31):
        camera.see(second, Seen(0))
    for second in range(31, 36):
        camera.see(second, Seen(0), *(Seen(10 * n + 3 * (second % 3)) for n in range(1, MAX_VISITS + 50)))
    assert len(camera.visits) == MAX_VISITS
    assert any(claim.incident is not None for claim in camera.claims)
    for second in range(36, 50):
        camera.see(second)
    assert camera.visits == []
    assert camera.events[-1][1] == CLEARED


def test_memory_stays_flat_over_many_passing_things() -> None:
    camera = PlainCamera()
    sizes = []
    for second in range(600):
        camera.see(second, Seen(3.0 * (second % 40)), Seen(200 + 5.0 * (second % 7)))
        sizes.append(len(camera.visits))
    assert max(sizes[300:]) <= max(sizes[:300])
    assert max(sizes) < 40


STREAM = st.lists(
    st.tuples(
        st.floats(0.01, 30),
        st.lists(st.tuples(st.sampled_from(["car", "bag"]), st.integers(0, 4), st.floats(-30, 30)), max_size=4),
    ),
    min_size=5,
    max_size=40,
)
GROUPS = {"car": "vehicle", "bag": "garbage"}


@settings(max_examples=60)
@given(STREAM)
def test_every_incident_is_opened_once_and_cleared_at_most_once(
    stream: list[tuple[float, list[tuple[str, int, float]]]],
) -> None:
    camera = PlainCamera()
    second = 0.0
    for step, seen in stream:
        second += step
        things = [Seen(3.0 * east, GROUPS[name], shift, name=name) for name, east, shift in seen]
        camera.see(second, *things)
    lives: dict[str, list[EventType]] = {}
    for report in camera.full:
        lives.setdefault(report.incident.incident_id, []).append(report.event)
    for life in lives.values():
        assert life[0] == OPENED
        assert life.count(OPENED) == 1
        assert CLEARED not in life[:-1]


BOXES = st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(1, 50), st.floats(1, 50)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(BOXES, BOXES)
def test_iou_agrees_with_polygons(a: Box, b: Box) -> None:
    import shapely  # noqa: PLC0415  only the independent check needs it

    first, second = shapely.box(*a), shapely.box(*b)
    assert iou(a, b) == pytest.approx(first.intersection(second).area / first.union(second).area, abs=1e-9)


def test_somebody_right_before_a_thing_hides_it() -> None:
    camera = PlainCamera()
    x0, y0, _, y1 = Seen(0).xyxy
    vendor = (x0 + 20, y0 - 10, x0 + 60, y1 + 10)
    camera.see(0)
    for second in range(1, 20):
        camera.see(second, Seen(0))
    for second in range(20, 60):
        camera.see(second, people=[vendor], at_m=(0.5, 0.0))
    for second in range(60, 66):
        camera.see(second, Seen(0))
    assert [event for _, event in camera.events] == [OPENED]
    assert camera.full[0].incident.began_at == START + timedelta(seconds=0.5)
