"""A scenario file: what stands on the drawn street and which sensors see trouble, second by second."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.pinhole import PinholeCamera
from sim.street_frames import Thing, ThingKind

Model = TypeVar("Model", bound=BaseModel)


class ScenarioError(Exception):
    """A scenario or its site cannot be used: one line with file and key."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Span(_Part):
    """Seconds from the start of a round; without them, always."""

    from_s: float = Field(default=0.0, ge=0)
    until_s: float = Field(default=float("inf"), gt=0)

    def holds_at(self, second: float) -> bool:
        """Whether this goes on at a second of the round."""
        return self.from_s <= second < self.until_s


class CameraPart(_Part):
    """One simulated camera: an ideal pinhole."""

    id: str
    frames_per_s: float = Field(gt=0, le=60)
    jpeg_quality: int = Field(default=88, ge=10, le=100)
    size_px: tuple[int, int]
    focal_px: float = Field(gt=0)
    height_m: float = Field(gt=0)
    tilt_deg: float = Field(gt=0, lt=90)

    def pinhole(self) -> PinholeCamera:
        """Its optics."""
        return PinholeCamera(
            size_px=self.size_px, focal_px=self.focal_px, height_m=self.height_m, tilt_deg=self.tilt_deg
        )


class ThingPart(_Span):
    """Something on the street for a while; metres right of and ahead of the camera."""

    kind: ThingKind
    x_m: float
    y_m: float = Field(gt=0)
    width_m: float = Field(gt=0)


class SensorsPart(_Part):
    """How the sensors of the site report."""

    interval_s: float = Field(gt=0)


class SensorTrouble(_Span):
    """A sensor that reads this value for a while."""

    sensor_id: str
    value: float


class BrokenSensor(_Part):
    """A sensor that sends the same undecodable text again and again."""

    sensor_id: str
    payload: str
    every_s: float = Field(gt=0)


class Scenario(_Part):
    """All of it."""

    seed: int
    loop_s: float = Field(gt=0)
    camera: CameraPart
    things: tuple[ThingPart, ...] = ()
    sensors: SensorsPart
    sensor_troubles: tuple[SensorTrouble, ...] = ()
    broken_sensors: tuple[BrokenSensor, ...] = ()

    def things_at(self, second: float) -> tuple[Thing, ...]:
        """What stands on the street this many seconds after the start."""
        moment = second % self.loop_s
        return tuple(
            Thing(kind=part.kind, x_m=part.x_m, y_m=part.y_m, width_m=part.width_m, seed=self.seed + index)
            for index, part in enumerate(self.things)
            if part.holds_at(moment)
        )


class SimSensor(_Part):
    """What the simulator needs to know of a sensor of site.toml; the rest of its keys is not its business."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    metric: str


class _SiteFile(BaseModel):
    model_config = ConfigDict(extra="ignore")

    site_id: str
    sensors: tuple[SimSensor, ...] = ()


def load_scenario(path: Path) -> Scenario:
    """Read a scenario file; raises ScenarioError."""
    return _load(path, Scenario)


def load_sensors(site_file: Path) -> tuple[str, tuple[SimSensor, ...]]:
    """(site id, sensors) of a site.toml; raises ScenarioError."""
    site = _load(site_file, _SiteFile)
    return site.site_id, site.sensors


def _load(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ScenarioError(f"{path}: cannot be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ScenarioError(f"{path}: {key}: {first['msg']} (found {first['input']!r})") from error
