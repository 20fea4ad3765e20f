"""The shapes of the HTTP answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from dispatcher.adapters.queries import CaseFile, PictureInfo
from dispatcher.messages import ChainedEntry, Fact, OrderEvent, OrderState, Step
from dispatcher.wire import OrderView, order_view


class OrderPage(BaseModel):
    """Orders, newest first; `next_cursor` asks for the page after, null on the last one."""

    orders: list[OrderView]
    next_cursor: str | None


class HistoryView(BaseModel):
    """One line of the history with its links in the hash chain."""

    seq: int
    event: Step
    from_state: OrderState | None
    to_state: OrderState
    actor: str
    at: datetime
    recorded_at: datetime
    reason: str
    facts: dict[str, Fact]
    prev_hash: str
    hash: str


class EvidenceView(BaseModel):
    """An evidence picture: where to get it, and the boxes (x0, y0, x1, y1) in its pixels."""

    slot: Literal["first", "last"]
    sha256: str
    media_type: str
    captured_at: datetime
    xyxy: list[tuple[float, float, float, float]]
    href: str


class CaseView(OrderView):
    """One order with its history, its evidence and the incidents that speak of it."""

    history: list[HistoryView]
    evidence: list[EvidenceView]
    incident_ids: list[str]


class Problem(BaseModel):
    """Why a request got no answer, in one line."""

    detail: str


class Health(BaseModel):
    """That the process answers, and how far its event log is."""

    status: Literal["ok"]
    version: str
    policy_version: str
    last_seq: int


def case_view(case: CaseFile) -> CaseView:
    """Return the outside form of a whole case file."""
    return CaseView(
        **order_view(case.order).model_dump(),
        history=[_history_view(link) for link in case.history],
        evidence=[_evidence_view(case.order.case_no, info) for info in case.pictures],
        incident_ids=list(case.incident_ids),
    )


def evidence_href(case_no: str, sha256: str) -> str:
    """Return the path of an evidence picture."""
    return f"/api/orders/{case_no}/evidence/{sha256}"


def stream_data(event: OrderEvent) -> str:
    """Return the JSON of one server-sent event."""
    head = f'{{"seq":{event.seq},"event":"{event.step.value}","at":"{event.at.isoformat()}",'
    return f'{head}"order":{event.order_json}}}'


def _history_view(link: ChainedEntry) -> HistoryView:
    entry = link.entry
    return HistoryView(
        seq=link.seq,
        event=entry.step,
        from_state=entry.from_state,
        to_state=entry.to_state,
        actor=entry.actor,
        at=entry.at,
        recorded_at=entry.recorded_at,
        reason=entry.reason,
        facts=dict(entry.facts),
        prev_hash=link.prev_hash,
        hash=link.hash,
    )


def _evidence_view(case_no: str, info: PictureInfo) -> EvidenceView:
    return EvidenceView(
        slot="first" if info.slot == "first" else "last",
        sha256=info.sha256,
        media_type=info.media_type,
        captured_at=info.captured_at,
        xyxy=list(info.xyxy),
        href=evidence_href(case_no, info.sha256),
    )
