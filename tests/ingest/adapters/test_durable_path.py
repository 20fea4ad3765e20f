"""What was acknowledged to a sender is in the spool once, whenever the gateway is killed."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ingest.adapters.mqtt_link import MqttLink, OutgoingMessage
from ingest.config import SpoolSettings

TOPIC = "s721/v1/demo/sensors/a"

# A gateway's intake as a process of its own. With "freeze" it freezes between its first commit and the ack.
GATEWAY = """
import sys, time
from pathlib import Path
from ingest.adapters.inbox import Inbox
from ingest.adapters.mqtt_source import MqttSource
from ingest.adapters.spool import Spool
from ingest.adapters.spool_writer import SpoolWriter
from ingest.broker_url import BrokerUrl
from ingest.config import MqttSettings, SpoolSettings
from ingest.topics import subscription_filters, topic_classifier

class Frozen:
    up_since_s = None
    def acknowledge(self, messages):
        print("COMMITTED", len(messages), flush=True)
        time.sleep(600)

settings = SpoolSettings(file=Path(sys.argv[2]))
inbox = Inbox(max_messages=20_000, max_bytes=10**8)
source = MqttSource(
    MqttSettings(url=BrokerUrl.parse(sys.argv[1]), client_id="gateway-demo"),
    filters=subscription_filters("s721/v1", "demo"), inbox=inbox, classify=topic_classifier("s721/v1"))
writer = SpoolWriter(settings, inbox=inbox, spool=Spool(settings),
    source=Frozen() if sys.argv[3] == "freeze" else source, wake={})
writer.start()
source.start()
print("STARTED", flush=True)
time.sleep(600)
"""


@pytest.fixture
def start_gateway(spool_settings: SpoolSettings) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def start(broker: Any, mode: str = "run") -> subprocess.Popen[str]:
        command = [sys.executable, "-c", GATEWAY, str(broker.url), str(spool_settings.file), mode]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        read_until(running[-1], "STARTED")
        return running[-1]

    yield start
    for process in running:
        kill(process)


def read_until(process: subprocess.Popen[str], word: str) -> str:
    assert process.stdout is not None
    return next(line for line in process.stdout if line.startswith(word))


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


@pytest.fixture
def registered(
    broker: Any,
    make_intake: Callable[..., Any],
    wait_until: Callable[..., None],
    wait_subscribed: Callable[..., None],
) -> Any:
    """A broker that keeps messages for the gateway while it is away."""
    intake = make_intake(broker.url)
    link = MqttLink(broker.url, client_id="probe")
    link.start()
    intake.start()
    wait_subscribed(link, intake.source)
    wait_until(lambda: intake.source.received == intake.writer.stats.acknowledged)
    intake.stop()
    link.close()
    return broker


def stored(spool: Any) -> list[int]:
    pending = spool.pending("readings", limit=100_000)
    return [int(message.payload) for message in pending if message.payload != b"probe"]


def test_killed_between_commit_and_acknowledgement_is_redelivered_and_stored_once(
    registered: Any,
    start_gateway: Callable[..., subprocess.Popen[str]],
    make_intake: Callable[..., Any],
    wait_until: Callable[..., None],
) -> None:
    link = MqttLink(registered.url, client_id="sender")
    link.start()
    gateway = start_gateway(registered, "freeze")
    link.publish_many(OutgoingMessage(TOPIC, b"%d" % n) for n in range(100))
    committed = int(read_until(gateway, "COMMITTED").split()[1])
    kill(gateway)
    intake = make_intake(registered.url)
    intake.start()
    wait_until(lambda: intake.writer.stats.duplicate + intake.writer.stats.stored >= 100)
    assert 1 <= committed <= 100
    assert intake.writer.stats.duplicate >= committed
    assert sorted(stored(intake.spool)) == list(range(100))
    link.close()


def test_killed_again_and_again_under_load_keeps_every_acknowledged_message_once(
    registered: Any,
    start_gateway: Callable[..., subprocess.Popen[str]],
    make_intake: Callable[..., Any],
    wait_until: Callable[..., None],
) -> None:
    link = MqttLink(registered.url, client_id="sender")
    link.start()
    kills_at = sorted(random.Random(721).sample(range(500, 5500), 4))
    gateway = start_gateway(registered)

    def messages() -> Iterator[OutgoingMessage]:
        nonlocal gateway
        for n in range(6000):
            if n in kills_at:
                kill(gateway)
                gateway = start_gateway(registered)
            yield OutgoingMessage(TOPIC, b"%d" % n)

    assert link.publish_many(messages()) == 6000
    kill(gateway)
    intake = make_intake(registered.url)
    intake.start()
    wait_until(lambda: len(stored(intake.spool)) >= 6000, 60)
    assert sorted(stored(intake.spool)) == list(range(6000))
    link.close()
