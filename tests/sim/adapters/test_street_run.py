"""A scenario lived: what is published, when it says that it was taken, and the truth beside it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.jpeg import check_jpeg
from ingest.topics import FrameTopic, SensorTopic, parse_topic
from sim.adapters.street_run import Sent, StreetRun, truth_files
from sim.play import Play
from sim.scenario import Scenario, parse_scenario
from tests.sim.conftest import CAMERA, SMALL, lines_of

SECONDS = 8.0
ROOT = "s721/v1"


@dataclass
class Outbox:
    """Keeps what is published, and when."""

    sent: list[tuple[datetime, str, bytes]] = field(default_factory=list)

    def publish(self, topic: str, payload: bytes) -> None:
        self.sent.append((datetime.now(UTC), topic, payload))

    def frames(self) -> Iterator[tuple[datetime, datetime]]:
        """(published, captured) of every picture."""
        for published_at, topic, payload in self.sent:
            if topic.endswith("/frame"):
                captured_at = check_jpeg(payload).captured_at
                assert captured_at is not None
                yield published_at, captured_at

    def readings(self) -> list[tuple[str, bytes]]:
        return [(topic.split("/")[-1], payload) for _, topic, payload in self.sent if "/sensors/" in topic]


@dataclass
class Lived:
    """A run that is over."""

    outbox: Outbox
    sent: Sent
    folder: Path
    begun_at: datetime
    ended_at: datetime


def live(
    scenario: Scenario, outbox: Outbox, folder: Path | None = None, *, speed: float, seconds: float | None = None
) -> Sent:
    with truth_files(folder) as files:
        run = StreetRun(scenario, ROOT, outbox.publish, truth=files, speed=speed, seconds=seconds)
        run.live()
        return run.sent


@pytest.fixture(scope="module")
def lived(small_scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    folder = tmp_path_factory.mktemp("lived") / "truth"
    outbox, begun_at = Outbox(), datetime.now(UTC)
    sent = live(small_scenario, outbox, folder, speed=50, seconds=SECONDS)
    return Lived(outbox=outbox, sent=sent, folder=folder, begun_at=begun_at, ended_at=datetime.now(UTC))


def test_every_message_has_a_topic_of_the_site(lived: Lived) -> None:
    topics = [parse_topic(ROOT, topic) for _, topic, _ in lived.outbox.sent]
    cameras = {(topic.site, topic.camera_id) for topic in topics if isinstance(topic, FrameTopic)}
    sensors = {(topic.site, topic.sensor_id) for topic in topics if isinstance(topic, SensorTopic)}
    assert None not in topics
    assert cameras == {("small", "cam-a")}
    assert sensors == {("small", name) for name in ("noise-001", "noise-002", "bin-001")}


def test_faster_than_the_clock_no_frame_is_left_out(lived: Lived) -> None:
    captured = [captured_at for _, captured_at in lived.outbox.frames()]
    assert [later - captured[0] for later in captured] == [timedelta(seconds=number) for number in range(8)]
    assert (lived.sent.frames, lived.sent.skipped) == (8, 0)


def test_no_picture_and_no_truth_is_from_the_future(lived: Lived) -> None:
    assert all(captured_at <= published_at for published_at, captured_at in lived.outbox.frames())
    times = [datetime.fromisoformat(row["captured_at"]) for row in lines_of(lived.folder / "truth.jsonl")]
    assert max(times) <= lived.ended_at
    assert max(times) > lived.begun_at - timedelta(seconds=SECONDS)


def test_the_readings_are_those_of_the_play(lived: Lived, small_scenario: Scenario) -> None:
    begins_at = next(captured_at for _, captured_at in lived.outbox.frames())
    expected = Play(small_scenario, begins_at=begins_at).messages(0, SECONDS)
    assert lived.outbox.readings() == [(message.sensor_id, message.payload) for message in expected]
    assert lived.sent.readings == len(expected) > 3


def test_the_truth_is_complete(lived: Lived) -> None:
    assert [row["second"] for row in lines_of(lived.folder / "truth.jsonl")] == [float(n) for n in range(8)]
    events = lines_of(lived.folder / "events.jsonl")
    assert [(row["id"], row["kind"]) for row in events] == [
        ("truth-0001", "illegal_parking"),
        ("truth-0002", "exposed_garbage"),
        ("truth-0003", "bin_overflow"),
    ]
    assert lived.sent.incidents == 3


def test_readings_leave_between_the_frames_that_they_belong_between(lived: Lived, small_scenario: Scenario) -> None:
    seconds = [(float(number), "frame") for number in range(8)]
    play = Play(small_scenario, begins_at=lived.begun_at)
    seconds += [(message.sent_s, "reading") for message in play.messages(0, SECONDS)]
    order = ["frame" if topic.endswith("/frame") else "reading" for _, topic, _ in lived.outbox.sent]
    assert order == [kind for _, kind in sorted(seconds)]


def test_without_a_folder_there_is_no_truth(small_scenario: Scenario) -> None:
    with truth_files(None) as files:
        assert files is None
    assert live(small_scenario, Outbox(), speed=50, seconds=1).frames == 1


def test_a_run_faster_than_the_clock_needs_an_end(small_scenario: Scenario) -> None:
    outbox = Outbox()
    with pytest.raises(ValueError, match="how many seconds of the scenario"):
        live(small_scenario, outbox, speed=1.01)
    assert outbox.sent == []


def test_slower_than_the_clock_nothing_is_from_the_future_either(small_scenario: Scenario) -> None:
    outbox = Outbox()
    live(small_scenario, outbox, speed=0.5, seconds=0.3)
    ((published_at, captured_at),) = outbox.frames()
    assert timedelta() <= published_at - captured_at < timedelta(seconds=5)


def test_stop_ends_it_before_the_next_message(small_scenario: Scenario, tmp_path: Path) -> None:
    stop, sent = threading.Event(), list[str]()

    def publish(topic: str, payload: bytes) -> None:
        sent.append(topic)
        if topic.endswith("/frame"):
            stop.set()

    with truth_files(tmp_path) as files:
        StreetRun(small_scenario, ROOT, publish, stop, speed=1000, seconds=3600, truth=files).live()
    assert sent.count(f"{ROOT}/small/cameras/cam-a/frame") == 1
    assert len(lines_of(tmp_path / "truth.jsonl")) == 1


def test_a_run_that_is_stopped_before_it_begins_sends_nothing(small_scenario: Scenario) -> None:
    outbox, stop = Outbox(), threading.Event()
    stop.set()
    StreetRun(small_scenario, ROOT, outbox.publish, stop).live()
    assert outbox.sent == []


def test_in_real_time_a_late_camera_skips_what_is_superseded() -> None:
    scenario = parse_scenario(SMALL.replace(CAMERA, CAMERA + "frames_per_s = 50\n"))
    stop, captured = threading.Event(), list[datetime]()

    def publish(topic: str, payload: bytes) -> None:
        if topic.endswith("/frame"):
            at = check_jpeg(payload).captured_at
            assert at is not None
            captured.append(at)
            stop.wait(0.2)

    run = StreetRun(scenario, ROOT, publish, stop, seconds=1.0)
    run.live()
    assert run.sent.frames + run.sent.skipped == 50
    assert run.sent.frames == len(captured) < 10
    assert captured == sorted(captured)
