"""A model without an honest card is refused, in one clear line; five lines make a card."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from detectors.coco import COCO_CLASSES
from detectors.errors import ModelError
from detectors.layouts import Layout
from detectors.model_card import DEFAULT_THRESHOLD, load_card
from detectors.opening import card_path, model_names

FIVE_LINES = """
name = "m"
file = "m.onnx"
licence = "AGPL-3.0-or-later"
classes = ["car", "garbage"]
input_px = 640
"""
CARD = (
    FIVE_LINES
    + """
layout = "yolo_v8_head"
[sha256]
"m.onnx" = "{digest}"
[thresholds]
car = 0.4
garbage = 0.3
"""
)


@pytest.fixture
def card_file(tmp_path: Path) -> Path:
    (tmp_path / "m.onnx").write_bytes(b"weights")
    path = tmp_path / "m.toml"
    path.write_text(CARD.format(digest=hashlib.sha256(b"weights").hexdigest()))
    return path


@pytest.fixture
def short_card(card_file: Path) -> Path:
    card_file.write_text(FIVE_LINES)
    return card_file


def _refusal(card_file: Path) -> str:
    with pytest.raises(ModelError) as caught:
        load_card(card_file)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _change(card_file: Path, before: str, after: str) -> Path:
    text = card_file.read_text()
    assert before in text
    card_file.write_text(text.replace(before, after))
    return card_file


def test_a_good_card_is_read(card_file: Path) -> None:
    card = load_card(card_file)
    assert (card.classes, card.input_px, card.thresholds["garbage"]) == (("car", "garbage"), 640, 0.3)
    assert (card.weights, card.layout, card.is_verified) == (card_file.parent / "m.onnx", Layout.YOLO_V8_HEAD, True)


def test_five_lines_make_a_card_and_the_rest_has_defaults(short_card: Path) -> None:
    card = load_card(short_card)
    assert (card.layout, card.stride, card.nms_iou, card.is_verified) == (None, 32, 0.5, False)
    assert card.threshold_of("car") == DEFAULT_THRESHOLD == 0.25


def test_one_word_stands_for_the_eighty_classes_of_coco(short_card: Path) -> None:
    card = load_card(_change(short_card, '["car", "garbage"]', '"coco"'))
    assert card.classes == COCO_CLASSES
    assert (len(card.classes), card.classes[0], card.classes[7], card.classes[79]) == (
        80,
        "person",
        "truck",
        "toothbrush",
    )


def test_a_class_without_a_threshold_has_the_default(card_file: Path) -> None:
    card = load_card(_change(card_file, "garbage = 0.3\n", ""))
    assert (card.threshold_of("car"), card.threshold_of("garbage")) == (0.4, DEFAULT_THRESHOLD)


def test_a_hash_may_stand_alone_where_there_is_one_file(short_card: Path) -> None:
    digest = hashlib.sha256(b"weights").hexdigest()
    short_card.write_text(FIVE_LINES + f'sha256 = "{digest.upper()}"')
    assert load_card(short_card).is_verified
    short_card.write_text(FIVE_LINES + 'sha256 = "0123456789abcdef"')
    assert "m.onnx: sha256 is" in _refusal(short_card)


def test_what_is_for_readers_is_let_through(card_file: Path) -> None:
    extras = (
        'name_zh = "街道"\nclasses_zh = ["小汽车", "垃圾"]\ntrained_px = 640\n[exports.onnx]\nfile = "m.onnx"\n'
        "size_mb = 9.6\nmap50 = 0.8\n[figures.garbage]\nap50 = 0.7\n[figures.garbage.night]\nap50 = 0.5\n[sha256]"
    )
    assert load_card(_change(card_file, "[sha256]", extras)).input_px == 640


def test_changed_weights_are_refused(card_file: Path) -> None:
    (card_file.parent / "m.onnx").write_bytes(b"other weights")
    assert "m.onnx: sha256 is" in _refusal(card_file)


def test_missing_weights_are_refused(card_file: Path, short_card: Path) -> None:
    (card_file.parent / "m.onnx").unlink()
    assert "file: 'm.onnx' is not there; it should lie beside the card" in _refusal(short_card)


def test_the_file_that_holds_the_numbers_of_an_xml_needs_a_hash_too(tmp_path: Path) -> None:
    for suffix in ("xml", "bin"):
        (tmp_path / f"m.{suffix}").write_bytes(b"weights")
    card = tmp_path / "m.toml"
    card.write_text(CARD.format(digest=hashlib.sha256(b"weights").hexdigest()).replace("m.onnx", "m.xml"))
    assert "sha256: no hash for 'm.bin', which holds the model" in _refusal(card)
    (tmp_path / "m.bin").unlink()
    assert "file: 'm.bin' is not there" in _refusal(card)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (
            "garbage = 0.3",
            "gabage = 0.3",
            "thresholds: 'gabage' is none of the card's classes; did you mean 'garbage'?",
        ),
        ("garbage = 0.3", "garbage = 1.0", "thresholds.garbage: 1.0 is not usable; it should be a number between"),
        ("input_px", "input_size", "input_size: unknown key 'input_size'; did you mean 'input_px'?"),
        ("input_px = 640", "", "input_px: missing; it should be a whole number of pixels, 32 to 4096"),
        ("input_px = 640", 'input_px = "640"', "input_px: '640' is not usable; it should be a whole number"),
        ("input_px = 640", "input_px = 16", "input_px: 16 is not usable; it should be a whole number of pixels, 32"),
        ('["car", "garbage"]', '"cocos"', "classes: 'cocos' is not usable; it should be a list of names in the order"),
        ('["car", "garbage"]', '["car", "car", "garbage"]', "classes: 'car' stands there twice; "),
        ("yolo_v8_head", "yolo_v9", "layout: 'yolo_v9' is not usable; it should be one of yolo_v8_head, yolox, "),
        ('"m.onnx" =', '"n.onnx" =', "sha256: no hash for 'm.onnx', which holds the model"),
        ("input_px", 'classes_zh = ["小汽车"]\ninput_px', "classes_zh: 1 names for 2 classes; one for each"),
        (
            "[sha256]",
            "[exports.int8]\nmap50 = 0.8\n[sha256]",
            "exports.int8.file: missing; it should be the name of the",
        ),
        ("name = ", "name ", "not TOML: "),
    ],
)
def test_a_bad_key_gives_one_line(card_file: Path, before: str, after: str, line: str) -> None:
    assert _refusal(_change(card_file, before, after)).startswith(f"{card_file}: {line}")


def test_a_folder_is_no_card(tmp_path: Path) -> None:
    (tmp_path / "m.toml").mkdir()
    assert "m.toml: cannot be read: Is a directory" in _refusal(tmp_path / "m.toml")


def test_every_shipped_model_matches_its_card_and_has_all_its_thresholds() -> None:
    for name in model_names():
        card = load_card(card_path(name))
        assert (card.name, card.is_verified) == (name, True)
        assert set(card.thresholds) == set(card.classes)
