"""Scoring of a model on folders: only labelled classes count, vehicles merge, parts of the pictures add up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.training.errors import DataFolderError
from detectors.training.evaluate import NIGHT_BELOW_LUMA, Evaluation, Subject, evaluate, evaluate_detector, score
from detectors.training.observing import MAX_DETECTIONS, Observation, observe
from detectors.training.records import VEHICLE
from detectors.training.tables import format_side_by_side, format_table
from tests.detectors.small_networks import ANY_PICTURE, write_network, yolo_head
from tests.labelled_pictures import scene, write_labelled
from tests.observed_pictures import (
    BIN,
    BUS,
    CAR,
    FOUR_VEHICLES,
    GARBAGE,
    OVERFLOW,
    TRUCK,
    Box,
    SameAnswer,
    observation,
)

_BOX: Box = (32, 24, 96, 72)
_AS_LABEL = "7 0.5 0.5 0.5 0.5\n"
"""The same place in a picture of 128 × 96 px."""
_NAMED = frozenset(range(9))
_AT = {"car": 0.5, "bus": 0.5, "truck": 0.5, "motorcycle": 0.5, "garbage": 0.5, "garbage_bin": 0.5, "overflow": 0.5}


def _subject(thresholds: Mapping[str, float] = _AT, named: frozenset[int] = _NAMED) -> Subject:
    return Subject(name="m", input_px=416, named=named, thresholds=thresholds)


def _score(
    *observations: Observation, rounds: int = 0, min_iou: float = 0.5, subject: Subject | None = None
) -> Evaluation:
    return score(list(observations), subject=subject or _subject(), rounds=rounds, min_iou=min_iou)


def test_a_model_that_finds_the_bin_has_perfect_figures_for_it(tmp_path: Path) -> None:
    write_labelled(tmp_path / "bins" / "val", "a", 1, _AS_LABEL)
    detector = SameAnswer([(BIN, 0.75, _BOX), (CAR, 0.9, (10, 10, 18, 18))])
    result = evaluate_detector(detector, tmp_path, subject=_subject())
    assert list(result.groups) == ["all", "bins"]
    assert list(result.groups["bins"]) == ["garbage_bin"]  # the car is neither right nor wrong
    row = result.groups["all"]["garbage_bin"]
    assert (row.precision, row.recall, row.f1, row.ap50, row.ap50_95, row.n, row.found) == (1, 1, 1, 1, 1, 1, 1)
    assert result.mean_ap() == (1.0, 1.0)


def test_a_card_of_five_lines_is_enough_and_its_thresholds_are_chosen_here(tmp_path: Path) -> None:
    write_labelled(tmp_path / "data" / "bins" / "val", "a", 1, _AS_LABEL)
    head = yolo_head((1, 0.75, (64, 48, 64, 48)), class_count=2)
    write_network(tmp_path / "m.xml", head, input_shape=ANY_PICTURE)
    card = 'name = "m"\nfile = "m.xml"\nlicence = "x"\nclasses = ["dog", "bin"]\ninput_px = 128\n'
    (tmp_path / "m.toml").write_text(card, encoding="utf-8")
    result = evaluate(str(tmp_path / "m.toml"), tmp_path / "data", rounds=0, threads=1)
    assert (result.model, result.input_px, result.chosen) == ("m", 128, ("garbage_bin",))
    assert result.thresholds() == {"garbage_bin": pytest.approx(0.425)}
    assert result.groups["all"]["garbage_bin"].recall == 1.0
    assert "Thresholds chosen on these very pictures" in format_table(result)


def test_given_thresholds_are_used_as_they_are() -> None:
    picture = observation([(BIN, _BOX)], [(BIN, 0.75, _BOX)])
    row = _score(picture, subject=_subject({"garbage_bin": 0.8})).groups["all"]["garbage_bin"]
    assert (row.threshold, row.found, row.recall, row.ap50) == (0.8, 0, 0.0, 1.0)
    assert row.balance == 1.0
    assert row.balanced_at == pytest.approx(0.425)


def test_groups_share_one_threshold_per_class_and_add_up_to_all() -> None:
    near, far = observation([(BIN, _BOX)], [(BIN, 0.75, _BOX)], group="near"), observation([(BIN, _BOX)], group="far")
    result = _score(near, far, subject=_subject({}))
    chosen = [result.groups[group]["garbage_bin"].threshold for group in ("near", "far")]
    assert chosen == [pytest.approx(0.425)] * 2
    assert (result.groups["all"]["garbage_bin"].n, result.groups["all"]["garbage_bin"].recall) == (2, 0.5)


def test_a_group_without_the_class_says_nothing_about_it() -> None:
    labelled = observation([(BIN, _BOX)], [(BIN, 0.75, _BOX)])
    silent = observation([], [(BIN, 0.9, _BOX)], labelled=(CAR,), group="roads")
    assert _score(labelled, silent).groups["all"]["garbage_bin"].precision == 1.0


def test_a_class_that_the_model_does_not_name_has_no_figures() -> None:
    picture = observation([(BIN, _BOX), (GARBAGE, _BOX)], [(BIN, 0.75, _BOX)])
    result = _score(picture, subject=_subject(named=frozenset({BIN})))
    assert list(result.groups["all"]) == ["garbage_bin"]


def test_a_truck_called_car_is_still_a_vehicle() -> None:
    seen = [(CAR, 0.9, (0.0, 0.0, 50.0, 50.0)), (TRUCK, 0.6, (1.0, 0.0, 50.0, 50.0))]
    result = _score(observation([(TRUCK, (0, 0, 50, 50))], seen, labelled=FOUR_VEHICLES)).groups["all"]
    assert (result["car"].precision, result["truck"].recall) == (0.0, 0.0)  # the gateway shows the surer reading
    assert (result["car"].ap50, result["truck"].ap50) == (0.0, 1.0)  # average precision takes each class by itself
    assert (result[VEHICLE].n, result[VEHICLE].found) == (1, 1)  # one box is left of the two on the same truck
    assert (result[VEHICLE].precision, result[VEHICLE].recall) == (1.0, 1.0)


def test_a_rival_below_its_own_threshold_suppresses_nothing() -> None:
    seen = [(CAR, 0.9, (0.0, 0.0, 50.0, 50.0)), (TRUCK, 0.6, (1.0, 0.0, 50.0, 50.0))]
    picture = observation([(TRUCK, (0, 0, 50, 50))], seen, labelled=FOUR_VEHICLES)
    result = _score(picture, subject=_subject({**_AT, "car": 0.95})).groups["all"]
    assert result["truck"].recall == 1.0
    assert "car" not in result


def test_boxes_that_hardly_overlap_are_no_rivals() -> None:
    seen = [(CAR, 0.9, (0.0, 0.0, 50.0, 50.0)), (TRUCK, 0.6, (30.0, 0.0, 80.0, 50.0))]
    truth = [(CAR, seen[0][2]), (TRUCK, seen[1][2])]
    result = _score(observation(truth, seen, labelled=FOUR_VEHICLES)).groups["all"]
    assert (result["car"].recall, result["truck"].recall, result[VEHICLE].recall) == (1.0, 1.0, 1.0)


def test_a_merged_vehicle_counts_at_the_threshold_of_its_own_class() -> None:
    seen = [(CAR, 0.6, (0.0, 0.0, 50.0, 50.0)), (BUS, 0.6, (100.0, 0.0, 300.0, 90.0))]
    truth = [(CAR, seen[0][2]), (BUS, seen[1][2])]
    subject = _subject({**_AT, "bus": 0.7})
    row = _score(observation(truth, seen, labelled=FOUR_VEHICLES), subject=subject).groups["all"][VEHICLE]
    assert (row.threshold, row.n, row.found, row.recall) == (None, 2, 1, 0.5)


def test_vehicles_merge_only_where_all_of_them_are_labelled() -> None:
    picture = observation([(CAR, _BOX)], [(CAR, 0.9, _BOX)], labelled=(CAR, TRUCK))
    assert VEHICLE not in _score(picture).groups["all"]


def test_merged_vehicles_are_no_class_of_the_mean() -> None:
    picture = observation([(CAR, _BOX)], [(CAR, 0.9, _BOX)], labelled=FOUR_VEHICLES)
    assert _score(picture).averaged() == ["car"]


def test_average_precision_keeps_its_overlaps_when_hits_need_less() -> None:
    shifted = (32, 24, 96, 48)  # overlaps by one half; by less than 0.55
    row = _score(observation([(BIN, _BOX)], [(BIN, 0.9, shifted)]), min_iou=0.3).groups["all"]["garbage_bin"]
    assert (row.recall, row.ap, row.ap50) == (1.0, 1.0, 1.0)
    assert row.ap50_95 == pytest.approx(0.1)
    narrow = (32, 24, 96, 44)
    row = _score(observation([(BIN, _BOX)], [(BIN, 0.9, narrow)]), min_iou=0.3).groups["all"]["garbage_bin"]
    assert (row.recall, row.ap, row.ap50, row.ap50_95) == (1.0, 1.0, 0.0, 0.0)


def test_sizes_part_the_truth_among_them() -> None:
    truth = [(BIN, (0, 0, side, side)) for side in (20, 60, 200)]
    sizes = _score(observation(truth)).sizes
    assert {size: rows["garbage_bin"].n for size, rows in sizes.items()} == {"small": 1, "medium": 1, "large": 1}


@pytest.mark.parametrize(("luma", "light"), [(NIGHT_BELOW_LUMA, "day"), (NIGHT_BELOW_LUMA - 0.1, "night")])
def test_a_dark_picture_is_night(luma: float, light: str) -> None:
    rows = _score(observation([(BIN, _BOX)], luma=luma)).light
    assert [name for name, table in rows.items() if table] == [light]


def test_intervals_hold_the_figure_and_are_left_out_without_rounds() -> None:
    pictures = [observation([(BIN, _BOX)], [(BIN, 0.9, _BOX)] if row % 3 else []) for row in range(30)]
    row = _score(*pictures, rounds=200).groups["all"]["garbage_bin"]
    assert row.recall_95 is not None
    assert row.recall_95[0] < row.recall < row.recall_95[1]
    assert row.precision_95 == (1.0, 1.0)
    assert _score(*pictures).groups["all"]["garbage_bin"].recall_95 is None


def test_only_the_surest_detections_of_a_picture_are_scored(tmp_path: Path) -> None:
    write_labelled(tmp_path / "bins" / "val", "a", 1, _AS_LABEL)
    crowd = [(BIN, 0.5 + row / 1000, _BOX) for row in range(MAX_DETECTIONS)]
    ((seen,), _) = observe(SameAnswer([*crowd, (BIN, 0.1, _BOX)]), tmp_path)
    assert len(seen.confidence) == MAX_DETECTIONS
    assert seen.confidence.min() == pytest.approx(0.5)


def test_a_png_is_shown_to_the_detector_as_a_jpeg(tmp_path: Path) -> None:
    write_labelled(tmp_path / "bins" / "val", "a", 1, _AS_LABEL)
    cv2.imwrite(str(tmp_path / "bins" / "val" / "images" / "a.png"), scene(2))
    (tmp_path / "bins" / "val" / "images" / "a.jpg").unlink()
    result = evaluate_detector(SameAnswer([(BIN, 0.75, _BOX)]), tmp_path, subject=_subject())
    assert (result.pictures, result.problems) == (1, ())


def test_a_picture_that_cannot_be_decoded_is_named_and_its_truth_does_not_count(tmp_path: Path) -> None:
    broken = write_labelled(tmp_path / "bins" / "val", "b", 2, _AS_LABEL)
    write_labelled(tmp_path / "bins" / "val", "a", 1, _AS_LABEL)
    broken.write_bytes(broken.read_bytes()[:200])
    result = evaluate_detector(SameAnswer([(BIN, 0.75, _BOX)]), tmp_path, subject=_subject())
    assert result.groups["all"]["garbage_bin"].n == 1
    (problem,) = result.problems
    assert problem.startswith(str(broken))
    assert "not scored" in problem


def test_a_picture_that_the_detector_refuses_is_named_too(tmp_path: Path) -> None:
    path = write_labelled(tmp_path / "bins" / "val", "a", 1, _AS_LABEL)
    result = evaluate_detector(SameAnswer([], failure="too_large: 9 bytes"), tmp_path, subject=_subject())
    assert (result.pictures, result.groups["all"]) == (0, {})
    assert result.problems == (f"{path}: too_large: 9 bytes; not scored",)


def test_a_box_where_nobody_counted_is_neither_right_nor_wrong(tmp_path: Path) -> None:
    folder = tmp_path / "coco" / "val"
    folder.mkdir(parents=True)
    cv2.imwrite(str(folder / "a.jpg"), scene(3))
    boxes = [([32, 24, 64, 48], 0), ([96, 0, 32, 24], 1)]
    content = {
        "images": [{"id": 1, "file_name": "a.jpg", "width": 128, "height": 96}],
        "categories": [{"id": 1, "name": "garbage_bin"}],
        "annotations": [
            {"id": row, "image_id": 1, "category_id": 1, "bbox": box, "iscrowd": crowd, "area": box[2] * box[3]}
            for row, (box, crowd) in enumerate(boxes)
        ],
    }
    (folder / "_annotations.coco.json").write_text(json.dumps(content), encoding="utf-8")
    detector = SameAnswer([(BIN, 0.75, _BOX), (BIN, 0.9, (100, 2, 120, 20))])
    row = evaluate_detector(detector, tmp_path / "coco", subject=_subject()).groups["coco"]["garbage_bin"]
    assert (row.n, row.found, row.precision) == (1, 1, 1.0)


def test_a_split_without_pictures_is_one_clear_line(tmp_path: Path) -> None:
    write_labelled(tmp_path / "bins" / "train", "a", 1, _AS_LABEL)
    with pytest.raises(DataFolderError, match="no group has pictures in 'val'"):
        evaluate_detector(SameAnswer([]), tmp_path, subject=_subject())


def test_progress_counts_every_picture_once(tmp_path: Path) -> None:
    for row in range(10):
        write_labelled(tmp_path / "bins" / "val", f"p{row}", row, _AS_LABEL)
    steps: list[tuple[int, int]] = []
    observe(SameAnswer([]), tmp_path, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(8, 10), (10, 10)]


def test_the_json_of_an_evaluation_holds_every_figure() -> None:
    result = _score(
        observation([(BIN, _BOX), (OVERFLOW, _BOX)], [(BIN, 0.75, _BOX), (BIN, 0.6, (0, 0, 9, 9))]), rounds=20
    )
    facts = json.loads(json.dumps(result.to_json()))
    assert facts["groups"]["all"]["garbage_bin"]["recall_95"] == [1.0, 1.0]
    assert facts["mean_ap"]["all"] == {"map50": 0.5, "map50_95": 0.5}
    assert facts["confusion"]["names"][-1] == "background"
    assert np.sum(facts["confusion"]["counts"]) == 3
    assert [(one["kind"], one["class"]) for one in facts["mistakes"]] == [
        ("false_alarm", "garbage_bin"),
        ("missed", "overflow"),
    ]


def test_tables_show_a_dash_for_a_fraction_of_nothing_and_for_classes_not_named() -> None:
    picture = observation([(BIN, _BOX), (GARBAGE, _BOX)], [(GARBAGE, 0.75, _BOX)])
    both, one = _score(picture), _score(picture, subject=_subject(named=frozenset({BIN})))
    assert "| all | garbage_bin | 1 | 0.50 | – | 0.000 | 0.000 | 0.000 | 0.000 |" in format_table(both)
    assert "| all | garbage | 1 | 1.000 / 1.000 / 1.000 | – |" in format_side_by_side([both, one])
