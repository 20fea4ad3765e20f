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
        except Exception as error:
            log.error("incident_intake_failed", error=f"{type(error).__name__}: {error}", exc_info=error)
            self._on_failure("incidents", error)

    def _handle(self, message: InboundMessage) -> bool:
        """Take one incident in, however long the database is away; False when stopped before that."""
        if not message.payload:
            return True  # a cleared incident: the broker was told to forget its opening
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
        housekeeping: Worker,
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
        self._housekeeping = housekeeping
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
        self._housekeeping.start()
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
        self._housekeeping.stop()
        for outbox in self._outboxes:
            outbox.stop()
        self._source.close()
        self._link.close()
        self._engine.dispose()
        log.info("centre_down")
