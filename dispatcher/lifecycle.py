"""The states of a work order and the steps between them, as one table."""

from __future__ import annotations

from dataclasses import dataclass

from dispatcher.errors import IllegalTransitionError
from dispatcher.messages import OrderState, Step

S = OrderState


@dataclass(frozen=True, slots=True)
class Transition:
    """A step and the states that it may leave; `to` None means the state stays."""

    step: Step
    sources: frozenset[OrderState | None]
    to: OrderState | None


def _step(step: Step, *sources: OrderState | None, to: OrderState | None) -> Transition:
    return Transition(step, frozenset(sources), to)


TRANSITIONS: tuple[Transition, ...] = (
    _step(Step.REPORTED, None, to=S.REPORTED),
    _step(Step.CLAIMED, S.REPORTED, to=S.VERIFYING),
    _step(Step.FILED, S.REPORTED, S.VERIFYING, to=S.FILED),
    _step(Step.REJECTED, S.REPORTED, S.VERIFYING, to=S.REJECTED),
    _step(Step.MERGED, S.REPORTED, S.VERIFYING, S.FILED, to=S.MERGED),
    _step(Step.UNMERGED, S.MERGED, to=S.REPORTED),
    _step(Step.DISPATCHED, S.FILED, to=S.DISPATCHED),
    _step(Step.ACCEPTED, S.DISPATCHED, to=S.IN_PROGRESS),
    _step(Step.RETURNED, S.DISPATCHED, to=S.FILED),
    _step(Step.SUSPENDED, S.IN_PROGRESS, to=S.SUSPENDED),
    _step(Step.RESUMED, S.SUSPENDED, to=S.IN_PROGRESS),
    _step(Step.EXTENDED, S.IN_PROGRESS, to=None),
    _step(Step.COMPLETED, S.IN_PROGRESS, to=S.HANDLED),
    _step(Step.CHECK_STARTED, S.HANDLED, to=S.CHECKING),
    _step(Step.CHECK_FAILED, S.CHECKING, to=S.IN_PROGRESS),
    _step(Step.CLOSED, S.CHECKING, to=S.CLOSED),
    _step(Step.FORCE_CLOSED, S.FILED, S.DISPATCHED, S.IN_PROGRESS, S.SUSPENDED, S.HANDLED, S.CHECKING, to=S.CLOSED),
    _step(Step.VOIDED, S.REPORTED, S.VERIFYING, S.FILED, S.DISPATCHED, to=S.VOID),
    _step(Step.EVALUATED, S.CLOSED, to=None),
    _step(Step.REOPENED, S.CLOSED, to=S.FILED),
    _step(Step.TIER_RAISED, S.FILED, S.DISPATCHED, S.IN_PROGRESS, S.CHECKING, to=None),
    _step(Step.OVERTIME_APPEALED, S.CLOSED, to=None),
)

NOTES: frozenset[Step] = frozenset({Step.UPDATED, Step.LINKED, Step.TROUBLE_GONE})
"""Steps that may be written down in any state, an ended one too: they say what the devices saw."""

ENDED_STATES: frozenset[OrderState] = frozenset({S.CLOSED, S.REJECTED, S.MERGED, S.VOID})

_BY_STEP = {transition.step: transition for transition in TRANSITIONS}


def is_open(state: OrderState) -> bool:
    """Whether a case in this state still occupies its place, so that a repeat links to it."""
    return state not in ENDED_STATES


def next_state(state: OrderState | None, step: Step) -> OrderState:
    """Return the state after `step`, `state` None meaning that there is no case yet.

    Raises IllegalTransitionError where the table has no such step.
    """
    if step in NOTES and state is not None:
        return state
    transition = _BY_STEP.get(step)
    if transition is None or state not in transition.sources:
        raise IllegalTransitionError(state, step)
    target = transition.to or state
    if target is None:
        raise IllegalTransitionError(state, step)
    return target
