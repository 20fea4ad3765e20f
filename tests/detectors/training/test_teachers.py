"""The COCO teachers: two output layouts, both back to fractions of the picture and street classes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from detectors.training.boxes import F32
from detectors.training.errors import ModelFileError
from detectors.training.teachers import Teacher, decode_yolox

_SIDE = 64
_CELLS = (_SIDE // 8) ** 2 + (_SIDE // 16) ** 2 + (_SIDE // 32) ** 2
_COCO_CAR, _COCO_DOG, _COCO_TRUCK = 2, 16, 7


def _write_model(path: Path, head: F32, input_shape: list[int]) -> Path:
    picture = ops.parameter(input_shape, np.float32, name="images")
    nothing = ops.multiply(ops.reduce_mean(picture, ops.constant([0, 1, 2, 3]), False), ops.constant(np.float32(0)))
    ov.save_model(ov.Model([ops.add(ops.constant(head), nothing)], [picture], "fixed"), path, compress_to_fp16=False)
    return path


def _yolo_head(*rows: tuple[int, float, tuple[float, float, float, float]]) -> F32:
    head = np.zeros((1, 84, max(len(rows), 1)), np.float32)
    for column, (coco_id, score, box) in enumerate(rows):
        head[0, :4, column] = box
        head[0, 4 + coco_id, column] = score
    return head


def test_a_wide_picture_gets_its_boxes_back_in_fractions(tmp_path: Path) -> None:
    model = _write_model(tmp_path / "t.xml", _yolo_head((_COCO_TRUCK, 0.8, (32, 16, 32, 16))), [1, 3, _SIDE, _SIDE])
    seen = Teacher(model, threads=1).see(np.zeros((100, 200, 3), np.uint8))  # fills the upper half of the square
    assert seen.class_id.tolist() == [5]
    np.testing.assert_allclose(seen.xyxy, [[0.25, 0.25, 0.75, 0.75]], atol=1e-6)
    assert seen.confidence.tolist() == pytest.approx([0.8])


def test_what_is_no_street_class_or_too_weak_is_not_seen(tmp_path: Path) -> None:
    box = (32.0, 32.0, 16.0, 16.0)
    head = _yolo_head((_COCO_DOG, 0.9, box), (_COCO_CAR, 0.05, box))
    model = _write_model(tmp_path / "t.xml", head, [1, 3, _SIDE, _SIDE])
    assert len(Teacher(model, threads=1).see(np.zeros((64, 64, 3), np.uint8)).class_id) == 0


def test_the_same_car_seen_twice_is_one_car(tmp_path: Path) -> None:
    head = _yolo_head((_COCO_CAR, 0.7, (30, 30, 20, 20)), (_COCO_CAR, 0.9, (31, 30, 20, 20)))
    model = _write_model(tmp_path / "t.xml", head, [1, 3, _SIDE, _SIDE])
    seen = Teacher(model, threads=1).see(np.zeros((64, 64, 3), np.uint8))
    assert seen.confidence.tolist() == pytest.approx([0.9])


def test_yolox_cells_are_counted_row_by_row_and_stride_by_stride() -> None:
    output = np.zeros((_CELLS, 85), np.float32)
    row = (_SIDE // 8) ** 2 + 1 * (_SIDE // 16) + 2  # second level, second row, third column
    output[row, :4] = (0.5, 0.25, math.log(2.0), math.log(3.0))
    output[row, 4:7] = (0.5, 0.0, 0.8)
    cxcywh, scores = decode_yolox(output, _SIDE)
    np.testing.assert_allclose(cxcywh[row], [(2 + 0.5) * 16, (1 + 0.25) * 16, 32, 48], rtol=1e-6)
    assert scores[row, 1] == pytest.approx(0.4)
    assert scores.shape == (_CELLS, 80)


def test_a_yolox_model_is_recognised_by_its_output(tmp_path: Path) -> None:
    head = np.zeros((1, _CELLS, 85), np.float32)
    head[0, 0, :4] = (2.0, 2.0, math.log(2.0), math.log(2.0))
    head[0, 0, 4], head[0, 0, 5 + _COCO_CAR] = 1.0, 0.6
    model = _write_model(tmp_path / "t.xml", head, [1, 3, _SIDE, _SIDE])
    seen = Teacher(model, threads=1).see(np.zeros((64, 64, 3), np.uint8))
    assert seen.class_id.tolist() == [2]
    np.testing.assert_allclose(seen.xyxy, [[8 / 64, 8 / 64, 24 / 64, 24 / 64]], atol=1e-6)


@pytest.mark.parametrize(
    ("head", "input_shape", "said"),
    [
        (np.zeros((1, 13, 5), np.float32), [1, 3, 64, 64], r"output \(1, 13, 5\); expected"),
        (np.zeros((1, 84, 5), np.float32), [1, 3, -1, -1], "input of changing size; expected a fixed square"),
    ],
)
def test_a_model_that_is_no_coco_detector_is_refused(
    tmp_path: Path, head: F32, input_shape: list[int], said: str
) -> None:
    with pytest.raises(ModelFileError, match=said):
        Teacher(_write_model(tmp_path / "t.xml", head, input_shape), threads=1)


def test_a_missing_or_broken_teacher_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none\.onnx: no such teacher"):
        Teacher(tmp_path / "none.onnx", threads=1)
    (tmp_path / "torn.onnx").write_bytes(b"not a model")
    with pytest.raises(ModelFileError, match=r"torn\.onnx: OpenVINO cannot read it"):
        Teacher(tmp_path / "torn.onnx", threads=1)
