"""Rows of the tables to the dispatcher's types and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from enum import Enum
from typing import Any

from sqlalchemy import Row

from dispatcher.lifecycle import is_open
from dispatcher.messages import (
    ChainedEntry,
    Channel,
    HistoryEntry,
    OrderEvent,
    OrderState,
    Step,
    Tier,
    WorkOrder,
)
from geofence.messages import CellMatch, IncidentKind


def order_values(order: WorkOrder) -> dict[str, Any]:
    """Return the columns of `work_orders` for an order."""
    values = {name: _plain(value) for name, value in asdict(order).items()}
    return {**values, "assist_depts": list(order.assist_depts), "is_open": is_open(order.state)}


def order_of(row: Row[Any]) -> WorkOrder:
    """Return the order of a whole row of `work_orders`."""
    values = dict(row._mapping)
    del values["is_open"]
    return WorkOrder(
        **{
            **values,
            "kind": IncidentKind(values["kind"]),
            "channel": Channel(values["channel"]),
            "cell_match": CellMatch(values["cell_match"]),
            "tier_initial": Tier(values["tier_initial"]),
            "state": OrderState(values["state"]),
            "assist_depts": tuple(values["assist_depts"]),
        }
    )


def link_values(link: ChainedEntry) -> dict[str, Any]:
    """Return the columns of `order_history` for a chained entry."""
    values = {name: _plain(value) for name, value in asdict(link.entry).items()}
    return {
        **values,
        "facts": json.dumps(dict(link.entry.facts), ensure_ascii=False, sort_keys=True),
        "seq": link.seq,
        "case_no": link.case_no,
        "prev_hash": link.prev_hash,
        "hash": link.hash,
    }


def link_of(row: Row[Any]) -> ChainedEntry:
    """Return the chained entry of a whole row of `order_history`."""
    entry = HistoryEntry(
        step=Step(row.step),
        from_state=None if row.from_state is None else OrderState(row.from_state),
        to_state=OrderState(row.to_state),
        actor=row.actor,
        at=row.at,
        recorded_at=row.recorded_at,
        reason=row.reason,
        facts=json.loads(row.facts),
    )
    return ChainedEntry(seq=row.seq, case_no=row.case_no, entry=entry, prev_hash=row.prev_hash, hash=row.hash)


def event_values(event: OrderEvent) -> dict[str, Any]:
    """Return the columns of `events` for an order event."""
    return {name: _plain(value) for name, value in asdict(event).items()}


def event_of(row: Row[Any]) -> OrderEvent:
    """Return the order event of a whole row of `events`."""
    return OrderEvent(
        seq=row.seq,
        step=Step(row.step),
        case_no=row.case_no,
        site_id=row.site_id,
        at=row.at,
        order_json=row.order_json,
    )


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value
