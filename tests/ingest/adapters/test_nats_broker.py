from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.adapters.mqtt_link import MqttLink, OutgoingMessage
from ingest.adapters.nats_broker import NatsBroker
from ingest.broker_url import BrokerUrl
from ingest.config import EmbeddedBrokerSettings, FrameLimits
from ingest.errors import BrokerStartError, LinkError

TOPIC = "s721/v1/demo/sensors/a"


def is_running(pid: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def test_listens_on_a_free_loopback_port(nats: NatsBroker) -> None:
    assert nats.url.host == "127.0.0.1"
    assert nats.is_ready
    link = MqttLink(nats.url, client_id="sender")
    link.start()
    link.publish("t", b"x")
    link.close()


def test_largest_frame_in_base64_passes(nats: NatsBroker) -> None:
    link = MqttLink(nats.url, client_id="sender")
    link.start()
    link.publish("t", bytes(FrameLimits().max_bytes * 4 // 3 + 10_000))
    assert link.acknowledged == 1
    link.close()


def test_killed_broker_comes_back_on_its_port_with_every_acknowledged_message(
    nats: NatsBroker,
    make_intake: Callable[..., Any],
    wait_until: Callable[..., None],
    wait_subscribed: Callable[..., None],
) -> None:
    link = MqttLink(nats.url, client_id="sender")
    link.start()
    first = make_intake(nats.url)
    first.source.start()
    wait_subscribed(link, first.source)
    first.source.close()
    first.spool.close()
    link.publish_many(OutgoingMessage(TOPIC, b"%d" % n) for n in range(500))
    port, pid = nats.url.port, nats.pid
    assert pid is not None
    with capture_logs() as logs:
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: nats.restarts == 1 and nats.is_ready)
    assert (nats.url.port, nats.pid == pid) == (port, False)
    assert [line["event"] for line in logs if line["event"].startswith("broker_")] == ["broker_died", "broker_up"]
    second = make_intake(nats.url)
    second.start()
    wait_until(lambda: second.writer.stats.stored >= 501)
    stored = [message.payload for message in second.spool.pending("readings", limit=1000)]
    assert sorted(int(payload) for payload in stored if payload != b"probe") == list(range(500))
    link.close()


def test_taken_port_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        broker = NatsBroker(EmbeddedBrokerSettings(folder=tmp_path / "b", port=port))
        with pytest.raises(BrokerStartError, match=rf"on 127\.0\.0\.1:{port}: the port cannot be used") as caught:
            broker.start()
    assert "\n" not in str(caught.value)
    broker.stop()


def test_folder_of_another_broker_is_refused(nats: NatsBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.adapters.nats_broker._LOCK_WITHIN_S", 0.1)
    other = NatsBroker(EmbeddedBrokerSettings(folder=tmp_path / "broker"))
    with pytest.raises(BrokerStartError, match="in use by another gateway's broker"):
        other.start()
    assert nats.is_ready


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BrokerStartError, match="must be writable"):
        NatsBroker(EmbeddedBrokerSettings(folder=tmp_path / "file" / "b")).start()


def test_broker_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NatsBroker, "_config", lambda _self: "jetstream {")
    with pytest.raises(BrokerStartError, match="nats-server:"):
        NatsBroker(EmbeddedBrokerSettings(folder=tmp_path / "b")).start()


def test_password_is_asked_for_when_one_is_set(tmp_path: Path, quick_backoff: Any) -> None:
    settings = EmbeddedBrokerSettings(folder=tmp_path / "b", username="gate way", password='p"w\\d')
    broker = NatsBroker(settings)
    broker.start()
    try:
        link = MqttLink(broker.url, client_id="sender")
        link.start()
        link.publish("t", b"x")
        link.close()
        anonymous = BrokerUrl(host="127.0.0.1", port=broker.url.port)
        stranger = MqttLink(anonymous, client_id="stranger", backoff=quick_backoff)
        stranger.start()
        with pytest.raises(LinkError, match="not_authorized"):
            stranger.publish("t", b"x", timeout_s=2)
        stranger.close()
    finally:
        broker.stop()


def test_stop_ends_the_child_and_can_be_repeated(nats: NatsBroker) -> None:
    pid = nats.pid
    assert pid is not None
    nats.stop()
    nats.stop()
    assert not is_running(pid)
    assert nats.pid is None


PARENT = """
import sys, time
from pathlib import Path
from ingest.adapters.nats_broker import NatsBroker
from ingest.config import EmbeddedBrokerSettings, FrameLimits
broker = NatsBroker(EmbeddedBrokerSettings(folder=Path(sys.argv[1])))
broker.start()
print(broker.pid, flush=True)
time.sleep(600)
"""


def test_child_ends_with_a_killed_parent_and_the_folder_is_free_again(
    tmp_path: Path, wait_until: Callable[..., None]
) -> None:
    folder = tmp_path / "b"
    with subprocess.Popen([sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        # Log lines may stand before the number.
        child = next(int(line) for line in parent.stdout if line.strip().isdigit())
        assert is_running(child)
        parent.kill()
    wait_until(lambda: not is_running(child))
    broker = NatsBroker(EmbeddedBrokerSettings(folder=folder))
    broker.start()
    broker.stop()
