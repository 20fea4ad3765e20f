"""The console script: whatever a person gets wrong is one line on stderr and exit status 1."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EMPTY_FOLDER = "EMPTY_FOLDER"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["eval", "--data", EMPTY_FOLDER], "no group found"),
        (["train", EMPTY_FOLDER, "--start", "x.pt", "--out", "out"], "no data.yaml"),
        (["export", "x.pt", "--out", "out"], "x.pt: "),
        (["data", "prepare", EMPTY_FOLDER, "--out", "out"], "no group found"),
        (["check-config", "--site", EMPTY_FOLDER], "no site.toml in that folder"),
        (["gateway", "--config", "gone.toml"], "gone.toml: cannot be read: No such file or directory"),
        (["centre", "--data-dir", EMPTY_FOLDER, "--port", "0"], "start `street721 gateway`"),
        (["detect", "gone.jpg"], "gone.jpg: no such file or folder"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_mistake_is_one_line_and_status_1(tmp_path: Path, arguments: list[str], said: str) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    command = [sys.executable, "-m", "gateway", *(str(folder) if word == EMPTY_FOLDER else word for word in arguments)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("street721: ")
    assert said in line
