"""A broker whose every byte a test decides, and the pieces of the durable path joined as the gateway does."""

from __future__ import annotations

import math
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from ingest.adapters.inbox import Inbox
from ingest.adapters.mqtt_connection import Backoff
from ingest.adapters.mqtt_link import MqttLink
from ingest.adapters.mqtt_source import MqttSource
from ingest.adapters.spool import Spool
from ingest.adapters.spool_writer import SpoolWriter
from ingest.broker_url import BrokerUrl
from ingest.config import MqttSettings, SpoolSettings
from ingest.topics import MessageKind, subscription_filters, topic_classifier

ROOT = "s721/v1"
SITE = "demo"
_PROBE_EVERY_S = 0.25


class ScriptedBroker:
    """Speaks just enough MQTT to accept a client; a test sends PUBLISH packets and sees the PUBACKs."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self._client: socket.socket | None = None
        self._lock = threading.Condition()
        self.connack_code = 0
        self.connections = 0
        self.acked: list[list[int]] = []
        self.is_subscribed = False
        self._is_open = True
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> BrokerUrl:
        return BrokerUrl(host="127.0.0.1", port=self._server.getsockname()[1])

    def send_publish(self, mid: int, topic: bytes, payload: bytes, *, dup: bool = False) -> None:
        body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", mid) + payload
        assert self._client is not None
        self._client.sendall(bytes([0x3A if dup else 0x32]) + remaining_length(len(body)) + body)

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
        with self._lock:
            assert self._lock.wait_for(condition, timeout_s), "the client did not do it"

    def drop_client(self) -> None:
        self.is_subscribed = False
        assert self._client is not None
        self._client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self._is_open = False
        self._server.shutdown(socket.SHUT_RDWR)
        if self._client is not None:
            with suppress(OSError):
                self._client.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._server.close()

    def _serve(self) -> None:
        while self._is_open:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            with client:
                self._client = client
                with self._lock:
                    self.connections += 1
                    self.acked.append([])
                with suppress(OSError):
                    self._talk(client)

    def _talk(self, client: socket.socket) -> None:
        """Answer until the client leaves, which may be in the middle of an answer (OSError)."""
        buffer = b""
        while data := client.recv(65536):
            buffer += data
            while len(buffer) >= 2 and len(buffer) >= 2 + buffer[1]:
                packet, buffer = buffer[: 2 + buffer[1]], buffer[2 + buffer[1] :]
                self._answer(client, packet)

    def _answer(self, client: socket.socket, packet: bytes) -> None:
        with self._lock:
            kind = packet[0] & 0xF0
            if kind == 0x10:
                client.sendall(bytes([0x20, 2, 0, self.connack_code]))
            elif kind == 0x80:
                client.sendall(bytes([0x90, 4]) + packet[2:4] + b"\x01\x01")
                self.is_subscribed = True
            elif kind == 0x40:
                self.acked[-1].append(struct.unpack(">H", packet[2:4])[0])
            self._lock.notify_all()


def remaining_length(length: int) -> bytes:
    encoded = b""
    while True:
        length, digit = divmod(length, 128)
        encoded += bytes([digit | (0x80 if length else 0)])
        if not length:
            return encoded


@pytest.fixture
def scripted_broker() -> Iterator[ScriptedBroker]:
    broker = ScriptedBroker()
    yield broker
    broker.close()


@dataclass
class Intake:
    """Source, inbox, spool and writer of one gateway."""

    source: MqttSource
    writer: SpoolWriter
    spool: Spool
    inbox: Inbox
    wake: dict[MessageKind, threading.Event] = field(default_factory=dict)

    def start(self) -> None:
        self.writer.start()
        self.source.start()

    def stop(self) -> None:
        self.source.stop_intake()
        self.writer.join()
        self.source.close()
        self.spool.close()


@pytest.fixture
def wait_subscribed(wait_until: Callable[..., None]) -> Callable[[MqttLink, MqttSource], None]:
    """Wait until what a link publishes reaches a source; sends a few messages ``probe`` meanwhile.

    Few, because a broker has only twenty messages on the way to a source that acknowledges none.
    """

    def wait(link: MqttLink, source: MqttSource, *, already: int = 0) -> None:
        probed_at = -math.inf

        def comes_through() -> bool:
            nonlocal probed_at
            if source.received <= already and time.monotonic() - probed_at > _PROBE_EVERY_S:
                probed_at = time.monotonic()
                link.publish(f"{ROOT}/{SITE}/sensors/a", b"probe")
            return source.received > already

        wait_until(comes_through)

    return wait


@pytest.fixture
def make_intake(spool_settings: SpoolSettings, quick_backoff: Backoff) -> Iterator[Callable[[BrokerUrl], Intake]]:
    made: list[Intake] = []

    def make(
        url: BrokerUrl,
        *,
        client_id: str = "gateway-demo",
        inbox_max_messages: int = 20_000,
        classify: Callable[[str], MessageKind | None] | None = None,
    ) -> Intake:
        settings = MqttSettings(url=url, client_id=client_id)
        inbox = Inbox(max_messages=inbox_max_messages, max_bytes=settings.inbox_max_bytes)
        source = MqttSource(
            settings,
            filters=subscription_filters(ROOT, SITE),
            inbox=inbox,
            classify=classify or topic_classifier(ROOT),
            backoff=quick_backoff,
        )
        spool = Spool(spool_settings)
        wake = {kind: threading.Event() for kind in MessageKind}
        writer = SpoolWriter(spool_settings, inbox=inbox, spool=spool, source=source, wake=wake)
        made.append(Intake(source, writer, spool, inbox, wake))
        return made[-1]

    yield make
    for intake in made:
        intake.source.close()
        intake.writer.join()
        intake.spool.close()
