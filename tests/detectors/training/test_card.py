"""The card that training writes is the card that the gateway reads."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from detectors.errors import ModelError
from detectors.model_card import load_card
from detectors.training.card import UNMEASURED, write_card
from detectors.training.evaluate import Evaluation
from detectors.training.export import Form
from detectors.training.labels import STREET_CLASSES
from detectors.training.trade import Variant
from tests.detectors.training.evaluations import evaluation_of


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """An exported model of two files in a folder of its own, beside which the card lies."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "m.bin").write_bytes(b"bin")
    (tmp_path / "m" / "m.xml").write_bytes(b"xml")
    return tmp_path / "m" / "m.xml"


def _write(tmp_path: Path, weights: Path, evaluation: Evaluation, variants: dict[Form, Variant] | None = None) -> Path:
    card = tmp_path / "m.toml"
    write_card(card, weights, classes=STREET_CLASSES, evaluation=evaluation, measured_by="eval", variants=variants)
    return card


def test_the_gateway_reads_what_was_written(tmp_path: Path, weights: Path) -> None:
    card = load_card(_write(tmp_path, weights, evaluation_of({"garbage": 0.3000001}, input_px=640)))
    assert (card.name, card.weights, card.classes) == ("m", weights, STREET_CLASSES)
    assert (card.input_px, card.stride, card.nms_iou) == (640, 32, 0.5)
    assert card.thresholds == dict.fromkeys(STREET_CLASSES, UNMEASURED) | {"garbage": 0.3}


def test_a_threshold_is_rounded_down_so_that_its_own_box_still_passes(tmp_path: Path, weights: Path) -> None:
    card = load_card(_write(tmp_path, weights, evaluation_of({"garbage": 0.299996})))
    assert card.thresholds["garbage"] == 0.29999


def test_what_the_pictures_do_not_label_gets_its_threshold_from_drawn_streets(tmp_path: Path, weights: Path) -> None:
    card, evaluation = tmp_path / "m.toml", evaluation_of({"garbage": 0.3})
    drawn = {"person": 0.412345678, "garbage": 0.9}
    write_card(card, weights, classes=STREET_CLASSES, evaluation=evaluation, measured_by="eval", elsewhere=drawn)
    chosen = load_card(card).thresholds
    assert (chosen["person"], chosen["garbage"], chosen["bicycle"]) == (0.41234, 0.3, UNMEASURED)
    assert "person = 0.41234  # on drawn streets" in card.read_text(encoding="utf-8")


def test_the_hashes_cover_both_files_of_the_model(tmp_path: Path, weights: Path) -> None:
    content = tomllib.loads(_write(tmp_path, weights, evaluation_of({"garbage": 0.3})).read_text(encoding="utf-8"))
    assert sorted(content["sha256"]) == ["m/m.bin", "m/m.xml"]


def test_other_forms_of_the_network_are_named_and_pinned_for_other_engines(tmp_path: Path, weights: Path) -> None:
    others = [weights.with_suffix(".pt"), weights.with_suffix(".onnx")]
    for file in others:
        file.write_bytes(file.suffix.encode())
    card, evaluation = tmp_path / "m.toml", evaluation_of({"garbage": 0.3})
    write_card(card, weights, classes=STREET_CLASSES, evaluation=evaluation, measured_by="eval", also=others)
    assert load_card(card).files == (weights, *others)
    others[1].write_bytes(b"another network")
    with pytest.raises(ModelError, match=r"m\.onnx: sha256 is "):
        load_card(card)


def test_every_form_is_listed_with_its_speed_beside_the_slowest(tmp_path: Path, weights: Path) -> None:
    variants = {
        Form.FP32: Variant(file=Path("m_fp32.xml"), size_mb=10.04, ap50=0.8, ms_per_picture=40.0),
        Form.INT8: Variant(file=Path("m_int8.xml"), size_mb=2.9, ap50=0.795, ms_per_picture=16.0),
    }
    card = _write(tmp_path, weights, evaluation_of({"garbage": 0.3}), variants)
    load_card(card)
    assert tomllib.loads(card.read_text(encoding="utf-8"))["exports"] == {
        "openvino_fp32": {"file": "m_fp32.xml", "size_mb": 10.0, "ap50": 0.8, "speed": 1.0},
        "openvino_int8": {"file": "m_int8.xml", "size_mb": 2.9, "ap50": 0.795, "speed": 2.5},
    }
