"""The order event on the wire, compared with the golden file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from dispatcher.feeds import FEEDS
from geofence.cloudevents import INCIDENT_TYPE_PREFIX
from geofence.messages import IncidentEvent

if TYPE_CHECKING:
    from tests.dispatcher.conftest import Centre

GOLDEN = Path(__file__).with_name("order_dispatched.golden.json")


def test_dispatched_event_is_the_golden_file(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage, jpeg=b"picture")
    dispatched = centre.queries.events_after(0, limit=10)[1]
    message = FEEDS["mqtt"](dispatched, "s721/v1")
    assert message.topic == "s721/v1/demo/orders/1101012026112400001"
    assert (message.qos, message.retain) == (1, False)
    assert json.loads(message.payload) == json.loads(GOLDEN.read_text("utf-8"))


def test_rendering_again_gives_the_same_bytes(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    event = centre.queries.events_after(0, limit=1)[0]
    assert FEEDS["mqtt"](event, "root") == FEEDS["mqtt"](event, "root")


def test_order_events_cannot_be_taken_for_incidents(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    types = [json.loads(FEEDS["mqtt"](event, "r").payload)["type"] for event in centre.queries.events_after(0, limit=9)]
    assert types == ["street721.order.filed", "street721.order.dispatched"]
    assert not any(name.startswith(INCIDENT_TYPE_PREFIX) for name in types)
