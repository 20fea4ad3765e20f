"""Incident events on their way out of the gateway: CloudEvents for the outbox, one log line each."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import structlog

from gateway.adapters.state_store import Outgoing
from geofence.cloudevents import Evidence, incident_to_json
from geofence.messages import EventType, IncidentEvent
from ingest.messages import Frame

log = structlog.get_logger()

_WITH_PICTURE = frozenset({EventType.OPENED, EventType.CLEARED})


class IncidentFeed:
    """Renders events; `wake` is set when there is something to deliver."""

    def __init__(self, topic_root: str, wake: threading.Event) -> None:
        self._topic_root = topic_root
        self._wake = wake

    def message(self, event: IncidentEvent, frame: Frame | None = None) -> Outgoing:
        """One event as CloudEvent; the frame that caused it travels inside as evidence."""
        evidence = None
        if frame is not None and event.event in _WITH_PICTURE:
            evidence = Evidence.of_jpeg(frame.jpeg, frame.captured_at)
        topic = f"{self._topic_root}/{event.site_id}/incidents/{event.incident_id}"
        return Outgoing(topic=topic, payload=incident_to_json(event, evidence), event=event.event)

    def announce(self, events: Sequence[IncidentEvent]) -> None:
        """Log committed events and wake the delivery."""
        for event in events:
            if event.event != EventType.UPDATED:
                log.info(
                    f"incident_{event.event}",
                    kind=str(event.kind),
                    place=event.place_key,
                    cell=event.cell,
                    source=event.source_id,
                    reason=event.reason,
                )
        if events:
            self._wake.set()
