"""All visits of a camera: who is who, one report for one thing, nothing from late or repeated frames, bounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.dwell import Box, DwellSettings, Sighting
from geofence.errors import GeofenceError
from geofence.messages import EventType, IncidentKind
from geofence.visits import MAX_VISITS, CameraState, Report, Surroundings, advance_all, iou

START = datetime(2026, 5, 1, tzinfo=UTC)
PARKING, GARBAGE, SIDEWALK = (
    IncidentKind.ILLEGAL_PARKING,
    IncidentKind.EXPOSED_GARBAGE,
    IncidentKind.BLOCKED_SIDEWALK,
)
RULES = {
    PARKING: DwellSettings(min_dwell_s=30, absence_s=5, max_miss_s=60, max_gap_s=20, heartbeat_s=20),
    GARBAGE: DwellSettings(min_dwell_s=30, absence_s=5, max_gap_s=20, heartbeat_s=20, merge_m=10),
    SIDEWALK: DwellSettings(min_dwell_s=30, absence_s=5, max_gap_s=20),
}


def thing(
    east: float, *, kind: IncidentKind = PARKING, shift_px: float = 0.0, subject: str = "car", wide_px: float = 100.0
) -> Sighting:
    """A thing at `east` metres; 20 px of the picture are a metre, so that boxes and places agree."""
    left = 20 * east + shift_px
    box = (left, 100.0, left + wide_px, 200.0)
    return Sighting(
        kind=kind,
        place_key=f"zone:z:{east:g}",
        zone_id="z",
        surface=None,
        ground_m=(east, 0.0),
        foot_m=(east, 0.0),
        xyxy=box,
        boxes=(box,),
        subject=subject,
        confidence=0.8,
    )


def blocked() -> Sighting:
    return replace(thing(0, kind=SIDEWALK), place_key="zone:walk", is_whole_zone=True)


class Camera:
    """Feeds sightings; `others` are boxes of things that break no rule, far from everything on the ground."""

    def __init__(self) -> None:
        self.state = CameraState()
        self.reports: list[tuple[float, EventType, str]] = []
        self.full: list[Report] = []

    def see(self, second: float, *sightings: Sighting, others: Sequence[Box] = ()) -> None:
        boxes = np.array([s.xyxy for s in sightings] + list(others), np.float64).reshape(-1, 4)
        places = np.array([s.foot_m for s in sightings] + [(999.0, 999.0)] * len(others)).reshape(-1, 2)
        self.state, reports = advance_all(
            self.state,
            sightings,
            Surroundings(xyxy=boxes, foot_m=places),
            seen_at=START + timedelta(seconds=second),
            site_id="demo",
            settings=RULES,
        )
        self.full += reports
        self.reports += [(second, report.event, report.incident.place_key) for report in reports]

    @property
    def events(self) -> list[tuple[float, EventType]]:
        return [(second, event) for second, event, _ in self.reports]


OPENED, UPDATED, CLEARED = EventType.OPENED, EventType.UPDATED, EventType.CLEARED


def test_dwell_fires_once_per_visit_then_updates_then_clears() -> None:
    camera = Camera()
    for second in range(60):
        camera.see(second, thing(0))
    for second in range(60, 80):
        camera.see(second)
    assert camera.events == [(30, OPENED), (50, UPDATED), (65, CLEARED)]
    assert len({report.incident.incident_id for report in camera.full}) == 1
    assert camera.state.visits == ()


def test_late_and_repeated_frames_change_nothing() -> None:
    camera = Camera()
    for second in range(29):
        camera.see(second, thing(0))
    before = camera.state
    camera.see(28, thing(0), thing(9))
    camera.see(5)
    camera.see(28)
    assert camera.state is before
    assert camera.events == []


def test_out_of_order_frames_give_the_events_of_the_ordered_ones() -> None:
    ordered, shuffled = Camera(), Camera()
    for second in range(60):
        ordered.see(second, thing(0))
    for second in range(0, 60, 2):
        for late in (second + 1, second, second):
            shuffled.see(late, thing(0))
    assert [event for _, event in ordered.events] == [event for _, event in shuffled.events]
    assert abs(ordered.events[0][0] - shuffled.events[0][0]) <= 1


def test_first_frame_ever_means_unknown_start_and_counts_from_first_sight() -> None:
    camera = Camera()
    for second in range(31):
        camera.see(second, thing(0), *([thing(9)] if second > 0 else []))
    camera.see(31, thing(0), thing(9))
    by_place = {report.incident.place_key: report for report in camera.full}
    assert by_place["zone:z:0"].visit.is_start_unknown
    assert not by_place["zone:z:9"].visit.is_start_unknown
    assert by_place["zone:z:0"].incident.began_at == START


def test_a_thing_that_came_during_a_silence_has_an_unknown_start() -> None:
    camera = Camera()
    camera.see(0)
    camera.see(21, thing(0))
    assert camera.state.visits[0].is_start_unknown
    other = Camera()
    other.see(0)
    other.see(20, thing(0))
    assert not other.state.visits[0].is_start_unknown


def test_a_silence_freezes_the_clock() -> None:
    camera = Camera()
    for second in [*range(25), *range(124, 140)]:
        camera.see(second, thing(0))
    assert camera.events == [(130, OPENED)]


def test_a_gap_of_exactly_the_limit_counts() -> None:
    camera = Camera()
    for second in (0, 20, 40):
        camera.see(second, thing(0))
    assert camera.events == [(40, OPENED)]


def test_a_second_thing_in_the_same_spot_starts_anew() -> None:
    camera = Camera()
    for second in range(20):
        camera.see(second, thing(0))
    for second in range(20, 60):
        camera.see(second, thing(1, shift_px=60))
    assert camera.events == [(50, OPENED)]
    assert camera.full[0].incident.began_at == START + timedelta(seconds=20)


def test_a_reported_thing_that_is_replaced_is_cleared_at_the_second_sight_of_the_new_one() -> None:
    camera = Camera()
    for second in range(35):
        camera.see(second, thing(0))
    for second in range(35, 70):
        camera.see(second, thing(1, shift_px=60))
    assert camera.events == [(30, OPENED), (36, CLEARED), (65, OPENED)]
    assert camera.full[1].is_replaced
    assert camera.full[0].incident.incident_id != camera.full[2].incident.incident_id


def test_one_odd_box_does_not_replace_a_thing() -> None:
    camera = Camera()
    for second in range(40):
        odd = second in {7, 15, 16 + 5}
        camera.see(second, thing(0, shift_px=70 if odd else 0))
    assert camera.events == [(30, OPENED)]


def test_things_that_creep_on_never_stay() -> None:
    camera = Camera()
    for second in range(200):
        camera.see(second, thing(0.3 * second))
    assert camera.events == []
    assert len(camera.state.visits) < 12


def test_queueing_things_that_follow_each_other_never_stay() -> None:
    camera = Camera()
    for second in range(400):
        # Every 25 s the queue moves up by one length: each thing stands at most 20 s at one place.
        phase = second % 25
        offset = 0.0 if phase < 20 else 1.2 * (phase - 20)
        camera.see(second, thing(offset), thing(offset - 6.0))
    assert camera.events == []


def test_a_class_flip_does_not_split_a_visit() -> None:
    camera = Camera()
    for second in range(40):
        camera.see(second, thing(0, subject="car" if second % 3 else "truck"))
    assert camera.events == [(30, OPENED)]


def test_jitter_does_not_split_a_visit() -> None:
    random = np.random.default_rng(721)
    camera = Camera()
    for second in range(40):
        east, shift = random.normal(0, 0.4), random.normal(0, 8)
        camera.see(second, replace(thing(0), foot_m=(east, 0.0), xyxy=thing(0, shift_px=shift).xyxy))
    assert camera.events == [(30, OPENED)]
    assert camera.full[0].incident.place_key == "zone:z:0"


def test_a_passing_bus_neither_ends_nor_restarts_a_visit() -> None:
    camera = Camera()
    bus = (-100.0, 50.0, 150.0, 260.0)
    for second in range(20):
        camera.see(second, thing(0))
    for second in range(20, 50):
        camera.see(second, others=[bus])
    camera.see(50, thing(0))
    assert camera.events == [(50, OPENED)]
    assert camera.full[0].visit.dwell == timedelta(seconds=50)


def test_a_thing_half_hidden_by_a_bus_is_not_replaced_by_its_other_half() -> None:
    camera = Camera()
    bus = (-100.0, 50.0, 60.0, 260.0)
    for second in range(20):
        camera.see(second, thing(0))
    for second in range(20, 28):
        camera.see(second, thing(0, shift_px=60, wide_px=40), others=[bus])
    for second in range(28, 40):
        camera.see(second, thing(0))
    assert camera.events == [(30, OPENED)]


def test_a_thing_behind_does_not_hide_what_stands_before_it() -> None:
    camera = Camera()
    behind = (-100.0, 50.0, 150.0, 199.0)
    for second in range(20):
        camera.see(second, thing(0))
    for second in range(20, 30):
        camera.see(second, others=[behind])
    assert camera.state.visits == ()


def test_near_garbage_is_one_incident_and_clears_when_the_last_piece_is_gone() -> None:
    camera = Camera()
    pieces = [thing(east, kind=GARBAGE) for east in (0, 4, 9)]
    for second in range(40):
        camera.see(second, *pieces)
    for second in range(40, 50):
        camera.see(second, pieces[1])
    for second in range(50, 60):
        camera.see(second)
    assert camera.events == [(30, OPENED), (55, CLEARED)]
    assert len(camera.full[0].boxes) == 3


def test_garbage_further_than_the_merge_distance_is_an_incident_of_its_own() -> None:
    camera = Camera()
    for second in range(31):
        camera.see(second, thing(0, kind=GARBAGE), thing(10.5, kind=GARBAGE))
    assert camera.events == [(30, OPENED), (30, OPENED)]


def test_near_cars_are_incidents_of_their_own() -> None:
    camera = Camera()
    for second in range(31):
        camera.see(second, thing(0), thing(5.5))
    assert camera.events == [(30, OPENED), (30, OPENED)]


def test_a_blocked_sidewalk_is_its_zone_whatever_blocks_it() -> None:
    camera = Camera()
    for second in range(40):
        block = blocked()
        camera.see(second, replace(block, foot_m=(float(second), 0.0), xyxy=thing(second).xyxy))
    assert camera.events == [(30, OPENED)]


def test_visits_are_bounded_and_reported_ones_stay() -> None:
    camera = Camera()
    for second in range(31):
        camera.see(second, thing(0))
    for second in range(31, 36):
        camera.see(second, thing(0), *(thing(10 * n + 3 * (second % 3)) for n in range(1, MAX_VISITS + 50)))
    assert len(camera.state.visits) == MAX_VISITS
    assert any(visit.incident is not None for visit in camera.state.visits)
    for second in range(36, 50):
        camera.see(second)
    assert camera.state.visits == ()
    assert camera.events[-1][1] == CLEARED


def test_memory_stays_flat_over_many_passing_things() -> None:
    camera = Camera()
    sizes = []
    for second in range(600):
        camera.see(second, thing(3.0 * (second % 40)), thing(200 + 5.0 * (second % 7)))
        sizes.append(len(camera.state.visits))
    assert max(sizes[300:]) <= max(sizes[:300])
    assert max(sizes) < 40


STREAM = st.lists(
    st.tuples(
        st.floats(-2, 30),
        st.lists(st.tuples(st.sampled_from([PARKING, GARBAGE]), st.integers(0, 4), st.floats(-30, 30)), max_size=4),
    ),
    min_size=5,
    max_size=40,
)


@settings(max_examples=60)
@given(STREAM, st.integers(0, 40))
def test_state_saved_and_restored_anywhere_gives_identical_events(
    stream: list[tuple[float, list[tuple[IncidentKind, int, float]]]], cut: int
) -> None:
    through, restarted = Camera(), Camera()
    second = 0.0
    for number, (step, seen) in enumerate(stream):
        second += step
        sightings = [thing(3.0 * east, kind=kind, shift_px=shift) for kind, east, shift in seen]
        if number == cut:
            restarted.state = CameraState.from_json(restarted.state.to_json())
        through.see(second, *sightings)
        restarted.see(second, *sightings)
    assert restarted.reports == through.reports
    assert restarted.state == through.state


@settings(max_examples=60)
@given(STREAM)
def test_every_incident_is_opened_once_and_cleared_at_most_once(
    stream: list[tuple[float, list[tuple[IncidentKind, int, float]]]],
) -> None:
    camera = Camera()
    second = 0.0
    for step, seen in stream:
        second += step
        camera.see(second, *(thing(3.0 * east, kind=kind, shift_px=shift) for kind, east, shift in seen))
    lives: dict[str, list[EventType]] = {}
    for report in camera.full:
        lives.setdefault(report.incident.incident_id, []).append(report.event)
    for life in lives.values():
        assert life[0] == OPENED
        assert life.count(OPENED) == 1
        assert CLEARED not in life[:-1]


def test_saved_state_of_something_else_is_refused_in_one_line() -> None:
    with pytest.raises(GeofenceError, match="saved camera state is not readable: visits") as caught:
        CameraState.from_json('{"last_frame_at": null, "visits": 3}')
    assert "\n" not in str(caught.value)


BOXES = st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(1, 50), st.floats(1, 50)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(BOXES, BOXES)
def test_iou_agrees_with_polygons(a: Box, b: Box) -> None:
    import shapely  # noqa: PLC0415  only the independent check needs it

    first, second = shapely.box(*a), shapely.box(*b)
    assert iou(a, b) == pytest.approx(first.intersection(second).area / first.union(second).area, abs=1e-9)
