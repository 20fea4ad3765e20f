"""The load generator against real brokers: nothing acknowledged is lost, nothing is faster than asked."""

from __future__ import annotations

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from ingest.adapters.nats_broker import NatsBroker
from sim.adapters.load import CATCH_UP_S, BrokerAddress, BrokerError, LoadError, LoadOptions, LoadReport, run_load
from sim.devices.firmware import Firmware, firmware_of
from sim.load.load_report import Slow
from tests.sim.adapters.brokers import WELCOME, kill_and_wait, wait_for

SENSORS = 40
PREFIX = "s721/v1/demo/sensors"


def seed_without_bare_numbers() -> int:
    """Sensors of this seed say the time, so that no two messages are alike."""
    return next(
        seed
        for seed in range(10_000)
        if all(firmware_of(f"load-{number:05d}", seed) is not Firmware.BARE for number in range(1, SENSORS + 1))
    )


SEED = seed_without_bare_numbers()


class Subscriber:
    """Keeps every message; its session outlives the broker."""

    def __init__(self, address: BrokerAddress) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._is_subscribed = threading.Event()
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id="subscriber",
            clean_session=False,
            protocol=MQTTProtocolVersion.MQTTv311,
        )
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{PREFIX}/+", 1)
        self._client.on_subscribe = lambda *_: self._is_subscribed.set()
        self._client.on_message = self._keep
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        assert self._is_subscribed.wait(30)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _keep(self, _client: Client, _userdata: Any, message: MQTTMessage) -> None:
        self.messages.append((message.topic, bytes(message.payload)))


@pytest.fixture
def subscribe() -> Iterator[Callable[[BrokerAddress], Subscriber]]:
    made: list[Subscriber] = []

    def make(address: BrokerAddress) -> Subscriber:
        made.append(Subscriber(address))
        return made[-1]

    yield make
    for subscriber in made:
        subscriber.close()


def options_for(broker: BrokerAddress, **keys: Any) -> LoadOptions:
    defaults = {"sensors": SENSORS, "rate": 2000.0, "seconds": 1.5, "connections": 3, "seed": SEED}
    return LoadOptions(broker=broker, topic_root="s721/v1", site="demo", **defaults | keys)


def run(options: LoadOptions) -> LoadReport:
    return run_load(options, threading.Event())


def test_every_acknowledged_message_arrives_exactly_once_and_in_its_sensors_order(
    real_broker: BrokerAddress, subscribe: Callable[[BrokerAddress], Subscriber]
) -> None:
    subscriber = subscribe(real_broker)
    report = run(options_for(real_broker))
    assert report.sent == report.acknowledged > 0
    wait_for(lambda: len(subscriber.messages) >= report.acknowledged, "all messages")
    assert Counter(Counter(subscriber.messages).values()) == {1: report.acknowledged}
    by_topic: dict[str, list[bytes]] = {}
    for topic, payload in subscriber.messages:
        by_topic.setdefault(topic, []).append(payload)
    assert len(by_topic) == SENSORS
    timed = [payloads for payloads in by_topic.values() if payloads[0].startswith(b'{"ts"')]
    assert timed
    assert all(payloads == sorted(payloads) for payloads in timed)


def test_qos_0_arrives_and_nothing_counts_as_acknowledged(
    real_broker: BrokerAddress, subscribe: Callable[[BrokerAddress], Subscriber]
) -> None:
    subscriber = subscribe(real_broker)
    report = run(options_for(real_broker, qos=0, rate=500.0))
    wait_for(lambda: len(subscriber.messages) >= report.sent, "all messages")
    assert (report.acknowledged, report.ack_p50_s) == (0, None)
    assert len(subscriber.messages) == report.sent


def test_the_rate_is_met_and_never_passed(real_broker: BrokerAddress) -> None:
    seen: list[LoadReport] = []
    report = run_load(options_for(real_broker, seconds=2.5), threading.Event(), on_progress=seen.append)
    assert [report.sent <= report.seconds * 2000 for report in [*seen, report]] == [True] * (len(seen) + 1)
    assert len(seen) >= 1
    # Each connection rounds down.
    assert 5000 - 3 <= report.sent + report.late <= 5000
    assert report.seconds == 2.5


def test_a_killed_broker_loses_nothing_that_it_acknowledged(
    make_nats: Callable[..., NatsBroker], subscribe: Callable[[BrokerAddress], Subscriber]
) -> None:
    nats = make_nats()
    address = BrokerAddress(host=nats.url.host, port=nats.url.port)
    subscriber = subscribe(address)
    reports: list[LoadReport] = []
    stop = threading.Event()
    work = threading.Thread(target=lambda: reports.append(run_load(options_for(address, seconds=None), stop)))
    work.start()
    wait_for(lambda: len(subscriber.messages) > 500, "the first messages")
    kill_and_wait(nats)
    already = len(subscriber.messages)
    wait_for(lambda: len(subscriber.messages) > already + 1000, "messages after the restart")
    stop.set()
    work.join()
    (report,) = reports
    assert report.reconnects == 3
    assert report.sent == report.acknowledged
    wait_for(lambda: len(set(subscriber.messages)) >= report.acknowledged, "every message")
    assert len(set(subscriber.messages)) == report.acknowledged


def test_stop_ends_it(real_broker: BrokerAddress) -> None:
    stop = threading.Event()
    reports: list[LoadReport] = []

    def end(report: LoadReport) -> None:
        reports.append(report)
        stop.set()

    report = run_load(options_for(real_broker, seconds=None, rate=100.0), stop, on_progress=end)
    assert len(reports) == 1
    assert report.sent == reports[0].sent == report.acknowledged


class SilentBroker:
    """Welcomes everybody, reads everything, acknowledges nothing."""

    def __init__(self) -> None:
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = BrokerAddress(host="127.0.0.1", port=self._server.getsockname()[1])
        self._threads: list[threading.Thread] = []
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for thread in (self._listener, *self._threads):
            thread.join()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._swallow, args=(connection,)))
            self._threads[-1].start()

    @staticmethod
    def _swallow(connection: socket.socket) -> None:
        with connection, suppress(OSError):  # the sender may leave at any time
            connection.recv(4096)
            connection.sendall(WELCOME)
            while connection.recv(1 << 16):
                pass


@pytest.fixture
def silent_broker() -> Iterator[SilentBroker]:
    broker = SilentBroker()
    yield broker
    broker.close()


def test_a_broker_that_does_not_acknowledge_is_reported_as_the_slow_one(
    silent_broker: SilentBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.adapters.load._DRAIN_WITHIN_S", 0.1)
    report = run(options_for(silent_broker.address, window=100, seconds=3.0))
    assert (report.sent, report.acknowledged, report.slow) == (300, 0, Slow.BROKER)
    assert report.late_broker == pytest.approx(6000 - 300, abs=3)
    assert report.late_generator == 0
    assert report.blocked_s > 2.0


def test_a_generator_that_oversleeps_gives_up_what_is_overdue_and_says_so(
    make_nats: Callable[..., NatsBroker],
) -> None:
    pause_s = 1.6
    url = make_nats().url
    address = BrokerAddress(host=url.host, port=url.port)

    def oversleep(_: LoadReport) -> None:
        if not slept:
            slept.append(True)
            time.sleep(pause_s)

    slept: list[bool] = []
    report = run_load(options_for(address, seconds=3.0, window=3000), threading.Event(), on_progress=oversleep)
    assert report.slow is Slow.GENERATOR
    assert report.late_broker == 0
    assert report.late_generator >= 2000 * (pause_s - CATCH_UP_S) - 10
    assert report.sent + report.late == pytest.approx(6000, abs=3)


def test_no_broker_is_one_clear_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(BrokerError, match=f"^broker 127.0.0.1:{port} cannot be reached: Connection refused$"):
        run(options_for(BrokerAddress(host="127.0.0.1", port=port)))


def test_a_refused_login_is_one_clear_error(make_nats: Callable[..., NatsBroker]) -> None:
    nats = make_nats(username="street", password="s3cret")
    address = BrokerAddress(host=nats.url.host, port=nats.url.port, username="street", password="wrong")
    with pytest.raises(BrokerError, match="password") as caught:
        run(options_for(address))
    assert "wrong" not in str(caught.value).replace("password is wrong", "")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ({"sensors": 0}, "sensors is 0, expected 1 to 1e+07"),
        ({"sensors": 10, "rate": 1001.0}, "rate is 1001, expected 0.1 to 1000"),
        ({"rate": 0.0}, "rate is 0, expected 0.1 to 4000"),
        ({"seconds": 0.0}, "seconds is 0, expected 0.1 to 1e+09"),
        ({"connections": 41}, "connections is 41, expected 1 to 40"),
        ({"qos": 2}, "qos is 2, expected 0 to 1"),
        ({"window": 40_000}, "window is 40000, expected 1 to 32768"),
    ],
)
def test_options_that_cannot_be_are_named(keys: dict[str, Any], line: str) -> None:
    with pytest.raises(LoadError) as caught:
        options_for(BrokerAddress(host="localhost", port=1883), **keys)
    assert str(caught.value) == line
