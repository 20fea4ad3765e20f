"""`make check` is worth something only if it fails: each violation is planted in a copy and must be found."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
PACKAGES = ("ingest", "detectors", "geofence", "dispatcher", "sim", "gateway")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "*.db"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def _run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(folder), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")


@pytest.mark.parametrize(
    ("file", "planted", "contract"),
    [
        ("ingest/topics.py", "\nimport geofence.judge\n", "Stages flow one way"),
        ("sim/devices/sensor.py", "\nimport ingest.topics\n", "The simulator stands outside"),
        ("geofence/places.py", "\nimport sim.street.pinhole\n", "No stage imports the simulator"),
        ("dispatcher/orders.py", "\nimport sqlite3\n", "Only the adapters of a stage"),
    ],
)
def test_a_planted_import_breaks_its_contract(copy: Path, file: str, planted: str, contract: str) -> None:
    _append(copy / file, planted)
    done = _run(copy, "lint-imports", "--no-cache")
    assert done.returncode != 0
    (broken,) = [line for line in done.stdout.splitlines() if "BROKEN" in line]
    assert contract in broken


def test_the_contracts_hold_without_a_violation(copy: Path) -> None:
    done = _run(copy, "lint-imports", "--no-cache")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("planted", "rule"),
    [
        ("\n\ndef now() -> float:\n    import time\n\n    return time.time()\n", "TID251"),
        ("\n\ndef noisy() -> None:\n    print('x')\n", "T201"),
    ],
)
def test_ruff_finds_a_clock_and_a_print_in_the_core(copy: Path, planted: str, rule: str) -> None:
    _append(copy / "geofence/dwell.py", planted)
    done = _run(copy, "ruff", "check", "--no-cache", "geofence/dwell.py")
    assert done.returncode != 0
    assert rule in done.stdout


def test_mypy_finds_a_wrong_type(copy: Path) -> None:
    _append(copy / "gateway/batcher.py", "\n\ndef wrong() -> int:\n    return 'text'\n")
    done = _run(copy, "mypy", "--no-incremental", "--config-file", "pyproject.toml", "gateway/batcher.py")
    assert done.returncode != 0
    assert 'Incompatible return value type (got "str", expected "int")' in done.stdout
