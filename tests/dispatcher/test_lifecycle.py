"""The states of a case: what the table allows happens, everything else raises."""

from __future__ import annotations

import itertools

import pytest

from dispatcher.errors import IllegalTransitionError
from dispatcher.lifecycle import ENDED_STATES, NOTES, TRANSITIONS, is_open, next_state
from dispatcher.messages import OrderState, Step

# Written down a second time from the process description: (step, from, to).
ALLOWED = {
    ("reported", None, "reported"),
    ("claimed", "reported", "verifying"),
    *(("filed", source, "filed") for source in ("reported", "verifying")),
    *(("rejected", source, "rejected") for source in ("reported", "verifying")),
    *(("merged", source, "merged") for source in ("reported", "verifying", "filed")),
    ("unmerged", "merged", "reported"),
    ("dispatched", "filed", "dispatched"),
    ("accepted", "dispatched", "in_progress"),
    ("returned", "dispatched", "filed"),
    ("suspended", "in_progress", "suspended"),
    ("resumed", "suspended", "in_progress"),
    ("extended", "in_progress", "in_progress"),
    ("completed", "in_progress", "handled"),
    ("check_started", "handled", "checking"),
    ("check_failed", "checking", "in_progress"),
    ("closed", "checking", "closed"),
    *(
        ("force_closed", source, "closed")
        for source in ("filed", "dispatched", "in_progress", "suspended", "handled", "checking")
    ),
    *(("voided", source, "void") for source in ("reported", "verifying", "filed", "dispatched")),
    ("evaluated", "closed", "closed"),
    ("reopened", "closed", "filed"),
    *(("tier_raised", source, source) for source in ("filed", "dispatched", "in_progress", "checking")),
    ("overtime_appealed", "closed", "closed"),
}


def test_every_pair_of_state_and_step_does_what_the_process_says() -> None:
    states: list[OrderState | None] = [None, *OrderState]
    for state, step in itertools.product(states, set(Step) - NOTES):
        target = {to for name, source, to in ALLOWED if (name, source) == (step.value, state)}
        if target:
            assert {next_state(state, step)} == target
        else:
            with pytest.raises(IllegalTransitionError):
                next_state(state, step)


@pytest.mark.parametrize("state", list(OrderState))
@pytest.mark.parametrize("note", sorted(NOTES))
def test_notes_of_devices_change_no_state(state: OrderState, note: Step) -> None:
    assert next_state(state, note) is state


@pytest.mark.parametrize("note", sorted(NOTES))
def test_nothing_can_be_noted_without_a_case(note: Step) -> None:
    with pytest.raises(IllegalTransitionError):
        next_state(None, note)


def test_every_state_but_the_ended_ones_occupies_its_place() -> None:
    assert {state for state in OrderState if not is_open(state)} == ENDED_STATES
    assert {OrderState.CLOSED, OrderState.REJECTED, OrderState.MERGED, OrderState.VOID} == ENDED_STATES


def test_each_step_stands_in_the_table_once() -> None:
    steps = [transition.step for transition in TRANSITIONS]
    assert sorted(steps) == sorted(set(Step) - NOTES)


def test_illegal_step_names_state_and_step() -> None:
    with pytest.raises(IllegalTransitionError) as caught:
        next_state(OrderState.FILED, Step.CLOSED)
    assert (caught.value.state, caught.value.step) == ("filed", "closed")
