"""The gateway daemon: started in the order of the flow, ended against it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from gateway.adapters.health_http import HealthServer
from gateway.supervisor import Supervisor
from gateway.worker import Worker
from ingest.adapters.influx_sink import InfluxSink
from ingest.adapters.mqtt_link import MqttLink
from ingest.adapters.mqtt_source import MqttSource
from ingest.adapters.nats_broker import NatsBroker
from ingest.adapters.spool import Spool
from ingest.adapters.spool_writer import SpoolWriter

log = structlog.get_logger()

_DRAIN_S = 10.0


class Gateway:
    """All parts of a gateway; `run` blocks until a signal or a failure."""

    def __init__(
        self,
        *,
        spool: Spool,
        broker: NatsBroker | None,
        source: MqttSource,
        writer: SpoolWriter,
        link: MqttLink,
        workers: Sequence[Worker],
        sink: InfluxSink | None,
        http: HealthServer,
        announce_broker: Callable[[str], None],
        prepare: Callable[[], None],
        description: str,
    ) -> None:
        """announce_broker: called with the address once the embedded broker answers; prepare: what takes a moment and
        has to be over before the first message is fetched."""
        self._spool = spool
        self._broker = broker
        self._source = source
        self._writer = writer
        self._link = link
        self._workers = workers
        self._sink = sink
        self._http = http
        self._announce_broker = announce_broker
        self._prepare = prepare
        self._description = description

    def run(self, supervisor: Supervisor) -> str | None:
        """Work until the end; returns None after a signal, else one line of what failed."""
        try:
            self._start()
            log.info("gateway_up", site=self._description, health=self._http.address)
            return supervisor.wait()
        finally:
            self._stop()

    def _start(self) -> None:
        self._http.start()
        self._prepare()
        if self._broker is not None:
            self._announce_broker(str(self._broker.url))
        self._link.start()
        self._writer.start()
        for worker in self._workers:
            worker.start()
        if self._sink is not None:
            self._sink.start()
        self._source.start()

    def _stop(self) -> None:
        self._source.stop_intake()
        self._writer.join(_DRAIN_S)
        self._source.close()
        for worker in self._workers:
            worker.stop()
        if self._sink is not None:
            self._sink.close()
        self._link.close()
        self._http.stop()
        self._spool.close()
        if self._broker is not None:
            self._broker.stop()
        log.info("gateway_down")
