"""A model is opened by name, by card or by weights; what does not belong together is refused in one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.errors import ModelError
from detectors.opening import DEFAULT_MODEL, card_path, open_detector
from tests.detectors.small_networks import ANY_PICTURE, write_network, yolo_head

CARD = """
name = "m"
file = "m.xml"
licence = "AGPL-3.0"
classes = ["motorbike", "dog", "garbage"]
input_px = 320
"""
HEAD = yolo_head((0, 0.8, (32, 16, 32, 16)), (1, 0.9, (10, 10, 9, 9)), class_count=3)


@pytest.fixture
def card_file(tmp_path: Path) -> Path:
    write_network(tmp_path / "m.xml", HEAD, input_shape=ANY_PICTURE)
    (tmp_path / "m.toml").write_text(CARD)
    return tmp_path / "m.toml"


def _refusal(model: Path | str, input_px: int | None = None) -> str:
    with pytest.raises(ModelError) as caught:
        open_detector(str(model), "cpu", input_px=input_px, threads=1)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_users_own_model_runs_with_five_lines(card_file: Path) -> None:
    detector = open_detector(str(card_file), "cpu", threads=1)
    assert detector.description.startswith("m (320 px, 2 of 3 classes, without dog, unverified) on OpenVINO")


def test_weights_may_be_named_in_place_of_their_card(card_file: Path) -> None:
    assert card_path(str(card_file.with_suffix(".xml"))) == card_file


def test_an_exported_folder_has_its_card_beside_it(card_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "street"
    folder.mkdir()
    for suffix in (".xml", ".bin"):
        card_file.with_suffix(suffix).rename(folder / f"street{suffix}")
    (tmp_path / "street.toml").write_text(CARD.replace("m.xml", "street/street.xml"))
    assert open_detector(str(folder / "street.xml"), "cpu", threads=1).description.startswith("m (320 px")


def test_weights_without_a_card_show_the_five_lines(card_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card_file.unlink()
    monkeypatch.chdir(card_file.parent)
    line = _refusal("m.xml")
    assert 'm.xml: has no card; m.toml beside it needs five lines: name = "m", file = "m.xml", licence = ' in line


def test_weights_that_are_not_there_are_no_matter_of_cards(tmp_path: Path) -> None:
    assert _refusal(tmp_path / "m.onnx").endswith("m.onnx: no such file; weights with a card beside them are right")


def test_other_weights_than_the_cards_are_not_swapped_in_silence(card_file: Path) -> None:
    card_file.with_suffix(".onnx").write_bytes(b"another")
    line = _refusal(card_file.with_suffix(".onnx"))
    assert line.endswith("m.onnx: the card 'm' there speaks of 'm.xml', and a file needs its own")


def test_an_unknown_model_lists_the_shipped_ones() -> None:
    assert f"no such model; shipped are {DEFAULT_MODEL}" in _refusal("street_v99")


def test_a_file_that_no_engine_reads_is_named(card_file: Path) -> None:
    card_file.with_name("m.tflite").write_bytes(b"x")
    card_file.write_text(CARD.replace("m.xml", "m.tflite"))
    assert _refusal(card_file).endswith("m.tflite: no engine for '.tflite'; right would be .xml, .onnx, .pt")


def test_the_size_may_be_asked_for_in_place_of_the_cards(card_file: Path) -> None:
    assert open_detector(str(card_file), "cpu", input_px=640, threads=1).description.startswith("m (640 px")
    assert _refusal(card_file, input_px=31).endswith("input_px = 31; right would be 32 to 4096")


def test_a_card_of_other_classes_than_the_files_is_refused(card_file: Path) -> None:
    names = "{0: 'motorbike', 1: 'cat', 2: 'garbage'}"
    write_network(card_file.with_suffix(".xml"), HEAD, input_shape=ANY_PICTURE, names=names)
    assert "class 1 is 'cat' in the file and 'dog' on the card 'm'" in _refusal(card_file)


def test_a_card_of_fewer_classes_than_the_file_gives_is_refused(card_file: Path) -> None:
    card_file.write_text(CARD.replace('"dog", ', ""))
    assert "its output is 7 × 2100 at 320×320 px, 3 classes; the card 'm' lists 2" in _refusal(card_file)


def test_a_card_that_asks_a_fixed_input_for_another_size_is_refused(card_file: Path) -> None:
    head = np.zeros((1, 7, 3549), np.float32)
    write_network(card_file.with_suffix(".xml"), head, input_shape=(1, 3, 416, 416))
    assert "its input is fixed at 416×416 px, input_px is 320; 416 is right" in _refusal(card_file)
    assert open_detector(str(card_file), "cpu", input_px=416, threads=1).description.startswith("m (416 px")
