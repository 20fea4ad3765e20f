"""Sensor rules: threshold, hysteresis, hold time; nothing from late or repeated readings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geofence.config import SensorRule
from geofence.errors import GeofenceError
from geofence.messages import IncidentKind
from geofence.sensor_rules import Phase, SensorState, SensorStep, advance_sensor

START = datetime(2026, 5, 1, tzinfo=UTC)
NOTHING, OPENED, UPDATED, CLEARED = SensorStep.NOTHING, SensorStep.OPENED, SensorStep.UPDATED, SensorStep.CLEARED
BIN = SensorRule(
    kind=IncidentKind.BIN_OVERFLOW,
    is_high_bad=True,
    raise_at=85,
    clear_at=60,
    hold_s=10,
    clear_hold_s=20,
    heartbeat_s=100,
)
BATTERY = SensorRule(
    kind=IncidentKind.BIN_OVERFLOW,
    is_high_bad=False,
    raise_at=10,
    clear_at=20,
    hold_s=0,
    clear_hold_s=0,
    heartbeat_s=100,
)


def run(
    *readings: tuple[float, float], rule: SensorRule = BIN, state: SensorState | None = None
) -> tuple[SensorState, list[SensorStep]]:
    """(second, value) readings in the order in which they come."""
    now, steps = state or SensorState(), []
    for second, value in readings:
        now, step = advance_sensor(now, value, measured_at=START + timedelta(seconds=second), rule=rule)
        steps.append(step)
    return now, steps


def test_trouble_opens_at_the_hold_time_exactly() -> None:
    assert run((0, 90), (9.999999, 90), (10, 90))[1] == [NOTHING, NOTHING, OPENED]


def test_one_reading_over_the_limit_proves_nothing() -> None:
    assert run((0, 90), (5, 80), (10, 90), (19, 90))[1] == [NOTHING] * 4


@pytest.mark.parametrize(("value", "step"), [(85, NOTHING), (85.001, OPENED)])
def test_a_value_on_the_limit_is_not_over_it(value: float, step: SensorStep) -> None:
    assert run((0, value), (10, value))[1][-1] == step


def test_began_at_is_the_first_reading_of_the_unbroken_run() -> None:
    state, _ = run((0, 90), (5, 50), (7, 90), (17, 90))
    assert state.began_at == START + timedelta(seconds=7)


def test_values_between_the_thresholds_keep_an_incident_open() -> None:
    steps = run((0, 90), (10, 90), (20, 70), (40, 60), (60, 84))[1]
    assert steps == [NOTHING, OPENED, NOTHING, NOTHING, NOTHING]


def test_it_clears_after_its_own_hold_time_exactly_and_once() -> None:
    steps = run((0, 90), (10, 90), (20, 59), (39.999, 10), (40, 10), (50, 10))[1]
    assert steps == [NOTHING, OPENED, NOTHING, NOTHING, CLEARED, NOTHING]


def test_a_relapse_starts_the_clearing_anew() -> None:
    steps = run((0, 90), (10, 90), (20, 50), (30, 70), (31, 50), (50, 50), (51, 50))[1]
    assert steps == [NOTHING, OPENED, NOTHING, NOTHING, NOTHING, NOTHING, CLEARED]


def test_no_hold_time_opens_and_clears_at_once_for_low_values() -> None:
    steps = run((0, 30), (1, 10), (2, 9.9), (3, 15), (4, 20), (5, 20.1), rule=BATTERY)[1]
    assert steps == [NOTHING, NOTHING, OPENED, NOTHING, NOTHING, CLEARED]


def test_heartbeat_comes_at_most_once_in_its_time() -> None:
    steps = run((0, 90), (10, 90), (109, 90), (110, 90), (111, 90), (210, 90))[1]
    assert steps == [NOTHING, OPENED, NOTHING, UPDATED, NOTHING, UPDATED]


def test_late_and_repeated_readings_change_nothing() -> None:
    before, _ = run((0, 90), (10, 90))
    after, steps = run((10, 0), (10, 90), (5, 0), (0, 90), state=before)
    assert after is before
    assert steps == [NOTHING] * 4


def test_trouble_at_the_first_reading_ever_has_an_unknown_start() -> None:
    assert run((0, 90))[0].is_start_unknown
    assert not run((0, 10), (1, 90))[0].is_start_unknown
    assert not run((0, 90), (1, 10), (2, 90))[0].is_start_unknown


def test_a_cleared_sensor_remembers_only_its_clock() -> None:
    state, _ = run((0, 90), (10, 90), (20, 0), (40, 0))
    assert state == SensorState(last_at=START + timedelta(seconds=40))
    assert state.phase == Phase.CLEAR


STREAM = st.lists(st.tuples(st.floats(-5, 30), st.floats(0, 100)), max_size=40)


@given(STREAM, st.integers(0, 40))
def test_state_saved_and_restored_anywhere_gives_identical_steps(stream: list[tuple[float, float]], cut: int) -> None:
    second, readings = 0.0, []
    for step_s, value in stream:
        second += step_s
        readings.append((second, value))
    whole_state, whole = run(*readings)
    first_state, first = run(*readings[:cut])
    last_state, last = run(*readings[cut:], state=SensorState.from_json(first_state.to_json()))
    assert first + last == whole
    assert last_state == whole_state


@given(STREAM)
def test_opened_and_cleared_alternate(stream: list[tuple[float, float]]) -> None:
    second, readings = 0.0, []
    for step_s, value in stream:
        second += step_s
        readings.append((second, value))
    told = [step for step in run(*readings)[1] if step in {OPENED, CLEARED}]
    assert told == [OPENED, CLEARED] * (len(told) // 2) + [OPENED] * (len(told) % 2)


def test_saved_state_of_something_else_is_refused_in_one_line() -> None:
    with pytest.raises(GeofenceError, match="saved sensor state is not readable: phase"):
        SensorState.from_json('{"phase": "asleep"}')
