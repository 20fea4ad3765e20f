"""What a look at every picture finds: what is broken, what is nearly the same, and how much there is of each class."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from detectors.training.source import read_source
from detectors.training.survey import NearDuplicate, Survey, Where, survey
from tests.labelled_pictures import scene, write_labelled

_BIN_LINE = "7 0.5 0.5 0.2 0.2\n"


def _usable(found: Survey, group: str, split: str) -> list[str]:
    return [entry.path.stem for entry in found.usable[group][split]]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two groups: bins with training pictures t1, t2 and validation picture v1; cars with c1."""
    write_labelled(tmp_path / "bins" / "train", "t1", 1, _BIN_LINE * 1 + "8 0.2 0.2 0.1 0.1\n")
    write_labelled(tmp_path / "bins" / "train", "t2", 2, None)
    write_labelled(tmp_path / "bins" / "val", "v1", 3, _BIN_LINE)
    write_labelled(tmp_path / "cars" / "train", "c1", 4, "2 0.5 0.5 0.2 0.2\n")
    return tmp_path


def test_pictures_and_boxes_are_counted_per_group_and_split(data: Path) -> None:
    found = survey(read_source(data))
    train, val = found.facts["bins"]["train"], found.facts["bins"]["val"]
    assert (train.pictures, train.without_labels, train.boxes) == (2, 1, {"garbage_bin": 1, "overflow": 1})
    assert (val.pictures, val.without_labels, val.boxes) == (1, 0, {"garbage_bin": 1})
    assert found.facts["cars"]["train"].boxes == {"car": 1}
    assert (found.near_duplicates, found.problems) == ((), ())


def test_a_training_picture_that_repeats_a_validation_picture_is_not_usable(data: Path) -> None:
    write_labelled(data / "cars" / "train", "copy", 3, "")
    found = survey(read_source(data))
    assert found.near_duplicates == (
        NearDuplicate(
            picture="cars/train/images/copy.jpg", twin="bins/val/images/v1.jpg", distance=0, where=Where.ACROSS
        ),
    )
    assert _usable(found, "cars", "train") == ["c1"]
    assert _usable(found, "bins", "val") == ["v1"]


def test_of_training_pictures_that_repeat_each_other_the_first_stays(data: Path) -> None:
    path = write_labelled(data / "bins" / "train", "t1_again", 1, _BIN_LINE)
    cv2.imwrite(str(path), cv2.resize(scene(1), (200, 150)), [cv2.IMWRITE_JPEG_QUALITY, 70])
    found = survey(read_source(data))
    assert [(row.picture, row.twin, row.where) for row in found.near_duplicates] == [
        ("bins/train/images/t1_again.jpg", "bins/train/images/t1.jpg", Where.TRAIN)
    ]
    assert _usable(found, "bins", "train") == ["t1", "t2"]
    assert found.facts["bins"]["train"].near_duplicates == 1


def test_validation_pictures_that_repeat_each_other_are_told_and_stay(data: Path) -> None:
    write_labelled(data / "bins" / "val", "v2", 3, _BIN_LINE)
    found = survey(read_source(data))
    assert [row.where for row in found.near_duplicates] == [Where.VAL]
    assert _usable(found, "bins", "val") == ["v1", "v2"]


def test_the_distance_decides_what_a_near_duplicate_is(data: Path) -> None:
    assert len(survey(read_source(data), max_hash_distance=256).near_duplicates) == 3
    assert _usable(survey(read_source(data), max_hash_distance=256), "bins", "train") == []


def test_broken_pictures_and_lines_are_named_and_not_fatal(data: Path) -> None:
    train = data / "bins" / "train"
    torn = write_labelled(train, "torn", 5, _BIN_LINE)
    torn.write_bytes(torn.read_bytes()[: torn.stat().st_size // 2])
    write_labelled(train, "void", 6, _BIN_LINE).write_bytes(b"")
    write_labelled(train, "t4", 7, f"7 0.5 0.5\n{_BIN_LINE}")
    found = survey(read_source(data))
    assert [(Path(problem.file).name, problem.line, problem.why) for problem in found.problems] == [
        ("t4.txt", 1, "3 fields; expected 5: class cx cy w h"),
        ("torn.jpg", None, "cannot be decoded: it is truncated or no picture; left out"),
        ("void.jpg", None, "cannot be decoded: it is truncated or no picture; left out"),
    ]
    assert found.facts["bins"]["train"].unusable == 2
    assert found.facts["bins"]["train"].boxes == {"garbage_bin": 2, "overflow": 1}
    assert _usable(found, "bins", "train") == ["t1", "t2", "t4"]


def test_classes_beyond_the_nine_come_from_training_labels_alone(data: Path) -> None:
    (data / "classes.txt").write_text(
        "person\nbicycle\ncar\nmotorcycle\nbus\ntruck\ngarbage\ngarbage_bin\noverflow\nstall\nvan\n", encoding="utf-8"
    )
    write_labelled(data / "cars" / "val", "c2", 8, "9 0.5 0.5 0.2 0.2\n")
    assert survey(read_source(data)).class_ids() == list(range(9))
    write_labelled(data / "cars" / "train", "c3", 9, "10 0.5 0.5 0.2 0.2\n")
    assert survey(read_source(data)).class_ids() == [*range(9), 9]


def test_every_picture_is_counted_towards_the_progress(data: Path) -> None:
    steps: list[tuple[str, int, int]] = []
    survey(read_source(data), progress=lambda *step: steps.append(step))
    assert steps == [("reading", done, 4) for done in (1, 2, 3, 4)]
