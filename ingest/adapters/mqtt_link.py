"""A publisher that knows what the broker has acknowledged, over a connection that comes back by itself."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from paho.mqtt.client import MQTTMessageInfo, error_string
from paho.mqtt.enums import MQTTErrorCode

from ingest.adapters.mqtt_connection import Backoff, MqttConnection, Will
from ingest.broker_url import BrokerUrl, TlsFiles
from ingest.errors import LinkError

__all__ = ["Backoff", "Listener", "MqttLink", "OutgoingMessage", "Will"]

_NO_TLS = TlsFiles()


class OutgoingMessage(NamedTuple):
    """One message to publish with QoS 1."""

    topic: str
    payload: bytes
    retain: bool = False


class Listener(NamedTuple):
    """One topic that a link hears beside publishing; on_payload is called from the network thread."""

    topic_filter: str
    on_payload: Callable[[bytes], None]


class MqttLink:
    """Publishes with QoS 1 and knows what the broker has acknowledged.

    At least once: what an error reports as unacknowledged may still arrive.
    """

    def __init__(
        self,
        url: BrokerUrl,
        *,
        client_id: str,
        tls: TlsFiles = _NO_TLS,
        will: Will | None = None,
        keepalive_s: int = 60,
        window: int = 1000,
        backoff: Backoff | None = None,
        listener: Listener | None = None,
    ) -> None:
        """window: messages that may wait for their PUBACK at a time, 1 to 65535."""
        self._listener = listener
        self._connection = MqttConnection(
            url,
            client_id=client_id,
            tls=tls,
            will=will,
            keepalive_s=keepalive_s,
            max_in_flight=window,
            backoff=backoff or Backoff(),
            on_up=self._listen,
            on_message=None if listener is None else lambda message: listener.on_payload(bytes(message.payload)),
        )
        self._window = window
        self._lock = threading.RLock()
        self._count_lock = threading.Lock()
        self._in_flight: deque[MQTTMessageInfo] = deque()
        self._acknowledged = 0

    @property
    def is_up(self) -> bool:
        """True while the broker is connected."""
        return self._connection.is_up

    @property
    def problem(self) -> str | None:
        """Why there is no connection, as a short constant; None while there is one."""
        return self._connection.problem

    @property
    def failure(self) -> BaseException | None:
        """What ended the network thread, if it was not `close`."""
        return self._connection.failure

    @property
    def acknowledged(self) -> int:
        """How many messages the broker is known to have acknowledged."""
        return self._acknowledged

    def start(self) -> None:
        """Begin connecting; returns at once, whether the broker is there or not."""
        self._connection.start()

    def wait_up(self, timeout_s: float) -> bool:
        """Wait for a connection; False after the timeout."""
        return self._connection.wait_up(timeout_s)

    def publish(
        self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False, timeout_s: float = 30.0
    ) -> None:
        """Publish one message and wait for its PUBACK; LinkError after the timeout.

        With QoS 0 it returns when the message is on its way.
        """
        until_s = time.monotonic() + timeout_s
        info = self._send(OutgoingMessage(topic, payload, retain), qos, until_s)
        self._await(info, until_s)
        self._count_one()

    def submit(self, message: OutgoingMessage, *, timeout_s: float = 30.0) -> None:
        """Publish one message; waits only while the window is full. LinkError after the timeout."""
        until_s = time.monotonic() + timeout_s
        with self._lock:
            while len(self._in_flight) >= self._window:
                self._retire_oldest(until_s)
            self._in_flight.append(self._send(message, 1, until_s))

    def flush(self, *, timeout_s: float = 30.0) -> None:
        """Wait until everything submitted is acknowledged; LinkError after the timeout."""
        until_s = time.monotonic() + timeout_s
        with self._lock:
            while self._in_flight:
                self._retire_oldest(until_s)

    def publish_many(self, messages: Iterable[OutgoingMessage], *, timeout_s: float = 30.0) -> int:
        """Publish messages with a full window in flight; return how many, all acknowledged.

        timeout_s: longest wait for the next acknowledgement; LinkError after it
        """
        count = 0
        for message in messages:
            self.submit(message, timeout_s=timeout_s)
            count += 1
        self.flush(timeout_s=timeout_s)
        return count

    def close(self) -> None:
        """Say goodbye to the broker; what is not acknowledged by then may be lost."""
        self._connection.close()

    def _listen(self, _session_present: bool) -> None:
        if self._listener is not None:
            self._connection.client.subscribe(self._listener.topic_filter, 1)

    def _send(self, message: OutgoingMessage, qos: int, until_s: float) -> MQTTMessageInfo:
        if not self._connection.wait_up(max(0.0, until_s - time.monotonic())):
            raise self._error(f"not connected ({self.problem or 'closed'})")
        info = self._connection.client.publish(message.topic, message.payload, qos, message.retain)
        if info.rc == MQTTErrorCode.MQTT_ERR_NO_CONN and qos > 0:
            # Lost between the check and the call: paho keeps the message and sends it after reconnecting.
            info.rc = MQTTErrorCode.MQTT_ERR_SUCCESS
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise self._error(f"{message.topic}: {error_string(info.rc)}")
        return info

    def _retire_oldest(self, until_s: float) -> None:
        self._await(self._in_flight[0], until_s)
        self._in_flight.popleft()
        self._count_one()

    def _count_one(self) -> None:
        with self._count_lock:
            self._acknowledged += 1

    def _await(self, info: MQTTMessageInfo, until_s: float) -> None:
        info.wait_for_publish(max(0.001, until_s - time.monotonic()))
        if not info.is_published():
            raise self._error(f"no acknowledgement of message {info.mid} in time ({self.problem or 'connected'})")

    def _error(self, problem: str) -> LinkError:
        return LinkError(str(self._connection.url), problem)
