"""Card and weights speak of the same network, or one line says where they do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from detectors.card_check import layout_of, refuse_other_names, refuse_other_size
from detectors.errors import ModelError
from detectors.layouts import Layout, NetworkFacts
from detectors.model_card import ModelCard


def _card(*classes: str, layout: Layout | None = None, input_px: int = 640) -> ModelCard:
    return ModelCard(
        name="m",
        weights=Path("m.onnx"),
        classes=classes,
        input_px=input_px,
        stride=32,
        nms_iou=0.5,
        thresholds={},
        layout=layout,
    )


def _facts(
    first: int = 6, second: int = 8400, *, fixed_px: tuple[int, int] | None = None, names: tuple[str, ...] | None = None
) -> NetworkFacts:
    return NetworkFacts(
        fixed_px=fixed_px, probe_px=fixed_px or (640, 640), output_shape=(first, second), class_names=names
    )


def _refusal(check: Callable[[ModelCard, NetworkFacts], object], card: ModelCard, facts: NetworkFacts) -> str:
    with pytest.raises(ModelError) as caught:
        check(card, facts)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_card_may_say_its_layout_or_leave_it_out() -> None:
    assert layout_of(_card("car", "bus"), _facts()) is Layout.YOLO_V8_HEAD
    assert layout_of(_card("car", "bus", layout=Layout.YOLO_V8_HEAD), _facts()) is Layout.YOLO_V8_HEAD


def test_another_number_of_classes_is_counted_out() -> None:
    line = _refusal(layout_of, _card("car"), _facts(13, 8400))
    assert line == "m.onnx: its output is 13 × 8400 at 640×640 px, 9 classes; the card 'm' lists 1"


def test_another_layout_than_the_cards_is_named() -> None:
    line = _refusal(layout_of, _card("car", "bus", layout=Layout.YOLOX), _facts())
    assert line.endswith("not the card's layout yolox; yolo_v8_head is right")


def test_an_unknown_output_says_what_would_be_right() -> None:
    line = _refusal(layout_of, _card("car", "bus"), _facts(25200, 7))
    assert line == (
        "m.onnx: its output is 25200 × 7 at 640×640 px; for 2 classes right would be 6 × boxes (yolo_v8_head), "
        "8400 × 7 (yolox) or rows × 6 (yolo_end2end)"
    )


def test_an_output_that_fits_twice_wants_a_word_from_the_card() -> None:
    twice = _facts(6, 6)
    assert "could be yolo_v8_head or yolo_end2end" in _refusal(layout_of, _card("car", "bus"), twice)
    assert layout_of(_card("car", "bus", layout=Layout.YOLO_END2END), twice) is Layout.YOLO_END2END


def test_names_in_the_file_must_be_those_of_the_card_in_their_order() -> None:
    facts = _facts(names=("car", "garbage bin"))
    refuse_other_names(_card("car", "garbage_bin"), facts)
    refuse_other_names(_card("anything", "at all"), _facts())
    line = _refusal(refuse_other_names, _card("garbage_bin", "car"), facts)
    assert line.startswith("m.onnx: class 0 is 'car' in the file and 'garbage_bin' on the card 'm'; ")


def test_a_name_too_few_or_too_many_is_counted() -> None:
    facts = _facts(names=("car", "bus"))
    for card in (_card("car"), _card("car", "bus", "truck")):
        line = _refusal(refuse_other_names, card, facts)
        assert f"the file names 2 classes, the card 'm' {len(card.classes)}" in line


def test_a_fixed_input_must_be_the_cards() -> None:
    refuse_other_size(_card("car"), _facts())
    refuse_other_size(_card("car"), _facts(fixed_px=(640, 384)))
    line = _refusal(refuse_other_size, _card("car"), _facts(fixed_px=(416, 416)))
    assert line == "m.onnx: its input is fixed at 416×416 px, input_px is 640; 416 is right"
