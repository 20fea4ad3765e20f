"""What every visitor of the page looks at: read once for all of them."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog

from dispatcher.adapters.event_hub import EventHub
from dispatcher.adapters.queries import CaseFile, OrderFilter, OrderQueries, Standing
from dispatcher.errors import StoreUnavailableError
from dispatcher.geojson import point
from dispatcher.messages import WorkOrder
from dispatcher.policy import Policy

_log = structlog.get_logger(__name__)

SHOWN_ORDERS = 200
REFRESH_S = 5.0
_CASES_KEPT = 64


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The board at one moment; `number` rises whenever the orders changed."""

    number: int
    orders: tuple[WorkOrder, ...]
    places: dict[str, Any]
    standing: Standing
    read_at: datetime

    def find(self, case_no: str | None) -> WorkOrder | None:
        """Return the order with this case number, None when it is not among those shown."""
        return next((order for order in self.orders if order.case_no == case_no), None)


class Board:
    """Follows the event hub and keeps one snapshot; pages only compare its number."""

    def __init__(self, queries: OrderQueries, hub: EventHub, policy: Policy) -> None:
        self._queries = queries
        self._hub = hub
        self._policy = policy
        self._cases: dict[tuple[str, int], CaseFile] = {}
        self._task: asyncio.Task[None] | None = None
        self.snapshot = Snapshot(0, (), _places(()), Standing(0, 0, 0, 0, 0), datetime.now(UTC))

    async def start(self) -> None:
        """Read the first snapshot and begin to follow."""
        await self._refresh()
        self._task = asyncio.create_task(self._follow(), name="console-board")

    async def stop(self) -> None:
        """Stop following."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def case_file(self, order: WorkOrder) -> CaseFile | None:
        """Return the case file of a shown order; each version is read once for all visitors."""
        key = (order.case_no, order.version)
        if key not in self._cases:
            case = await asyncio.to_thread(self._queries.case_file, order.case_no)
            if case is None:
                return None
            while len(self._cases) >= _CASES_KEPT:
                self._cases.pop(next(iter(self._cases)))
            self._cases[key] = case
        return self._cases[key]

    async def _follow(self) -> None:
        """Refresh when the hub has news, and every few seconds because lights change with time."""
        seen = self._hub.last_seq
        waited_s = 0.0
        while True:
            await asyncio.sleep(0.1)
            waited_s += 0.1
            if self._hub.last_seq == seen and waited_s < REFRESH_S:
                continue
            seen, waited_s = self._hub.last_seq, 0.0
            await self._refresh()

    async def _refresh(self) -> None:
        try:
            self.snapshot = await asyncio.to_thread(self._read)
        except StoreUnavailableError as error:
            _log.warning("board_not_refreshed", reason=str(error))

    def _read(self) -> Snapshot:
        now = datetime.now(UTC)
        local = now.astimezone(self._policy.calendar.zone)
        day_start = local.replace(hour=0, minute=0, second=0, microsecond=0)
        orders = tuple(self._queries.orders(OrderFilter(), limit=SHOWN_ORDERS))
        is_same = orders == self.snapshot.orders
        return Snapshot(
            number=self.snapshot.number + (0 if is_same else 1),
            orders=orders,
            places=self.snapshot.places if is_same else _places(orders),
            standing=self._queries.standing(now, day_start=day_start),
            read_at=now,
        )


def _places(orders: tuple[WorkOrder, ...]) -> dict[str, Any]:
    """The orders as the map needs them: place, kind, name, and whether the trouble is still there."""
    features = [
        {
            "type": "Feature",
            "id": order.case_no,
            "geometry": point(lat=order.lat, lng=order.lng),
            "properties": {
                "kind": order.kind.value,
                "title_zh": order.title_zh,
                "title_en": order.title_en,
                "is_gone": order.resolved_at is not None,
            },
        }
        for order in orders
    ]
    return {"type": "FeatureCollection", "features": features}
