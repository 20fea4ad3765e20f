"""Threshold, hysteresis and hold time for one sensor: pure, in event time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import TypeAdapter, ValidationError

from geofence.config import SensorRule
from geofence.errors import GeofenceError


class Phase(StrEnum):
    """Where a sensor stands between fine and reported."""

    CLEAR = "clear"
    RAISING = "raising"
    RAISED = "raised"
    CLEARING = "clearing"


@dataclass(frozen=True, slots=True)
class SensorState:
    """What the rule of one sensor remembers between two readings; may be saved as text.

    began_at:    first reading of the trouble; ending_at: first reading that says it is over
    is_start_unknown: the sensor's very first reading already was trouble
    reported_at: when the latest event was sent
    """

    last_at: datetime | None = None
    phase: Phase = Phase.CLEAR
    began_at: datetime | None = None
    ending_at: datetime | None = None
    is_start_unknown: bool = False
    reported_at: datetime | None = None

    def to_json(self) -> str:
        """One line of JSON."""
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> SensorState:
        """Read what to_json wrote; raises GeofenceError when it is something else."""
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "text"
            raise GeofenceError(f"saved sensor state is not readable: {where}: {first['msg']}") from error


_ADAPTER = TypeAdapter(SensorState)


class SensorStep(StrEnum):
    """What a reading means."""

    NOTHING = "nothing"
    OPENED = "opened"
    UPDATED = "updated"
    CLEARED = "cleared"


def advance_sensor(
    state: SensorState, value: float, *, measured_at: datetime, rule: SensorRule
) -> tuple[SensorState, SensorStep]:
    """The state after one reading and what it means; a late or repeated reading changes nothing.

    The hold time is between the first and the latest of an unbroken run of readings: one alone proves none.
    """
    if state.last_at is not None and measured_at <= state.last_at:
        return state, SensorStep.NOTHING
    read = replace(state, last_at=measured_at)
    if state.phase in {Phase.CLEAR, Phase.RAISING}:
        return _while_fine(read, value, measured_at, rule, is_first=state.last_at is None)
    return _while_raised(read, value, measured_at, rule)


def _while_fine(
    state: SensorState, value: float, at: datetime, rule: SensorRule, *, is_first: bool
) -> tuple[SensorState, SensorStep]:
    if not _is_over(value, rule.raise_at, is_high=rule.is_high_bad):
        return replace(state, phase=Phase.CLEAR, began_at=None, is_start_unknown=False), SensorStep.NOTHING
    began_at = state.began_at or at
    is_start_unknown = state.is_start_unknown or is_first
    raising = replace(state, phase=Phase.RAISING, began_at=began_at, is_start_unknown=is_start_unknown)
    if at - began_at < timedelta(seconds=rule.hold_s):
        return raising, SensorStep.NOTHING
    return replace(raising, phase=Phase.RAISED, reported_at=at), SensorStep.OPENED


def _while_raised(state: SensorState, value: float, at: datetime, rule: SensorRule) -> tuple[SensorState, SensorStep]:
    if _is_over(value, rule.clear_at, is_high=not rule.is_high_bad):
        ending_at = state.ending_at or at
        if at - ending_at >= timedelta(seconds=rule.clear_hold_s):
            return SensorState(last_at=at), SensorStep.CLEARED
        return replace(state, phase=Phase.CLEARING, ending_at=ending_at), SensorStep.NOTHING
    staying = replace(state, phase=Phase.RAISED, ending_at=None)
    if state.reported_at is None or at - state.reported_at >= timedelta(seconds=rule.heartbeat_s):
        return replace(staying, reported_at=at), SensorStep.UPDATED
    return staying, SensorStep.NOTHING


def _is_over(value: float, limit: float, *, is_high: bool) -> bool:
    """Whether the value is past the limit; on it is not past it."""
    return value > limit if is_high else value < limit
