"""`street721 train`: what Ctrl-C leaves, and that a run goes on from there."""

from __future__ import annotations

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from detectors.model_card import load_card
from detectors.opening import DEFAULT_MODEL, card_path
from detectors.training.labels import STREET_CLASSES
from gateway.commands import train as command
from tests.labelled_pictures import write_labelled

EPOCHS = 3
_TRAIN = "import typer; from gateway.commands.train import train; typer.run(train)"
_PATIENCE_S = 300.0


def test_ctrl_c_says_how_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "train_model", interrupted)
    app = typer.Typer()
    app.command()(command.train)
    out = tmp_path / "run"
    result = CliRunner().invoke(app, [str(tmp_path), "--start", "start.pt", "--out", str(out)])
    assert result.exit_code == 130
    assert result.stderr == (
        f"street721: stopped; {out} holds the epochs so far, the same command with --resume goes on\n"
    )


def test_an_interrupted_run_resumes_with_the_epochs_that_are_left(tmp_path: Path) -> None:
    pytest.importorskip("ultralytics", reason="needs the extra: pip install street721[train]")
    data = _tiny_set(tmp_path / "set")
    out = tmp_path / "run"
    arguments = [
        *(str(data), "--start", str(load_card(card_path(DEFAULT_MODEL)).weights.parent / f"{DEFAULT_MODEL}.pt")),
        *("--out", str(out), "--epochs", str(EPOCHS), "--imgsz", "64", "--batch", "2"),
    ]
    with subprocess.Popen([sys.executable, "-c", _TRAIN, *arguments], stderr=subprocess.PIPE) as first:
        assert first.stderr is not None
        _wait_for(lambda: (out / "weights" / "last.pt").is_file() or first.poll() is not None)
        first.send_signal(signal.SIGINT)
        said = first.stderr.read().decode()
        assert first.wait(_PATIENCE_S) == 130, said
    assert "the same command with --resume goes on" in said.splitlines()[-1]
    done = _epochs(out)
    assert 1 <= len(done) < EPOCHS
    resumed = subprocess.run(
        [sys.executable, "-c", _TRAIN, *arguments, "--resume"], capture_output=True, check=True, timeout=_PATIENCE_S
    )
    assert resumed.stdout.decode().splitlines()[-1] == str(out / "weights" / "last.pt")
    epochs = _epochs(out)
    assert [row["epoch"] for row in epochs] == [str(number) for number in range(1, EPOCHS + 1)]
    assert epochs[: len(done)] == done


def _tiny_set(folder: Path) -> Path:
    """What `data prepare` leaves, with a few pictures of 64 px; there are enough to interrupt an epoch."""
    for kind, count in (("train", 120), ("val", 4)):
        for index in range(count):
            write_labelled(folder / "raw" / kind, f"p{index}", index, "2 0.5 0.5 0.4 0.4\n", (64, 64))
    names = "".join(f"  {number}: {name}\n" for number, name in enumerate(STREET_CLASSES))
    text = f"path: {folder}\ntrain: raw/train/images\nval: raw/val/images\nnames:\n{names}"
    (folder / "data.yaml").write_text(text, encoding="utf-8")
    return folder


def _epochs(out: Path) -> list[dict[str, str]]:
    results = out / "results.csv"
    if not results.is_file():
        return []
    with results.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


def _wait_for(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)
