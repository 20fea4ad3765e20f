"""The whole product on one machine: broker, centre, gateway and simulator as children of one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.adapters.nats_broker import EmbeddedBroker

from gateway.adapters.children import Children
from gateway.adapters.local_http import free_port, get_json, require_free_port
from gateway.errors import StartError
from ingest.config import EmbeddedBrokerSettings

_START_LIMIT_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """folder: where spool, orders, broker and logs go; broker_url: an own broker, None for the embedded one."""

    folder: Path
    port: int
    site: str
    broker_url: str | None


class DemoSite:
    """`start`, look at `orders` and `counts` as often as wanted, `stop`."""

    def __init__(self, options: DemoOptions) -> None:
        self._options = options
        self._children = Children(options.folder)
        self._broker: EmbeddedBroker | None = None
        self._gateway_url = ""
        self.page_url = f"http://127.0.0.1:{options.port}/"

    def start(self, say: Callable[[str], None]) -> None:
        """Bring everything up in order; `say` gets one line per step. Raises StartError."""
        require_free_port("127.0.0.1", self._options.port, option="--port")
        say("broker")
        broker_url = self._options.broker_url or self._start_broker()
        gateway_port = free_port()
        self._gateway_url = f"http://127.0.0.1:{gateway_port}/"
        shared = ["--broker", broker_url, "--data-dir", str(self._options.folder), "--site", self._options.site]
        say("centre")
        self._children.start("centre", ["centre", *shared, "--port", str(self._options.port)])
        self._wait_for(self.page_url + "ready")
        say("gateway")
        self._children.start("gateway", ["gateway", *shared, "--port", str(gateway_port)])
        self._wait_for(self._gateway_url + "ready")
        say("simulator")
        self._children.start("sim", ["sim", "--broker", broker_url, "--site", self._options.site])

    def orders(self) -> list[dict[str, Any]]:
        """The newest orders first, as the API gives them."""
        answer = get_json(self.page_url + "api/orders?limit=200")
        return [] if answer is None else list(answer["orders"])

    def counts(self) -> dict[str, int]:
        """The gateway's durable totals by name."""
        answer = get_json(self._gateway_url + "health")
        return {} if answer is None else dict(answer["counts"])

    def check(self) -> None:
        """Raise StartError if a part has ended by itself."""
        self._children.check()

    def stop(self) -> None:
        """End every child and the broker; safe to call more than once."""
        self._children.stop()
        if self._broker is not None:
            self._broker.stop()
            self._broker = None

    def _start_broker(self) -> str:
        self._broker = EmbeddedBroker(EmbeddedBrokerSettings(folder=self._options.folder / "broker"))
        return str(self._broker.start())

    def _wait_for(self, url: str) -> None:
        deadline = time.monotonic() + _START_LIMIT_S
        while get_json(url, timeout_s=1.0) is None:
            self._children.check()
            if time.monotonic() > deadline:
                raise StartError(f"nothing answers at {url} after {_START_LIMIT_S:g} s; logs: {self._options.folder}")
            time.sleep(0.2)


def summarise(orders: list[dict[str, Any]], counts: dict[str, int]) -> dict[str, Any]:
    """The demo's result as one JSON object.

    latency_s: from the moment at which the rule's limit was reached (event time of the frame or reading that
    reached it) to the moment at which the order could be seen
    """
    return {
        "orders": [
            {
                "case_no": order["case_no"],
                "kind": order["kind"],
                "cell": order["cell"],
                "state": order["state"],
                "latency_s": latency_s(order),
            }
            for order in reversed(orders)
        ],
        "frames": counts.get("frames_inferred", 0),
        "readings": counts.get("readings_stored", 0),
        "dead_letters": counts.get("dead_letters", 0),
    }


def latency_s(order: dict[str, Any]) -> float | None:
    """Seconds from the incident's event to the visible order, None where a time is missing."""
    with suppress(KeyError, TypeError, ValueError):
        seen = datetime.fromisoformat(order["filed_at"]) - datetime.fromisoformat(order["opened_at"])
        return round(seen.total_seconds(), 3)
    return None
