"""The centre's figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from dispatcher.adapters.queries import OrderQueries
from dispatcher.messages import Outcome, Result

_LATENCY_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 13, 30, 60, 120, 300)


class CentreMetrics:
    """Counts of the intake, the feeds and the streams, and the standing of the orders at each scrape."""

    def __init__(self, queries: OrderQueries) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_OrderCollector(queries))
        self._intake = Counter(
            "street721_intake",
            "Incident events by what became of them",
            ["result"],
            registry=self._registry,
        )
        self._latency = Histogram(
            "street721_order_latency_seconds",
            "From the frame or reading that opened an incident to its acceptance by the centre",
            buckets=_LATENCY_BUCKETS_S,
            registry=self._registry,
        )
        self._deliveries = Counter(
            "street721_feed_deliveries",
            "Events by feed, and whether the transport took them",
            ["feed", "delivered"],
            registry=self._registry,
        )
        self.stream_clients = Gauge("street721_stream_clients", "Open event streams", registry=self._registry)
        for result in Result:
            self._intake.labels(result=result.value)

    def count(self, outcome: Outcome) -> None:
        """Count one outcome of the intake, and its latency where it has one."""
        self._intake.labels(result=outcome.result.value).inc()
        if outcome.latency_s is not None:
            self._latency.observe(outcome.latency_s)

    def count_delivery(self, feed: str, *, delivered: bool) -> None:
        """Count one event that a feed's transport did or did not take."""
        self._deliveries.labels(feed=feed, delivered=str(delivered).lower()).inc()

    def render(self) -> bytes:
        """Return the text form; raises StoreUnavailableError."""
        return generate_latest(self._registry)


class _OrderCollector(Collector):
    """Reads the standing of the orders at the moment of the scrape."""

    def __init__(self, queries: OrderQueries) -> None:
        self._queries = queries

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing ahead of time, so that registering asks no database."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield orders by kind and state, the newest event number and the dead letters."""
        orders = GaugeMetricFamily("street721_orders", "Work orders", labels=["kind", "state"])
        for (kind, state), count in sorted(self._queries.counts().items()):
            orders.add_metric([kind.value, state.value], count)
        yield orders
        yield GaugeMetricFamily(
            "street721_events_seq", "Number of the newest order event", value=self._queries.last_seq()
        )
        yield GaugeMetricFamily(
            "street721_dead_letters", "Messages kept unused", value=self._queries.dead_letter_count()
        )
