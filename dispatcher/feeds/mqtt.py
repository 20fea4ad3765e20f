"""Order events as CloudEvents 1.0 on MQTT, one topic for each case."""

from __future__ import annotations

import json

from dispatcher.feeds.message import FeedMessage
from dispatcher.messages import OrderEvent
from geofence.cloudevents import envelope

ORDER_TYPE_PREFIX = "street721.order."


def render(event: OrderEvent, topic_root: str) -> FeedMessage:
    """Return the CloudEvent of an order event; its id is case and number, the same at every repeat."""
    body = envelope(
        event_id=f"{event.case_no}:{event.seq}",
        source=f"/sites/{event.site_id}/centre",
        event_type=f"{ORDER_TYPE_PREFIX}{event.step.value}",
        subject=event.case_no,
        time=event.at,
        data={"seq": event.seq, "event": event.step.value, "order": json.loads(event.order_json)},
    )
    return FeedMessage(
        topic=f"{topic_root}/{event.site_id}/orders/{event.case_no}",
        payload=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        qos=1,
        retain=False,
    )
