"""The durable subscription: what the broker delivers goes to the inbox, acknowledgements go back.

The broker keeps a message until it is acknowledged, and it is acknowledged after the spool's commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

import structlog
from paho.mqtt.client import MQTTMessage

from ingest.adapters.inbox import InboundMessage, Inbox
from ingest.adapters.mqtt_connection import Backoff, MqttConnection
from ingest.config import MqttSettings
from ingest.reasons import Reason
from ingest.topics import MessageKind

_log = structlog.get_logger(__name__)

_SUBSCRIPTION_REFUSED = 0x80


class MqttSource:
    """Receives for one durable session and acknowledges on request.

    classify:   who wants a topic; None for nobody
    on_subscribed: called from the network thread each time that the broker has taken every subscription
    on_failure: called once from the network thread when it has ended by itself; `failure` then says why
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        filters: Sequence[str],
        inbox: Inbox,
        classify: Callable[[str], MessageKind | None],
        on_subscribed: Callable[[], None] = lambda: None,
        on_failure: Callable[[], None] = lambda: None,
        backoff: Backoff | None = None,
    ) -> None:
        self._filters = tuple(filters)
        self._inbox = inbox
        self._classify = classify
        self._on_subscribed = on_subscribed
        self._on_failure = on_failure
        self._max_message_bytes = settings.max_message_bytes
        self._epoch = 0
        self._epoch_lock = threading.Lock()
        self._had_session = False
        self._received = 0
        self._acknowledged = 0
        self._sessions_lost = 0
        self._connection = MqttConnection(
            settings.url,
            client_id=settings.client_id,
            clean_session=False,
            manual_ack=True,
            tls=settings.tls,
            keepalive_s=settings.keepalive_s,
            backoff=backoff or Backoff(),
            before_connect=self._next_epoch,
            on_up=self._subscribe,
            on_message=self._enqueue,
            on_failure=self._failed,
        )
        self._connection.client.on_subscribe = self._subscribed

    @property
    def failure(self) -> BaseException | None:
        """What ended the network thread, if it was not `close`; nothing is received any more."""
        return self._connection.failure

    @property
    def problem(self) -> str | None:
        """Why there is no connection, as a short constant; None while there is one."""
        return self._connection.problem

    @property
    def is_up(self) -> bool:
        """True while the broker is connected."""
        return self._connection.is_up

    @property
    def up_since_s(self) -> float | None:
        """When the connection in use came up, in `time.monotonic` seconds; None while there is none."""
        return self._connection.up_since_s

    @property
    def epoch(self) -> int:
        """The number of the current connection attempt."""
        return self._epoch

    @property
    def received(self) -> int:
        """Messages delivered to us, redeliveries included."""
        return self._received

    @property
    def acknowledged(self) -> int:
        """Acknowledgements sent."""
        return self._acknowledged

    @property
    def sessions_lost(self) -> int:
        """How often the broker came back without our session: it may have lost messages."""
        return self._sessions_lost

    def start(self) -> None:
        """Begin connecting; returns at once, whether the broker is there or not."""
        self._connection.start()

    def wait_up(self, timeout_s: float) -> bool:
        """Wait for a connection; False after the timeout."""
        return self._connection.wait_up(timeout_s)

    def stop_intake(self) -> None:
        """Take nothing more; the broker keeps what is not taken. Acknowledging still works."""
        self._inbox.close()

    def close(self) -> None:
        """Stop the intake, send the queued acknowledgements, leave the broker (the session stays there)."""
        self._inbox.close()
        self._connection.close()

    def acknowledge(self, messages: Iterable[InboundMessage]) -> int:
        """Acknowledge messages in the order given; return how many were still of the current connection.

        A message id means another message on the next connection: those of earlier ones are left out,
        the broker delivers them again.
        """
        sent = 0
        with self._epoch_lock:
            for message in messages:
                if message.qos > 0 and message.epoch == self._epoch:
                    self._connection.client.ack(message.mid, message.qos)
                    sent += 1
            self._acknowledged += sent
        return sent

    def _next_epoch(self) -> None:
        # Before the attempt, not after: paho drops what is queued when it reconnects, and with the lock
        # no acknowledgement of the old connection can be queued from here on.
        with self._epoch_lock:
            self._epoch += 1

    def _subscribe(self, session_present: bool) -> None:
        if self._had_session and not session_present:
            self._sessions_lost += 1
            _log.warning("mqtt_session_lost", broker=str(self._connection.url), times=self._sessions_lost)
        self._had_session = True
        self._connection.client.subscribe([(topic_filter, 1) for topic_filter in self._filters])

    def _subscribed(self, _client: object, _userdata: object, _mid: int, codes: Sequence[object], _: object) -> None:
        refused = [
            topic_filter
            for topic_filter, code in zip(self._filters, codes, strict=False)
            if getattr(code, "value", 0) >= _SUBSCRIPTION_REFUSED
        ]
        if not refused:
            self._on_subscribed()
        for topic_filter in refused:
            _log.error(
                "mqtt_subscription_refused",
                broker=str(self._connection.url),
                filter=topic_filter,
                remedy="allow this user to read the filter at the broker",
            )

    def _enqueue(self, message: MQTTMessage) -> None:
        topic, fault = _topic_of(message)
        kind = None if fault else self._classify(topic)
        if len(message.payload) > self._max_message_bytes:
            kind, fault = None, Reason.TOO_LARGE
        elif kind is None and fault is None:
            fault = Reason.UNKNOWN_TOPIC
        self._received += 1
        self._inbox.put(
            InboundMessage(
                epoch=self._epoch,
                mid=message.mid,
                qos=message.qos,
                received_at=datetime.now(UTC),
                topic=topic,
                payload=bytes(message.payload),
                dup=message.dup,
                retain=message.retain,
                kind=kind,
                fault=fault,
            )
        )

    def _failed(self) -> None:
        self._inbox.close()
        self._on_failure()


def _topic_of(message: MQTTMessage) -> tuple[str, Reason | None]:
    try:
        return message.topic, None
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "backslashreplace"), Reason.INVALID_TOPIC
