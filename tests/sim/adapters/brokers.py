"""Brokers for the tests of what publishes: one whose every byte a test decides, and the ways of real ones."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress

from ingest.adapters.nats_broker import NatsBroker
from sim.adapters.mqtt_publisher import BrokerAddress, MqttPublisher

PATIENCE_S = 30.0
WELCOME = bytes([0x20, 2, 0, 0])


def wait_for(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; fails the test when it does not come true."""
    until_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until_s, f"waited {PATIENCE_S:g} s for {what}"
        time.sleep(0.005)


class PlainBroker:
    """Listens; the test reads and writes the bytes of one connection itself."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._server = socket.create_server((host, 0), family=family)
        self._server.settimeout(PATIENCE_S)
        self.address = BrokerAddress(host=host, port=self._server.getsockname()[1])
        self.connection: socket.socket | None = None

    def accept(self, answer: bytes = WELCOME) -> bytes:
        """Take the next connection, answer its CONNECT with these bytes; return the CONNECT."""
        self.hang_up()
        self.connection, _ = self._server.accept()
        self.connection.settimeout(PATIENCE_S)
        hello = self.connection.recv(4096)
        if answer:
            self.connection.sendall(answer)
        return hello

    def read(self, count: int) -> bytes:
        """Exactly so many bytes."""
        assert self.connection is not None
        data = b""
        while len(data) < count:
            data += self.connection.recv(count - len(data))
        return data

    def say(self, data: bytes) -> None:
        """Send bytes."""
        assert self.connection is not None
        self.connection.sendall(data)

    def hang_up(self) -> None:
        """Close the connection, not the door."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def close(self) -> None:
        """Close both."""
        self.hang_up()
        self._server.close()


def kill_and_wait(nats: NatsBroker) -> None:
    """End the broker as a power cut would, and wait until it is back."""
    assert nats.pid is not None
    already = nats.restarts
    os.kill(nats.pid, signal.SIGKILL)
    wait_for(lambda: nats.restarts > already and nats.is_ready, "the broker's return")


def bring_up(publisher: MqttPublisher) -> None:
    """Serve a publisher until the broker has welcomed it."""
    wait_for(lambda: serve_once(publisher).is_up, "the welcome")


def serve_once(publisher: MqttPublisher) -> MqttPublisher:
    """One round of what its owner does."""
    publisher.tick(time.monotonic())
    if publisher.connection is not None:
        publisher.serve(time.monotonic())
    return publisher


def listens(port: int) -> bool:
    """Whether a local program takes connections there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
        return True
    return False
