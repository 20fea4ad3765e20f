"""What an incident event makes of a work order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatcher.messages import OrderState, Step, WorkOrder
from dispatcher.orders import (
    case_adcode,
    case_day,
    channel_of,
    clear_order,
    link_order,
    open_order,
    update_order,
)
from dispatcher.policy import Policy
from geofence.messages import EventType, IncidentEvent

CASE_NO = "1101012026112400001"


@pytest.fixture
def order(garbage: IncidentEvent, policy: Policy, noon: datetime) -> WorkOrder:
    return open_order(garbage, policy, noon, CASE_NO)[0]


def test_opening_files_and_dispatches_in_one_go(garbage: IncidentEvent, policy: Policy, noon: datetime) -> None:
    order, entries = open_order(garbage, policy, noon + timedelta(seconds=2), CASE_NO)
    assert order.state is OrderState.DISPATCHED
    assert [(entry.step, entry.from_state, entry.to_state) for entry in entries] == [
        (Step.REPORTED, None, OrderState.REPORTED),
        (Step.FILED, OrderState.REPORTED, OrderState.FILED),
        (Step.DISPATCHED, OrderState.FILED, OrderState.DISPATCHED),
    ]
    assert (entries[0].at, entries[0].recorded_at) == (noon, noon + timedelta(seconds=2))
    assert entries[0].actor == "ai:cam-01"
    assert {entry.actor for entry in entries[1:]} == {"system"}


def test_order_says_matter_department_and_deadline(order: WorkOrder) -> None:
    assert (order.matter_code, order.lead_dept, order.assist_depts) == ("06010", "HW", ("JD",))
    assert order.due_at == datetime(2026, 11, 24, 9, 30, tzinfo=UTC)  # 12:00 + 4 work hours from 13:30 on
    assert order.amber_at == datetime(2026, 11, 24, 8, 42, tzinfo=UTC)
    assert order.tier_initial == "service"


def test_clock_starts_at_the_event_even_when_it_arrives_late(
    garbage: IncidentEvent, policy: Policy, noon: datetime, order: WorkOrder
) -> None:
    late, _ = open_order(garbage, policy, noon + timedelta(hours=1), CASE_NO)
    assert late.due_at == order.due_at


def test_event_from_the_future_starts_the_clock_now(
    garbage: IncidentEvent, policy: Policy, noon: datetime, order: WorkOrder
) -> None:
    ahead, _ = open_order(replace(garbage, at=noon + timedelta(days=3)), policy, noon, CASE_NO)
    assert ahead.due_at == order.due_at


def test_channel_is_ai_with_boxes_and_sensor_without(garbage: IncidentEvent, bin_overflow: IncidentEvent) -> None:
    assert (channel_of(garbage), channel_of(bin_overflow)) == ("ai", "sensor")


@pytest.mark.parametrize(
    ("cell", "adcode"), [("310115001001001", "310115"), (None, "110101"), ("ABC115001001001", "110101")]
)
def test_adcode_comes_from_the_cell_else_from_the_policy(policy: Policy, cell: str | None, adcode: str) -> None:
    assert case_adcode(cell, policy) == adcode


def test_day_of_the_case_is_local(policy: Policy) -> None:
    assert case_day(datetime(2026, 11, 24, 15, 59, tzinfo=UTC), policy).day == 24
    assert case_day(datetime(2026, 11, 24, 16, 0, tzinfo=UTC), policy).day == 25


def test_update_keeps_the_best_confidence(order: WorkOrder, garbage: IncidentEvent, noon: datetime) -> None:
    better, _ = update_order(order, replace(garbage, confidence=0.95), noon)
    worse, entries = update_order(better, replace(garbage, confidence=0.4), noon)
    assert (better.confidence, worse.confidence, worse.version) == (0.95, 0.95, 3)
    assert entries[0].facts["confidence"] == 0.4


def test_cleared_notes_the_end_and_leaves_the_case_open(
    order: WorkOrder, garbage: IncidentEvent, noon: datetime
) -> None:
    gone_at = noon + timedelta(minutes=9)
    cleared, entries = clear_order(order, replace(garbage, event=EventType.CLEARED, at=gone_at), gone_at)
    assert (cleared.resolved_at, cleared.state) == (gone_at, OrderState.DISPATCHED)
    assert entries[0].step is Step.TROUBLE_GONE


def test_trouble_that_comes_back_is_present_again(order: WorkOrder, garbage: IncidentEvent, noon: datetime) -> None:
    gone_at, back_at = noon + timedelta(minutes=9), noon + timedelta(minutes=20)
    cleared, _ = clear_order(order, replace(garbage, at=gone_at), gone_at)
    back, entries = link_order(cleared, replace(garbage, incident_id="inc-2", at=back_at), back_at)
    assert (back.resolved_at, back.active_incident_id, back.incident_id) == (None, "inc-2", "inc-1")
    assert entries[0].step is Step.LINKED


def test_end_of_a_replaced_incident_does_not_resolve_the_case(
    order: WorkOrder, garbage: IncidentEvent, noon: datetime
) -> None:
    linked, _ = link_order(order, replace(garbage, incident_id="inc-2", at=noon + timedelta(minutes=1)), noon)
    late_end, _ = clear_order(linked, replace(garbage, at=noon + timedelta(minutes=2)), noon)
    assert late_end.resolved_at is None


def test_late_report_from_before_the_end_does_not_undo_it(
    order: WorkOrder, garbage: IncidentEvent, noon: datetime
) -> None:
    cleared, _ = clear_order(order, replace(garbage, at=noon + timedelta(minutes=9)), noon)
    late, _ = link_order(cleared, replace(garbage, incident_id="inc-0", at=noon + timedelta(minutes=5)), noon)
    assert (late.resolved_at, late.active_incident_id) == (cleared.resolved_at, "inc-1")
