"""What the training folder is built from, what is left out, and that validation stays untouched."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.nms import Boxes
from detectors.training.boxes import Image
from detectors.training.dataset import DatasetReport, prepare
from detectors.training.errors import DataFolderError

_CAR, _BIN = 2, 7
_BIN_LINE = "7 0.500000 0.500000 0.200000 0.200000\n"


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


def _write_picture(split: Path, name: str, seed: int, labels: str | None) -> Path:
    for kind in ("images", "labels"):
        (split / kind).mkdir(parents=True, exist_ok=True)
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    path = split / "images" / f"{name}.jpg"
    cv2.imwrite(str(path), cv2.resize(coarse, (128, 96), interpolation=cv2.INTER_CUBIC))
    if labels is not None:
        (split / "labels" / f"{name}.txt").write_text(labels, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """One group that labels bins: pictures t1, t2 to train on, v1 to score."""
    root = tmp_path / "data"
    _write_picture(root / "bins" / "train", "t1", 1, _BIN_LINE)
    _write_picture(root / "bins" / "train", "t2", 2, None)
    _write_picture(root / "bins" / "val", "v1", 3, _BIN_LINE)
    return root


def _labels(out: Path, split: str, name: str) -> list[str]:
    return (out / "labels" / split / f"{name}.txt").read_text(encoding="utf-8").splitlines()


def _prepare(data: Path, out: Path) -> DatasetReport:
    return prepare(data, out, teachers=(OneCar(), OneCar()))


def test_unlabelled_classes_are_filled_in_for_training_only(data: Path, tmp_path: Path) -> None:
    report = _prepare(data, tmp_path / "set")
    assert _labels(tmp_path / "set", "train", "t1") == [_BIN_LINE.strip(), "2 0.100000 0.100000 0.200000 0.200000"]
    assert _labels(tmp_path / "set", "train", "t2") == ["2 0.100000 0.100000 0.200000 0.200000"]
    assert _labels(tmp_path / "set", "val", "v1") == [_BIN_LINE.strip()]
    assert report.human_boxes == {"garbage_bin": 1}
    assert report.pseudo_boxes == {"car": 2}
    assert report.pictures == {"val/bins": 1, "train/bins": 2}


def test_a_class_that_the_group_labels_is_never_filled_in(data: Path, tmp_path: Path) -> None:
    _write_picture(data / "bins" / "train", "t3", 4, "2 0.7 0.7 0.1 0.1\n")
    assert _prepare(data, tmp_path / "set").pseudo_boxes == {}


def test_the_slow_teacher_looks_only_where_the_quick_one_hopes(data: Path, tmp_path: Path) -> None:
    slow, quick = OneCar(), OneCar(confidence=0.1)
    prepare(data, tmp_path / "set", teachers=(slow, quick))
    assert (slow.pictures, quick.pictures) == (0, 2)


def test_the_pictures_are_links_to_the_source(data: Path, tmp_path: Path) -> None:
    _prepare(data, tmp_path / "set")
    link = tmp_path / "set" / "images" / "train" / "t1.jpg"
    assert link.is_symlink()
    assert link.resolve() == data / "bins" / "train" / "images" / "t1.jpg"


def test_repeats_count_in_training_alone(data: Path, tmp_path: Path) -> None:
    report = prepare(data, tmp_path / "set", repeats={"bins": 3})
    names = sorted(path.name for path in (tmp_path / "set" / "images" / "train").iterdir())
    assert names == ["t1.jpg", "t1_1.jpg", "t1_2.jpg", "t2.jpg", "t2_1.jpg", "t2_2.jpg"]
    assert report.pictures == {"val/bins": 1, "train/bins": 6}
    assert report.human_boxes == {"garbage_bin": 3}


def test_a_training_picture_that_repeats_a_validation_picture_is_left_out(data: Path, tmp_path: Path) -> None:
    _write_picture(data / "bins" / "train", "copy", 3, _BIN_LINE)
    report = _prepare(data, tmp_path / "set")
    assert report.near_duplicates == ["copy.jpg = v1.jpg"]
    assert not (tmp_path / "set" / "images" / "train" / "copy.jpg").exists()


def test_drawn_frames_join_training_with_their_own_labels(data: Path, tmp_path: Path) -> None:
    _write_picture(tmp_path / "drawn", "d1", 9, _BIN_LINE)
    report = prepare(data, tmp_path / "set", teachers=(OneCar(), OneCar()), drawn=tmp_path / "drawn")
    assert _labels(tmp_path / "set", "train", "d1") == [_BIN_LINE.strip()]
    assert report.pictures["train/drawn"] == 1


def test_broken_pictures_and_labels_are_reported_and_not_fatal(data: Path, tmp_path: Path) -> None:
    torn = _write_picture(data / "bins" / "train", "torn", 5, _BIN_LINE)
    torn.write_bytes(torn.read_bytes()[:20])
    empty = _write_picture(data / "bins" / "train", "void", 6, _BIN_LINE)
    empty.write_bytes(b"")
    _write_picture(data / "bins" / "train", "t4", 7, f"7 0.5 0.5\n{_BIN_LINE}")
    report = _prepare(data, tmp_path / "set")
    said = {Path(problem.split(": ", 1)[0]).name: problem.split(": ", 1)[1] for problem in report.problems}
    assert said == {
        "torn.jpg": "cannot be decoded; left out",
        "void.jpg": "cannot be decoded; left out",
        "t4.txt": "line 1: 3 fields; expected 5: class cx cy w h",
    }
    assert _labels(tmp_path / "set", "train", "t4")[0] == _BIN_LINE.strip()


def test_the_report_and_the_class_names_lie_in_the_folder(data: Path, tmp_path: Path) -> None:
    _prepare(data, tmp_path / "set")
    report = json.loads((tmp_path / "set" / "report.json").read_text(encoding="utf-8"))
    assert report["pictures"] == {"val/bins": 1, "train/bins": 2}
    assert "  7: garbage_bin" in (tmp_path / "set" / "data.yaml").read_text(encoding="utf-8").splitlines()


def test_a_set_is_not_built_over_another(data: Path, tmp_path: Path) -> None:
    _prepare(data, tmp_path / "set")
    with pytest.raises(DataFolderError, match="already holds a training set"):
        _prepare(data, tmp_path / "set")


def test_a_folder_without_groups_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match=r"no group found; expected <group>/train/images"):
        prepare(tmp_path, tmp_path / "set")
    with pytest.raises(DataFolderError, match="no such folder"):
        prepare(tmp_path / "nowhere", tmp_path / "set")
