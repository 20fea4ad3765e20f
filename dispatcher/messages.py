"""What the dispatcher emits: work orders (案卷), their history and the events about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from dispatcher.errors import CaseNumberError
from geofence.messages import CellMatch, IncidentKind

CASE_NO_LENGTH = 19
_LAST_OF_DAY = 99_999

Fact = str | int | float | bool | None


class OrderState(StrEnum):
    """Where a work order stands; `lifecycle` holds the steps between them."""

    REPORTED = "reported"
    VERIFYING = "verifying"
    FILED = "filed"
    DISPATCHED = "dispatched"
    IN_PROGRESS = "in_progress"
    SUSPENDED = "suspended"
    HANDLED = "handled"
    CHECKING = "checking"
    CLOSED = "closed"
    REJECTED = "rejected"
    MERGED = "merged"
    VOID = "void"


class Step(StrEnum):
    """What can happen to a work order: the steps of the lifecycle, then notes that change no state."""

    REPORTED = "reported"
    CLAIMED = "claimed"
    FILED = "filed"
    REJECTED = "rejected"
    MERGED = "merged"
    UNMERGED = "unmerged"
    DISPATCHED = "dispatched"
    ACCEPTED = "accepted"
    RETURNED = "returned"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    EXTENDED = "extended"
    COMPLETED = "completed"
    CHECK_STARTED = "check_started"
    CHECK_FAILED = "check_failed"
    CLOSED = "closed"
    FORCE_CLOSED = "force_closed"
    VOIDED = "voided"
    EVALUATED = "evaluated"
    REOPENED = "reopened"
    TIER_RAISED = "tier_raised"
    OVERTIME_APPEALED = "overtime_appealed"

    UPDATED = "updated"
    LINKED = "linked"
    TROUBLE_GONE = "trouble_gone"


class Tier(StrEnum):
    """The three answers of the 721 method."""

    SERVICE = "service"
    MANAGEMENT = "management"
    ENFORCEMENT = "enforcement"


class Channel(StrEnum):
    """Who found the trouble first."""

    AI = "ai"
    SENSOR = "sensor"


def format_case_no(adcode: str, day: date, sequence: int) -> str:
    """Return adcode (6 digits) + yyyyMMdd (local day) + daily sequence (5 digits), a string of 19."""
    if len(adcode) != 6 or not (adcode.isascii() and adcode.isdigit()):
        raise CaseNumberError(f"adcode {adcode!r} is not 6 digits")
    if not 1 <= sequence <= _LAST_OF_DAY:
        raise CaseNumberError(f"daily sequence {sequence} of {adcode} on {day} is outside 1..{_LAST_OF_DAY}")
    return f"{adcode}{day:%Y%m%d}{sequence:05d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkOrder:
    """One case that one department must handle. All times are aware UTC.

    case_no:            see `format_case_no`
    incident_id:        the incident that opened it; active_incident_id: the latest one linked to it
    place_key:          with site_id and kind, the place that may have one open case only
    subject, surface:   as in the incident; they chose category and department
    reason:             what was seen, against which limit, in the words of the rule
    route_reason, tier_reason: why this department and this tier
    began_at:           the rule began to be broken; opened_at: event time of the incident
    received_at:        the centre took the event in; filed_at and dispatched_at follow from it
    amber_at, due_at:   when the light turns yellow and red; due_at = opened_at + limit in work time
    resolved_at:        the trouble was seen to be gone; the order still waits for its department
    version:            rises with every change, for optimistic locking
    """

    case_no: str
    incident_id: str
    active_incident_id: str
    site_id: str
    kind: IncidentKind
    place_key: str
    source_id: str
    channel: Channel
    subject: str
    surface: str | None
    category_key: str
    code_system: str
    matter_code: str
    title_zh: str
    title_en: str
    lat: float
    lng: float
    cell: str | None
    cell_match: CellMatch
    zone_id: str | None
    lead_dept: str
    assist_depts: tuple[str, ...]
    external_party: str | None
    route_reason: str
    tier_initial: Tier
    tier_reason: str
    state: OrderState
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
    policy_version: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryEntry:
    """One line of a case's history, before it is chained.

    actor:       ``system``, or ``ai:cam-01`` / ``sensor:bin-007`` for what a device reported
    at:          aware UTC event time; recorded_at: aware UTC, when the centre wrote it down
    facts:       flat JSON values beside the words, e.g. confidence, evidence hash
    """

    step: Step
    from_state: OrderState | None
    to_state: OrderState
    actor: str
    at: datetime
    recorded_at: datetime
    reason: str
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedEntry:
    """A history entry as stored: its place in the one chain of the centre.

    seq: rises by one over all cases; hash covers seq, case_no, every field of the entry and prev_hash
    """

    seq: int
    case_no: str
    entry: HistoryEntry
    prev_hash: str
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEvent:
    """One thing that happened to an order, for every feed.

    seq:        rises by one over the whole centre; the cursor of feeds and of Last-Event-ID
    order_json: the order as it stood after the step, in the form of `dispatcher.wire.OrderView`
    """

    seq: int
    step: Step
    case_no: str
    site_id: str
    at: datetime
    order_json: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An evidence picture with the boxes that the rule saw in it.

    xyxy: pixel boxes (x0, y0, x1, y1), top-left origin; captured_at: aware UTC
    """

    sha256: str
    media_type: str
    content: bytes
    captured_at: datetime
    xyxy: tuple[tuple[float, float, float, float], ...]


class Result(StrEnum):
    """What became of one incoming incident event."""

    FILED = "filed"
    LINKED = "linked"
    UPDATED = "updated"
    CLEARED = "cleared"
    DUPLICATE = "duplicate"
    UNKNOWN = "unknown"
    DEAD_LETTER = "dead_letter"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The answer to one incoming event.

    case_no: the order it concerns, None for UNKNOWN and DEAD_LETTER
    latency_s: seconds from the frame or reading to acceptance, for FILED only
    detail: one line why, for DEAD_LETTER only
    """

    result: Result
    case_no: str | None = None
    latency_s: float | None = None
    detail: str | None = None
