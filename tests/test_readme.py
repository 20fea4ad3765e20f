"""What the README says exists, exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import app

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _table(heading: str) -> str:
    return README.split(heading, 1)[1].split("\n## ", 1)[0]


def test_every_path_of_the_change_table_exists() -> None:
    rows = [line for line in _table("## Where to change what").splitlines() if line.startswith("|")]
    paths = re.findall(r"`([\w./]+/[\w.]*)`", "\n".join(rows))
    assert len(paths) > 20
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`street721 ([a-z-]+)", README))))
def test_every_command_of_the_readme_has_help(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0


def test_every_command_is_in_the_readme() -> None:
    names = [command.name for command in app.registered_commands] + [group.name for group in app.registered_groups]
    table = _table("## On your own street")
    assert [name for name in names if not re.search(rf"`(street721 )?{name}\b", table)] == []


def test_every_adr_follows_its_number() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in (ROOT / "docs" / "adr").glob("*.md"):
        assert path.read_text(encoding="utf-8").startswith(f"# {int(path.name[:4])}. ")


def test_glossary_names_code_that_exists() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8")
    paths = re.findall(r"`((?:ingest|detectors|geofence|dispatcher|sim|gateway)/[\w./]+)`", glossary)
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []
