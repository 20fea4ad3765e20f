"""Brokers and publishers that end with the test."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.adapters.mqtt_connection import Backoff
from ingest.adapters.nats_broker import NatsBroker
from ingest.config import EmbeddedBrokerSettings
from sim.adapters.mqtt_publisher import BrokerAddress, MqttPublisher
from tests.sim.adapters.brokers import PlainBroker, listens, wait_for


@pytest.fixture
def plain_broker() -> Iterator[PlainBroker]:
    broker = PlainBroker()
    yield broker
    broker.close()


@pytest.fixture
def make_publisher() -> Iterator[Callable[..., MqttPublisher]]:
    made: list[MqttPublisher] = []

    def make(address: BrokerAddress, *, qos: int = 1, window: int = 100) -> MqttPublisher:
        made.append(MqttPublisher(address, client_id="load-1", qos=qos, window=window, seed=7))
        return made[-1]

    yield make
    for publisher in made:
        publisher.close()


@pytest.fixture
def make_nats(tmp_path: Path) -> Iterator[Callable[..., NatsBroker]]:
    running: list[NatsBroker] = []

    def make(username: str | None = None, password: str | None = None) -> NatsBroker:
        settings = EmbeddedBrokerSettings(folder=tmp_path / "broker", username=username, password=password)
        running.append(NatsBroker(settings, backoff=Backoff(first_s=0.05, max_s=0.3)))
        running[-1].start()
        return running[-1]

    yield make
    for broker in running:
        broker.stop()


@pytest.fixture
def start_mosquitto(tmp_path: Path) -> Iterator[Callable[..., BrokerAddress]]:
    """Start mosquitto with more lines of configuration."""
    binary = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if binary is None:
        pytest.skip("mosquitto is not installed")
    running: list[subprocess.Popen[bytes]] = []

    def start(extra: str = "") -> BrokerAddress:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = int(server.getsockname()[1])
        config = tmp_path / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nuser root\n{extra}\n"
        )
        running.append(
            subprocess.Popen([binary, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        )
        wait_for(lambda: listens(port), "mosquitto")
        return BrokerAddress(host="127.0.0.1", port=port)

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture(params=["nats", "mosquitto"])
def real_broker(request: pytest.FixtureRequest) -> BrokerAddress:
    """Each broker that the product works with."""
    if request.param == "mosquitto":
        address: BrokerAddress = request.getfixturevalue("start_mosquitto")()
        return address
    nats: NatsBroker = request.getfixturevalue("make_nats")()
    return BrokerAddress(host=nats.url.host, port=nats.url.port)
