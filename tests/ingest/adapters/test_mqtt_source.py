from __future__ import annotations

from collections.abc import Callable
from typing import Any

from structlog.testing import capture_logs

from ingest.adapters.inbox import InboundMessage
from ingest.adapters.mqtt_link import MqttLink, OutgoingMessage
from ingest.reasons import Reason
from ingest.topics import MessageKind

TOPIC = "s721/v1/demo/sensors/a"


def payloads(spool: Any) -> list[bytes]:
    return [message.payload for message in spool.pending("readings", limit=100_000)]


def test_every_published_message_is_stored_in_order(
    broker: Any, make_intake: Callable[..., Any], wait_until: Callable[..., None], wait_subscribed: Callable[..., None]
) -> None:
    intake = make_intake(broker.url)
    intake.start()
    link = MqttLink(broker.url, client_id="sender")
    link.start()
    wait_subscribed(link, intake.source)
    sent = [b"%d" % n for n in range(2000)]
    link.publish_many(OutgoingMessage(TOPIC, payload) for payload in sent)
    link.publish("s721/v1/demo/cameras/cam-01/frame", bytes(300_000))
    wait_until(lambda: bool(intake.spool.pending_heads("frames")))
    wait_until(lambda: len(payloads(intake.spool)) >= 2001)
    assert [p for p in payloads(intake.spool) if p != b"probe"] == sent
    assert [head.size_bytes for head in intake.spool.pending_heads("frames")] == [300_000]
    # Consumers are woken after the commit, so a reader may be a moment ahead of them.
    wait_until(lambda: all(event.is_set() for event in intake.wake.values()))
    link.close()


def test_acknowledges_in_the_order_of_receipt(scripted_broker: Any, make_intake: Callable[..., Any]) -> None:
    intake = make_intake(scripted_broker.url)
    intake.start()
    scripted_broker.wait_for(lambda: scripted_broker.is_subscribed)
    order = [7, 3, 65535, 1, 2, 9]
    for mid in order:
        scripted_broker.send_publish(mid, TOPIC.encode(), b"%d" % mid)
    scripted_broker.wait_for(lambda: len(scripted_broker.acked[0]) == 6)
    assert scripted_broker.acked == [order]


def test_message_of_an_earlier_connection_is_never_acknowledged(
    scripted_broker: Any, make_intake: Callable[..., Any], wait_until: Callable[..., None]
) -> None:
    intake = make_intake(scripted_broker.url)
    intake.source.start()
    scripted_broker.wait_for(lambda: scripted_broker.is_subscribed)
    for mid in (1, 2, 3):
        scripted_broker.send_publish(mid, TOPIC.encode(), b"old")
    wait_until(lambda: len(intake.inbox) == 3)
    scripted_broker.drop_client()
    scripted_broker.wait_for(lambda: scripted_broker.connections == 2 and scripted_broker.is_subscribed)
    scripted_broker.send_publish(2, TOPIC.encode(), b"new")
    wait_until(lambda: len(intake.inbox) == 4)
    # Only now are the four of them stored; id 2 of the first connection must not acknowledge "new".
    intake.writer.start()
    scripted_broker.wait_for(lambda: bool(scripted_broker.acked[1]))
    intake.source.stop_intake()
    intake.writer.join()
    intake.source.close()
    assert scripted_broker.acked == [[], [2]]
    assert payloads(intake.spool) == [b"old", b"old", b"old", b"new"]
    assert intake.writer.stats.acknowledged == 1


def test_stale_acknowledgements_stay_away_from_a_broker_that_lost_its_session(
    mosquitto: Callable[..., Any],
    make_intake: Callable[..., Any],
    wait_until: Callable[..., None],
    wait_subscribed: Callable[..., None],
) -> None:
    """With ids that start again at 1, one stale acknowledgement would lose a message for good."""
    broker = mosquitto("")
    intake = make_intake(broker.url)
    intake.source.start()
    link = MqttLink(broker.url, client_id="sender")
    link.start()
    wait_subscribed(link, intake.source)
    link.publish_many(OutgoingMessage(TOPIC, b"old") for _ in range(5))
    old: list[InboundMessage] = []
    while sum(message.payload == b"old" for message in old) < 5:
        old += intake.inbox.take(max_messages=100, window_s=0)
    broker.kill()
    broker.revive()
    wait_until(lambda: intake.source.sessions_lost == 1)
    wait_subscribed(link, intake.source, already=len(old))
    new = intake.inbox.take(max_messages=100, window_s=0)
    assert {message.mid for message in new} & {message.mid for message in old}
    assert intake.source.acknowledge(old) == 0
    intake.source.close()
    intake.spool.close()
    second = make_intake(broker.url)
    second.source.start()
    wait_until(lambda: len(second.inbox) >= len(new))
    again = second.inbox.take(max_messages=len(new), window_s=0)
    assert [(message.mid, message.dup) for message in again] == [(message.mid, True) for message in new]
    link.close()


def test_what_a_callback_raises_stops_the_intake_and_surfaces(
    scripted_broker: Any, make_intake: Callable[..., Any], wait_until: Callable[..., None]
) -> None:
    def poisonous(topic: str) -> MessageKind | None:
        raise LookupError(topic)

    intake = make_intake(scripted_broker.url, classify=poisonous)
    with capture_logs() as logs:
        intake.start()
        scripted_broker.wait_for(lambda: scripted_broker.is_subscribed)
        scripted_broker.send_publish(1, TOPIC.encode(), b"x")
        wait_until(lambda: intake.source.failure is not None)
        assert intake.writer.join(30)
    assert isinstance(intake.source.failure, LookupError)
    assert not intake.source.is_up
    assert scripted_broker.acked == [[]]
    assert "mqtt_thread_failed" in [line["event"] for line in logs]


def test_full_inbox_pauses_the_socket_and_loses_nothing(
    scripted_broker: Any, make_intake: Callable[..., Any], wait_until: Callable[..., None]
) -> None:
    intake = make_intake(scripted_broker.url, inbox_max_messages=5)
    intake.source.start()
    scripted_broker.wait_for(lambda: scripted_broker.is_subscribed)
    for mid in range(1, 101):
        scripted_broker.send_publish(mid, TOPIC.encode(), b"%d" % mid)
    wait_until(lambda: intake.source.received == 6)
    assert len(intake.inbox) == 5
    intake.writer.start()
    scripted_broker.wait_for(lambda: len(scripted_broker.acked[0]) == 100)
    assert payloads(intake.spool) == [b"%d" % mid for mid in range(1, 101)]


def test_topic_that_is_no_utf8_is_dead_lettered_readable(scripted_broker: Any, make_intake: Callable[..., Any]) -> None:
    intake = make_intake(scripted_broker.url)
    intake.start()
    scripted_broker.wait_for(lambda: scripted_broker.is_subscribed)
    scripted_broker.send_publish(1, b"s721/v1/demo/sensors/\xff\xfe", b"5")
    scripted_broker.send_publish(2, b"s721/v1/demo/sensors/a b", b"6")
    scripted_broker.send_publish(3, TOPIC.encode(), b"7")
    scripted_broker.wait_for(lambda: scripted_broker.acked[0] == [1, 2, 3])
    assert [(x.topic, x.reason, x.payload) for x in intake.spool.dead_letters()] == [
        (r"s721/v1/demo/sensors/\xff\xfe", Reason.INVALID_TOPIC, b"5"),
        ("s721/v1/demo/sensors/a b", Reason.UNKNOWN_TOPIC, b"6"),
    ]
    assert payloads(intake.spool) == [b"7"]


def test_orderly_stop_acknowledges_everything_that_is_stored(
    scripted_broker: Any, make_intake: Callable[..., Any]
) -> None:
    intake = make_intake(scripted_broker.url)
    intake.start()
    scripted_broker.wait_for(lambda: scripted_broker.is_subscribed)
    for mid in range(1, 51):
        scripted_broker.send_publish(mid, TOPIC.encode(), b"%d" % mid)
    scripted_broker.wait_for(lambda: bool(scripted_broker.acked[0]))
    intake.source.stop_intake()
    intake.writer.join()
    stored = [int(payload) for payload in payloads(intake.spool)]
    intake.source.close()
    scripted_broker.wait_for(lambda: len(scripted_broker.acked[0]) == len(stored))
    assert scripted_broker.acked == [stored]
