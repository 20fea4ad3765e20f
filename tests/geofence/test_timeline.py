"""Whose clock counts: late, repeated and wrongly timed frames change nothing; a silence, a set clock are followed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geofence.errors import GeofenceError
from geofence.judge import CameraState
from geofence.memory import shifted
from geofence.messages import EventType
from geofence.queueing import is_queueing
from geofence.site import Site
from geofence.timeline import end_of_frames
from tests.geofence import plain_street
from tests.geofence.conftest import NOON, Pinhole, Seen, Watch

CAR = Seen("car", Pinhole().box_of(-1.25, 14.0, 1.8, 4.6, 1.5))
# The site's limit for parking.
LIMIT_S = 20
HOUR = 3600.0


def told(watch: Watch) -> list[tuple[str, float]]:
    return [(event.event.value, (event.at - NOON).total_seconds()) for event in watch.events]


def test_late_and_repeated_frames_change_nothing(watch: Watch) -> None:
    watch.see_every(range(10), CAR)
    before = watch.state
    for second in (9, 9, 4, 0, -30):
        watch.see(second)
    assert watch.state is before


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 18), st.integers(1, 25), st.sampled_from([-40 * 365 * 86400.0, -HOUR, 120.0, 600.0, HOUR]))
def test_a_burst_with_a_wrong_clock_changes_nothing(small_site: Site, at: int, length: int, jump_s: float) -> None:
    """The burst shows an empty street, which would clear or delay what stands there."""
    plain, burst = Watch(small_site), Watch(small_site)
    for second in range(60):
        seen = [CAR] if 2 <= second < 40 else []
        plain.see(second, *seen)
        if second == at:
            for number in range(length):
                burst.see(second + jump_s + number)
        burst.see(second, *seen)
    assert burst.events == plain.events
    assert burst.state.memory == plain.state.memory


def test_frames_after_a_long_silence_are_believed_when_they_go_on(watch: Watch) -> None:
    watch.see_every(range(10), CAR)
    watch.see_every(range(600, 700), CAR)
    (opened,) = [event for event in watch.events if event.event == EventType.OPENED]
    # Nine seconds before the silence and eleven after it: nobody knows of those between.
    assert opened.at == NOON + timedelta(seconds=611)
    assert opened.began_at == NOON


def test_what_waits_is_told_at_the_end_when_nothing_speaks_against_it(watch: Watch) -> None:
    watch.see_every(range(15), CAR)
    watch.see_every(range(600, 615), CAR)
    assert watch.events == []
    (event,) = end_of_frames(watch.state)
    assert (event.event, event.at) == (EventType.OPENED, NOON + timedelta(seconds=606))


def test_frames_before_the_present_are_no_end(watch: Watch) -> None:
    watch.see_every(range(15), CAR)
    watch.see_every(range(-700, -600), CAR)
    assert end_of_frames(watch.state) == ()


def test_another_thing_after_a_silence_starts_anew(watch: Watch) -> None:
    other = Seen("car", Pinhole().box_of(-1.6, 14.6, 1.7, 4.2, 1.6))
    watch.see_every(range(15), CAR)
    watch.see_every(range(600, 660), other)
    (opened,) = [event for event in watch.events if event.event == EventType.OPENED]
    assert opened.at == NOON + timedelta(seconds=600 + LIMIT_S)
    assert "起始时间未知" in opened.reason


def test_a_slow_camera_is_not_silent(watch: Watch) -> None:
    """One frame in 33 seconds; the first interval is not yet known to be usual."""
    watch.see_every(range(0, 330, 33), CAR)
    assert told(watch)[0] == ("opened", 33.0)


def test_a_fast_camera_is_silent_after_max_gap(watch: Watch) -> None:
    watch.see_every([number / 5 for number in range(50)], CAR)
    watch.see_every([45 + number / 5 for number in range(300)], CAR)
    opened = next(event for event in watch.events if event.event == EventType.OPENED)
    assert (opened.at - NOON).total_seconds() == pytest.approx(45 + LIMIT_S - 9.8)


def test_a_clock_that_was_set_back_is_followed_when_it_stays_there(watch: Watch) -> None:
    watch.see_every(range(30), CAR)
    watch.see_every(range(-3600, -3400), CAR)
    after = [event for event in watch.events if event.at < NOON]
    assert [event.event for event in watch.events][:1] == [EventType.OPENED]
    assert {event.event for event in after} == {EventType.UPDATED}
    assert len({event.incident_id for event in watch.events}) == 1


def test_a_minute_of_frames_that_come_again_does_not_set_the_clock(watch: Watch) -> None:
    watch.see_every(range(100), CAR)
    before = watch.state.memory
    for second in range(30, 100):
        watch.see(second)
    assert watch.state.memory is before


def test_what_waits_survives_being_saved(small_site: Site) -> None:
    through, restarted = Watch(small_site), Watch(small_site)
    for second in [*range(15), *range(600, 640)]:
        through.see(second, CAR)
        restarted.state = CameraState.from_json(restarted.state.to_json())
        restarted.see(second, CAR)
    assert restarted.events == through.events != []


def test_saved_state_of_something_else_is_refused_in_one_line() -> None:
    with pytest.raises(GeofenceError, match="saved camera state is not readable: memory.visits") as caught:
        CameraState.from_json('{"memory": {"last_frame_at": null, "visits": 3}}')
    assert "\n" not in str(caught.value)


def test_a_clock_that_was_set_moves_all_that_is_remembered_of_a_visit() -> None:
    camera = plain_street.PlainCamera()
    for second in range(20):
        camera.see(second, plain_street.Seen(0))
    camera.visits = [replace(camera.visits[0], queued_at=camera.at, off=camera.visits[0].recent[-1:])]
    by = timedelta(hours=-1)
    (before,), (after,) = camera.memory.visits, shifted(camera.memory, by).visits
    for name in ("recent", "off"):
        moved = [(one.at - by, one.before - by) for one in getattr(after, name)]
        assert moved == [(one.at, one.before) for one in getattr(before, name)]
    assert after.presence.last_seen_at - before.presence.last_seen_at == by
    assert after.placed_at - before.placed_at == after.named_at - before.named_at == by
    # Else it would stand in a queue for an hour.
    assert not is_queueing(after, after.presence.last_seen_at)
