"""The `[sensors]` tables of a scenario file: which devices there are and what happens to them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from sim.devices.misbehaviour import Misbehaviour
from sim.devices.sensor import SensorKind
from sim.part import Part, Span

SensorId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="letters, digits, - and _")]
_Number = Annotated[float, Field(allow_inf_nan=False)]


class SensorError(Exception):
    """A sensor table that cannot be used: the key in the scenario file, what is wrong, what would be right."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key}: {problem}")
        self.key = key
        self.problem = problem


class GroupPart(Part):
    """Devices of one kind, spread over the grid: `bin-001`, `bin-002` and so on, numbered on in later groups."""

    kind: SensorKind
    count: int = Field(ge=1, le=100_000)
    rule: str | None = Field(default=None, min_length=1, description="the rule of site.toml that judges them")


class PlacedPart(Part):
    """A device at a place of the street, a new one or the member of a group that has this id."""

    id: SensorId
    kind: SensorKind
    x_m: _Number
    y_m: _Number
    rule: str | None = Field(default=None, min_length=1, description="without it, that of its group")
    follows: str | None = Field(default=None, description="id of the bin actor whose fill it measures")

    @model_validator(mode="after")
    def _only_bins_follow(self) -> PlacedPart:
        if self.follows is not None and self.kind is not SensorKind.BIN:
            raise ValueError(f"follows is for sensors of kind bin; {self.id} is of kind {self.kind}")
        return self


class ReadingPart(Span):
    """What is really so at a sensor for a while, whatever its pattern or the street says; the last one counts."""

    sensor: SensorId
    value: _Number
    metric: str | None = Field(default=None, description="without it, the first one of the sensor")


class SensorsPart(Part):
    """All of `[sensors]`."""

    interval_s: float = Field(default=5.0, gt=0, le=86_400, description="between two reports of a sensor")
    groups: tuple[GroupPart, ...] = ()
    placed: tuple[PlacedPart, ...] = ()
    readings: tuple[ReadingPart, ...] = ()
    misbehaviour: tuple[Misbehaviour, ...] = ()
