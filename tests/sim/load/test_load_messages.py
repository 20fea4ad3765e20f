"""The messages of a load test decode as those of the street do, and never change their length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt
import pytest

from ingest.messages import Reading, SensorId, TimeSource
from ingest.payloads import decode_readings
from ingest.topics import SensorTopic, parse_topic
from sim.load.load_messages import LoadMessages

NOW_MS = 1_795_341_420_000
SENSORS = range(1, 301)


def messages_of(numbers: range = SENSORS, *, qos: int = 0, seed: int = 7) -> LoadMessages:
    return LoadMessages(numbers, topic_prefix="s721/v1/demo/sensors", qos=qos, seed=seed)


def times_ms(count: int, *, first_ms: int = NOW_MS, step_ms: int = 7) -> npt.NDArray[np.int64]:
    return first_ms + step_ms * np.arange(count, dtype=np.int64)


def parse(head: bytes, body: bytes) -> tuple[str, bytes]:
    """(topic, payload) of a packet with QoS 0, whose length must be right."""
    length, digit, at = 0, 0, 1
    while True:
        length |= (head[at] & 0x7F) << digit
        at, digit = at + 1, digit + 7
        if not head[at - 1] & 0x80:
            break
    assert length == len(head) - at + len(body)
    topic_bytes = int.from_bytes(head[at : at + 2], "big")
    assert len(head) == at + 2 + topic_bytes
    return head[at + 2 :].decode(), body


def readings_of(deck: LoadMessages, epochs_ms: npt.NDArray[np.int64]) -> list[tuple[str, Reading]]:
    received_at = datetime.fromtimestamp(NOW_MS / 1000, UTC)
    found = []
    for head, body in zip(*deck.draw(epochs_ms), strict=True):
        topic, payload = parse(head, body)
        (reading,) = decode_readings(payload, sensor_id=SensorId("x"), received_at=received_at).readings
        found.append((topic, reading))
    return found


def test_sensors_take_turns_on_topics_of_their_own() -> None:
    topics = [topic for topic, _ in readings_of(messages_of(range(3, 12, 4)), times_ms(5))]
    assert [topic.rpartition("/")[2] for topic in topics] == [f"load-{number:05d}" for number in (3, 7, 11, 3, 7)]
    assert parse_topic("s721/v1", topics[0]) == SensorTopic("demo", SensorId("load-00003"))


def test_turns_go_on_from_draw_to_draw() -> None:
    deck = messages_of()
    topics = [topic for count in (1, 150, 149, 1) for topic, _ in readings_of(deck, times_ms(count))]
    assert len(set(topics[:300])) == 300
    assert topics[300] == topics[0]


def test_every_message_says_its_time_to_the_millisecond() -> None:
    epochs_ms = times_ms(900, step_ms=9)
    pairs = zip(readings_of(messages_of(), epochs_ms), epochs_ms.tolist(), strict=True)
    told = [(reading, epoch_ms) for (_, reading), epoch_ms in pairs if reading.time_source is TimeSource.DEVICE]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    assert len(told) > 700
    assert all(
        abs(reading.measured_at - epoch - timedelta(milliseconds=epoch_ms)) < timedelta(microseconds=500)
        for reading, epoch_ms in told
    )


def test_bare_numbers_and_five_metrics_occur() -> None:
    metrics = {reading.metric for _, reading in readings_of(messages_of(), times_ms(300))}
    assert metrics == {"value", "level", "occupied", "laeq_db", "pm25_ug_m3", "power_w"}


def test_values_wander_by_small_steps() -> None:
    deck = messages_of()
    values: dict[tuple[str, str], list[float]] = {}
    for _ in range(40):
        for topic, reading in readings_of(deck, times_ms(300)):
            values.setdefault((topic, reading.metric), []).append(reading.value)
    levels = [series for (_, metric), series in values.items() if metric == "level"]
    assert all(len(set(series)) > 3 for series in levels)
    assert max(np.abs(np.diff(series)).max() for series in levels) == pytest.approx(0.3)
    occupied = [series for (_, metric), series in values.items() if metric == "occupied"]
    assert {value for series in occupied for value in series} == {0.0, 1.0}


def test_the_same_seed_gives_the_same_bytes() -> None:
    first, second, other = messages_of(), messages_of(), messages_of(seed=8)
    drawn = first.draw(times_ms(600))
    assert drawn == second.draw(times_ms(600))
    assert drawn != other.draw(times_ms(600))
