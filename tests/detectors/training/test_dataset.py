"""What a training set is built from, what is left out, and that no teacher touches what scores a model."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.letterbox import FILL
from detectors.nms import Boxes
from detectors.training.boxes import Image
from detectors.training.data_report import BuiltSet, DataReport
from detectors.training.dataset import Recipe, check, prepare
from detectors.training.errors import DataFolderError
from detectors.training.source import read_source
from tests.labelled_pictures import write_labelled, write_picture

_CAR = 2
_BIN_LINE = "7 0.500000 0.500000 0.200000 0.200000"
_CAR_LINE = "2 0.100000 0.100000 0.200000 0.200000"
_ALL = Recipe(dev_every=0)


@dataclass
class OneCar:
    """A teacher that sees the same car at the top left of every picture, and counts its pictures."""

    confidence: float = 0.9
    pictures: int = 0

    def see(self, image: Image) -> Boxes:
        self.pictures += 1
        return Boxes(
            xyxy=np.array([[0.0, 0.0, 0.2, 0.2]], np.float32),
            confidence=np.array([self.confidence], np.float32),
            class_id=np.array([_CAR], np.int32),
        )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One group that labels bins: pictures t1, t2 to train on, v1 to score."""
    root = tmp_path / "data"
    write_labelled(root / "bins" / "train", "t1", 1, f"{_BIN_LINE}\n")
    write_labelled(root / "bins" / "train", "t2", 2, None)
    write_labelled(root / "bins" / "val", "v1", 3, f"{_BIN_LINE}\n")
    return root


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the set goes."""
    return tmp_path / "set"


def _lines(out: Path, name: str) -> list[str]:
    return (out / "labels" / "train" / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _built(report: DataReport) -> BuiltSet:
    assert report.built is not None
    return report.built


def test_what_a_group_does_not_label_is_filled_in_by_the_teachers(data: Path, out: Path) -> None:
    group = _built(prepare(data, out, recipe=_ALL, teachers=(OneCar(), OneCar()))).groups["bins"]
    assert _lines(out, "t1") == [_BIN_LINE, _CAR_LINE]
    assert _lines(out, "t2") == [_CAR_LINE]
    assert (group.pictures, group.files, group.boxes, group.pseudo_boxes) == (2, 2, {"garbage_bin": 1}, {"car": 2})


def test_without_teachers_the_human_labels_stand_alone(data: Path, out: Path) -> None:
    group = _built(prepare(data, out, recipe=_ALL)).groups["bins"]
    assert _lines(out, "t1") == [_BIN_LINE]
    assert (group.pseudo_boxes, group.doubtful_boxes) == ({}, 0)


def test_a_class_that_the_group_labels_is_painted_over_where_only_teachers_see_it(data: Path, out: Path) -> None:
    write_labelled(data / "bins" / "train", "t3", 4, "2 0.7 0.7 0.1 0.1\n")
    group = _built(prepare(data, out, recipe=_ALL, teachers=(OneCar(), OneCar()))).groups["bins"]
    assert (group.pseudo_boxes, group.doubtful_boxes) == ({}, 3)
    painted = cv2.imread(str(out / "images" / "train" / "t1.jpg"))
    assert painted is not None
    assert np.abs(painted[2:17, 2:23].astype(int) - FILL).max() <= 6


def test_what_one_teacher_alone_sees_is_painted_over(data: Path, out: Path) -> None:
    teachers = (OneCar(confidence=0.4), OneCar(confidence=0.1))
    group = _built(prepare(data, out, recipe=_ALL, teachers=teachers)).groups["bins"]
    assert (group.pseudo_boxes, group.doubtful_boxes) == ({}, 2)
    assert _lines(out, "t2") == []


def test_a_crowd_that_people_did_not_count_is_painted_over(tmp_path: Path, out: Path) -> None:
    write_picture(tmp_path / "data" / "train" / "a.jpg", 1)
    crowd = {"id": 1, "image_id": 0, "category_id": 1, "bbox": [64, 48, 64, 48], "iscrowd": 1}
    image = {"id": 0, "file_name": "a.jpg", "width": 128, "height": 96}
    content = {"images": [image], "annotations": [crowd], "categories": [{"id": 1, "name": "person"}]}
    (tmp_path / "data" / "train" / "_annotations.coco.json").write_text(json.dumps(content), encoding="utf-8")
    group = _built(prepare(tmp_path / "data", out, recipe=_ALL)).groups["data"]
    assert (group.boxes, group.doubtful_boxes) == ({}, 1)
    painted = cv2.imread(str(out / "images" / "train" / "a.jpg"))
    assert painted is not None
    assert np.abs(painted[56:, 72:].astype(int) - FILL).max() <= 6


def test_every_written_label_is_a_persons_or_marked_as_pseudo(data: Path, out: Path) -> None:
    prepare(data, out, recipe=Recipe(dev_every=0, repeats={"bins": 2}), teachers=(OneCar(), OneCar()))
    marked = [json.loads(line) for line in (out / "pseudo.jsonl").read_text(encoding="utf-8").splitlines()]
    by_teacher = {(Path(fact["image"]).stem, fact["line"]) for fact in marked}
    for file in (out / "labels" / "train").iterdir():
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
            assert line == (_CAR_LINE if (file.stem, number) in by_teacher else _BIN_LINE)
    assert len(by_teacher) == 4
    assert {fact["source"] for fact in marked} == {"bins/train/images/t1.jpg", "bins/train/images/t2.jpg"}


def test_what_scores_a_model_holds_human_labels_only(data: Path, out: Path) -> None:
    """Every picture goes to dev; the teachers are not even asked."""
    teachers = (OneCar(), OneCar())
    before = {path: path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file()}
    report = prepare(data, out, recipe=Recipe(dev_every=1), teachers=teachers)
    assert _built(report).groups["bins"].dev_pictures == 2
    assert (out / "dev" / "bins" / "val" / "labels" / "t1.txt").read_text(encoding="utf-8") == f"{_BIN_LINE}\n"
    assert (out / "dev" / "bins" / "val" / "labels" / "t2.txt").read_text(encoding="utf-8") == ""
    assert [teacher.pictures for teacher in teachers] == [0, 0]
    assert {path: path.read_bytes() for path in sorted(data.rglob("*")) if path.is_file()} == before


def test_validation_pictures_are_nowhere_in_the_set(data: Path, out: Path) -> None:
    prepare(data, out, recipe=_ALL, teachers=(OneCar(), OneCar()))
    files = {path.resolve().name for path in out.rglob("*") if path.is_file()}
    assert "t1.jpg" in files
    assert not files & {"v1.jpg", "v1.txt"}


def test_the_same_share_is_kept_for_dev_in_every_run(data: Path, tmp_path: Path) -> None:
    for number in range(40):
        write_labelled(data / "bins" / "train", f"p{number}", 100 + number, "")
    kept = []
    for name in ("one", "two"):
        prepare(data, tmp_path / name, recipe=Recipe(dev_every=4))
        kept.append(sorted(path.name for path in (tmp_path / name / "dev" / "bins" / "val" / "images").iterdir()))
    assert kept[0] == kept[1]
    assert 4 <= len(kept[0]) <= 18
    trained = {path.name for path in (tmp_path / "one" / "images" / "train").iterdir()}
    assert not trained & set(kept[0])


def test_dev_is_read_as_a_data_folder_with_the_sets_own_class_numbers(data: Path, out: Path) -> None:
    (data / "classes.txt").write_text("van\nstall\n", encoding="utf-8")
    for name in ("t1", "t2"):
        (data / "bins" / "train" / "labels" / f"{name}.txt").write_text("1 0.5 0.5 0.2 0.2\n", encoding="utf-8")
    (data / "bins" / "val" / "labels" / "v1.txt").write_text("0 0.5 0.5 0.2 0.2\n", encoding="utf-8")
    report = prepare(data, out, recipe=Recipe(dev_every=1))
    assert _built(report).classes[9:] == ("stall",)
    text = (out / "dev" / "bins" / "val" / "labels" / "t1.txt").read_text(encoding="utf-8")
    assert text.startswith("9 ")
    (group,) = read_source(out / "dev").groups
    assert sorted(group.labelled) == [12]


def test_repeats_multiply_files_and_count_pictures_once(data: Path, out: Path) -> None:
    group = _built(prepare(data, out, recipe=Recipe(dev_every=0, repeats={"bins": 3}))).groups["bins"]
    names = sorted(path.name for path in (out / "images" / "train").iterdir())
    assert names == ["t1.jpg", "t1_1.jpg", "t1_2.jpg", "t2.jpg", "t2_1.jpg", "t2_2.jpg"]
    assert (group.pictures, group.files, group.boxes) == (2, 6, {"garbage_bin": 1})


def test_a_group_that_is_not_there_cannot_be_repeated(data: Path, out: Path) -> None:
    with pytest.raises(DataFolderError, match=r"no group 'bin' to repeat; did you mean 'bins'\?"):
        prepare(data, out, recipe=Recipe(repeats={"bin": 2}))


def test_a_training_picture_that_repeats_a_validation_picture_is_left_out(data: Path, out: Path) -> None:
    write_labelled(data / "bins" / "train", "copy", 3, f"{_BIN_LINE}\n")
    report = prepare(data, out, recipe=_ALL)
    assert [row.picture for row in report.survey.near_duplicates] == ["bins/train/images/copy.jpg"]
    assert not (out / "images" / "train" / "copy.jpg").exists()


def test_drawn_pictures_join_training_with_their_own_labels(data: Path, tmp_path: Path, out: Path) -> None:
    for folder in ("drawn1", "drawn2"):
        write_labelled(tmp_path / folder, "d1", 9, f"{_BIN_LINE}\n")
    report = prepare(
        data, out, recipe=_ALL, teachers=(OneCar(), OneCar()), drawn=[tmp_path / "drawn1", tmp_path / "drawn2"]
    )
    assert _lines(out, "drawn1_d1") == _lines(out, "drawn2_d1") == [_BIN_LINE]
    assert _built(report).groups["drawn"].pictures == 2


def test_a_broken_drawn_picture_is_reported(data: Path, tmp_path: Path, out: Path) -> None:
    write_labelled(tmp_path / "drawn", "d1", 9, "7 0.5\n")
    write_labelled(tmp_path / "drawn", "d2", 9, "").write_bytes(b"no picture")
    report = prepare(data, out, recipe=_ALL, drawn=[tmp_path / "drawn"])
    assert [Path(problem.file).name for problem in report.problems] == ["d1.txt", "d2.jpg"]
    assert json.loads((out / "report.json").read_text(encoding="utf-8"))["set"]["groups"]["drawn"]["pictures"] == 1


def test_a_drawn_folder_without_pictures_is_named(data: Path, tmp_path: Path, out: Path) -> None:
    with pytest.raises(DataFolderError, match="drawn: no such folder"):
        prepare(data, out, recipe=_ALL, drawn=[tmp_path / "drawn"])
    for kind in ("images", "labels"):
        (tmp_path / "drawn" / kind).mkdir(parents=True)
    with pytest.raises(DataFolderError, match="drawn: no drawn picture in it"):
        prepare(data, out, recipe=_ALL, drawn=[tmp_path / "drawn"])


def test_a_group_of_validation_alone_has_nothing_to_train_on(tmp_path: Path, out: Path) -> None:
    write_labelled(tmp_path / "data" / "bins" / "val", "v1", 3, "")
    with pytest.raises(DataFolderError, match="no picture to train on"):
        prepare(tmp_path / "data", out, recipe=_ALL)
    assert not out.exists()


def test_a_set_inside_its_own_data_is_refused(data: Path) -> None:
    with pytest.raises(DataFolderError, match="which would take it for a group"):
        prepare(data, data / "set", recipe=_ALL)
    assert [path.name for path in data.iterdir()] == ["bins"]


def test_a_teacher_that_fails_leaves_no_half_built_set(data: Path, tmp_path: Path, out: Path) -> None:
    class Broken:
        def see(self, image: Image) -> Boxes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(data, out, recipe=_ALL, teachers=(Broken(), Broken()))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_place_that_cannot_be_written_is_one_line(data: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(DataFolderError, match="Not a directory"):
        prepare(data, tmp_path / "file" / "set", recipe=_ALL)


def test_the_report_in_the_set_says_where_everything_came_from(data: Path, out: Path) -> None:
    report = prepare(data, out, recipe=_ALL, teachers=(OneCar(), OneCar()))
    written = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(report.to_json()))
    group = written["groups"]["bins"]
    assert group["layout"] == "YOLO: {train,val}/{images,labels}"
    assert group["labels"] == ["garbage_bin"]
    assert [name in group["does_not_label"] for name in ("car", "garbage_bin")] == [True, False]
    assert group["train"]["boxes"] == {"garbage_bin": 1}
    assert written["set"]["groups"]["bins"]["pseudo_boxes"] == {"car": 2}
    assert written["set"]["folder"] == str(out)
    assert {path.name[3:] for path in (out / "samples").iterdir()} == {"t1.jpg", "t2.jpg"}


def test_checking_builds_nothing(data: Path, tmp_path: Path) -> None:
    report = check(data)
    assert report.built is None
    assert report.to_json()["set"] is None
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
