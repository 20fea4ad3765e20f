"""The COCO teachers: two output layouts, both back to fractions of the picture and street classes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from detectors.errors import ModelError
from detectors.training.boxes import F32
from detectors.training.errors import ModelFileError
from detectors.training.teachers import Teacher
from tests.detectors.small_networks import write_network, yolo_head

_SIDE = 64
_CELLS = (_SIDE // 8) ** 2 + (_SIDE // 16) ** 2 + (_SIDE // 32) ** 2
_COCO_CAR, _COCO_DOG, _COCO_TRUCK = 2, 16, 7


def _write_model(path: Path, head: F32) -> Path:
    return write_network(path, head, input_shape=(1, 3, _SIDE, _SIDE))


def _yolo_head(*rows: tuple[int, float, tuple[float, float, float, float]]) -> F32:
    return yolo_head(*rows, class_count=80, anchors=_CELLS)


def test_a_wide_picture_gets_its_boxes_back_in_fractions(tmp_path: Path) -> None:
    model = _write_model(tmp_path / "t.xml", _yolo_head((_COCO_TRUCK, 0.8, (32, 32, 32, 16))))
    seen = Teacher(model, threads=1).see(np.zeros((100, 200, 3), np.uint8))  # fills the middle half of the square
    assert seen.class_id.tolist() == [5]
    np.testing.assert_allclose(seen.xyxy, [[0.25, 0.25, 0.75, 0.75]], atol=1e-6)
    assert seen.confidence.tolist() == pytest.approx([0.8])


def test_what_is_no_street_class_or_too_weak_is_not_seen(tmp_path: Path) -> None:
    box = (32.0, 32.0, 16.0, 16.0)
    head = _yolo_head((_COCO_DOG, 0.9, box), (_COCO_CAR, 0.05, box))
    model = _write_model(tmp_path / "t.xml", head)
    assert len(Teacher(model, threads=1).see(np.zeros((64, 64, 3), np.uint8)).class_id) == 0


def test_the_same_car_seen_twice_is_one_car(tmp_path: Path) -> None:
    head = _yolo_head((_COCO_CAR, 0.7, (30, 30, 20, 20)), (_COCO_CAR, 0.9, (31, 30, 20, 20)))
    model = _write_model(tmp_path / "t.xml", head)
    seen = Teacher(model, threads=1).see(np.zeros((64, 64, 3), np.uint8))
    assert seen.confidence.tolist() == pytest.approx([0.9])


def test_what_could_be_a_car_or_a_truck_is_one_vehicle(tmp_path: Path) -> None:
    head = _yolo_head((_COCO_CAR, 0.7, (30, 30, 20, 20)), (_COCO_TRUCK, 0.6, (30, 30, 20, 20)))
    seen = Teacher(_write_model(tmp_path / "t.xml", head), threads=1).see(np.zeros((64, 64, 3), np.uint8))
    assert seen.class_id.tolist() == [2]


def test_a_yolox_model_is_recognised_by_its_output(tmp_path: Path) -> None:
    side = 96
    head = np.zeros((1, 12 * 12 + 6 * 6 + 3 * 3, 85), np.float32)
    head[0, 0, :4] = (2.0, 2.0, math.log(2.0), math.log(2.0))
    head[0, 0, 4], head[0, 0, 5 + _COCO_CAR] = 1.0, 0.6
    model = write_network(tmp_path / "t.xml", head, input_shape=(1, 3, side, side))
    seen = Teacher(model, threads=1).see(np.zeros((side, side, 3), np.uint8))
    assert seen.class_id.tolist() == [2]
    np.testing.assert_allclose(seen.xyxy, [[8 / side, 8 / side, 24 / side, 24 / side]], atol=1e-6)


def test_a_model_that_is_no_coco_detector_is_refused(tmp_path: Path) -> None:
    model = _write_model(tmp_path / "t.xml", np.zeros((1, 13, _CELLS), np.float32))
    with pytest.raises(
        ModelError, match=r"t\.xml: its output is 13 × 84 at 64×64 px, 9 classes; the card 't' lists 80"
    ):
        Teacher(model, threads=1)


def test_a_missing_or_broken_teacher_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none\.onnx: no such teacher"):
        Teacher(tmp_path / "none.onnx", threads=1)
    (tmp_path / "torn.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelError, match=r"torn\.onnx: OpenVINO cannot read it"):
        Teacher(tmp_path / "torn.onnx", threads=1)
