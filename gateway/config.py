"""The settings file of one street office, read by gateway and centre alike."""

from __future__ import annotations

import difflib
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from detectors.opening import DEFAULT_MODEL
from gateway.errors import ConfigError

EMBEDDED = "embedded"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BrokerPart(_Part):
    """Which MQTT broker; `embedded` is the one that comes along."""

    url: str = EMBEDDED
    port: int = Field(default=0, ge=0, le=65535)
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


class TopicsPart(_Part):
    """Root of the topic tree."""

    root: str = "s721/v1"


class DetectorPart(_Part):
    """Model and engine."""

    model: str = DEFAULT_MODEL
    device: str = "auto"
    backend: str = "auto"
    max_batch: int = Field(default=8, ge=1, le=64)
    threads: int = Field(default=0, ge=0)


class FramesPart(_Part):
    """Queue policy of frames: drop the oldest and count; how long to wait for a fuller batch."""

    max_pending_per_camera: int = Field(default=1, ge=1)
    min_window_ms: float = Field(default=2, ge=0, le=1000)
    max_window_ms: float = Field(default=100, ge=0, le=1000)
    sampling: Literal["deadline", "every"] = "deadline"
    find_unknown: bool = True

    @model_validator(mode="after")
    def _windows_in_order(self) -> FramesPart:
        if self.min_window_ms > self.max_window_ms:
            raise ValueError(f"min_window_ms {self.min_window_ms:g} is over max_window_ms {self.max_window_ms:g}")
        return self


class HttpPart(_Part):
    """Where a daemon listens."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)


class ReadingsPart(_Part):
    """The gateway's own history."""

    keep_hours: float = Field(default=48, gt=0)


class TimeSeriesPart(_Part):
    """A time-series store that takes line protocol at /api/v2/write."""

    url: str
    token: str = ""
    org: str = "street721"
    bucket: str = "street721"
    margin_s: float = Field(default=60, ge=0)


class Settings(BaseSettings):
    """All of it. Environment variables STREET721_SECTION__KEY win over the file."""

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_prefix="STREET721_", env_nested_delimiter="__")

    data_dir: Path = Path("~/.local/share/street721")
    site: str = "demo"
    broker: BrokerPart = BrokerPart()
    topics: TopicsPart = TopicsPart()
    detector: DetectorPart = DetectorPart()
    frames: FramesPart = FramesPart()
    gateway: HttpPart = HttpPart(port=8722)
    centre: HttpPart = HttpPart(port=8721)
    readings: ReadingsPart = ReadingsPart()
    timeseries: TimeSeriesPart | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment first: the file arrives as init arguments."""
        return env_settings, init_settings

    @property
    def data_path(self) -> Path:
        """The data folder with ~ resolved."""
        return self.data_dir.expanduser()

    @property
    def site_path(self) -> Path:
        """The site folder: a shipped one by name, else a path."""
        return site_folder(self.site)


def site_folder(site: str) -> Path:
    """Folder of a shipped site (by name) or of the user's own (by path); raises ConfigError."""
    shipped = Path(str(resources.files("configs") / site))
    for folder in (Path(site).expanduser(), shipped):
        if (folder / "site.toml").is_file():
            return folder
    raise ConfigError(f"site {site!r}: no site.toml in that folder, and no shipped site of that name (shipped: demo)")


def scenario_file(name: str) -> Path:
    """scenario.toml of a shipped site (by name), of a folder, or the file itself; raises ConfigError."""
    path = Path(name).expanduser()
    for file in (path, path / "scenario.toml", Path(str(resources.files("configs") / name / "scenario.toml"))):
        if file.is_file():
            return file
    raise ConfigError(
        f"scenario {name!r}: no such file or folder with a scenario.toml, and no shipped one (shipped: demo)"
    )


def load_settings(file: Path | None, overrides: dict[str, Any] | None = None) -> Settings:
    """Read the settings file, or the shipped defaults when there is none.

    overrides: values of the command line by dotted key, e.g. {"broker.url": "mqtt://host"}; None is skipped.
    Raises ConfigError with one line: file, key, value, what would be right.
    """
    path = file or Path(str(resources.files("configs") / "street721.toml"))
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    for dotted, value in (overrides or {}).items():
        if value is not None:
            _put(values, dotted.split("."), value)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_explain(error)}") from error


def _put(values: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        values = values.setdefault(key, {})
    values[keys[-1]] = value


def _explain(error: ValidationError) -> str:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        *sections, last = [str(part) for part in first["loc"]]
        near = difflib.get_close_matches(last, _keys_of(sections), n=1)
        return f"{key}: unknown key" + (f"; did you mean {near[0]!r}?" if near else "")
    return f"{key}: {first['msg']} (found {first['input']!r})"


def _keys_of(sections: list[str]) -> list[str]:
    model: Any = Settings
    for section in sections:
        model = type(model.model_fields[section].default) if section != "timeseries" else TimeSeriesPart
    return list(model.model_fields)
