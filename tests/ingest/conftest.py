"""What the ingest tests share: one instant, spools in temporary folders, real brokers on free ports."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.adapters.mqtt_connection import Backoff
from ingest.adapters.nats_broker import NatsBroker, find_nats_server
from ingest.adapters.spool import Spool
from ingest.broker_url import BrokerUrl
from ingest.config import EmbeddedBrokerSettings, SpoolSettings
from ingest.errors import BrokerStartError

RECEIVED_AT = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)
QUICK = Backoff(first_s=0.05, max_s=0.3)


class RealBroker:
    """A broker that a test may kill and start again on the same port and store."""

    def __init__(self, name: str, url: BrokerUrl, kill: Callable[[], None], revive: Callable[[], None]) -> None:
        self.name = name
        self.url = url
        self.kill = kill
        self.revive = revive


@pytest.fixture
def received_at() -> datetime:
    return RECEIVED_AT


@pytest.fixture
def quick_backoff() -> Backoff:
    return QUICK


@pytest.fixture
def wait_until() -> Callable[..., None]:
    """Wait for a condition; fails the test when it does not come true."""

    def wait(condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        until_s = time.monotonic() + timeout_s
        while not condition():
            assert time.monotonic() < until_s, "the condition did not come true"
            time.sleep(0.01)

    return wait


@pytest.fixture
def free_port() -> Callable[[], int]:
    def find() -> int:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return int(server.getsockname()[1])

    return find


@pytest.fixture
def spool_settings(tmp_path: Path) -> SpoolSettings:
    return SpoolSettings(file=tmp_path / "spool" / "spool.db")


@pytest.fixture
def spool(spool_settings: SpoolSettings) -> Iterator[Spool]:
    with Spool(spool_settings) as opened:
        yield opened


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsBroker]:
    try:
        find_nats_server()
    except BrokerStartError as error:
        pytest.skip(str(error))
    broker = NatsBroker(EmbeddedBrokerSettings(folder=tmp_path / "broker", ack_wait_s=2), backoff=QUICK)
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture
def mosquitto(
    tmp_path: Path, free_port: Callable[[], int], wait_until: Callable[..., None]
) -> Iterator[Callable[[str], RealBroker]]:
    """Start mosquitto with extra lines of configuration."""
    binary = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if binary is None:
        pytest.skip("mosquitto is not installed")
    running: list[subprocess.Popen[bytes]] = []

    def start(extra: str = "") -> RealBroker:
        port = free_port()
        config = tmp_path / "mosquitto.conf"
        config.write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous {'false' if 'password_file' in extra else 'true'}\n"
            f"max_inflight_messages 2000\nmax_queued_messages 0\nuser root\n{extra}\n"
        )

        def revive() -> None:
            running.append(
                subprocess.Popen([binary, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
            wait_until(lambda: accepts("127.0.0.1", port))

        def kill() -> None:
            running[-1].kill()
            running[-1].wait()

        revive()
        return RealBroker("mosquitto", BrokerUrl(host="127.0.0.1", port=port), kill, revive)

    yield start
    for process in running:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


@pytest.fixture(params=["nats", "mosquitto"])
def broker(request: pytest.FixtureRequest) -> RealBroker:
    """Each broker that we promise to work with, without login."""
    if request.param == "nats":
        child: NatsBroker = request.getfixturevalue("nats")
        return RealBroker("nats", child.url, lambda: None, lambda: None)
    start: Callable[[], RealBroker] = request.getfixturevalue("mosquitto")
    return start()


def accepts(host: str, port: int) -> bool:
    """True when something listens there."""
    with suppress(OSError), socket.create_connection((host, port), 0.5):
        return True
    return False
