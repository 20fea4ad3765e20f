"""What a gateway says of itself: JSON for people and programs, text for Prometheus."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from gateway.adapters.state_store import count_outgoing
from gateway.camera_watch import CameraWatch
from ingest.adapters.influx_sink import InfluxSink
from ingest.adapters.mqtt_source import MqttSource
from ingest.adapters.spool import CONSUMERS, Spool


class GatewayHealth(Collector):
    """Reads durable totals and backlogs from the spool at each call; keeps nothing itself."""

    def __init__(
        self, *, spool: Spool, source: MqttSource, sink: InfluxSink | None, detector: str, watch: CameraWatch
    ) -> None:
        self._spool = spool
        self._source = source
        self._sink = sink
        self._detector = detector
        self._watch = watch
        self._registry = CollectorRegistry()
        self._registry.register(self)

    @property
    def is_ready(self) -> bool:
        """Whether messages can come in. A sink that is away does not count: the spool is there for that."""
        return self._source.is_up

    def as_json(self) -> dict[str, Any]:
        """Every figure, and what is wrong, if anything."""
        return {
            "status": "ok" if self.is_ready else "degraded",
            "broker": "up" if self._source.is_up else self._source.problem,
            "sink": self._sink_state(),
            "detector": self._detector,
            "backlog": self._backlogs(),
            "counts": self._spool.counters(),
            "cameras": self._watch.as_json(),
        }

    def as_prometheus(self) -> bytes:
        """The same as metrics."""
        return generate_latest(self._registry)

    def collect(self) -> list[Metric]:
        """Metrics of this moment."""
        totals = CounterMetricFamily(
            "street721_gateway", "Durable totals of the gateway by what happened", labels=["what"]
        )
        for name, value in self._spool.counters().items():
            totals.add_metric([name], value)
        backlog = GaugeMetricFamily("street721_gateway_backlog", "Messages that wait, by consumer", labels=["consumer"])
        for consumer, waiting in self._backlogs().items():
            backlog.add_metric([consumer], waiting)
        up = GaugeMetricFamily("street721_gateway_broker_up", "1 while the broker is connected")
        up.add_metric([], float(self._source.is_up))
        lost = CounterMetricFamily("street721_gateway_sessions_lost", "Times that the broker had forgotten our session")
        lost.add_metric([], self._source.sessions_lost)
        return [totals, backlog, up, lost, *self._camera_metrics()]

    def _camera_metrics(self) -> list[Metric]:
        states = GaugeMetricFamily(
            "street721_gateway_camera", "1 for the state that a camera is in", labels=["camera", "state"]
        )
        frames = CounterMetricFamily(
            "street721_gateway_camera_frames", "Frames looked at since the start", labels=["camera"]
        )
        for camera_id, facts in self._watch.as_json().items():
            states.add_metric([camera_id, str(facts["state"])], 1.0)
            frames.add_metric([camera_id], facts["frames"])
        return [states, frames]

    def _backlogs(self) -> dict[str, int]:
        waiting = {consumer: self._spool.backlog(consumer) for consumer in CONSUMERS}
        return waiting | {"incidents": count_outgoing(self._spool)}

    def _sink_state(self) -> str:
        if self._sink is None:
            return "off"
        return "up" if self._sink.is_up else "down"
