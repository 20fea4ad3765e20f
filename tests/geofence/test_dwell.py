"""The dwell rule on one visit: limits reached exactly, misses, occlusion, silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from geofence.dwell import DwellSettings, Incident, Sighting, Step, Visit, advance, begin
from geofence.messages import IncidentKind

START = datetime(2026, 5, 1, tzinfo=UTC)
RULE = DwellSettings(min_dwell_s=300, absence_s=15, max_miss_s=60, max_gap_s=60, heartbeat_s=60)
SIGHTING = Sighting(
    kind=IncidentKind.ILLEGAL_PARKING,
    place_key="zone:kerb-1:+0:+0",
    zone_id="kerb-1",
    surface="roadway",
    ground_m=(0.0, 0.0),
    foot_m=(0.0, 0.0),
    xyxy=(100.0, 100.0, 200.0, 200.0),
    boxes=((100.0, 100.0, 200.0, 200.0),),
    subject="car",
    confidence=0.8,
)
INCIDENT = Incident(
    incident_id="i",
    place_key=SIGHTING.place_key,
    zone_id="kerb-1",
    surface="roadway",
    ground_m=(0.0, 0.0),
    subject="car",
    began_at=START,
)


class Clock:
    """Feeds one visit with frames; each step says how many seconds later it comes and what it shows."""

    def __init__(self, settings: DwellSettings = RULE) -> None:
        self.settings = settings
        self.at = START
        self.visit: Visit = begin(SIGHTING, seen_at=START, is_start_unknown=False)

    def frame(self, after_s: float, *, is_seen: bool, is_hidden: bool = False, is_silence: bool = False) -> Step:
        self.at += timedelta(seconds=after_s)
        self.visit, step = advance(
            self.visit,
            SIGHTING if is_seen else None,
            seen_at=self.at,
            counted=timedelta(0) if is_silence else timedelta(seconds=after_s),
            is_hidden=is_hidden,
            settings=self.settings,
        )
        return step

    def report(self) -> None:
        self.visit = replace(self.visit, incident=INCIDENT, reported_at=self.at)


def test_dwell_is_due_exactly_at_the_limit_and_not_a_microsecond_before() -> None:
    clock = Clock()
    assert clock.frame(299.999999, is_seen=True) == Step.STAYS
    assert clock.frame(0.000001, is_seen=True) == Step.DUE


@pytest.mark.parametrize("interval_s", [0.04, 0.2, 1.0, 7.0, 30.0])
def test_dwell_counts_seconds_not_frames(interval_s: float) -> None:
    clock = Clock()
    while clock.frame(interval_s, is_seen=True) != Step.DUE:
        pass
    assert 300 <= clock.visit.dwell.total_seconds() < 300 + interval_s


def test_a_silence_does_not_count() -> None:
    clock = Clock()
    clock.frame(200, is_seen=True)
    clock.frame(3600, is_seen=True, is_silence=True)
    assert clock.visit.dwell == timedelta(seconds=200)
    assert clock.frame(99, is_seen=True) == Step.STAYS
    assert clock.frame(1, is_seen=True) == Step.DUE


def test_time_behind_another_thing_counts_when_the_same_comes_back() -> None:
    clock = Clock()
    clock.frame(200, is_seen=True)
    for _ in range(5):
        assert clock.frame(10, is_seen=False, is_hidden=True) == Step.STAYS
    assert clock.visit.dwell == timedelta(seconds=200)
    assert clock.frame(50, is_seen=True) == Step.DUE
    assert clock.visit.dwell == timedelta(seconds=300)


def test_an_unreported_thing_hidden_for_longer_than_max_miss_is_given_up() -> None:
    clock = Clock()
    clock.frame(100, is_seen=True)
    assert clock.frame(60, is_seen=False, is_hidden=True) == Step.STAYS
    assert clock.frame(0.001, is_seen=False, is_hidden=True) == Step.GONE


def test_a_reported_thing_stays_while_it_is_hidden() -> None:
    clock = Clock()
    clock.frame(300, is_seen=True)
    clock.report()
    for _ in range(100):
        assert clock.frame(30, is_seen=False, is_hidden=True) == Step.STAYS


def test_a_reported_thing_is_gone_after_absence_exactly() -> None:
    clock = Clock()
    clock.frame(300, is_seen=True)
    clock.report()
    assert clock.frame(1, is_seen=False) == Step.STAYS
    assert clock.frame(14.999, is_seen=False) == Step.STAYS
    assert clock.frame(0.001, is_seen=False) == Step.GONE


def test_one_empty_frame_proves_nothing_however_late_it_comes() -> None:
    clock = Clock()
    clock.frame(200, is_seen=True)
    assert clock.frame(55, is_seen=False) == Step.STAYS
    assert clock.frame(45, is_seen=True) == Step.DUE


def test_misses_of_a_flickering_detector_do_not_end_a_visit() -> None:
    clock = Clock()
    steps = [clock.frame(0.2, is_seen=n % 5 not in {1, 3}) for n in range(1500)]
    assert Step.GONE not in steps
    assert Step.DUE in steps


def test_a_place_that_is_empty_in_most_frames_is_not_one_parked_thing() -> None:
    clock = Clock()
    steps = [clock.frame(0.2, is_seen=n % 5 == 0) for n in range(1500)]
    assert Step.GONE in steps[:400]


def test_a_glimpse_is_given_up_soon_and_a_long_stay_late() -> None:
    glimpse = Clock()
    assert [glimpse.frame(1, is_seen=False) for _ in range(3)] == [Step.STAYS, Step.STAYS, Step.GONE]
    stay = Clock()
    stay.frame(100, is_seen=True)
    assert [stay.frame(1, is_seen=False) for _ in range(15)] == [Step.STAYS] * 15


def test_empty_frames_before_and_after_a_silence_do_not_add_it_up() -> None:
    clock = Clock()
    clock.frame(100, is_seen=True)
    clock.frame(1, is_seen=False)
    assert clock.frame(3600, is_seen=False, is_silence=True) == Step.STAYS


def test_heartbeat_comes_at_most_once_in_its_time() -> None:
    clock = Clock()
    clock.frame(300, is_seen=True)
    clock.report()
    assert [clock.frame(30, is_seen=True) for _ in range(2)] == [Step.STAYS, Step.HEARTBEAT]


def test_confidence_is_the_mean_of_all_sightings() -> None:
    visit = begin(SIGHTING, seen_at=START, is_start_unknown=False)
    weaker = replace(SIGHTING, confidence=0.4)
    visit, _ = advance(visit, weaker, seen_at=START, counted=timedelta(seconds=1), is_hidden=False, settings=RULE)
    assert visit.confidence == pytest.approx(0.6)
