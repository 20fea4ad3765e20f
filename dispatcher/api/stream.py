"""The event stream: server-sent events that resume where a client left off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent

from dispatcher.adapters.event_hub import EventHub
from dispatcher.adapters.metrics import CentreMetrics
from dispatcher.api.models import stream_data

_MAX_SEQ = 2**63 - 1


def stream_routes(hub: EventHub, metrics: CentreMetrics) -> APIRouter:
    """Return ``/api/events``."""
    router = APIRouter(prefix="/api", tags=["events"])

    @router.get("/events", response_class=EventSourceResponse)
    async def stream_events(
        last_event_id: Annotated[
            int | None, Header(ge=0, le=_MAX_SEQ, description="Sent by browsers when they connect again")
        ] = None,
        after: Annotated[
            int | None, Query(ge=0, le=_MAX_SEQ, description="The same for a first request; 0 replays all")
        ] = None,
    ) -> AsyncIterator[ServerSentEvent]:
        """Every order event after the given number, else from now on; `id` is the event number."""
        start = after if last_event_id is None else last_event_id
        metrics.stream_clients.inc()
        try:
            yield ServerSentEvent(comment="street721", retry=2000)
            async for event in hub.follow(start):
                yield ServerSentEvent(raw_data=stream_data(event), id=str(event.seq))
        finally:
            metrics.stream_clients.dec()

    return router
