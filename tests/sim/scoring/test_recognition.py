"""A detector's boxes against the exact ones."""

from __future__ import annotations

import json

import pytest

from sim.scoring.recognition import (
    FoundBox,
    RecognitionError,
    Tally,
    TrueFrame,
    parse_frames,
    table_rows,
    tally_frame,
    to_json,
)

Box = tuple[float, float, float, float]


def true(name: str, *xyxy: float, visible: float = 1.0) -> dict[str, object]:
    return {"class": name, "xyxy": xyxy, "visible_fraction": visible}


def found(name: str, *xyxy: float, confidence: float = 0.8) -> FoundBox:
    x0, y0, x1, y1 = xyxy
    return FoundBox(name=name, confidence=confidence, xyxy=(x0, y0, x1, y1))


def tallied(objects: list[dict[str, object]], detections: list[FoundBox], **limits: float) -> dict[str, Tally]:
    frame = TrueFrame.model_validate(
        {"camera_id": "cam-a", "images": ["1.jpg"], "weather": "day", "objects": objects, "second": 3}
    )
    tallies: dict[str, Tally] = {}
    tally_frame(tallies, frame, detections, **limits)
    return tallies


def counts(tally: Tally) -> tuple[int, int, int]:
    return tally.things, tally.found, tally.wrong


CAR = (0.0, 0.0, 100.0, 50.0)


@pytest.mark.parametrize(("right", "is_found"), [(50.0, True), (49.9, False)])
def test_half_of_the_union_is_enough(right: float, is_found: bool) -> None:
    tally = tallied([true("car", *CAR)], [found("car", 0, 0, right, 50)])["car"]
    assert counts(tally) == (1, int(is_found), int(not is_found))


@pytest.mark.parametrize(("longer_side", "counted"), [(32.0, 0), (32.1, 1)])
def test_what_is_too_small_is_left_out(longer_side: float, counted: int) -> None:
    assert tallied([true("car", 0, 0, longer_side, 9)], [])["car"].things == counted
    assert tallied([], [found("car", 0, 0, longer_side, 9)])["car"].wrong == counted


@pytest.mark.parametrize(("visible", "counted"), [(0.5, 1), (0.49, 0)])
def test_what_is_too_hidden_is_left_out(visible: float, counted: int) -> None:
    assert tallied([true("car", *CAR, visible=visible)], [])["car"].things == counted


@pytest.mark.parametrize(("visible", "wrong"), [(0.2, 0), (0.0, 0)])
def test_a_detection_of_something_hidden_is_neither_right_nor_wrong(visible: float, wrong: int) -> None:
    assert counts(tallied([true("car", *CAR, visible=visible)], [found("car", *CAR)])["car"]) == (0, 0, wrong)


def test_a_detection_of_another_class_is_wrong() -> None:
    tallies = tallied([true("garbage", *CAR)], [found("overflow", *CAR)])
    assert counts(tallies["garbage"]) == (1, 0, 0)
    assert counts(tallies["overflow"]) == (0, 0, 1)


def test_vehicles_of_another_class_are_right_as_vehicles() -> None:
    tallies = tallied([true("truck", *CAR)], [found("car", *CAR)])
    assert counts(tallies["car"]) == (0, 0, 1)
    assert counts(tallies["truck"]) == (1, 0, 0)
    assert counts(tallies["vehicle"]) == (1, 1, 0)


def test_a_bicycle_is_no_vehicle() -> None:
    assert counts(tallied([true("bicycle", *CAR)], [found("bicycle", *CAR)])["vehicle"]) == (0, 0, 0)


@pytest.mark.parametrize("machine", ["bicycle", "motorcycle"])
def test_the_rider_of_a_machine_is_no_wrong_person(machine: str) -> None:
    assert counts(tallied([true(machine, *CAR)], [found("person", 20, 0, 60, 40)])["person"]) == (0, 0, 0)
    assert counts(tallied([true("car", *CAR)], [found("person", 20, 0, 60, 40)])["person"]) == (0, 0, 1)


def test_one_thing_is_found_once() -> None:
    assert counts(tallied([true("car", *CAR)], [found("car", *CAR), found("car", 0, 0, 60, 50)])["car"]) == (1, 1, 1)


@pytest.mark.parametrize(("confidence", "expected"), [(0.9, (2, 2, 0)), (0.7, (2, 1, 1))])
def test_the_surest_detection_chooses_first(confidence: float, expected: tuple[int, int, int]) -> None:
    things = [true("car", *CAR), true("car", 30, 0, 130, 50)]
    first_only = found("car", -20, 0, 80, 50, confidence=confidence)
    either = found("car", 10, 0, 110, 50, confidence=0.8)
    assert counts(tallied(things, [either, first_only])["car"]) == expected


def test_a_detection_takes_the_thing_that_it_overlaps_most() -> None:
    near = true("car", 10, 0, 110, 50)
    assert counts(tallied([near, true("car", *CAR)], [found("car", *CAR), found("car", 12, 0, 112, 50)])["car"]) == (
        2, 2, 0,
    )  # fmt: skip


def test_what_no_detector_knows_is_not_asked_for() -> None:
    tallies = tallied([true("stall", *CAR), true("goods", *CAR)], [])
    assert set(tallies) == {"vehicle"}


def test_frames_add_up() -> None:
    frame = TrueFrame.model_validate({"camera_id": "c", "images": [], "weather": "day", "objects": [true("car", *CAR)]})
    tallies: dict[str, Tally] = {}
    tally_frame(tallies, frame, [found("car", *CAR)])
    tally_frame(tallies, frame, [])
    assert counts(tallies["car"]) == (2, 1, 0)
    assert (tallies["car"].precision, tallies["car"].recall) == (1.0, 0.5)


def test_without_things_or_detections_there_is_no_share() -> None:
    assert (Tally().precision, Tally().recall) == (None, None)


def test_a_bad_line_is_named_with_its_number_and_key() -> None:
    good = json.dumps({"camera_id": "c", "images": [], "weather": "day", "objects": []})
    with pytest.raises(RecognitionError, match=r"^truth.jsonl: line 2: objects: Field required$"):
        list(parse_frames([good, '{"camera_id": "c", "images": [], "weather": "day"}'], file="truth.jsonl"))
    with pytest.raises(RecognitionError, match=r"^truth.jsonl: line 1: \(whole line\): Invalid JSON"):
        list(parse_frames(["{"], file="truth.jsonl"))


def test_the_table_has_vehicles_last_and_dashes_for_what_is_unknown() -> None:
    tallies = {"vehicle": Tally(things=3, found=2, wrong=1), "person": Tally(), "car": Tally(things=3, found=1)}
    assert list(table_rows(tallies)) == [
        ("car", "3", "1.000", "0.333"),
        ("person", "0", "–", "–"),
        ("vehicle", "3", "0.667", "0.667"),
    ]


def test_the_json_has_counts_and_figures_by_weather_and_class() -> None:
    text = to_json({"rain": {"car": Tally(things=4, found=3, wrong=1)}, "day": {"person": Tally()}})
    assert "\n" not in text
    assert json.loads(text) == {
        "rain": {"car": {"things": 4, "found": 3, "wrong": 1, "precision": 0.75, "recall": 0.75}},
        "day": {"person": {"things": 0, "found": 0, "wrong": 0, "precision": None, "recall": None}},
    }
