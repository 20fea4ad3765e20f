"""A real gateway and a real centre as processes, on a real broker, in a temporary folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.adapters.local_http import free_port, get_json
from ingest.adapters.mqtt_link import MqttLink, OutgoingMessage
from ingest.adapters.nats_broker import NatsBroker
from ingest.broker_url import BrokerUrl
from ingest.config import EmbeddedBrokerSettings
from sim.street.body import Body, BodyKind
from tests.drawn_street import DrawnStreet, standing
from tests.sites import ONE_CAMERA

PATIENCE_S = 60.0


class Daemon:
    """One `street721` process with its log."""

    def __init__(self, folder: Path, name: str, arguments: list[str], environment: dict[str, str]) -> None:
        self._log_file = folder / f"{name}.log"
        self._log = self._log_file.open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *arguments],
            stdout=self._log,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
        )

    @property
    def log(self) -> str:
        """All that it wrote so far, without colours."""
        return re.sub(r"\x1b\[[0-9;]*m", "", self._log_file.read_text(encoding="utf-8"))

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        status = self.process.wait(30)
        self._log.close()
        return status


class Street:
    """A folder with gateway and centre over one broker; every daemon is ended with the test."""

    garbage = standing(BodyKind.GARBAGE, x_m=1.5, y_m=13.5, look=6)

    @staticmethod
    def wait_for(condition: Callable[[], Any], what: str, timeout_s: float = PATIENCE_S) -> Any:
        """The first true value of a condition; fails the test when none comes."""
        deadline = time.monotonic() + timeout_s
        while not (value := condition()):
            assert time.monotonic() < deadline, f"waited {timeout_s:g} s for {what}"
            time.sleep(0.05)
        return value

    def __init__(self, folder: Path, broker_url: str, drawn: DrawnStreet) -> None:
        self.folder = folder
        self.broker_url = broker_url
        self.site = str(ONE_CAMERA)
        self.page_port, self.health_port = free_port(), free_port()
        self._daemons: list[Daemon] = []
        self._drawn = drawn

    def start_gateway(self, *, wait: bool = True, **environment: str) -> Daemon:
        """Start the gateway and wait until messages can come in; tests send faster than cameras do."""
        environment = {
            "STREET721_FRAMES__MAX_PENDING_PER_CAMERA": "8",
            "STREET721_FRAMES__SAMPLING": "every",
        } | environment
        arguments = ["gateway", *self._shared(), "--port", str(self.health_port)]
        daemon = self._start("gateway", arguments, environment)
        if wait:
            self._wait_ready(daemon, self.health_port, "the gateway")
        return daemon

    def start_centre(self, *, wait: bool = True) -> Daemon:
        """Start the centre and wait until incidents can come in."""
        daemon = self._start("centre", ["centre", *self._shared(), "--port", str(self.page_port)], {})
        if wait:
            self._wait_ready(daemon, self.page_port, "the centre")
        return daemon

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a `street721` command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "gateway", *arguments], capture_output=True, text=True, timeout=120, check=False
        )

    def api(self, path: str) -> Any:
        """What the centre answers."""
        return get_json(f"http://127.0.0.1:{self.page_port}{path}")

    def orders(self) -> list[dict[str, Any]]:
        """Every order, newest first."""
        return list(self.api("/api/orders")["orders"])

    def counts(self) -> dict[str, int]:
        """The gateway's durable totals."""
        return dict(get_json(f"http://127.0.0.1:{self.health_port}/health")["counts"])

    def waiting_incidents(self) -> int:
        """Incident events that the broker has not yet acknowledged to the gateway."""
        return int(get_json(f"http://127.0.0.1:{self.health_port}/health")["backlog"]["incidents"])

    def stored(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the gateway's database, read from outside."""
        connection = sqlite3.connect(f"file:{self.folder / 'spool.db'}?mode=ro", uri=True)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def publish(self, messages: list[tuple[str, bytes]]) -> None:
        """Send messages with QoS 1; returns when the broker has acknowledged all."""
        link = MqttLink(BrokerUrl.parse(self.broker_url), client_id=f"device-{time.monotonic_ns()}")
        link.start()
        try:
            link.publish_many([OutgoingMessage(f"s721/v1/demo/{topic}", payload) for topic, payload in messages])
        finally:
            link.close()

    def jpeg(self, *bodies: Body, grain: int = 0) -> bytes:
        """A drawn frame of the site's street."""
        return self._drawn.jpeg(*bodies, grain=grain)

    def stop(self) -> None:
        """End every daemon that still runs."""
        for daemon in reversed(self._daemons):
            daemon.stop(signal.SIGKILL)

    def _wait_ready(self, daemon: Daemon, port: int, what: str) -> None:
        """A daemon that ends or never answers fails the test with what it said last."""

        def answers() -> Any:
            assert daemon.process.poll() is None, f"{what} has ended"
            return get_json(f"http://127.0.0.1:{port}/ready")

        try:
            self.wait_for(answers, what, 2 * PATIENCE_S)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{daemon.log[-2000:]}") from error

    def _shared(self) -> list[str]:
        return ["--broker", self.broker_url, "--data-dir", str(self.folder), "--site", self.site]

    def _start(self, name: str, arguments: list[str], environment: dict[str, str]) -> Daemon:
        daemon = Daemon(self.folder, name, arguments, environment)
        self._daemons.append(daemon)
        return daemon


class Mosquitto:
    """Debian's broker on one port; it may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._binary = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
        if self._binary is None:
            pytest.skip("mosquitto is not installed (Debian package mosquitto)")
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_inflight_messages 2000\n"
            f"max_queued_messages 0\npersistence true\npersistence_location {folder}/\n",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"mqtt://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it listens."""
        assert self._binary is not None
        self._process = subprocess.Popen(
            [self._binary, "-c", str(self._config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        link = MqttLink(BrokerUrl.parse(self.url), client_id="probe")
        link.start()
        assert link.wait_up(10)
        link.close()

    def stop(self) -> None:
        """Stop it as a reboot would."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """Debian's broker, not yet started."""
    folder = tmp_path / "mosquitto"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    tmp_path.chmod(0o755)
    broker = Mosquitto(folder)
    yield broker
    broker.stop()


@pytest.fixture(scope="session")
def drawn_street() -> DrawnStreet:
    """The site's street, painted once for all tests."""
    return DrawnStreet()


@pytest.fixture(params=["embedded", "mosquitto"])
def street(request: pytest.FixtureRequest, tmp_path: Path, drawn_street: DrawnStreet) -> Iterator[Street]:
    """A street over each kind of broker; only the address differs."""
    folder = tmp_path / "data"
    folder.mkdir()
    if request.param == "mosquitto":
        broker: Mosquitto = request.getfixturevalue("mosquitto")
        broker.start()
        url = broker.url
        stop = broker.stop
    else:
        embedded = NatsBroker(EmbeddedBrokerSettings(folder=tmp_path / "broker"))
        embedded.start()
        url = str(embedded.url)
        stop = embedded.stop
    running = Street(folder, url, drawn_street)
    yield running
    running.stop()
    stop()


@pytest.fixture
def street_folder(tmp_path: Path, request: pytest.FixtureRequest, drawn_street: DrawnStreet) -> Iterator[Street]:
    """A street whose broker is not there yet: mosquitto's address where the test asks for mosquitto."""
    folder = tmp_path / "data"
    folder.mkdir()
    wants_mosquitto = "mosquitto" in request.fixturenames
    url = request.getfixturevalue("mosquitto").url if wants_mosquitto else "mqtt://127.0.0.1:1"
    waiting = Street(folder, url, drawn_street)
    yield waiting
    waiting.stop()
