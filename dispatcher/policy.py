"""The routing policy as plain values: which matter a trouble is, and which one department leads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dispatcher.sla import Limit, WorkCalendar
from geofence.messages import IncidentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One of the departments that may lead or assist."""

    id: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadRule:
    """Who leads on these surfaces; no surfaces means on every one."""

    surfaces: frozenset[str]
    lead: str
    assist: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One matter (事项) with its department rules, limit and standard.

    code:      five characters, kept as a string
    external:  a party outside the administration that must act, e.g. the shared bike company
    has_party: whether somebody can be asked to put it right; litter has none
    is_safety: whether it endangers people at once
    handle:    limit for handling, counted from dispatch
    quality:   what must be true for the case to close
    """

    key: str
    code: str
    name_zh: str
    name_en: str
    lead_rules: tuple[LeadRule, ...]
    external: str | None
    has_party: bool
    is_safety: bool
    handle: Limit
    quality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRule:
    """Which category a trouble is; no subjects or surfaces means any."""

    kind: IncidentKind
    subjects: frozenset[str]
    surfaces: frozenset[str]
    category: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Where a trouble goes, and why in one line."""

    category: Category
    lead: str
    assist: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of the rules; a case keeps the version that it was filed under.

    adcode:      six digits for case numbers of places outside every cell
    amber_share: share of a limit (0..1) after which the light turns yellow
    departments, categories: by id and by key
    """

    version: str
    adcode: str
    code_system: str
    calendar: WorkCalendar
    amber_share: float
    departments: Mapping[str, Department]
    categories: Mapping[str, Category]
    routes: tuple[RouteRule, ...]

    def route(self, kind: IncidentKind, subject: str, surface: str | None) -> Route:
        """Return the one category and lead department; the first rule that fits decides.

        Never fails for a linted policy: each kind and each category ends in an unconditional rule.
        """
        rule = next(
            rule
            for rule in self.routes
            if rule.kind is kind and _fits(rule.subjects, subject) and _fits(rule.surfaces, surface)
        )
        category = self.categories[rule.category]
        lead = next(lead for lead in category.lead_rules if _fits(lead.surfaces, surface))
        department = self.departments[lead.lead]
        reason = (
            f"{category.code} {category.name_zh} → {department.name_zh} · "
            f"{kind.value} by {subject} on {surface or 'unknown surface'} → {department.name_en}, "
            f"policy {self.version}"
        )
        return Route(category=category, lead=lead.lead, assist=lead.assist, reason=reason)


def _fits(wanted: frozenset[str], value: str | None) -> bool:
    return not wanted or value in wanted
