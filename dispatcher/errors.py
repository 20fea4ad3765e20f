"""Errors of the dispatcher stage. Each carries its facts as attributes."""

from __future__ import annotations

from detectors.validation import shown


class DispatcherError(Exception):
    """Base of every error that this stage raises."""


class PolicyError(DispatcherError):
    """A policy file cannot be used: names the file, the key, what stands there and what would be right."""

    def __init__(self, file: str, key: str, value: object, problem: str) -> None:
        super().__init__(f"{file}: {key} = {shown(value)}: {problem}")
        self.file = file
        self.key = key
        self.value = value
        self.problem = problem


class IllegalTransitionError(DispatcherError):
    """A step that the transition table does not allow from this state; nothing was changed."""

    def __init__(self, state: str | None, step: str) -> None:
        super().__init__(f"step {step!r} is not allowed from state {state!r}")
        self.state = state
        self.step = step


class CaseNumberError(DispatcherError):
    """No case number can be formed: the adcode is malformed or the day's five digits are used up."""


class IncidentError(DispatcherError):
    """An incident event is well-formed JSON but says something impossible.

    reason: a short constant used as a metric label; detail: one line for a person
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class StoreUnavailableError(DispatcherError):
    """The database cannot be reached or is locked; nothing was written, the caller may try again."""
