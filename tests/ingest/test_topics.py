from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.errors import TopicError
from ingest.topics import (
    FrameTopic,
    MessageKind,
    SensorTopic,
    StatusTopic,
    frame_topic,
    parse_topic,
    sensor_topic,
    status_topic,
    subscription_filters,
    topic_classifier,
)

ROOT = "s721/v1"


def test_topics_stand_in_one_tree() -> None:
    assert sensor_topic(ROOT, "demo", "bin-01") == "s721/v1/demo/sensors/bin-01"
    assert frame_topic(ROOT, "demo", "cam-01") == "s721/v1/demo/cameras/cam-01/frame"
    assert status_topic("x", "demo", "cam-01") == "x/demo/cameras/cam-01/status"
    assert subscription_filters(ROOT, "demo") == ("s721/v1/demo/sensors/+", "s721/v1/demo/cameras/+/frame")


def test_parsing_is_the_inverse_of_building() -> None:
    assert parse_topic(ROOT, sensor_topic(ROOT, "demo", "bin-01")) == SensorTopic("demo", "bin-01")  # type: ignore[arg-type]
    assert parse_topic(ROOT, frame_topic(ROOT, "demo", "cam")) == FrameTopic("demo", "cam")  # type: ignore[arg-type]
    assert parse_topic(ROOT, status_topic(ROOT, "demo", "cam")) == StatusTopic("demo", "cam")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "s721/v1",
        "s721/v1/demo",
        "s721/v1/demo/sensors",
        "s721/v1/demo/sensors/",
        "s721/v1/demo/sensors/a/b",
        "s721/v1//sensors/a",
        "s721/v1/demo/cameras/cam",
        "s721/v1/demo/cameras/cam/frame/x",
        "s721/v2/demo/sensors/a",
        "S721/v1/demo/sensors/a",
        "/s721/v1/demo/sensors/a",
        "s721/v1/demo/sensors/a b",
    ],
)
def test_foreign_topics_mean_nothing(topic: str) -> None:
    assert parse_topic(ROOT, topic) is None
    assert topic_classifier(ROOT)(topic) is None


def test_kind_follows_the_topic() -> None:
    kind_of = topic_classifier(ROOT)
    assert kind_of("s721/v1/demo/sensors/a") is MessageKind.READING
    assert kind_of("s721/v1/demo/cameras/a/frame") is MessageKind.FRAME
    assert kind_of("s721/v1/demo/cameras/a/status") is None


@pytest.mark.parametrize("bad", ["", "a/b", "a+", "#", "a b", "a.b", "a\n", "a\x00", "*", ">", "$SYS", "x" * 65])
def test_ids_that_break_a_broker_are_refused(bad: str) -> None:
    for build in (sensor_topic, frame_topic, status_topic):
        with pytest.raises(TopicError, match="must be 1 to 64 characters"):
            build(ROOT, "demo", bad)
        with pytest.raises(TopicError):
            build(ROOT, bad, "a")
    with pytest.raises(TopicError, match="topic root"):
        sensor_topic(f"{bad}//x", "demo", "a")


@given(st.text(min_size=1, max_size=64), st.text(min_size=1, max_size=64))
def test_what_can_be_built_can_be_parsed(site: str, sensor_id: str) -> None:
    try:
        topic = sensor_topic(ROOT, site, sensor_id)
    except TopicError:
        return
    assert topic.count("/") == 4
    assert not set(topic) & set("+#. \t\n*>$")
    topic.encode("utf-8")
    assert parse_topic(ROOT, topic) == SensorTopic(site, sensor_id)  # type: ignore[arg-type]
