"""A model without an honest card is refused, in one clear line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from detectors.errors import ModelError
from detectors.model_card import load_card
from detectors.opening import card_path, model_names, open_detector

CARD = """
name = "m"
file = "m.onnx"
licence = "AGPL-3.0-or-later"
classes = ["car", "garbage"]
input_px = 640
layout = "yolo_v8_head"
[sha256]
"m.onnx" = "{digest}"
[thresholds]
car = 0.4
garbage = 0.3
"""


@pytest.fixture
def card_file(tmp_path: Path) -> Path:
    (tmp_path / "m.onnx").write_bytes(b"weights")
    path = tmp_path / "m.toml"
    path.write_text(CARD.format(digest=hashlib.sha256(b"weights").hexdigest()))
    return path


def _refusal(card_file: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_card(card_file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_good_card_is_read(card_file: Path) -> None:
    card = load_card(card_file)
    assert (card.classes, card.input_px, card.thresholds["garbage"]) == (("car", "garbage"), 640, 0.3)
    assert card.weights == card_file.parent / "m.onnx"


def test_changed_weights_are_refused(card_file: Path) -> None:
    (card_file.parent / "m.onnx").write_bytes(b"other weights")
    assert "m.onnx: sha256 is" in _refusal(card_file)


def test_missing_weights_are_refused(card_file: Path) -> None:
    (card_file.parent / "m.onnx").unlink()
    assert "'m.onnx' is not there" in _refusal(card_file)


def test_a_card_that_forgets_a_threshold_names_the_class(card_file: Path) -> None:
    card_file.write_text(card_file.read_text().replace("garbage = 0.3\n", "gabage = 0.3\n"))
    assert "missing ['garbage'], unknown ['gabage']" in _refusal(card_file)


def test_an_unknown_key_is_named(card_file: Path) -> None:
    card_file.write_text(card_file.read_text().replace("input_px", "input_size"))
    assert "input_px: Field required" in _refusal(card_file)


def test_a_card_without_a_hash_for_its_weights_is_refused(card_file: Path) -> None:
    card_file.write_text(card_file.read_text().replace('"m.onnx" =', '"n.onnx" ='))
    assert "no hash for 'm.onnx'" in _refusal(card_file)


def test_a_class_outside_the_table_is_refused(card_file: Path) -> None:
    card_file.write_text(card_file.read_text().replace("garbage", "ufo"))
    with pytest.raises(ModelError, match=r"OpenVINO cannot read it|class 'ufo' is not in configs/classes.toml"):
        open_detector(str(card_file))


def test_an_unknown_model_lists_the_shipped_ones() -> None:
    with pytest.raises(ModelError, match="shipped are .*street_v1"):
        card_path("street_v99")


def test_weights_may_be_named_in_place_of_their_card(tmp_path: Path) -> None:
    assert card_path(str(tmp_path / "m.onnx")) == tmp_path / "m.toml"


def test_every_shipped_model_matches_its_card() -> None:
    for name in model_names():
        assert load_card(card_path(name)).name == name
