"""Delivers the gateway's incident events to the broker, in order, until each is acknowledged.

A centre that was never seen here gets the openings of all open incidents once more: it may have subscribed
after they were sent. Events have deterministic ids, so a repeat changes nothing.
"""

from __future__ import annotations

import threading
from typing import Protocol

import structlog

from gateway.adapters.state_store import drop_outgoing, knows_centre, next_outgoing, welcome_centre
from ingest.adapters.spool import Spool
from ingest.errors import LinkError

log = structlog.get_logger()

BATCH = 50


class Publisher(Protocol):
    """Blocks until the broker has acknowledged; LinkError otherwise."""

    def publish(self, topic: str, payload: bytes) -> None:
        """Deliver one message with QoS 1."""
        ...


class IncidentOutbox:
    """`step` is called by one thread; what the broker has not acknowledged is sent again later."""

    def __init__(self, spool: Spool, publisher: Publisher, wake: threading.Event) -> None:
        self._spool = spool
        self._publisher = publisher
        self._wake = wake
        self._centre_id: str | None = None

    def meet_centre(self, payload: bytes) -> None:
        """A centre has said that it listens; payload is its id. Called from any thread."""
        self._centre_id = payload.decode("utf-8", "replace")[:100]
        self._wake.set()

    def step(self) -> bool:
        """Deliver what waits; True when there may be more. A broker that is away is not an error."""
        self._welcome()
        waiting = next_outgoing(self._spool, BATCH)
        for row, topic, payload in waiting:
            try:
                self._publisher.publish(topic, payload)
            except LinkError:
                return False  # the link logs that it is down; the worker comes back
            with self._spool.transaction() as transaction:
                drop_outgoing(transaction.connection, row)
        return len(waiting) == BATCH

    def _welcome(self) -> None:
        centre_id, self._centre_id = self._centre_id, None
        if centre_id and not knows_centre(self._spool, centre_id):
            with self._spool.transaction() as transaction:
                welcome_centre(transaction.connection, centre_id)
            log.info("centre_met", centre_id=centre_id)
