"""docs/simulator.md names every key, kind and command that there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from gateway.commands.simulate import sim_app
from sim.devices.sensor import SensorKind
from sim.scenario import Scenario
from sim.street.body import BodyKind
from sim.street.street import ZoneKind
from sim.street.weather import Weather

MANUAL = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[a-z][a-z0-9_]*", MANUAL))


def _tables_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _tables_in(field.annotation)
        return
    for part in get_args(annotation):
        yield from _tables_in(part)


def _keys() -> list[str]:
    return sorted({key for table in _tables_in(Scenario) for key in table.model_fields})


def test_there_are_many_keys() -> None:
    assert len(_keys()) > 80


@pytest.mark.parametrize("key", _keys())
def test_every_key_of_a_scenario_is_in_the_manual(key: str) -> None:
    assert key in WORDS


@pytest.mark.parametrize("kinds", [BodyKind, Weather, SensorKind, ZoneKind])
def test_every_kind_is_in_the_manual(kinds: type[BodyKind]) -> None:
    assert [kind.value for kind in kinds if kind.value not in WORDS] == []


def test_every_command_is_in_the_manual() -> None:
    names = [command.name for command in sim_app.registered_commands]
    assert [name for name in names if f"`street721 sim {name}" not in MANUAL] == []
