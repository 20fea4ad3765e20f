"""Scoring of a model on folders: only labelled classes count, vehicles merge, one threshold per class."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from detectors.nms import Boxes
from detectors.training.boxes import F32
from detectors.training.errors import ModelFileError
from detectors.training.evaluate import VEHICLE, evaluate, format_table, score_picture
from detectors.training.labels import STREET_CLASSES, Labels

_CAR, _TRUCK, _BIN = 2, 5, 7


def _write_model(path: Path, boxes: list[tuple[int, float, tuple[float, float, float, float]]], rows: int = 13) -> Path:
    """A network that answers every picture with the same boxes: (class, score, cx cy w h in input pixels)."""
    head = np.zeros((1, rows, len(boxes)), np.float32)
    for column, (class_id, score, box) in enumerate(boxes):
        head[0, :4, column] = box
        head[0, 4 + class_id, column] = score
    picture = ops.parameter([-1, 3, -1, -1], np.float32, name="images")
    nothing = ops.multiply(ops.reduce_mean(picture, ops.constant([0, 1, 2, 3]), False), ops.constant(np.float32(0)))
    ov.save_model(ov.Model([ops.add(ops.constant(head), nothing)], [picture], "fixed"), path, compress_to_fp16=False)
    return path


def _write_group(root: Path, name: str, lines: str) -> None:
    for split in ("train", "val"):
        for kind in ("images", "labels"):
            (root / name / split / kind).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / name / split / "images" / "a.png"), np.full((32, 64, 3), 90, np.uint8))
        (root / name / split / "labels" / "a.txt").write_text(lines, encoding="utf-8")


def _boxes(*rows: tuple[int, float, tuple[float, float, float, float]]) -> Boxes:
    return Boxes(
        class_id=np.array([row[0] for row in rows], np.int32),
        confidence=np.array([row[1] for row in rows], np.float32),
        xyxy=np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
    )


def test_a_model_that_finds_the_bin_has_perfect_figures_for_it(tmp_path: Path) -> None:
    _write_group(tmp_path / "data", "bins", "7 0.5 0.5 0.5 0.5\n")
    model = _write_model(tmp_path / "m.xml", [(_BIN, 0.75, (32, 16, 32, 16)), (_CAR, 0.9, (10, 10, 8, 8))])
    result = evaluate(model, tmp_path / "data", input_px=64)
    assert list(result.groups["bins"]) == ["garbage_bin"]  # the car is neither right nor wrong
    row = result.groups["all"]["garbage_bin"]
    assert (row.precision, row.recall, row.ap50, row.n, row.found) == pytest.approx((1, 1, 1, 1, 1))
    assert result.thresholds() == {"garbage_bin": pytest.approx(0.75)}


def test_boxes_come_back_in_picture_pixels_at_any_input_size(tmp_path: Path) -> None:
    _write_group(tmp_path / "data", "bins", "7 0.5 0.5 0.5 0.5\n")
    model = _write_model(tmp_path / "m.xml", [(_BIN, 0.75, (64, 32, 64, 32))])
    assert evaluate(model, tmp_path / "data", input_px=128).groups["all"]["garbage_bin"].recall == 1.0


def test_given_thresholds_are_used_as_they_are(tmp_path: Path) -> None:
    _write_group(tmp_path / "data", "bins", "7 0.5 0.5 0.5 0.5\n")
    model = _write_model(tmp_path / "m.xml", [(_BIN, 0.75, (32, 16, 32, 16))])
    row = evaluate(model, tmp_path / "data", input_px=64, thresholds={"garbage_bin": 0.8}).groups["all"]["garbage_bin"]
    assert (row.threshold, row.found, row.recall) == (0.8, 0, 0.0)


def test_groups_share_one_threshold_per_class(tmp_path: Path) -> None:
    _write_group(tmp_path / "data", "one", "7 0.5 0.5 0.5 0.5\n")
    _write_group(tmp_path / "data", "two", "7 0.1 0.1 0.1 0.1\n")
    model = _write_model(tmp_path / "m.xml", [(_BIN, 0.75, (32, 16, 32, 16))])
    result = evaluate(model, tmp_path / "data", input_px=64)
    assert result.groups["one"]["garbage_bin"].threshold == result.groups["two"]["garbage_bin"].threshold
    assert result.groups["all"]["garbage_bin"].n == 2
    assert result.groups["all"]["garbage_bin"].recall == 0.5
    assert "| two | garbage_bin | 1 | 0.75 | 0.000 | 0.000 | 0.000 | 0.000 |" in format_table(result)


def test_a_truck_called_car_is_still_a_vehicle() -> None:
    truth = Labels(np.array([_TRUCK], np.int32), np.array([[0.0, 0.0, 0.5, 0.5]], np.float32))
    seen = _boxes((_CAR, 0.9, (0, 0, 50, 50)), (_TRUCK, 0.4, (1, 0, 50, 50)))
    scored = dict(score_picture(seen, truth, (100, 100), frozenset({2, 3, 4, 5}), 0.5))
    assert scored["car"].correct.tolist() == [False]
    assert scored["truck"].correct.tolist() == [True]
    assert scored[VEHICLE].correct.tolist() == [True]  # one box is left of the two on the same truck
    assert scored[VEHICLE].truth_count == 1


def test_vehicles_merge_only_where_all_of_them_are_labelled() -> None:
    empty: F32 = np.empty((0, 4), np.float32)
    truth = Labels(np.empty(0, np.int32), empty)
    assert VEHICLE not in dict(score_picture(_boxes(), truth, (10, 10), frozenset({_CAR}), 0.5))


def test_a_model_of_other_classes_is_refused(tmp_path: Path) -> None:
    _write_group(tmp_path / "data", "bins", "7 0.5 0.5 0.5 0.5\n")
    model = _write_model(tmp_path / "m.xml", [(_BIN, 0.75, (32, 16, 32, 16))], rows=84)
    with pytest.raises(ModelFileError, match=f"84 output rows; expected 4 \\+ {len(STREET_CLASSES)} classes"):
        evaluate(model, tmp_path / "data", input_px=64)


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"none\.xml: no such file"):
        evaluate(tmp_path / "none.xml", tmp_path)
