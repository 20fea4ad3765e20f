"""What scoring reads: the simulator's truth, and the incidents that the product reported; one JSON object a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

# An envelope of another type (an order, say) may stand between those of incidents and is passed over.
_INCIDENT_TYPE_PREFIX = "street721.incident."


class ScoringError(Exception):
    """A line cannot be used: its number, and what would be right."""

    def __init__(self, line_number: int, problem: str) -> None:
        super().__init__(f"line {line_number}: {problem}")
        self.line_number = line_number
        self.problem = problem


class _Line(BaseModel):
    """Unknown keys are passed over: files of a later version stay readable."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


_Model = TypeVar("_Model", bound=_Line)


class Truth(_Line):
    """A trouble that really was on the street.

    also:     other kinds that are right for it too
    lat, lng: WGS 84 degrees; cell: unit grid code, None outside the grid
    due_at:   when it had lasted long enough to be reported, None: it never did
    ended_at: None: it was still there at the end
    sources:  devices that could notice it
    """

    id: str
    kind: str
    also: tuple[str, ...] = ()
    lat: float = Field(ge=-90, le=90)
    lng: float = Field(ge=-180, le=180)
    cell: str | None = None
    zone: str | None = None
    began_at: AwareDatetime
    due_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    sources: tuple[str, ...]

    @model_validator(mode="after")
    def _is_in_order(self) -> Truth:
        for name, moment in (("due_at", self.due_at), ("ended_at", self.ended_at)):
            if moment is not None and moment < self.began_at:
                raise ValueError(f"{name} {moment.isoformat()} is earlier than began_at {self.began_at.isoformat()}")
        return self

    @property
    def is_seen(self) -> bool:
        """Whether any device could notice it."""
        return bool(self.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One incident as the product told it: where and when it opened, and when it cleared (None: not yet)."""

    incident_id: str
    kind: str
    lat: float
    lng: float
    cell: str | None
    opened_at: datetime
    cleared_at: datetime | None


class _Event(_Line):
    event: Literal["opened", "updated", "cleared"]
    incident_id: str
    kind: str
    lat: float = Field(ge=-90, le=90)
    lng: float = Field(ge=-180, le=180)
    cell: str | None = None
    at: AwareDatetime


def parse_truth(lines: Iterable[str]) -> list[Truth]:
    """The truth file's lines, blank ones passed over; raises ScoringError."""
    truths: dict[str, Truth] = {}
    for number, record in _records(lines):
        truth = _checked(Truth, record, number)
        if truth.id in truths:
            raise ScoringError(number, f"id {truth.id!r} is used before; every truth has its own")
        truths[truth.id] = truth
    return list(truths.values())


def parse_events(lines: Iterable[str]) -> list[Report]:
    """Incidents, in the order in which they are first named; raises ScoringError.

    A line is what ``street721 judge --json`` prints, or a CloudEvent of the gateway; both may be mixed and in any
    order, and an event may come again.
    """
    events: dict[str, list[_Event]] = {}
    first_line: dict[str, int] = {}
    for number, record in _records(lines):
        body = _incident_of(record, number)
        if body is not None:
            event = _checked(_Event, body, number)
            events.setdefault(event.incident_id, []).append(event)
            first_line.setdefault(event.incident_id, number)
    return [_report(own, first_line[incident_id]) for incident_id, own in events.items()]


def _records(lines: Iterable[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise ScoringError(number, f"is not JSON: {error}") from error
        if not isinstance(record, dict):
            raise ScoringError(number, "is JSON, but not an object {…}")
        yield number, record


def _incident_of(record: dict[str, Any], number: int) -> dict[str, Any] | None:
    """The event itself, out of its envelope where it has one; None for an envelope of something else."""
    if "specversion" not in record:
        return record
    if not str(record.get("type")).startswith(_INCIDENT_TYPE_PREFIX):
        return None
    data = record.get("data")
    if not isinstance(data, dict):
        raise ScoringError(number, "data: should be an object {…} with the incident")
    return data


def _checked(model: type[_Model], record: dict[str, Any], number: int) -> _Model:
    try:
        return model.model_validate(record)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "(whole line)"
        raise ScoringError(number, f"{where}: {first['msg'].removeprefix('Value error, ')}") from error


def _report(events: list[_Event], first_line: int) -> Report:
    opened = min((event for event in events if event.event == "opened"), key=lambda event: event.at, default=None)
    if opened is None:
        problem = f"incident {events[0].incident_id} has no 'opened' among its events; give the events from the start"
        raise ScoringError(first_line, problem)
    return Report(
        incident_id=opened.incident_id,
        kind=opened.kind,
        lat=opened.lat,
        lng=opened.lng,
        cell=opened.cell,
        opened_at=opened.at,
        cleared_at=max((event.at for event in events if event.event == "cleared"), default=None),
    )
