"""Incident events reach the broker in order, at least once, whatever it does meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.adapters.state_store import Outgoing, put_outgoing
from gateway.incident_outbox import BATCH, IncidentOutbox
from ingest.errors import LinkError

if TYPE_CHECKING:
    from tests.gateway.conftest import GatewayBench


class FlakyBroker:
    """Refuses the calls whose number is in `refuses`; keeps what it took."""

    def __init__(self, refuses: set[int]) -> None:
        self._refuses = refuses
        self._calls = 0
        self.taken: list[Outgoing] = []

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        self._calls += 1
        if self._calls in self._refuses:
            raise LinkError("mqtt://127.0.0.1", "no acknowledgement")
        self.taken.append(Outgoing(topic=topic, payload=payload, retain=retain))


def _queue(gateway: GatewayBench, count: int) -> list[Outgoing]:
    messages = [
        Outgoing(topic=f"incidents/{number}", payload=str(number).encode(), retain=number % 2 == 0)
        for number in range(count)
    ]
    with gateway.spool.transaction() as transaction:
        put_outgoing(transaction.connection, messages)
    return messages


def test_a_refused_message_is_sent_again_and_nothing_overtakes_it(gateway: GatewayBench) -> None:
    messages = _queue(gateway, 5)
    broker = FlakyBroker(refuses={3, 4})
    outbox = IncidentOutbox(gateway.spool, broker)
    for _ in range(3):
        outbox.step()
    assert broker.taken == messages
    assert gateway.outgoing() == []


def test_a_refusal_pauses_the_delivery(gateway: GatewayBench) -> None:
    _queue(gateway, BATCH * 2)
    broker = FlakyBroker(refuses={1})
    outbox = IncidentOutbox(gateway.spool, broker)
    assert not outbox.step()
    assert broker.taken == []
    assert outbox.step()
    assert len(broker.taken) == BATCH


def test_what_was_not_acknowledged_outlives_a_restart(gateway: GatewayBench) -> None:
    messages = _queue(gateway, 3)
    IncidentOutbox(gateway.spool, FlakyBroker(refuses={2})).step()
    gateway.restart()
    broker = FlakyBroker(refuses=set())
    IncidentOutbox(gateway.spool, broker).step()
    assert broker.taken == messages[1:]
