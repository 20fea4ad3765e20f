"""Incident events reach the broker in order, at least once; a new centre learns of every open incident."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from gateway.adapters.state_store import Outgoing, put_outgoing
from gateway.incident_outbox import BATCH, IncidentOutbox
from geofence.messages import EventType
from ingest.errors import LinkError

if TYPE_CHECKING:
    from tests.gateway.conftest import GatewayBench

Sent = list[tuple[str, bytes]]


class FlakyBroker:
    """Refuses the calls whose number is in `refuses`; keeps what it took."""

    def __init__(self, refuses: set[int] | None = None) -> None:
        self._refuses = refuses or set()
        self._calls = 0
        self.taken: Sent = []

    def publish(self, topic: str, payload: bytes) -> None:
        self._calls += 1
        if self._calls in self._refuses:
            raise LinkError("mqtt://127.0.0.1", "no acknowledgement")
        self.taken.append((topic, payload))


def _outbox(gateway: GatewayBench, broker: FlakyBroker) -> IncidentOutbox:
    return IncidentOutbox(gateway.spool, broker, threading.Event())


def _queue(gateway: GatewayBench, *steps: tuple[int, EventType]) -> Sent:
    messages = [
        Outgoing(topic=f"incidents/{number}", payload=f"{number} {event}".encode(), event=event)
        for number, event in steps
    ]
    with gateway.spool.transaction() as transaction:
        put_outgoing(transaction.connection, messages)
    return [(message.topic, message.payload) for message in messages]


def _openings(gateway: GatewayBench, count: int) -> Sent:
    return _queue(gateway, *((number, EventType.OPENED) for number in range(count)))


def test_a_refused_message_is_sent_again_and_nothing_overtakes_it(gateway: GatewayBench) -> None:
    messages = _openings(gateway, 5)
    broker = FlakyBroker(refuses={3, 4})
    outbox = _outbox(gateway, broker)
    for _ in range(3):
        outbox.step()
    assert broker.taken == messages
    assert gateway.outgoing() == []


def test_a_refusal_pauses_the_delivery(gateway: GatewayBench) -> None:
    _openings(gateway, BATCH * 2)
    broker = FlakyBroker(refuses={1})
    outbox = _outbox(gateway, broker)
    assert not outbox.step()
    assert broker.taken == []
    assert outbox.step()
    assert len(broker.taken) == BATCH


def test_what_was_not_acknowledged_outlives_a_restart(gateway: GatewayBench) -> None:
    messages = _openings(gateway, 3)
    _outbox(gateway, FlakyBroker(refuses={2})).step()
    gateway.restart()
    broker = FlakyBroker()
    _outbox(gateway, broker).step()
    assert broker.taken == messages[1:]


def test_a_new_centre_gets_the_openings_of_what_is_open_once(gateway: GatewayBench) -> None:
    opened, _, _, second = _queue(
        gateway, (1, EventType.OPENED), (2, EventType.OPENED), (2, EventType.CLEARED), (3, EventType.OPENED)
    )
    broker = FlakyBroker()
    outbox = _outbox(gateway, broker)
    outbox.step()
    broker.taken.clear()
    for _ in range(3):
        outbox.meet_centre(b"centre-a")
        outbox.step()
    assert broker.taken == [opened, second]


def test_a_centre_is_remembered_over_a_restart_and_another_one_is_new(gateway: GatewayBench) -> None:
    (opened,) = _openings(gateway, 1)
    outbox = _outbox(gateway, FlakyBroker())
    outbox.meet_centre(b"centre-a")
    outbox.step()
    gateway.restart()
    broker = FlakyBroker()
    outbox = _outbox(gateway, broker)
    outbox.meet_centre(b"centre-a")
    outbox.step()
    assert broker.taken == []
    outbox.meet_centre(b"centre-b")
    outbox.step()
    assert broker.taken == [opened]
