"""Hot path: the load generator. What it costs a message, the broker and the gateway beside it do not get.

Reference: paho publishing at the same rate over as many connections to the same broker, QoS 1 and 2000 messages in
flight. It sends one ready-made message again and again, while the generator words every message anew.
"""

from __future__ import annotations

import tempfile
import threading
import time
from pathlib import Path

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bench.pairs import report
from ingest.adapters.nats_broker import NatsBroker
from ingest.broker_url import BrokerUrl
from ingest.config import EmbeddedBrokerSettings
from sim.adapters.load import TICK_S, BrokerAddress, LoadOptions, run_load

_RATE = 5000
_SECONDS = 4.0
_MESSAGES = int(_RATE * _SECONDS)
_CONNECTIONS = 8
_IN_FLIGHT = 2000
_ROUNDS = 5
_REFERENCE = "paho"
_TOPIC = "s721/v1/demo/sensors/load-00001"
_BODY = b'{"ts":"2026-11-22T08:00:00.000+00:00","values":{"level":42.5}}'


def main() -> None:
    """Print messages per second of the process's own CPU time, for both."""
    with tempfile.TemporaryDirectory(prefix="street721-bench-") as folder:
        broker = NatsBroker(EmbeddedBrokerSettings(folder=Path(folder)))
        broker.start()
        try:
            ways = {_REFERENCE: _paho_cpu_s, "street721": _generator_cpu_s}
            cpu_s: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(_ROUNDS):
                for name, way in ways.items():
                    cpu_s[name].append(way(broker.url))
        finally:
            broker.stop()
    print(f"{_RATE} messages/s over {_CONNECTIONS} connections; per second of the sender's CPU time:")
    report(cpu_s, per_call=_MESSAGES, unit="messages", reference=_REFERENCE)


def _generator_cpu_s(url: BrokerUrl) -> float:
    options = LoadOptions(
        broker=BrokerAddress(host=url.host, port=url.port),
        topic_root="s721/v1",
        site="demo",
        rate=_RATE,
        seconds=_SECONDS,
        connections=_CONNECTIONS,
        window=_IN_FLIGHT,
    )
    result = run_load(options, threading.Event())
    assert result.acknowledged >= _MESSAGES - _CONNECTIONS, result
    return result.cpu_s


def _paho_cpu_s(url: BrokerUrl) -> float:
    clients = [_connected(url) for _ in range(_CONNECTIONS)]
    began_cpu_s, began_s, sent = time.process_time(), time.monotonic(), 0
    waiting = []
    while sent < _MESSAGES:
        due = min(_MESSAGES, int((time.monotonic() - began_s) * _RATE))
        waiting += [clients[number % _CONNECTIONS].publish(_TOPIC, _BODY, 1) for number in range(sent, due)]
        sent = due
        time.sleep(TICK_S)
    for info in waiting:
        info.wait_for_publish(30)
    cpu_s = time.process_time() - began_cpu_s
    for client in clients:
        client.disconnect()
        client.loop_stop()
    return cpu_s


def _connected(url: BrokerUrl) -> Client:
    client = Client(CallbackAPIVersion.VERSION2)
    client.max_inflight_messages = _IN_FLIGHT
    client.connect(url.host, url.port)
    client.loop_start()
    until_s = time.monotonic() + 10
    while not client.is_connected():
        assert time.monotonic() < until_s, "paho does not connect"
        time.sleep(0.01)
    return client
