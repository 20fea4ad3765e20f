"""What a model's classes mean on this street."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.classes import load_classes
from detectors.coco import COCO_CLASSES
from detectors.errors import ModelError
from detectors.model_card import DEFAULT_THRESHOLD, ModelCard
from detectors.outputs import class_outputs


def _card(*classes: str, thresholds: dict[str, float] | None = None) -> ModelCard:
    return ModelCard(
        name="m",
        weights=Path("m.onnx"),
        classes=classes,
        input_px=640,
        stride=32,
        nms_iou=0.5,
        thresholds=thresholds or {},
    )


def test_names_and_aliases_become_ids_of_the_table() -> None:
    outputs = class_outputs(_card("Pedestrian", "motor", "E-Bike", "垃圾桶", "dog"), load_classes())
    assert outputs.class_id.tolist() == [0, 3, 11, 7, -1]
    assert outputs.remark == "4 of 5 classes, without dog"


def test_six_of_the_coco_classes_are_on_the_street() -> None:
    outputs = class_outputs(_card(*COCO_CLASSES), load_classes())
    assert {COCO_CLASSES[row]: outputs.class_id[row] for row in np.flatnonzero(outputs.class_id >= 0)} == {
        "person": 0, "bicycle": 1, "car": 2, "motorcycle": 3, "bus": 4, "truck": 5,
    }  # fmt: skip
    assert outputs.remark == "6 of 80 classes"


def test_nothing_is_remarked_when_every_class_is_on_the_street() -> None:
    assert class_outputs(_card("car", "bin"), load_classes()).remark == ""


def test_a_class_without_a_threshold_has_the_default_and_an_unwanted_one_has_none_to_reach() -> None:
    outputs = class_outputs(_card("car", "bus", "dog", thresholds={"car": 0.4, "dog": 0.1}), load_classes())
    np.testing.assert_allclose(outputs.thresholds, [0.4, DEFAULT_THRESHOLD, np.inf])


def test_one_threshold_for_all_does_not_let_an_unwanted_class_in() -> None:
    outputs = class_outputs(_card("car", "dog"), load_classes(), confidence=0.01)
    np.testing.assert_allclose(outputs.thresholds, [0.01, np.inf])


def test_readings_of_one_thing_are_rivals() -> None:
    names = ("car", "bus", "truck", "van", "bicycle", "e_bike", "garbage_bin", "overflow", "garbage", "person")
    groups = class_outputs(_card(*names), load_classes()).groups.tolist()
    assert len({*groups[:6]}) == len({*groups[6:8]}) == 1
    assert len({*groups}) == 4


def test_without_the_rule_only_the_same_class_competes_also_under_two_names() -> None:
    groups = class_outputs(_card("car", "taxi", "bus"), load_classes(), one_box=False).groups.tolist()
    assert groups[0] == groups[1] != groups[2]


def test_a_model_that_knows_nothing_of_the_street_is_refused() -> None:
    with pytest.raises(ModelError) as caught:
        class_outputs(_card("cat", "dog"), load_classes())
    assert str(caught.value).startswith(
        "m.onnx: none of its classes ['cat', 'dog'] is in configs/classes.toml; known are person, bicycle, "
    )
