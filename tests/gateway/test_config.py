"""The settings file: what a person mistypes is named, with what would be right."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.config import load_settings, site_folder
from gateway.errors import ConfigError


def _write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_holds_the_defaults() -> None:
    settings = load_settings(None)
    assert (settings.broker.url, settings.centre.port, settings.gateway.port) == ("embedded", 8721, 8722)
    assert settings.timeseries is None


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    file = _write(tmp_path, '[broker]\nurl = "mqtt://from-file"\n')
    assert load_settings(file, {"broker.url": "mqtt://from-line"}).broker.url == "mqtt://from-line"
    assert load_settings(file, {"broker.url": None}).broker.url == "mqtt://from-file"


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREET721_BROKER__URL", "mqtt://from-environment")
    file = _write(tmp_path, '[broker]\nurl = "mqtt://from-file"\nport = 1999\n')
    settings = load_settings(file)
    assert (settings.broker.url, settings.broker.port) == ("mqtt://from-environment", 1999)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[broker]\nurll = 'x'\n", "broker.urll: unknown key; did you mean 'url'?"),
        ("sight = 'demo'\n", "sight: unknown key; did you mean 'site'?"),
        ("[timeseries]\nurl = 'http://x'\nbukket = 'b'\n", "timeseries.bukket: unknown key; did you mean 'bucket'?"),
        ("[centre]\nport = 99999\n", "centre.port: Input should be less than or equal to 65535 (found 99999)"),
        ("[broker\n", "not TOML"),
    ],
)
def test_a_mistake_is_one_line_with_file_and_key(tmp_path: Path, text: str, line: str) -> None:
    file = _write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_settings(file)
    assert str(caught.value).startswith(f"{file}: {line}")
    assert "\n" not in str(caught.value)


def test_a_site_that_is_nowhere_is_named() -> None:
    with pytest.raises(ConfigError, match="site 'nowhere': no site.toml"):
        site_folder("nowhere")
