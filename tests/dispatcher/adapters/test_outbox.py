"""The outbox: in order, at least once, never ahead of the acknowledgement."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from dispatcher.adapters.outbox import Outbox
from geofence.messages import IncidentEvent
from ingest.errors import LinkError

if TYPE_CHECKING:
    from tests.dispatcher.conftest import Centre


class Broker:
    """Takes messages while it is up; what it took is acknowledged."""

    def __init__(self, *, refusals: int = 0) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self._refusals = refusals
        self.arrived = threading.Condition()

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool) -> None:
        if self._refusals > 0:
            self._refusals -= 1
            raise LinkError("broker:1883", "not connected")
        assert (qos, retain) == (1, False)
        with self.arrived:
            self.taken.append((topic, payload))
            self.arrived.notify_all()

    def ids(self) -> list[str]:
        return [json.loads(payload)["id"] for _, payload in self.taken]


def fill(centre: Centre, garbage: IncidentEvent, count: int) -> None:
    for number in range(count):
        centre.send(replace(garbage, incident_id=f"inc-{number}", place_key=f"place-{number}"))


def outbox(centre: Centre, broker: Broker) -> Outbox:
    return Outbox("mqtt", centre.store, centre.queries, broker, centre.metrics, poll_s=0.01)


def test_events_go_out_in_order_on_the_topic_of_their_case(centre: Centre, garbage: IncidentEvent) -> None:
    fill(centre, garbage, 2)
    broker = Broker()
    assert outbox(centre, broker).deliver_pending() == 4
    first, second = "1101012026112400001", "1101012026112400002"
    assert broker.ids() == [f"{first}:1", f"{first}:2", f"{second}:3", f"{second}:4"]
    assert broker.taken[2][0] == f"s721/v1/demo/orders/{second}"


def test_delivered_events_are_not_sent_again_by_the_next_outbox(centre: Centre, garbage: IncidentEvent) -> None:
    fill(centre, garbage, 1)
    outbox(centre, Broker()).deliver_pending()
    later = Broker()
    assert outbox(centre, later).deliver_pending() == 0
    assert later.taken == []


def test_refused_event_is_the_next_one_tried(centre: Centre, garbage: IncidentEvent) -> None:
    fill(centre, garbage, 1)
    broker = Broker(refusals=1)
    box = outbox(centre, broker)
    with pytest.raises(LinkError):
        box.deliver_pending()
    assert centre.store.feed_cursor("mqtt") == 0
    assert box.deliver_pending() == 2


def test_running_outbox_outlives_a_broker_that_is_down(
    centre: Centre, garbage: IncidentEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dispatcher.adapters.outbox.FIRST_WAIT_S", 0.01)
    broker = Broker(refusals=3)
    box = outbox(centre, broker)
    box.start()
    fill(centre, garbage, 3)
    with broker.arrived:
        assert broker.arrived.wait_for(lambda: len(broker.taken) == 6, timeout=60)
    box.stop()
    assert [int(event_id.partition(":")[2]) for event_id in broker.ids()] == [1, 2, 3, 4, 5, 6]
    figures = centre.metrics.render().decode()
    assert 'street721_feed_deliveries_total{delivered="true",feed="mqtt"} 6.0' in figures
    assert 'street721_feed_deliveries_total{delivered="false",feed="mqtt"} 3.0' in figures


def test_stop_ends_a_long_wait_for_the_broker(centre: Centre, garbage: IncidentEvent) -> None:
    fill(centre, garbage, 1)
    box = outbox(centre, Broker(refusals=10**6))
    box.start()
    until = time.monotonic() + 60
    while 'delivered="false"' not in centre.metrics.render().decode():
        assert time.monotonic() < until
        time.sleep(0.01)
    box.stop()
    assert not box.is_running
