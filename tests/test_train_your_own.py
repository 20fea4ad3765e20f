"""The manual of training names commands, options, files and layouts that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from detectors.classes import load_classes, parse_classes
from detectors.training.source import Layout
from gateway.cli import app

ROOT = Path(__file__).parents[1]
MANUAL = (ROOT / "docs" / "train-your-own.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"(?:^|`)(street721 [a-z][^`\n]*)", MANUAL, re.MULTILINE)))


def _help_of(words: list[str]) -> str:
    """The help of the command that the line begins with."""
    names = words[1:3] if words[1] == "data" else words[1:2]
    result = CliRunner().invoke(app, [*names, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    return result.output


def test_the_manual_shows_every_step() -> None:
    assert {line.split()[1] for line in COMMANDS} == {"data", "train", "export", "eval", "detect"}


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_and_option_of_the_manual_exists(line: str) -> None:
    words = line.split()
    told = _help_of(words)
    assert [word for word in words if word.startswith("--") and not re.search(rf"{word}\b", told)] == []


def test_the_checkpoint_to_start_from_ships() -> None:
    (start,) = re.findall(r"`START` is [^`]*`([^`]+)`", MANUAL)
    assert (ROOT / start).is_file()


def test_the_example_row_can_be_added_to_the_shipped_table() -> None:
    shipped = (ROOT / "configs" / "classes.toml").read_text(encoding="utf-8")
    row = MANUAL.split("```toml\n[[classes]]", 1)[1].split("```", 1)[0]
    table = parse_classes(f"{shipped}\n[[classes]]{row}")
    assert len(table.classes) == len(load_classes().classes) + 1


@pytest.mark.parametrize("name", ["van", "tricycle", "e_bike", "stall", "goods", "works"])
def test_what_chinese_streets_hold_has_a_row(name: str) -> None:
    assert name in load_classes().by_name
    assert f"`{name}`" in MANUAL


def test_the_manual_names_every_layout() -> None:
    for layout in Layout:
        for part in re.findall(r"\{[^ ,]*[^ ]*|annotations/\S+", layout.value):
            assert part.rstrip(",") in MANUAL, layout
