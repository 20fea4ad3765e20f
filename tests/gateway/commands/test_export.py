"""`street721 export`: which pictures decide what ships, and which ones its card speaks of."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from detectors.model_card import load_card
from detectors.training.evaluate import Evaluation
from detectors.training.export import Exported, Form
from gateway.commands import train as command
from tests.detectors.small_networks import ANY_PICTURE, write_network, yolo_head
from tests.detectors.training.evaluations import evaluation_of
from tests.labelled_pictures import write_picture

_CLASSES = ("car", "bus")
_ON_VAL = {Form.FP16: 0.5, Form.INT8: 0.8}
_ON_DEV = {Form.FP16: 0.8, Form.INT8: 0.5}


def _exported(folder: Path) -> Exported:
    folder.mkdir(parents=True)
    head = yolo_head(class_count=len(_CLASSES))
    models = {
        form: write_network(folder / f"{folder.name}_{form}.xml", head, input_shape=ANY_PICTURE) for form in _ON_VAL
    }
    (folder / "m.pt").write_bytes(b"checkpoint")
    return Exported(checkpoint=folder / "m.pt", models=models, classes=_CLASSES)


def _measured(_exported: Exported, form: Form, data: Path, input_px: int) -> Evaluation:
    ap50 = (_ON_DEV if data.name == "dev" else _ON_VAL)[form]
    return evaluation_of({"car": 0.4}, ap50={"car": ap50}, input_px=input_px)


@pytest.mark.parametrize(("keeps_some_out", "form"), [(True, Form.FP16), (False, Form.INT8)])
def test_pictures_kept_out_of_training_decide_what_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps_some_out: bool, form: Form
) -> None:
    monkeypatch.setattr(command, "export_model", lambda _weights, out, **_: _exported(out))
    monkeypatch.setattr(command, "_measure", _measured)
    prepared = tmp_path / "set"
    write_picture(prepared / "images" / "train" / "a.jpg", 1)
    if keeps_some_out:
        (prepared / "dev").mkdir()
    app = typer.Typer()
    app.command()(command.export)
    options = ["--data", str(tmp_path / "val"), "--calibrate", str(prepared), "--threads", "1"]
    result = CliRunner().invoke(app, ["last.pt", "--out", str(tmp_path / "m"), *options])
    assert result.exit_code == 0, result.output
    card = load_card(tmp_path / "m.toml")
    assert card.weights.name == f"m_{form}.xml"
    assert f"ap50 = {_ON_VAL[form]:.3f}" in (tmp_path / "m.toml").read_text(encoding="utf-8")


def test_drawn_streets_give_thresholds_only_to_classes_that_the_data_has_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score(_card: str, data: Path, *, thresholds: dict[str, float], split: str = "val", **_: object) -> Evaluation:
        if data.name == "drawn":
            assert (split, thresholds) == ("train", {"car": 0.4})
            return evaluation_of({"car": 0.9, "bus": 0.45})
        assert (split, thresholds) == ("val", {"car": 0.4, "bus": 0.45})
        return evaluation_of({"car": 0.4}, ap50={"car": 0.615})

    monkeypatch.setattr(command, "export_model", lambda _weights, out, **_: _exported(out))
    monkeypatch.setattr(command, "_measure", _measured)
    monkeypatch.setattr(command, "evaluate", score)
    app = typer.Typer()
    app.command()(command.export)
    options = ["--data", str(tmp_path / "val"), "--drawn", str(tmp_path / "drawn"), "--threads", "1"]
    result = CliRunner().invoke(app, ["last.pt", "--out", str(tmp_path / "m"), *options])
    assert result.exit_code == 0, result.output
    assert load_card(tmp_path / "m.toml").thresholds == {"car": 0.4, "bus": 0.45}
    # The figures are those beside every threshold that the card has.
    assert "ap50 = 0.615" in (tmp_path / "m.toml").read_text(encoding="utf-8")


def test_drawn_streets_without_data_are_refused_before_anything_is_exported(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(command.export)
    result = CliRunner().invoke(app, ["last.pt", "--out", str(tmp_path / "m"), "--drawn", str(tmp_path)])
    assert result.exit_code == 2
    assert "--data" in result.output
    assert not (tmp_path / "m").exists()
