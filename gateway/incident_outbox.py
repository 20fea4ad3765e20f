"""Delivers the gateway's incident events to the broker, in order, until each is acknowledged."""

from __future__ import annotations

from typing import Protocol

from gateway.adapters.state_store import drop_outgoing, next_outgoing
from ingest.adapters.spool import Spool
from ingest.errors import LinkError

BATCH = 50


class Publisher(Protocol):
    """Blocks until the broker has acknowledged; LinkError otherwise."""

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """Deliver one message with QoS 1."""
        ...


class IncidentOutbox:
    """`step` is called by one thread; what the broker has not acknowledged is sent again later."""

    def __init__(self, spool: Spool, publisher: Publisher) -> None:
        self._spool = spool
        self._publisher = publisher

    def step(self) -> bool:
        """Deliver what waits; True when there may be more. A broker that is away is not an error."""
        waiting = next_outgoing(self._spool, BATCH)
        for row, message in waiting:
            try:
                self._publisher.publish(message.topic, message.payload, retain=message.retain)
            except LinkError:
                return False  # the link logs that it is down; the worker comes back
            with self._spool.transaction() as transaction:
                drop_outgoing(transaction.connection, row)
        return len(waiting) == BATCH
