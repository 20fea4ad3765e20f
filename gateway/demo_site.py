"""The whole product on one machine: broker, centre, gateway and simulator as children of one process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gateway.adapters.children import Children
from gateway.adapters.local_http import free_port, get_json, require_free_port
from gateway.errors import StartError
from ingest.adapters.nats_broker import NatsBroker
from ingest.config import EmbeddedBrokerSettings
from sim.devices.faults import GatewayKill, ProcessFault

_START_LIMIT_S = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """folder: where spool, orders, broker and logs go; broker_url: an own broker, None for the embedded one."""

    folder: Path
    port: int
    site: str
    broker_url: str | None


class DemoSite:
    """`start`, look at `orders` and `counts` as often as wanted, call `tend` between, `stop`.

    faults: what the scenario does to processes; their seconds count from the first stored reading
    """

    def __init__(self, options: DemoOptions, faults: Sequence[ProcessFault] = ()) -> None:
        self._options = options
        self._children = Children(options.folder)
        self._broker: NatsBroker | None = None
        self._broker_port = 0
        self._gateway_url = ""
        self._gateway_command: list[str] = []
        self._lived_from: float | None = None
        self._troubles = deque(sorted(self._planned(faults), key=lambda trouble: trouble.at_s))
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
        self._gateway_command = ["gateway", *shared, "--port", str(gateway_port)]
        self._children.start("gateway", self._gateway_command)
        self._wait_for(self._gateway_url + "ready")
        say("simulator")
        self._children.start("sim", ["sim", "run", self._options.site, "--broker", broker_url])

    def orders(self) -> list[dict[str, Any]]:
        """The newest orders first, as the API gives them."""
        answer = get_json(self.page_url + "api/orders?limit=200")
        return [] if answer is None else list(answer["orders"])

    def counts(self) -> dict[str, int]:
        """The gateway's durable totals by name."""
        answer = get_json(self._gateway_url + "health")
        counts: dict[str, int] = {} if answer is None else dict(answer["counts"])
        if self._lived_from is None and counts.get("readings_stored", 0):
            self._lived_from = time.monotonic()
        return counts

    def tend(self) -> list[str]:
        """Do to the processes what the scenario's faults ask for now; returns a line for each.

        Raises StartError if a part has ended by itself.
        """
        self._children.check()
        said = []
        while self._lived_from is not None and self._troubles:
            if self._troubles[0].at_s > time.monotonic() - self._lived_from:
                break
            trouble = self._troubles.popleft()
            trouble.act()
            said.append(f"fault    {trouble.says}")
        return said

    def _planned(self, faults: Sequence[ProcessFault]) -> Iterator[_Trouble]:
        for fault in faults:
            back_s = fault.at_s + fault.down_s
            if isinstance(fault, GatewayKill):
                yield _Trouble(fault.at_s, "gateway killed", lambda: self._children.kill("gateway"))
                yield _Trouble(
                    back_s, "gateway started", lambda: self._children.start("gateway", self._gateway_command)
                )
            elif self._options.broker_url is None:
                yield _Trouble(fault.at_s, "broker stopped", self._stop_broker)
                yield _Trouble(back_s, "broker started", lambda: str(self._start_broker()))
            else:
                yield _Trouble(fault.at_s, "broker_restart left out: this broker is not ours", lambda: None)

    def stop(self) -> None:
        """End every child and the broker; safe to call more than once."""
        self._children.stop()
        self._stop_broker()

    def _stop_broker(self) -> None:
        if self._broker is not None:
            self._broker.stop()
            self._broker = None

    def _start_broker(self) -> str:
        """The embedded broker; after a restart at the port that its clients know."""
        settings = EmbeddedBrokerSettings(folder=self._options.folder / "broker", port=self._broker_port)
        self._broker = NatsBroker(settings)
        self._broker.start()
        self._broker_port = self._broker.url.port
        return str(self._broker.url)

    def _wait_for(self, url: str) -> None:
        deadline = time.monotonic() + _START_LIMIT_S
        while get_json(url, timeout_s=1.0) is None:
            self._children.check()
            if time.monotonic() > deadline:
                raise StartError(f"nothing answers at {url} after {_START_LIMIT_S:g} s; logs: {self._options.folder}")
            time.sleep(0.2)


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Something that happens to a process at a second."""

    at_s: float
    says: str
    act: Callable[[], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOrder:
    """An order as the demo shows it.

    latency_s: from the capture of the frame (or the reading) that reached the rule's limit to the moment at
               which the API showed the order to the demo, which asks several times a second
    """

    case_no: str
    kind: str
    cell: str | None
    lead_dept: str
    state: str
    due_at: datetime
    latency_s: float


def refresh(known: dict[str, DemoOrder], answer: list[dict[str, Any]], *, seen_at: datetime) -> list[DemoOrder]:
    """Bring `known` (by case number) up to date with an answer of the API; returns the orders that are new."""
    fresh = []
    for row in reversed(answer):
        before = known.get(row["case_no"])
        latency_s = (seen_at - datetime.fromisoformat(row["opened_at"])).total_seconds()
        order = DemoOrder(
            case_no=row["case_no"],
            kind=row["kind"],
            cell=row["cell"],
            lead_dept=row["lead_dept"],
            state=row["state"],
            due_at=datetime.fromisoformat(row["due_at"]),
            latency_s=before.latency_s if before else round(latency_s, 3),
        )
        known[order.case_no] = order
        if before is None:
            fresh.append(order)
    return fresh


def summarise(orders: list[DemoOrder], counts: dict[str, int]) -> dict[str, Any]:
    """The demo's result as one JSON object."""
    return {
        "orders": [
            {
                "case_no": order.case_no,
                "kind": order.kind,
                "cell": order.cell,
                "state": order.state,
                "latency_s": order.latency_s,
            }
            for order in orders
        ],
        "frames": counts.get("frames_inferred", 0),
        "readings": counts.get("readings_stored", 0),
        "dead_letters": counts.get("dead_letters", 0),
    }
