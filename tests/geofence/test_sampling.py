"""How often a camera is looked at, and that no rule is found broken later than the stated bound."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.claims import Report
from geofence.dwell import DwellSettings
from geofence.messages import EventType, IncidentKind
from geofence.sampling import SamplingSettings, delay_bound_s, idle_interval_s, look_interval_s
from geofence.timeline import CameraState
from tests.geofence.plain_street import PlainCamera, Seen

PARKING = IncidentKind.ILLEGAL_PARKING
SAMPLING = SamplingSettings()


def _rules(min_dwell_s: float, **others: float) -> dict[IncidentKind, DwellSettings]:
    return {PARKING: DwellSettings(min_dwell_s=min_dwell_s, **others)}


def _car(east_m: float = 0.0) -> Seen:
    return Seen(east_m)


def _state(hits: int, dwell_s: float = 0.0, *, was_empty: bool = False) -> CameraState:
    """A car that was seen so often, over so long a time."""
    camera = PlainCamera(rules=_rules(300))
    camera.see(-0.001)
    for number in range(hits):
        camera.see(dwell_s * number / max(hits - 1, 1), _car())
    if was_empty:
        camera.see(dwell_s + 0.001)
    return CameraState(memory=camera.memory)


class Watched:
    """A camera of so many frames a second, of which only those are looked at that are due."""

    def __init__(self, rules: dict[IncidentKind, DwellSettings], *, fps: float = 5.0) -> None:
        self.rules = rules
        self.fps = fps
        self.camera = PlainCamera(rules=rules)
        self.looks: list[float] = []
        self.reports: list[tuple[float, Report]] = []

    def play(self, shows: Callable[[float], Sequence[Seen]], *, seconds: float, offset_s: float = 0.0) -> None:
        for number in range(int(seconds * self.fps)):
            at_s = offset_s + number / self.fps
            due_s = look_interval_s(CameraState(memory=self.camera.memory), self.rules, SAMPLING)
            if self.looks and at_s - self.looks[-1] < due_s - 1e-6:
                continue
            self.looks.append(at_s)
            told = len(self.camera.full)
            self.camera.see(at_s, *shows(at_s))
            self.reports += [(at_s, report) for report in self.camera.full[told:]]


@pytest.mark.parametrize(
    ("min_dwell_s", "interval_s"), [(300, 3.0), (150, 2.5), (90, 1.5), (60, 1.0), (15, 1.0), (0, 1.0), (3600, 3.0)]
)
def test_an_empty_street_is_looked_at_as_its_shortest_limit_asks(min_dwell_s: float, interval_s: float) -> None:
    rules = _rules(min_dwell_s) | {IncidentKind.EXPOSED_GARBAGE: DwellSettings(min_dwell_s=3600)}
    assert (
        idle_interval_s(rules, SAMPLING) == look_interval_s(CameraState(), rules, SAMPLING) == pytest.approx(interval_s)
    )


def test_looks_stay_within_the_gap_that_the_dwell_rule_bridges() -> None:
    assert idle_interval_s(_rules(600, max_gap_s=4), SAMPLING) == 2.0
    assert idle_interval_s(_rules(600, max_gap_s=1), SAMPLING) == 0.5


@pytest.mark.parametrize(
    ("state", "interval_s"),
    [
        (_state(1), 3.0),
        (_state(2, 10), 1.0),
        (_state(3, 11), 3.0),
        (_state(9, 292), 2.0),
        (_state(9, 297), 1.0),
        (_state(3, 40, was_empty=True), 1.0),
        (_state(1, was_empty=True), 3.0),
    ],
    ids=["seen once", "seen twice", "stands", "near its limit", "at its limit", "gone for a look", "drove by"],
)
def test_what_stands_decides_about_the_next_look(state: CameraState, interval_s: float) -> None:
    assert look_interval_s(state, _rules(300), SAMPLING) == pytest.approx(interval_s, abs=0.01)


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
    assert len(camera.looks) < 2000


def test_a_car_that_drives_on_is_noticed_as_soon_as_an_order_needs() -> None:
    camera = Watched(_rules(30))
    camera.play(lambda at_s: [_car()] if 10 <= at_s < 100 else [], seconds=160)
    events = [(report.event, at_s) for at_s, report in camera.reports if report.event is not EventType.UPDATED]
    assert [event for event, _ in events] == [EventType.OPENED, EventType.CLEARED]
    assert events[1][1] <= 100 + 15 + 5 + 2
