"""Checks of a policy as a whole: every trouble has one category, every category one lead department."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dispatcher.errors import PolicyError
from dispatcher.policy import Category, Policy
from geofence.messages import IncidentKind


def lint(policy: Policy, file: str, *, duplicates: Iterable[tuple[str, str]]) -> None:
    """Raise PolicyError for the first fault: a name used twice, an unknown one, a gap or a rule never reached."""
    for key, value in duplicates:
        raise PolicyError(file, key, value, "is used twice; should be unique")
    for index, category in enumerate(policy.categories.values()):
        _lint_category(policy, category, f"categories[{index}]", file)
    for kind in IncidentKind:
        _lint_routes(policy, kind, file)
    _lint_days(policy, file)
    _lint_unused(policy, file)


def _lint_category(policy: Policy, category: Category, where: str, file: str) -> None:
    known = ", ".join(policy.departments)
    for number, rule in enumerate(category.lead_rules):
        for department in (rule.lead, *rule.assist):
            if department not in policy.departments:
                key = f"{where}.leads[{number}]"
                raise PolicyError(file, key, department, f"unknown department; should be one of {known}")
        if rule.lead in rule.assist:
            raise PolicyError(file, f"{where}.leads[{number}].assist", rule.lead, "should not repeat the lead")
    _one_last_unconditional([not rule.surfaces for rule in category.lead_rules], f"{where}.leads", category.key, file)


def _lint_routes(policy: Policy, kind: IncidentKind, file: str) -> None:
    rules = [rule for rule in policy.routes if rule.kind is kind]
    key = f"routes.{kind.value}"
    for number, rule in enumerate(rules):
        if rule.category not in policy.categories:
            raise PolicyError(
                file, f"{key}[{number}].category", rule.category, "should be the key of one of [[categories]]"
            )
    _one_last_unconditional([not rule.subjects and not rule.surfaces for rule in rules], key, kind.value, file)


def _one_last_unconditional(unconditional: Sequence[bool], key: str, value: str, file: str) -> None:
    if not unconditional or not unconditional[-1]:
        raise PolicyError(file, key, value, "the last rule should have no condition, so that nothing is left over")
    if sum(unconditional) > 1:
        raise PolicyError(
            file, key, value, "only the last rule should have no condition; those after it are never reached"
        )


def _lint_days(policy: Policy, file: str) -> None:
    for day in sorted(policy.calendar.holidays & policy.calendar.extra_work_days):
        raise PolicyError(
            file, "calendar.extra_work_days", day.isoformat(), "is a holiday as well; should be in one list only"
        )
    for day in sorted(policy.calendar.extra_work_days):
        if day.weekday() < 5:
            raise PolicyError(file, "calendar.extra_work_days", day.isoformat(), "should be a Saturday or a Sunday")


def _lint_unused(policy: Policy, file: str) -> None:
    used = {
        department
        for category in policy.categories.values()
        for rule in category.lead_rules
        for department in (rule.lead, *rule.assist)
    }
    for department in policy.departments:
        if department not in used:
            raise PolicyError(file, "departments", department, "should lead or assist in at least one category")
