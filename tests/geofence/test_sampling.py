"""How often a camera is looked at, and that no rule is found broken later than the stated bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.dwell import DwellSettings, Sighting, Visit, begin
from geofence.messages import EventType, IncidentKind
from geofence.sampling import SamplingSettings, delay_bound_s, idle_interval_s, look_interval_s
from geofence.visits import CameraState, Report, Surroundings, advance_all

START = datetime(2026, 5, 1, tzinfo=UTC)
PARKING = IncidentKind.ILLEGAL_PARKING
SAMPLING = SamplingSettings()
NOTHING_ELSE = Surroundings(xyxy=np.empty((0, 4)), foot_m=np.empty((0, 2)))


def _rules(min_dwell_s: float, **others: float) -> dict[IncidentKind, DwellSettings]:
    return {PARKING: DwellSettings(min_dwell_s=min_dwell_s, **others)}


def _car(east_m: float = 0.0) -> Sighting:
    box = (20 * east_m, 100.0, 20 * east_m + 100, 200.0)
    return Sighting(
        kind=PARKING, place_key=f"z:{east_m:g}", zone_id="z", surface=None, ground_m=(east_m, 0.0),
        foot_m=(east_m, 0.0), xyxy=box, boxes=(box,), subject="car", confidence=0.8,
    )  # fmt: skip


def _visit(hits: int, dwell_s: float = 0.0) -> Visit:
    fresh = begin(_car(), seen_at=START, is_start_unknown=False)
    return replace(fresh, hits=hits, dwell=timedelta(seconds=dwell_s), age=timedelta(seconds=dwell_s))


class Watched:
    """A camera of so many frames a second, of which only those are looked at that are due."""

    def __init__(self, rules: dict[IncidentKind, DwellSettings], *, fps: float = 5.0) -> None:
        self.rules = rules
        self.fps = fps
        self.state = CameraState()
        self.looks: list[float] = []
        self.reports: list[tuple[float, Report]] = []

    def play(self, shows: Callable[[float], Sequence[Sighting]], *, seconds: float, offset_s: float = 0.0) -> None:
        for number in range(int(seconds * self.fps)):
            at_s = offset_s + number / self.fps
            due_s = look_interval_s(self.state.visits, self.rules, SAMPLING)
            if self.looks and at_s - self.looks[-1] < due_s - 1e-6:
                continue
            self.looks.append(at_s)
            self.state, reports = advance_all(
                self.state, shows(at_s), NOTHING_ELSE, seen_at=START + timedelta(seconds=at_s), site_id="demo",
                settings=self.rules,
            )  # fmt: skip
            self.reports += [(at_s, report) for report in reports]


@pytest.mark.parametrize(
    ("min_dwell_s", "interval_s"), [(300, 3.0), (150, 2.5), (90, 1.5), (60, 1.0), (15, 1.0), (0, 1.0), (3600, 3.0)]
)
def test_an_empty_street_is_looked_at_as_its_shortest_limit_asks(min_dwell_s: float, interval_s: float) -> None:
    rules = _rules(min_dwell_s) | {IncidentKind.EXPOSED_GARBAGE: DwellSettings(min_dwell_s=3600)}
    assert idle_interval_s(rules, SAMPLING) == look_interval_s((), rules, SAMPLING) == pytest.approx(interval_s)


def test_looks_stay_within_the_gap_that_the_dwell_rule_bridges() -> None:
    assert idle_interval_s(_rules(600, max_gap_s=4), SAMPLING) == 2.0
    assert idle_interval_s(_rules(600, max_gap_s=1), SAMPLING) == 0.5


@pytest.mark.parametrize(
    ("visit", "interval_s"),
    [
        (_visit(1), 3.0),
        (_visit(2, 10), 1.0),
        (_visit(3, 11), 3.0),
        (_visit(9, 292), 2.0),
        (_visit(9, 297), 1.0),
        (replace(_visit(3, 40), was_empty=True), 1.0),
        (replace(_visit(1), was_empty=True), 3.0),
    ],
    ids=["seen once", "seen twice", "stands", "near its limit", "at its limit", "gone for a look", "drove by"],
)
def test_what_stands_decides_about_the_next_look(visit: Visit, interval_s: float) -> None:
    assert look_interval_s((visit,), _rules(300), SAMPLING) == pytest.approx(interval_s)
    assert look_interval_s((_visit(1), visit), _rules(300), SAMPLING) == pytest.approx(interval_s)


@settings(max_examples=60, deadline=None)
@given(
    min_dwell_s=st.floats(5, 900),
    came_s=st.floats(0, 30),
    fps=st.sampled_from([0.5, 1.0, 2.0, 5.0, 25.0]),
)
def test_no_rule_is_found_broken_later_than_the_bound(min_dwell_s: float, came_s: float, fps: float) -> None:
    rules = _rules(min_dwell_s)
    camera = Watched(rules, fps=fps)
    camera.play(lambda at_s: [_car()] if at_s >= came_s else [], seconds=came_s + min_dwell_s + 60)
    opened_s = next(at_s for at_s, report in camera.reports if report.event is EventType.OPENED)
    frame_s = 1 / fps
    assert opened_s >= came_s + min_dwell_s - 1e-6
    assert opened_s <= came_s + min_dwell_s + delay_bound_s(rules, SAMPLING) + 2 * frame_s + 1e-6


def test_the_bound_is_within_the_five_seconds_from_frame_to_order() -> None:
    for min_dwell_s in (0, 15, 60, 300, 3600):
        assert delay_bound_s(_rules(min_dwell_s), SAMPLING) <= 4.0


def test_an_hour_of_an_empty_street_takes_a_fifteenth_of_five_looks_a_second() -> None:
    camera = Watched(_rules(300))
    camera.play(lambda at_s: [], seconds=3600)
    assert len(camera.looks) == 5 * 3600 / 15


def test_an_hour_with_a_parked_car_and_traffic_before_it_takes_hardly_more() -> None:
    camera = Watched(_rules(300))
    camera.play(
        lambda at_s: [_car(), _car(30 + 10 * (at_s % 7))] if at_s > 600 else [_car(30 + 10 * (at_s % 7))], seconds=3600
    )
    assert next(report.event for _, report in camera.reports) is EventType.OPENED
    assert len(camera.looks) < 1500


def test_a_car_that_drives_on_is_noticed_as_soon_as_an_order_needs() -> None:
    camera = Watched(_rules(30))
    camera.play(lambda at_s: [_car()] if 10 <= at_s < 100 else [], seconds=160)
    events = [(report.event, at_s) for at_s, report in camera.reports if report.event is not EventType.UPDATED]
    assert [event for event, _ in events] == [EventType.OPENED, EventType.CLEARED]
    assert events[1][1] <= 100 + 15 + 5 + 2
