"""What every table of a scenario file is made of."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Part(BaseModel):
    """A table of a scenario file: unknown keys are typing errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Span(Part):
    """Something that goes on from one second of the scenario to another; without them, always."""

    from_s: float = Field(default=0.0, description="seconds from the start of the scenario")
    until_s: float = Field(default=math.inf, description="seconds, later than from_s")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Span:
        if self.until_s <= self.from_s:
            raise ValueError(f"until_s {self.until_s:g} is not later than from_s {self.from_s:g}")
        return self

    def holds_at(self, second: float) -> bool:
        """Whether it goes on at a second of the scenario."""
        return self.from_s <= second < self.until_s
