"""The HTTP interface of a centre on a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from dispatcher.adapters.event_hub import EventHub
from dispatcher.adapters.http_server import CentreServer
from dispatcher.api import create_app
from dispatcher.api.app import SiteMap

if TYPE_CHECKING:
    from tests.dispatcher.conftest import Centre

CELL = {"type": "Feature", "properties": {"code": "110101001001001"}, "geometry": None}


@pytest.fixture
def hub(centre: Centre) -> EventHub:
    return EventHub(centre.queries, poll_s=0.02)


@pytest.fixture
def app(centre: Centre, hub: EventHub) -> FastAPI:
    return create_app(
        queries=centre.queries,
        hub=hub,
        metrics=centre.metrics,
        policy=centre.policy,
        site_map=SiteMap(grid={"type": "FeatureCollection", "features": [CELL]}),
        version="1.2.3",
    )


class Running:
    """The server in a thread of its own."""

    def __init__(self, app: FastAPI, hub: EventHub) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.server = CentreServer(uvicorn.Config(app, log_level="warning", ws="none"), hub)
        self._thread = threading.Thread(target=self.server.run, kwargs={"sockets": [self._listener]})

    def start(self) -> None:
        self._thread.start()
        until = time.monotonic() + 60
        while not self.server.started:
            assert time.monotonic() < until
            time.sleep(0.01)

    def stop(self) -> bool:
        """Ask the server to end; whether it did."""
        self.server.should_exit = True
        self._thread.join(timeout=30)
        self._listener.close()
        return not self._thread.is_alive()


@pytest.fixture
def running(app: FastAPI, hub: EventHub) -> Iterator[Running]:
    running = Running(app, hub)
    running.start()
    yield running
    assert running.stop()


@pytest.fixture
def client(running: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.address, timeout=30) as client:
        yield client
