from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.adapters.mqtt_connection import Backoff, MqttConnection
from ingest.adapters.mqtt_link import MqttLink, OutgoingMessage, Will
from ingest.broker_url import BrokerUrl, TlsFiles
from ingest.errors import LinkError


class Listener:
    """Subscribes and keeps what comes."""

    def __init__(self, url: BrokerUrl, topic_filter: str) -> None:
        self.payloads: list[bytes] = []
        self.subscribed = threading.Event()
        self.connection = MqttConnection(
            url,
            client_id="listener",
            on_up=lambda _session: self._subscribe(topic_filter),
            on_message=lambda message: self.payloads.append(bytes(message.payload)),
        )
        self.connection.client.on_subscribe = lambda *_: self.subscribed.set()
        self.connection.start()
        assert self.subscribed.wait(30)

    def _subscribe(self, topic_filter: str) -> None:
        self.connection.client.subscribe(topic_filter, 1)


def link_events(logs: list[Any]) -> list[str]:
    return [line["event"] for line in logs if line["event"].startswith("mqtt_")]


def test_published_messages_arrive_acknowledged(broker: Any, wait_until: Callable[..., None]) -> None:
    listener = Listener(broker.url, "t/#")
    link = MqttLink(broker.url, client_id="sender")
    link.start()
    link.publish("t/one", b"single")
    assert link.publish_many(OutgoingMessage("t/many", b"%d" % n) for n in range(3000)) == 3000
    assert link.acknowledged == 3001
    wait_until(lambda: len(listener.payloads) == 3001)
    assert listener.payloads == [b"single", *(b"%d" % n for n in range(3000))]
    link.close()
    listener.connection.close()


def test_retained_message_waits_for_the_next_subscriber(broker: Any, wait_until: Callable[..., None]) -> None:
    link = MqttLink(broker.url, client_id="sender")
    link.start()
    link.publish("s/status", b"online", retain=True)
    listener = Listener(broker.url, "s/#")
    wait_until(lambda: listener.payloads == [b"online"])
    link.close()
    listener.connection.close()


def test_last_will_is_said_when_the_connection_is_lost_and_not_after_a_goodbye(
    broker: Any, wait_until: Callable[..., None]
) -> None:
    listener = Listener(broker.url, "w/#")
    for client_id, is_polite in (("polite", True), ("lost", False)):
        link = MqttConnection(broker.url, client_id=client_id, will=Will("w/status", client_id.encode()))
        link.start()
        assert link.wait_up(30)
        if not is_polite:
            sock = link.client.socket()
            assert isinstance(sock, socket.socket)
            sock.shutdown(socket.SHUT_RDWR)
            wait_until(lambda: listener.payloads == [b"lost"])
        link.close()
    assert listener.payloads == [b"lost"]
    listener.connection.close()


def test_absent_broker_is_one_log_line_and_an_error_with_the_reason(
    free_port: Callable[[], int], quick_backoff: Backoff
) -> None:
    link = MqttLink(BrokerUrl(host="127.0.0.1", port=free_port()), client_id="sender", backoff=quick_backoff)
    with capture_logs() as logs:
        link.start()
        with pytest.raises(LinkError, match=r"not connected \(refused\)"):
            link.publish("t", b"x", timeout_s=2)
        link.close()
    assert link_events(logs) == ["mqtt_down"]
    assert logs[0]["reason"] == "refused"


def test_unknown_host_is_named(quick_backoff: Backoff) -> None:
    link = MqttLink(BrokerUrl(host="no.such.host.invalid", port=1883), client_id="sender", backoff=quick_backoff)
    link.start()
    with pytest.raises(LinkError, match="unknown_host"):
        link.publish("t", b"x", timeout_s=2)
    link.close()


def test_broker_that_comes_late_goes_and_comes_back_is_a_line_each_time(
    mosquitto: Callable[[str], Any], quick_backoff: Backoff, wait_until: Callable[..., None]
) -> None:
    broker = mosquitto("")
    broker.kill()
    link = MqttLink(broker.url, client_id="sender", backoff=quick_backoff)
    with capture_logs() as logs:
        link.start()
        wait_until(lambda: link.problem == "refused")
        broker.revive()
        link.publish("t", b"1")
        broker.kill()
        wait_until(lambda: not link.is_up)
        broker.revive()
        link.publish("t", b"2")
        link.close()
    assert link_events(logs) == ["mqtt_down", "mqtt_up", "mqtt_down", "mqtt_up"]
    assert link.acknowledged == 2


def test_bulk_survives_a_broker_restart_in_the_middle(mosquitto: Callable[[str], Any], quick_backoff: Backoff) -> None:
    broker = mosquitto("")
    link = MqttLink(broker.url, client_id="sender", backoff=quick_backoff, window=50)
    link.start()

    def messages() -> Any:
        for n in range(2000):
            if n == 1000:
                broker.kill()
                broker.revive()
            yield OutgoingMessage("t", b"%d" % n)

    assert link.publish_many(messages()) == 2000
    assert link.acknowledged == 2000
    link.close()


def test_wrong_password_is_named_and_never_logged(
    mosquitto: Callable[[str], Any], quick_backoff: Backoff, tmp_path: Path
) -> None:
    passwords = tmp_path / "passwords"
    tool = shutil.which("mosquitto_passwd")
    if tool is None:
        pytest.skip("mosquitto_passwd is not installed")
    subprocess.run([tool, "-b", "-c", str(passwords), "gateway", "right"], check=True)
    url = mosquitto(f"password_file {passwords}").url
    link = MqttLink(BrokerUrl(host=url.host, port=url.port, username="gateway", password="right"), client_id="sender")
    link.start()
    link.publish("t", b"x")
    link.close()
    wrong = BrokerUrl(host=url.host, port=url.port, username="gateway", password="s3cret")
    link = MqttLink(wrong, client_id="sender", backoff=quick_backoff)
    with capture_logs() as logs:
        link.start()
        with pytest.raises(LinkError, match="not_authorized|bad_password"):
            link.publish("t", b"x", timeout_s=1)
        link.close()
    assert link_events(logs) == ["mqtt_down"]
    assert logs[0]["reason"] in ("not_authorized", "bad_password")
    assert "s3cret" not in str(logs)


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """An authority, a server certificate for localhost and a client certificate."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("openssl is not installed")

    def run(arguments: str) -> None:
        subprocess.run([tool, *arguments.split()], check=True, cwd=tmp_path, capture_output=True)

    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    run(f"req -x509 {curve} -keyout ca.key -out ca.pem -subj /CN=authority -days 2")
    names = {"server": "subjectAltName=DNS:localhost,IP:127.0.0.1", "client": "keyUsage=digitalSignature"}
    for name, extension in names.items():
        (tmp_path / f"{name}.ext").write_text(extension)
        run(f"req {curve} -keyout {name}.key -out {name}.csr -subj /CN={name}")
        issue = "-CA ca.pem -CAkey ca.key -CAcreateserial -days 1"
        run(f"x509 -req -in {name}.csr {issue} -out {name}.pem -extfile {name}.ext")
    return tmp_path


def test_tls_with_client_certificate(
    mosquitto: Callable[[str], Any], certificates: Path, quick_backoff: Backoff
) -> None:
    folder = certificates
    plain = mosquitto(
        f"cafile {folder}/ca.pem\ncertfile {folder}/server.pem\nkeyfile {folder}/server.key\nrequire_certificate true"
    ).url
    url = BrokerUrl(host="localhost", port=plain.port, tls=True)
    files = TlsFiles(ca_file=folder / "ca.pem", cert_file=folder / "client.pem", key_file=folder / "client.key")
    link = MqttLink(url, client_id="sender", tls=files)
    link.start()
    link.publish("t", b"x")
    link.close()
    stranger = MqttLink(url, client_id="stranger", backoff=quick_backoff)
    stranger.start()
    with pytest.raises(LinkError, match="tls_certificate"):
        stranger.publish("t", b"x", timeout_s=1)
    stranger.close()


@pytest.mark.parametrize("name", ["ca_file", "cert_file"])
def test_missing_tls_file_is_named_at_once(tmp_path: Path, name: str) -> None:
    url = BrokerUrl(host="localhost", port=8883, tls=True)
    with pytest.raises(LinkError, match=r"TLS file .*absent\.pem"):
        MqttLink(url, client_id="sender", tls=TlsFiles(**{name: tmp_path / "absent.pem"}))


def test_silent_peer_is_given_up(quick_backoff: Backoff) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = BrokerUrl(host="127.0.0.1", port=server.getsockname()[1])
        connection = MqttConnection(url, client_id="sender", backoff=quick_backoff, connect_timeout_s=0.3)
        with capture_logs() as logs:
            connection.start()
            assert not connection.wait_up(1.5)
            connection.close()
    assert [line["reason"] for line in logs] == ["no_connack"]


@pytest.mark.parametrize(
    ("code", "reason"), [(2, "bad_client_id"), (3, "server_unavailable"), (4, "bad_password"), (5, "not_authorized")]
)
def test_refused_connack_is_named(scripted_broker: Any, quick_backoff: Backoff, code: int, reason: str) -> None:
    scripted_broker.connack_code = code
    link = MqttLink(scripted_broker.url, client_id="sender", backoff=quick_backoff)
    link.start()
    with pytest.raises(LinkError, match=reason):
        link.publish("t", b"x", timeout_s=0.5)
    link.close()


def test_missing_acknowledgement_is_an_error(scripted_broker: Any) -> None:
    link = MqttLink(scripted_broker.url, client_id="sender", window=2)
    link.start()
    with pytest.raises(LinkError, match="no acknowledgement of message 1"):
        link.publish("t", b"x", timeout_s=0.3)
    link.submit(OutgoingMessage("t", b"y"))
    link.submit(OutgoingMessage("t", b"z"))
    with pytest.raises(LinkError, match="no acknowledgement of message 2"):
        link.submit(OutgoingMessage("t", b"full"), timeout_s=0.3)
    assert link.acknowledged == 0
    link.close()


def test_waits_between_attempts_double_up_to_a_cap_with_jitter() -> None:
    backoff = Backoff(first_s=1, max_s=30)
    for failures, full_s in ((1, 1), (2, 2), (5, 16), (6, 30), (5000, 30)):
        delays = {backoff.delay_s(failures) for _ in range(50)}
        assert len(delays) > 1
        assert all(full_s / 2 <= delay <= full_s for delay in delays)
