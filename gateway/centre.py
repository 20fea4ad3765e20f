"""The centre daemon: incidents come in over MQTT, orders go out over HTTP and every feed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import structlog
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Engine

from dispatcher.adapters.event_hub import EventHub
from dispatcher.adapters.http_server import CentreServer
from dispatcher.adapters.outbox import Outbox
from dispatcher.errors import StoreUnavailableError
from dispatcher.intake import IncidentIntake
from dispatcher.messages import Result
from gateway.supervisor import Supervisor
from gateway.worker import Worker
from ingest.adapters.inbox import InboundMessage, Inbox
from ingest.adapters.mqtt_link import MqttLink
from ingest.adapters.mqtt_source import MqttSource
from ingest.errors import LinkError

log = structlog.get_logger()

_BATCH = 50
_WINDOW_S = 0.01
_RETRY_S = 2.0


class IncidentConsumer:
    """The thread between inbox and intake: one incident at a time, acknowledged after its transaction."""

    def __init__(
        self,
        inbox: Inbox,
        source: MqttSource,
        intake: IncidentIntake,
        *,
        on_failure: Callable[[str, BaseException], None],
    ) -> None:
        self._inbox = inbox
        self._source = source
        self._intake = intake
        self._on_failure = on_failure
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="incidents", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after the incident in hand; the broker keeps what is not acknowledged."""
        self._stopping.set()
        self._inbox.close()
        if self._thread.is_alive():
            self._thread.join(10)

    def _run(self) -> None:
        try:
            while messages := self._inbox.take(max_messages=_BATCH, window_s=_WINDOW_S):
                for message in messages:
                    if not self._handle(message):
                        return
                    self._source.acknowledge([message])
        except Exception as error:  # the top of a daemon thread: the owner decides what ends
            log.error("incident_intake_failed", error=f"{type(error).__name__}: {error}", exc_info=error)
            self._on_failure("incidents", error)

    def _handle(self, message: InboundMessage) -> bool:
        """Take one incident in, however long the database is away; False when stopped before that."""
        is_down = False
        while True:
            try:
                outcome = self._intake.handle(message.payload, message.received_at)
            except StoreUnavailableError as error:
                if not is_down:
                    log.warning("orders_down", reason=str(error))
                is_down = True
                if self._stopping.wait(_RETRY_S):
                    return False
                continue
            if is_down:
                log.info("orders_up")
            if outcome.result == Result.DEAD_LETTER:
                log.warning("dead_letter", topic=message.topic, detail=outcome.detail)
            elif outcome.result == Result.FILED:
                log.info("order_opened", case_no=outcome.case_no, latency_s=outcome.latency_s)
            return True


class Presence:
    """Says on a retained topic which centre listens, each time that the broker has taken its subscription."""

    def __init__(self, link: MqttLink, topic: str, centre_id: str, wake: threading.Event) -> None:
        self._link = link
        self._topic = topic
        self._centre_id = centre_id
        self._wake = wake
        self._is_due = False

    def subscribed(self) -> None:
        """The subscription stands; called from the network thread."""
        self._is_due = True
        self._wake.set()

    def step(self) -> bool:
        """Say it where it is due; tried again later while the broker is away."""
        if self._is_due:
            self._is_due = False
            try:
                self._link.publish(self._topic, self._centre_id.encode(), retain=True)
            except LinkError:
                self._is_due = True
        return False


class Centre:
    """All parts of the centre; `run` blocks until a signal or a failure."""

    def __init__(
        self,
        *,
        engine: Engine,
        source: MqttSource,
        link: MqttLink,
        consumer: IncidentConsumer,
        outboxes: Sequence[Outbox],
        workers: Sequence[Worker],
        app: FastAPI,
        hub: EventHub,
        host: str,
        port: int,
    ) -> None:
        self._engine = engine
        self._source = source
        self._link = link
        self._consumer = consumer
        self._outboxes = outboxes
        self._workers = workers
        config = uvicorn.Config(app, host=host, port=port, log_level="warning", timeout_graceful_shutdown=5)
        self._server = CentreServer(config, hub)
        self._address = f"http://{host}:{port}/"

    def run(self, supervisor: Supervisor) -> str | None:
        """Serve until the end; returns None after a signal, else one line of what failed."""
        self._link.start()
        self._consumer.start()
        self._source.start()
        for outbox in self._outboxes:
            outbox.start()
        for worker in self._workers:
            worker.start()
        watcher = threading.Thread(target=self._stop_on_failure, args=(supervisor,), daemon=True)
        watcher.start()
        log.info("centre_up", page=self._address, at=datetime.now(UTC).isoformat(timespec="seconds"))
        try:
            self._server.run()  # takes SIGTERM and Ctrl-C itself, and hands them on to the supervisor's handlers
        finally:
            self._stop()
        return supervisor.failure

    def _stop_on_failure(self, supervisor: Supervisor) -> None:
        if supervisor.wait() is not None:
            self._server.should_exit = True

    def _stop(self) -> None:
        self._consumer.stop()
        for worker in self._workers:
            worker.stop()
        for outbox in self._outboxes:
            outbox.stop()
        self._source.close()
        self._link.close()
        self._engine.dispose()
        log.info("centre_down")
