"""A scenario set up: shutter times, messages and incidents, asked for step by step."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sim.play import Play
from sim.scenario import Scenario, parse_scenario
from tests.sim.conftest import CAMERA, EMPTY, SMALL

BEGINS_AT = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)


@pytest.fixture
def play(small_scenario: Scenario) -> Play:
    return Play(small_scenario, begins_at=BEGINS_AT)


def times(text: str, until_s: float) -> list[tuple[float, int, int]]:
    play = Play(parse_scenario(text), begins_at=BEGINS_AT)
    return [(time.second, time.camera_number, time.frame_index) for time in play.frame_times(until_s)]


def test_the_times_are_those_of_the_site(play: Play) -> None:
    assert play.begins_at == BEGINS_AT
    assert play.begins_at.isoformat() == "2026-06-01T09:00:00+08:00"


def test_the_cameras_take_turns_in_the_order_of_time() -> None:
    text = EMPTY + CAMERA.replace("cam-a", "cam-b") + "frames_per_s = 2\n"
    assert times(text, 2.0) == [
        (0.0, 0, 0), (0.25, 1, 0), (0.75, 1, 1), (1.0, 0, 1), (1.25, 1, 2), (1.75, 1, 3),
    ]  # fmt: skip


def test_a_camera_whose_turn_comes_too_late_does_not_take_a_frame() -> None:
    text = EMPTY + CAMERA.replace("cam-a", "cam-b")
    assert times(text, 1.5) == [(0.0, 0, 0), (0.5, 1, 0), (1.0, 0, 1)]


@pytest.mark.parametrize(("until_s", "count"), [(0.5, 1), (1.0, 1), (1.001, 2), (10.0, 10)])
def test_a_frame_at_the_very_end_is_not_taken(until_s: float, count: int) -> None:
    assert len(times(SMALL, until_s)) == count


def test_a_street_without_cameras_has_sensors_all_the_same() -> None:
    play = Play(parse_scenario(SMALL.replace(CAMERA, "")), begins_at=BEGINS_AT)
    assert list(play.frame_times(10)) == []
    assert play.messages(0, 10)
    assert {incident.kind for incident in play.judge_until(10)} == {"illegal_parking", "exposed_garbage"}


def test_the_parts_of_a_span_have_the_messages_of_the_whole(small_scenario: Scenario) -> None:
    whole = Play(small_scenario, begins_at=BEGINS_AT).messages(0, 30)
    play = Play(small_scenario, begins_at=BEGINS_AT)
    parts = [message for start in range(30) for message in play.messages(start, start + 1)]
    assert parts == whole
    assert {message.sensor_id for message in whole} == {"noise-001", "noise-002", "bin-001"}


def story(play: Play, until_s: float) -> list[tuple[str, float, float | None]]:
    ended = [*play.judge_until(until_s), *play.still_open(until_s)]
    return [(one.kind, round(one.began_s, 3), one.ended_s and round(one.ended_s, 3)) for one in ended]


def test_the_incidents_of_the_small_street_are_as_it_is_written(play: Play) -> None:
    assert story(play, 10) == [
        ("illegal_parking", 0.0, 6.0),
        ("exposed_garbage", 1.0, 7.0),
        ("bin_overflow", 4.0, None),
    ]


def test_the_bin_is_seen_by_its_sensor_and_by_the_camera(play: Play) -> None:
    play.judge_until(10)
    (incident,) = play.still_open(10)
    assert incident.sources == ("bin-001", "cam-a")
    assert incident.also == ("exposed_garbage",)


def test_what_has_ended_is_told_once(play: Play) -> None:
    assert [one.kind for one in play.judge_until(6.5)] == ["illegal_parking"]
    assert play.judge_until(6.5) == []
    assert [one.kind for one in play.judge_until(8)] == ["exposed_garbage"]


def test_what_goes_on_and_is_not_due_yet_is_not_told(play: Play) -> None:
    play.judge_until(4.5)
    assert {one.kind for one in play.still_open(4.5)} == {"illegal_parking", "exposed_garbage"}
    play.judge_until(5.0)
    assert {one.kind for one in play.still_open(5.0)} == {"illegal_parking", "exposed_garbage", "bin_overflow"}


def test_steps_of_the_question_do_not_change_the_answer(small_scenario: Scenario, play: Play) -> None:
    stepwise = Play(small_scenario, begins_at=BEGINS_AT)
    ended = [one for tenth in range(1, 101) for one in stepwise.judge_until(tenth / 10)]
    assert ended == play.judge_until(10)
    assert stepwise.still_open(10) == play.still_open(10)


def test_in_a_loop_everything_happens_again() -> None:
    play = Play(parse_scenario("loop_s = 30\n" + SMALL), begins_at=BEGINS_AT)
    assert [(kind, began_s) for kind, began_s, _ in story(play, 39)] == [
        ("illegal_parking", 0.0), ("exposed_garbage", 1.0), ("bin_overflow", 4.0),
        ("illegal_parking", 30.0), ("exposed_garbage", 31.0), ("bin_overflow", 34.0),
    ]  # fmt: skip
