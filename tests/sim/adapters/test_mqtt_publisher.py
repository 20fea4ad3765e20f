"""One connection that publishes: what it writes, how it is refused, what it sends again."""

from __future__ import annotations

import select
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.adapters.nats_broker import NatsBroker
from sim.adapters.mqtt_publisher import BrokerAddress, BrokerError, MqttPublisher
from sim.load.mqtt_packets import publish_head
from tests.sim.adapters.brokers import PATIENCE_S, WELCOME, PlainBroker, bring_up, serve_once, wait_for

Make = Callable[..., MqttPublisher]

HEAD = publish_head("t", body_bytes=1, qos=1)
PACKET_BYTES = len(HEAD) + 3


@pytest.fixture
def acceptor(plain_broker: PlainBroker) -> Iterator[Callable[..., list[bytes]]]:
    """Accept the next connection in the background; the list gets its CONNECT."""
    threads: list[threading.Thread] = []

    def accept(answer: bytes = WELCOME, *, then_hang_up: bool = False) -> list[bytes]:
        hellos: list[bytes] = []

        def work() -> None:
            hellos.append(plain_broker.accept(answer))
            if then_hang_up:
                plain_broker.hang_up()

        threads.append(threading.Thread(target=work))
        threads[-1].start()
        return hellos

    yield accept
    for thread in threads:
        thread.join()


@pytest.fixture
def publisher(plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]], make_publisher: Make) -> MqttPublisher:
    """Welcomed, with a window of 100."""
    acceptor()
    made = make_publisher(plain_broker.address)
    bring_up(made)
    return made


def send(publisher: MqttPublisher, *bodies: bytes) -> None:
    publisher.send([HEAD] * len(bodies), bodies, time.monotonic())


def acknowledge(broker: PlainBroker, *ids: int) -> None:
    broker.say(b"".join(b"\x40\x02" + number.to_bytes(2, "big") for number in ids))


def test_connect_tells_login_and_keepalive(
    plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]], make_publisher: Make
) -> None:
    hellos = acceptor()
    bring_up(make_publisher(replace(plain_broker.address, username="u", password="pw", keepalive_s=30)))
    assert hellos == [b"\x10\x19\x00\x04MQTT\x04\xc2\x00\x1e\x00\x06load-1\x00\x01u\x00\x02pw"]


def test_messages_leave_with_ids_and_count_when_acknowledged(
    publisher: MqttPublisher, plain_broker: PlainBroker
) -> None:
    send(publisher, b"a", b"b")
    assert plain_broker.read(2 * PACKET_BYTES) == HEAD + b"\x00\x01a" + HEAD + b"\x00\x02b"
    assert (publisher.sent, publisher.acknowledged, publisher.room) == (2, 0, 98)
    acknowledge(plain_broker, 2, 1)
    wait_for(lambda: serve_once(publisher).acknowledged == 2, "both acknowledgements")
    assert publisher.room == 100


def test_a_full_window_leaves_no_room(publisher: MqttPublisher, plain_broker: PlainBroker) -> None:
    send(publisher, *[b"x"] * 100)
    assert publisher.room == 0
    plain_broker.read(100 * PACKET_BYTES)
    acknowledge(plain_broker, 1)
    wait_for(lambda: serve_once(publisher).room == 1, "room for one")


def test_a_broker_that_does_not_read_leaves_no_room(
    plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]], make_publisher: Make
) -> None:
    acceptor()
    publisher = make_publisher(plain_broker.address, qos=0, window=1000)
    bring_up(publisher)
    body = bytes(1 << 16)
    head = publish_head("t", body_bytes=len(body), qos=0)
    for _ in range(1000):
        if publisher.room:
            publisher.send([head], [body], time.monotonic())
    assert publisher.room == 0
    assert publisher.wants_to_write
    sent = publisher.sent
    reader = threading.Thread(target=plain_broker.read, args=(sent * (len(head) + len(body)),))
    reader.start()
    wait_for(lambda: serve_once(publisher).room == 1000, "all to be read")
    reader.join()
    assert publisher.acknowledged == 0


def test_what_is_not_acknowledged_is_sent_again_with_dup_after_a_reconnect(
    publisher: MqttPublisher, plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]]
) -> None:
    send(publisher, b"a", b"b", b"c")
    plain_broker.read(3 * PACKET_BYTES)
    acknowledge(plain_broker, 2)
    wait_for(lambda: serve_once(publisher).acknowledged == 1, "one acknowledgement")
    plain_broker.hang_up()
    wait_for(lambda: not serve_once(publisher).is_up, "the loss to be seen")
    assert publisher.problem is not None
    assert publisher.room == 0
    acceptor()
    bring_up(publisher)
    dup = bytes([HEAD[0] | 8]) + HEAD[1:]
    assert plain_broker.read(2 * PACKET_BYTES) == dup + b"\x00\x01a" + dup + b"\x00\x03c"
    acknowledge(plain_broker, 1, 3)
    wait_for(lambda: serve_once(publisher).acknowledged == 3, "the rest")
    assert (publisher.sent, publisher.resent, publisher.reconnects) == (3, 2, 1)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (1, "speaks no MQTT 3.1.1"),
        (2, "does not accept the client id"),
        (3, "is not available at the moment"),
        (4, "says that user name or password is wrong"),
        (5, "says that this user may not connect, or wants a user name and password"),
        (99, "refuses with code 99"),
    ],
)
def test_a_refusal_is_one_clear_line(
    code: int,
    words: str,
    plain_broker: PlainBroker,
    acceptor: Callable[..., list[bytes]],
    make_publisher: Make,
) -> None:
    acceptor(bytes([0x20, 2, 0, code]), then_hang_up=True)
    with pytest.raises(BrokerError) as caught:
        bring_up(make_publisher(plain_broker.address))
    assert str(caught.value) == f"broker 127.0.0.1:{plain_broker.address.port} {words}"


def test_a_broker_that_is_unavailable_later_is_tried_again(
    publisher: MqttPublisher, plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]]
) -> None:
    plain_broker.hang_up()
    wait_for(lambda: not serve_once(publisher).is_up, "the loss to be seen")
    acceptor(bytes([0x20, 2, 0, 3]), then_hang_up=True)
    wait_for(lambda: serve_once(publisher).problem == "is not available at the moment", "the refusal")
    acceptor()
    bring_up(publisher)
    assert publisher.reconnects == 1


def test_a_login_that_is_refused_later_ends_it(
    publisher: MqttPublisher, plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]]
) -> None:
    plain_broker.hang_up()
    wait_for(lambda: not serve_once(publisher).is_up, "the loss to be seen")
    acceptor(bytes([0x20, 2, 0, 4]))
    with pytest.raises(BrokerError, match="password is wrong"):
        bring_up(publisher)


def test_something_else_than_a_broker_is_named(
    plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]], make_publisher: Make
) -> None:
    acceptor(b"HTTP/1.1 400 Bad Request\r\n")
    with pytest.raises(BrokerError, match="is it an MQTT broker"):
        bring_up(make_publisher(plain_broker.address))


def test_a_broker_that_hangs_up_at_once_is_named(
    plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]], make_publisher: Make
) -> None:
    acceptor(b"", then_hang_up=True)
    with pytest.raises(BrokerError, match="closed the connection"):
        bring_up(make_publisher(plain_broker.address))


def test_no_broker_at_the_address_is_named(make_publisher: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(BrokerError) as caught:
        bring_up(make_publisher(BrokerAddress(host="127.0.0.1", port=port)))
    assert str(caught.value) == f"broker 127.0.0.1:{port} cannot be reached: Connection refused"


def test_a_silent_broker_is_given_up_after_a_while(
    plain_broker: PlainBroker, acceptor: Callable[..., list[bytes]], make_publisher: Make
) -> None:
    hellos = acceptor(b"")
    publisher = make_publisher(plain_broker.address)
    serve_once(publisher)
    wait_for(lambda: len(hellos) == 1, "the CONNECT")
    publisher.tick(time.monotonic() + 14)
    with pytest.raises(BrokerError, match="does not answer CONNECT"):
        publisher.tick(time.monotonic() + 16)


def test_a_broker_that_acknowledges_nothing_is_left(publisher: MqttPublisher) -> None:
    send(publisher, b"a")
    publisher.tick(time.monotonic() + 14)
    assert publisher.is_up
    publisher.tick(time.monotonic() + 16)
    assert publisher.problem == "acknowledged nothing for 15 s"


def test_an_idle_connection_is_kept_alive_by_pings(publisher: MqttPublisher, plain_broker: PlainBroker) -> None:
    publisher.tick(time.monotonic() + 14)
    publisher.tick(time.monotonic() + 16)
    assert plain_broker.read(2) == b"\xc0\x00"
    publisher.tick(time.monotonic() + 40)
    assert publisher.problem == "does not answer a ping"


def test_an_answered_ping_keeps_the_connection(publisher: MqttPublisher, plain_broker: PlainBroker) -> None:
    publisher.tick(time.monotonic() + 16)
    plain_broker.say(b"\xd0\x00")
    assert publisher.connection is not None
    assert select.select([publisher.connection], [], [], PATIENCE_S)[0]
    publisher.serve(time.monotonic())
    publisher.tick(time.monotonic() + 40)
    assert publisher.is_up
    assert plain_broker.read(4) == b"\xc0\x00\xc0\x00"


def test_goodbye_is_said(publisher: MqttPublisher, plain_broker: PlainBroker) -> None:
    publisher.close()
    assert plain_broker.read(2) == b"\xe0\x00"
    publisher.close()


def test_ipv6_addresses_work_and_are_shown_in_brackets(make_publisher: Make) -> None:
    try:
        broker = PlainBroker("::1")
    except OSError:
        pytest.skip("no IPv6 here")
    answering = threading.Thread(target=broker.accept, args=(bytes([0x20, 2, 0, 5]),))
    answering.start()
    with pytest.raises(BrokerError, match=rf"^broker \[::1\]:{broker.address.port} says"):
        bring_up(make_publisher(broker.address))
    answering.join()
    broker.close()


def test_a_wrong_password_is_refused_by_a_real_broker(
    make_nats: Callable[..., NatsBroker], make_publisher: Make
) -> None:
    nats = make_nats(username="street", password="s3cret")
    address = BrokerAddress(host=nats.url.host, port=nats.url.port, username="street", password="wrong")
    with pytest.raises(BrokerError, match="password"):
        bring_up(make_publisher(address))
    bring_up(make_publisher(replace(address, password="s3cret")))


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of localhost, signed by itself."""
    tool = shutil.which("openssl")
    if tool is None:
        pytest.skip("openssl is not installed")
    names = "-subj /CN=localhost -addext subjectAltName=DNS:localhost"
    curve = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    command = f"{tool} req -x509 {curve} -keyout {tmp_path}/key.pem -out {tmp_path}/cert.pem -days 2 {names}"
    subprocess.run(command.split(), check=True, capture_output=True)
    return tmp_path / "cert.pem"


def test_tls_publishes_and_an_unknown_certificate_is_named(
    start_mosquitto: Callable[..., BrokerAddress], certificate: Path, make_publisher: Make
) -> None:
    plain = start_mosquitto(f"certfile {certificate}\nkeyfile {certificate.with_name('key.pem')}")
    trusted = replace(plain, host="localhost", tls=ssl.create_default_context(cafile=str(certificate)))
    publisher = make_publisher(trusted)
    bring_up(publisher)
    send(publisher, *[b"x"] * 100)
    wait_for(lambda: serve_once(publisher).acknowledged == 100, "all acknowledgements")
    with pytest.raises(BrokerError, match="cannot be reached: .*certificate"):
        bring_up(make_publisher(replace(trusted, tls=ssl.create_default_context())))
