"""The open incidents of the site, shared by those who judge frames and readings."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import structlog

from gateway.adapters.state_store import load_states, save_states
from geofence.joining import OpenIncidents, join, without_strangers
from geofence.messages import IncidentEvent
from geofence.site import Site
from ingest.adapters.spool import Spool
from ingest.adapters.spool_transaction import SpoolTransaction

log = structlog.get_logger()

_STATES = "site:"
_KEY = "open"
Attached = TypeVar("Attached")


class SiteIncidents:
    """Used by several threads, each within a transaction of its own: `transaction` lets one in at a time."""

    def __init__(self, spool: Spool, site: Site) -> None:
        self._spool = spool
        self._site = site
        saved = load_states(spool, _STATES).get(_KEY)
        before = OpenIncidents() if saved is None else OpenIncidents.from_json(saved)
        self._open = without_strangers(before, site.cameras.keys() | site.sensors.keys())
        if gone := len(before.told) - len(self._open.told):
            log.info(
                "open_incidents_dropped", count=gone, why="the site has none of their cameras and sensors any more"
            )
        self._lock = threading.Lock()

    @contextmanager
    def transaction(self) -> Iterator[SpoolTransaction]:
        """A transaction of the spool in which `joined` may be called."""
        with self._lock, self._spool.transaction() as transaction:
            yield transaction

    def joined(
        self, events: Sequence[tuple[IncidentEvent, Attached]], connection: sqlite3.Connection
    ) -> list[tuple[IncidentEvent, Attached]]:
        """Events of single sources → those of the site, each with what came along; what is open is stored."""
        before = self._open
        told: list[tuple[IncidentEvent, Attached]] = []
        for event, attached in events:
            self._open, joined = join(self._open, event, plane=self._site.plane, settings=self._site.config.dwell)
            if joined is not None:
                told.append((joined, attached))
        if self._open is not before:
            save_states(connection, _STATES, {_KEY: self._open.to_json()})
        return told
