"""The policy file: TOML in, a linted `Policy` out; every fault is one line that says what would be right."""

from __future__ import annotations

import difflib
import re
import tomllib
from datetime import time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from detectors.strict_values import Day
from dispatcher.errors import PolicyError
from dispatcher.lint import lint
from dispatcher.policy import Category, Department, LeadRule, Policy, RouteRule
from dispatcher.sla import Limit, Unit, WorkCalendar
from geofence.messages import IncidentKind

Surface = Literal["roadway", "sidewalk", "plaza"]
MatterCode = Annotated[str, Field(pattern=r"^[0-9]{5}$")]
_SLOT = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Limit(_Strict):
    n: Annotated[float, Field(gt=0, le=1000, strict=True)]
    unit: Literal["minute", "urgent_hour", "work_hour", "work_day", "natural_day"]

    def limit(self) -> Limit:
        return Limit(self.n, Unit(self.unit))


class _Calendar(_Strict):
    slots: Annotated[list[str], Field(min_length=1)]
    work_day_hours: Literal["slots"] | Annotated[float, Field(gt=0, le=24, strict=True)]
    holidays: list[Day]
    extra_work_days: list[Day]


class _Defaults(_Strict):
    handle: _Limit
    amber_share: Annotated[float, Field(gt=0, lt=1, strict=True)]


class _Department(_Strict):
    id: Annotated[str, Field(pattern=r"^[A-Z]{2,4}$")]
    name_zh: str
    name_en: str


class _Lead(_Strict):
    surface: list[Surface] = []
    lead: str
    assist: list[str] = []


class _Category(_Strict):
    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    code: MatterCode
    name_zh: str
    name_en: str
    leads: Annotated[list[_Lead], Field(min_length=1)]
    external: str | None = None
    has_party: bool = True
    is_safety: bool = False
    handle: _Limit | None = None
    quality: str


class _Route(_Strict):
    subject: list[str] = []
    surface: list[Surface] = []
    category: str


class _PolicyDoc(_Strict):
    version: Annotated[str, Field(min_length=1)]
    timezone: str
    adcode: Annotated[str, Field(pattern=r"^[0-9]{6}$")]
    code_system: str
    calendar: _Calendar
    defaults: _Defaults
    departments: Annotated[list[_Department], Field(min_length=1)]
    categories: Annotated[list[_Category], Field(min_length=1)]
    routes: dict[IncidentKind, list[_Route]]


_MODELS: tuple[type[BaseModel], ...] = (
    _PolicyDoc, _Calendar, _Defaults, _Limit, _Department, _Lead, _Category, _Route,
)  # fmt: skip
_KNOWN_KEYS = sorted({name for model in _MODELS for name in model.model_fields})


def parse_policy(text: str, file: str) -> Policy:
    """Parse and lint a policy; `file` names it in errors. Raises PolicyError."""
    if not text.strip():
        raise PolicyError(file, "TOML", "", "is empty; should have version, departments, categories and routes")
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(file, "TOML", str(error), "should be valid TOML") from error
    try:
        doc = _PolicyDoc.model_validate(table)
    except ValidationError as error:
        raise _policy_error(file, error) from error
    policy = _policy(doc, file)
    lint(policy, file, duplicates=_duplicates(doc))
    return policy


def _policy_error(file: str, error: ValidationError) -> PolicyError:
    """Turn pydantic's first complaint into the one line that names file, key and value.

    A misspelt key comes before the missing one that it stands for.
    """
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    key = _dotted(first["loc"])
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        close = difflib.get_close_matches(name, _KNOWN_KEYS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        return PolicyError(file, key, first["input"], f"unknown key{hint}")
    if first["type"] == "missing":
        return PolicyError(file, key, None, "is missing and must be given")
    problem = first["msg"].removeprefix("Value error, ").replace("Input should", "should")
    return PolicyError(file, key, first["input"], problem)


def _dotted(location: tuple[int | str, ...]) -> str:
    parts = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return parts.lstrip(".")


def _duplicates(doc: _PolicyDoc) -> list[tuple[str, str]]:
    """Return (key, value) of everything that is named twice; the maps of a Policy would hide it."""
    named = [
        *((f"departments[{i}].id", department.id) for i, department in enumerate(doc.departments)),
        *((f"categories[{i}].key", category.key) for i, category in enumerate(doc.categories)),
        *((f"categories[{i}].code", category.code) for i, category in enumerate(doc.categories)),
    ]
    seen: set[tuple[str, str]] = set()
    twice = []
    for key, value in named:
        mark = (re.sub(r"\[\d+\]", "", key), value)
        if mark in seen:
            twice.append((key, value))
        seen.add(mark)
    return twice


def _policy(doc: _PolicyDoc, file: str) -> Policy:
    return Policy(
        version=doc.version,
        adcode=doc.adcode,
        code_system=doc.code_system,
        calendar=_calendar(doc, file),
        amber_share=doc.defaults.amber_share,
        departments={row.id: Department(**row.model_dump()) for row in doc.departments},
        categories={row.key: _category(row, doc.defaults.handle) for row in doc.categories},
        routes=tuple(_route(kind, row) for kind, rows in doc.routes.items() for row in rows),
    )


def _category(row: _Category, default_handle: _Limit) -> Category:
    plain: dict[str, Any] = row.model_dump(exclude={"leads", "handle"})
    leads = tuple(
        LeadRule(surfaces=frozenset(lead.surface), lead=lead.lead, assist=tuple(lead.assist)) for lead in row.leads
    )
    return Category(**plain, lead_rules=leads, handle=(row.handle or default_handle).limit())


def _route(kind: IncidentKind, row: _Route) -> RouteRule:
    return RouteRule(
        kind=kind,
        subjects=frozenset(row.subject),
        surfaces=frozenset(row.surface),
        category=row.category,
    )


def _calendar(doc: _PolicyDoc, file: str) -> WorkCalendar:
    try:
        zone = ZoneInfo(doc.timezone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise PolicyError(file, "timezone", doc.timezone, "should be a zone name such as 'Asia/Shanghai'") from error
    hours = doc.calendar.work_day_hours
    return WorkCalendar(
        zone=zone,
        slots=_slots(doc.calendar.slots, file),
        work_day_hours=None if hours == "slots" else hours,
        holidays=frozenset(doc.calendar.holidays),
        extra_work_days=frozenset(doc.calendar.extra_work_days),
    )


def _slots(texts: list[str], file: str) -> tuple[tuple[time, time], ...]:
    slots: list[tuple[time, time]] = []
    for index, text in enumerate(texts):
        key = f"calendar.slots[{index}]"
        match = _SLOT.match(text)
        if match is None:
            raise PolicyError(file, key, text, "should look like '09:00-12:00'")
        start = time(int(match[1]), int(match[2]))
        end = time(int(match[3]), int(match[4]))
        if start >= end:
            raise PolicyError(file, key, text, "should end after it starts")
        if slots and start < slots[-1][1]:
            raise PolicyError(file, key, text, f"should start at or after {slots[-1][1]:%H:%M}")
        slots.append((start, end))
    return tuple(slots)
