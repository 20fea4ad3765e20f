"""How a work order looks from outside: one form for the API, the event stream and every feed."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from dispatcher.messages import Channel, OrderState, Tier, WorkOrder
from geofence.messages import CellMatch, IncidentKind


class OrderView(BaseModel):
    """A work order; times are RFC 3339 in UTC, lat and lng WGS 84 degrees, codes are strings."""

    model_config = ConfigDict(from_attributes=True, frozen=True)

    case_no: str
    site_id: str
    kind: IncidentKind
    state: OrderState
    title_zh: str
    title_en: str
    category_key: str
    code_system: str
    matter_code: str
    lat: float
    lng: float
    cell: str | None
    cell_match: CellMatch
    zone_id: str | None
    surface: str | None
    place_key: str
    source_id: str
    channel: Channel
    subject: str
    lead_dept: str
    assist_depts: tuple[str, ...]
    external_party: str | None
    route_reason: str
    tier_initial: Tier
    tier_reason: str
    reason: str
    confidence: float
    began_at: datetime
    opened_at: datetime
    received_at: datetime
    filed_at: datetime
    dispatched_at: datetime | None
    amber_at: datetime
    due_at: datetime
    limit_n: float
    limit_unit: str
    resolved_at: datetime | None
    updated_at: datetime
    incident_id: str
    policy_version: str
    version: int


def order_view(order: WorkOrder) -> OrderView:
    """Return the outside form of an order."""
    return OrderView.model_validate(order)
