"""What an incident event makes of a work order: pure decisions, each with its history entries."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime

from dispatcher.lifecycle import next_state
from dispatcher.messages import Channel, Fact, HistoryEntry, OrderState, Step, WorkOrder
from dispatcher.policy import Policy
from dispatcher.sla import amber_time, deadline
from dispatcher.tiers import initial_tier
from geofence.messages import IncidentEvent

Decision = tuple[WorkOrder, tuple[HistoryEntry, ...]]


def case_adcode(cell: str | None, policy: Policy) -> str:
    """Return the six digits that begin the case number: the cell's county, else the policy's own."""
    county = (cell or "")[:6]
    return county if len(county) == 6 and county.isascii() and county.isdigit() else policy.adcode


def case_day(now: datetime, policy: Policy) -> date:
    """Return the local day of filing, which counts the daily sequence."""
    return now.astimezone(policy.calendar.zone).date()


def channel_of(event: IncidentEvent) -> Channel:
    """Return who saw it: a rule on pictures carries boxes, a sensor rule none."""
    return Channel.AI if event.xyxy else Channel.SENSOR


def open_order(
    event: IncidentEvent, policy: Policy, now: datetime, case_no: str, *, evidence_sha256: str | None = None
) -> Decision:
    """File and dispatch a new case; `now` is the centre's time of acceptance, aware UTC.

    The clock of the limit starts at the event's own time, never later than `now`.
    """
    route = policy.route(event.kind, event.subject, event.surface)
    tier = initial_tier(route.category)
    limit = route.category.handle
    clock_start = min(event.at, now)
    entries = _opening_entries(event, now, route.reason, tier.reason, evidence_sha256)
    order = WorkOrder(
        case_no=case_no,
        incident_id=event.incident_id,
        active_incident_id=event.incident_id,
        site_id=event.site_id,
        kind=event.kind,
        place_key=event.place_key,
        source_id=event.source_id,
        channel=channel_of(event),
        subject=event.subject,
        surface=event.surface,
        category_key=route.category.key,
        code_system=policy.code_system,
        matter_code=route.category.code,
        title_zh=route.category.name_zh,
        title_en=route.category.name_en,
        lat=event.lat,
        lng=event.lng,
        cell=event.cell,
        cell_match=event.cell_match,
        zone_id=event.zone_id,
        lead_dept=route.lead,
        assist_depts=route.assist,
        external_party=route.category.external,
        route_reason=route.reason,
        tier_initial=tier.tier,
        tier_reason=tier.reason,
        state=entries[-1].to_state,
        reason=event.reason,
        confidence=event.confidence,
        began_at=event.began_at,
        opened_at=event.at,
        received_at=now,
        filed_at=now,
        dispatched_at=now,
        amber_at=amber_time(clock_start, limit, policy.calendar, amber_share=policy.amber_share),
        due_at=deadline(clock_start, limit, policy.calendar),
        limit_n=limit.n,
        limit_unit=limit.unit.value,
        resolved_at=None,
        updated_at=now,
        policy_version=policy.version,
        version=1,
    )
    return order, entries


def _opening_entries(
    event: IncidentEvent, now: datetime, route_reason: str, tier_reason: str, evidence_sha256: str | None
) -> tuple[HistoryEntry, ...]:
    entries: list[HistoryEntry] = []
    state: OrderState | None = None
    steps: tuple[tuple[Step, str, datetime, str, dict[str, Fact]], ...] = (
        (Step.REPORTED, _actor(event), event.at, event.reason, _facts(event, evidence_sha256)),
        (Step.FILED, "system", now, tier_reason, {}),
        (Step.DISPATCHED, "system", now, route_reason, {}),
    )
    for step, actor, at, reason, facts in steps:
        target = next_state(state, step)
        entries.append(
            HistoryEntry(
                step=step,
                from_state=state,
                to_state=target,
                actor=actor,
                at=at,
                recorded_at=now,
                reason=reason,
                facts=facts,
            )
        )
        state = target
    return tuple(entries)


def update_order(
    order: WorkOrder, event: IncidentEvent, now: datetime, *, evidence_sha256: str | None = None
) -> Decision:
    """Note that the trouble is still there; the order keeps the best confidence seen."""
    changed = replace(
        order,
        confidence=max(order.confidence, event.confidence),
        updated_at=now,
        version=order.version + 1,
    )
    return changed, (_note(order, Step.UPDATED, event, now, evidence_sha256),)


def link_order(
    order: WorkOrder, event: IncidentEvent, now: datetime, *, evidence_sha256: str | None = None
) -> Decision:
    """Note one more report of the same place; the trouble counts as present again.

    A report that is older than the end already seen is noted and changes nothing else.
    """
    is_late = order.resolved_at is not None and event.at <= order.resolved_at
    changed = replace(
        order,
        active_incident_id=order.active_incident_id if is_late else event.incident_id,
        confidence=max(order.confidence, event.confidence),
        resolved_at=order.resolved_at if is_late else None,
        updated_at=now,
        version=order.version + 1,
    )
    return changed, (_note(order, Step.LINKED, event, now, evidence_sha256),)


def clear_order(
    order: WorkOrder, event: IncidentEvent, now: datetime, *, evidence_sha256: str | None = None
) -> Decision:
    """Note that the trouble is gone; the case stays open until its department has answered.

    An end of an incident that a later one has replaced is noted, and the trouble counts as present.
    """
    is_current = event.incident_id == order.active_incident_id
    changed = replace(
        order,
        resolved_at=event.at if is_current else order.resolved_at,
        updated_at=now,
        version=order.version + 1,
    )
    return changed, (_note(order, Step.TROUBLE_GONE, event, now, evidence_sha256),)


def _note(
    order: WorkOrder, step: Step, event: IncidentEvent, now: datetime, evidence_sha256: str | None
) -> HistoryEntry:
    return HistoryEntry(
        step=step,
        from_state=order.state,
        to_state=next_state(order.state, step),
        actor=_actor(event),
        at=event.at,
        recorded_at=now,
        reason=event.reason,
        facts=_facts(event, evidence_sha256),
    )


def _actor(event: IncidentEvent) -> str:
    return f"{channel_of(event).value}:{event.source_id}"


def _facts(event: IncidentEvent, evidence_sha256: str | None) -> dict[str, Fact]:
    facts: dict[str, Fact] = {
        "incident_id": event.incident_id,
        "confidence": event.confidence,
        "dwell_s": event.dwell_s,
    }
    if evidence_sha256 is not None:
        facts["evidence_sha256"] = evidence_sha256
    return facts
