"""The dwell rule's clock on one thing: when it began, what counts, when it is gone."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geofence.dwell import ZERO, DwellSettings, Sight, advance, begin, is_gone

START = datetime(2026, 5, 1, tzinfo=UTC)
RULE = DwellSettings(min_dwell_s=300, absence_s=15, max_miss_s=60, max_gap_s=60, heartbeat_s=60)
SEEN, EMPTY, HIDDEN = Sight.SEEN, Sight.EMPTY, Sight.HIDDEN


class Clock:
    """Feeds one presence with looks; each says how many seconds later it comes and what it shows."""

    def __init__(self, *, before_s: float | None = 0.0) -> None:
        self.at = START
        self.presence = begin(START, None if before_s is None else START - timedelta(seconds=before_s))
        self.is_reported = False

    def look(self, after_s: float, sight: Sight, *, is_silence: bool = False, usual_s: float | None = None) -> bool:
        """Whether the thing is gone after this look."""
        self.at += timedelta(seconds=after_s)
        counted = ZERO if is_silence else timedelta(seconds=after_s)
        usual = None if usual_s is None else timedelta(seconds=usual_s)
        self.presence = advance(self.presence, sight, seen_at=self.at, counted=counted, usual=usual)
        return is_gone(self.presence, RULE, is_reported=self.is_reported)

    @property
    def dwell_s(self) -> float:
        return self.presence.dwell.total_seconds()


def test_a_stay_begins_half_way_between_the_last_look_without_it_and_the_first_with_it() -> None:
    presence = begin(START, START - timedelta(seconds=30))
    assert presence.began_at == START - timedelta(seconds=15)
    assert presence.dwell == presence.unsure == timedelta(seconds=15)
    assert not presence.is_start_unknown


def test_a_thing_that_nobody_saw_coming_began_at_first_sight_and_says_so() -> None:
    presence = begin(START, None)
    assert (presence.began_at, presence.dwell, presence.is_start_unknown) == (START, ZERO, True)


@given(
    interval_s=st.floats(1 / 30, 33),
    came=st.floats(0, 0.999),
    looks=st.integers(2, 400),
    left=st.floats(0.001, 1),
)
def test_dwell_is_right_to_half_an_interval_at_either_end(
    interval_s: float, came: float, looks: int, left: float
) -> None:
    """Came a share of an interval before its first look, left a share after its last one."""
    clock = Clock(before_s=interval_s)
    for _ in range(looks):
        clock.look(interval_s, SEEN)
    clock.look(interval_s, EMPTY)
    true_began = START - timedelta(seconds=interval_s * (1 - came))
    true_gone = START + timedelta(seconds=interval_s * (looks + left))
    assert clock.presence.gone_at is not None
    assert abs((clock.presence.began_at - true_began).total_seconds()) <= interval_s / 2 + 1e-3
    assert abs((clock.presence.gone_at - true_gone).total_seconds()) <= interval_s / 2 + 1e-3


@pytest.mark.parametrize("interval_s", [0.04, 0.2, 1.0, 7.0, 30.0])
def test_dwell_counts_seconds_not_looks(interval_s: float) -> None:
    clock = Clock()
    for _ in range(round(300 / interval_s)):
        clock.look(interval_s, SEEN)
    assert clock.dwell_s == pytest.approx(interval_s * round(300 / interval_s), abs=0.001)


def test_a_silence_does_not_count() -> None:
    clock = Clock()
    clock.look(200, SEEN)
    clock.look(3600, SEEN, is_silence=True)
    assert clock.dwell_s == 200
    clock.look(100, SEEN)
    assert clock.dwell_s == 300


def test_time_behind_another_thing_counts_when_the_same_comes_back() -> None:
    clock = Clock()
    clock.look(200, SEEN)
    assert not any(clock.look(10, HIDDEN) for _ in range(5))
    assert clock.dwell_s == 200
    clock.look(50, SEEN)
    assert clock.dwell_s == 300


def test_an_unreported_thing_hidden_for_longer_than_max_miss_is_given_up() -> None:
    clock = Clock()
    clock.look(100, SEEN)
    assert not clock.look(60, HIDDEN)
    assert clock.look(0.001, HIDDEN)


def test_a_reported_thing_stays_while_it_is_hidden() -> None:
    clock = Clock()
    clock.look(300, SEEN)
    clock.is_reported = True
    assert not any(clock.look(30, HIDDEN) for _ in range(100))


def test_a_reported_thing_is_gone_after_absence_and_left_when_it_was_first_missed() -> None:
    clock = Clock()
    clock.look(3000, SEEN)
    clock.is_reported = True
    assert not any(clock.look(1, EMPTY) for _ in range(15))
    assert clock.look(1, EMPTY)
    assert clock.presence.gone_at == START + timedelta(seconds=3000.5)


def test_one_empty_look_proves_nothing_however_late_it_comes() -> None:
    clock = Clock()
    clock.look(200, SEEN)
    assert not clock.look(55, EMPTY)
    clock.look(45, SEEN)
    assert clock.dwell_s == 300


def test_two_misses_in_a_row_at_two_looks_a_minute_do_not_end_a_stay() -> None:
    clock = Clock()
    clock.look(30, SEEN)
    assert [clock.look(30, EMPTY) for _ in range(4)] == [False, False, False, True]


def test_where_looks_are_rare_who_is_often_missed_is_missed_four_times_in_a_row_before_it_is_gone() -> None:
    clock = Clock()
    for _ in range(8):
        for sight in (SEEN, SEEN, EMPTY):
            assert not clock.look(10, sight)
    clock.look(10, SEEN)
    assert [clock.look(10, EMPTY) for _ in range(5)] == [False, False, False, False, True]


def test_misses_of_a_flickering_detector_do_not_end_a_stay() -> None:
    clock = Clock()
    assert not any(clock.look(0.2, EMPTY if n % 5 in {1, 3} else SEEN) for n in range(1500))
    assert clock.dwell_s == pytest.approx(300, abs=0.5)


def test_a_place_that_is_empty_in_most_looks_is_not_one_parked_thing() -> None:
    clock = Clock()
    assert any(clock.look(0.2, SEEN if n % 5 == 0 else EMPTY) for n in range(1500))


def test_a_glimpse_is_given_up_soon_and_a_long_stay_late() -> None:
    glimpse = Clock()
    assert [glimpse.look(0.5, EMPTY) for _ in range(20)].index(True) == 8
    twice = Clock()
    twice.look(0.5, SEEN)
    assert [twice.look(0.5, EMPTY) for _ in range(20)].index(True) == 16
    stay = Clock()
    stay.look(100, SEEN)
    assert [stay.look(1, EMPTY) for _ in range(15)] == [False] * 15


def often_missed() -> Clock:
    """Missed in four of ten looks, two seconds at a time, and reported."""
    clock = Clock()
    for number in range(600):
        clock.look(0.5, EMPTY if number % 20 < 8 else SEEN)
    clock.is_reported = True
    return clock


def test_what_the_detector_often_misses_is_given_more_time_in_pieces() -> None:
    """Twelve seconds without it, two with it, twelve without it."""
    missed, never_missed = often_missed(), Clock()
    never_missed.look(300, SEEN)
    looks = [EMPTY] * 24 + [SEEN] * 4 + [EMPTY] * 24
    assert missed.presence.missed_share == pytest.approx(0.4, abs=0.01)
    assert not any(missed.look(0.5, sight) for sight in looks)
    assert any(never_missed.look(0.5, sight) for sight in looks)


def test_a_place_seen_empty_for_absence_s_in_one_go_is_empty_however_bad_the_detector_is() -> None:
    clock = often_missed()
    assert [clock.look(0.5, EMPTY) for _ in range(40)].index(True) == 30


def test_at_two_looks_a_minute_three_in_a_row_may_be_missed() -> None:
    clock = Clock(before_s=30)
    for _ in range(5):
        clock.look(30, SEEN)
    assert [clock.look(30, EMPTY) for _ in range(5)] == [False, False, False, True, True]


def test_empty_looks_before_and_after_a_silence_do_not_add_it_up() -> None:
    clock = Clock()
    clock.look(100, SEEN)
    clock.look(1, EMPTY)
    assert not clock.look(3600, EMPTY, is_silence=True)


def test_a_pause_between_two_lone_misses_is_not_an_empty_place() -> None:
    clock = Clock()
    clock.is_reported = True
    clock.look(100, SEEN, usual_s=1)
    gone = [clock.look(after_s, EMPTY, usual_s=1) for after_s in (1, 25, 1)]
    assert not any(gone)
    assert not clock.look(1, SEEN, usual_s=1)


def test_a_pause_in_a_row_of_empty_looks_is_empty() -> None:
    """Bursts of looks: whoever is missed in all of one and of the next is not there in between."""
    clock = Clock()
    clock.is_reported = True
    clock.look(100, SEEN, usual_s=1)
    assert [clock.look(after_s, EMPTY, usual_s=1) for after_s in (1, 1, 1, 25, 1)] == [False] * 4 + [True]


def test_being_seen_again_takes_back_that_it_left() -> None:
    missed = advance(begin(START, None), EMPTY, seen_at=START + timedelta(seconds=1), counted=timedelta(seconds=1))
    again = advance(missed, SEEN, seen_at=START + timedelta(seconds=2), counted=timedelta(seconds=1))
    assert missed.gone_at == START + timedelta(seconds=0.5)
    assert (again.gone_at, again.dwell, again.hits) == (None, timedelta(seconds=2), 2)


def test_what_certainly_stood_there_may_be_hidden_as_long_as_the_settings_say() -> None:
    clock = Clock()
    for _ in range(10):
        clock.look(1, SEEN)
    for _ in range(50):
        clock.look(1, HIDDEN)
    assert is_gone(clock.presence, RULE, is_reported=False)
    assert not is_gone(clock.presence, RULE, is_reported=False, is_steady=True)
    for _ in range(12):
        clock.look(1, HIDDEN)
    assert is_gone(clock.presence, RULE, is_reported=False, is_steady=True)


def test_what_shows_the_same_box_each_time_is_missed_more_often_before_it_is_given_up() -> None:
    clock = Clock()
    for _ in range(60):
        clock.look(1, SEEN)
    for number in range(120):
        clock.look(1, SEEN if number % 5 == 4 else EMPTY)
    clock.look(1, EMPTY)
    assert is_gone(clock.presence, RULE, is_reported=True)
    assert not is_gone(clock.presence, RULE, is_reported=True, is_steady=True)
    # Its place seen empty all along is empty.
    for _ in range(40):
        clock.look(1, EMPTY)
    assert is_gone(clock.presence, RULE, is_reported=True, is_steady=True)


def test_a_pause_before_the_first_empty_look_is_not_known_to_be_empty() -> None:
    clock = Clock()
    for _ in range(30):
        clock.look(1, SEEN)
    clock.look(RULE.absence_s * 2, EMPTY)
    clock.look(1, EMPTY)
    assert not is_gone(clock.presence, RULE, is_reported=True)
    for _ in range(math.ceil(RULE.absence_s)):
        clock.look(1, EMPTY)
    assert is_gone(clock.presence, RULE, is_reported=True)
