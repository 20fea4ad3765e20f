"""What training and export say when they cannot begin."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from detectors.training.errors import DataFolderError, ExtraMissingError, ModelFileError
from detectors.training.export import export
from detectors.training.train import train
from detectors.training.weights import open_checkpoint, open_start


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """A weight file that nobody gets to open."""
    (tmp_path / "start.pt").write_bytes(b"weights")
    return tmp_path / "start.pt"


@pytest.fixture
def _without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)


@pytest.mark.usefixtures("_without_extra")
def test_without_the_extra_training_says_how_to_get_it(tmp_path: Path, start: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: {}", encoding="utf-8")
    with pytest.raises(ExtraMissingError, match=r"^ultralytics is not installed: pip install street721\[train\]$"):
        train(tmp_path, start, out=tmp_path / "run", epochs=1)


@pytest.mark.usefixtures("_without_extra")
def test_without_the_extra_export_says_how_to_get_it(tmp_path: Path, start: Path) -> None:
    with pytest.raises(ExtraMissingError, match=r"pip install street721\[train\]"):
        export(start, tmp_path / "out")


def test_a_folder_that_prepare_did_not_build_is_named(tmp_path: Path, start: Path) -> None:
    with pytest.raises(DataFolderError, match=r"holds no data\.yaml; expected a folder built by prepare"):
        train(tmp_path, start, out=tmp_path / "run", epochs=1)


def test_missing_start_weights_are_named(tmp_path: Path) -> None:
    (tmp_path / "data.yaml").write_text("names: {}", encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"none\.pt: no such file; expected ultralytics weights"):
        train(tmp_path, tmp_path / "none.pt", out=tmp_path / "run", epochs=1)


def test_there_must_be_a_run_to_resume(tmp_path: Path, start: Path) -> None:
    with pytest.raises(ModelFileError, match=r"last\.pt: no such file; nothing to resume"):
        train(tmp_path, start, out=tmp_path / "run", epochs=1, resume=True)


def test_bare_tensors_start_the_network_that_they_fit(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra: pip install street721[train]")
    ultralytics = pytest.importorskip("ultralytics", reason="needs the extra: pip install street721[train]")
    tensors = ultralytics.YOLO("yolov5n.yaml", verbose=False).model.state_dict()
    backbone = {name: tensor + 1 for name, tensor in tensors.items() if name.startswith("model.0.")}
    torch.save(backbone, tmp_path / "bare.pt")
    model = open_start(tmp_path / "bare.pt")
    assert model.ckpt  # or ultralytics would train from nothing
    assert torch.equal(model.model.state_dict()["model.0.conv.weight"], backbone["model.0.conv.weight"])


def test_bare_tensors_of_another_network_are_refused(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the extra: pip install street721[train]")
    torch.save({"model.0.conv.weight": torch.zeros(80, 3, 3, 3)}, tmp_path / "other.pt")
    with pytest.raises(ModelFileError, match=r"other\.pt: holds tensors alone, and 'model\.0\.conv\.weight' does not"):
        open_start(tmp_path / "other.pt")


@pytest.mark.parametrize("opened", [open_start, open_checkpoint])
@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04 and no end"])
def test_a_file_that_is_no_checkpoint_is_one_line(
    tmp_path: Path, content: bytes, opened: Callable[[Path], object]
) -> None:
    pytest.importorskip("ultralytics", reason="needs the extra: pip install street721[train]")
    (tmp_path / "bad.pt").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"^\S*bad\.pt: not a checkpoint of ultralytics, or a broken one \(\w+\)$"):
        opened(tmp_path / "bad.pt")
