"""Which layouts of labelled pictures are recognised, what their class numbers mean, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.training.errors import DataFolderError
from detectors.training.source import Group, Layout, read_group, read_source
from tests.labelled_pictures import write_labelled, write_picture

_CAR, _BIN, _VAN = 2, 7, 9
_CAR_LINE, _BIN_LINE = "2 0.5 0.5 0.2 0.2\n", "7 0.5 0.5 0.2 0.2\n"


def _kinds(root: Path, split: str, name: str, labels: str) -> None:
    """The transposed layout: images/SPLIT and labels/SPLIT."""
    write_picture(root / "images" / split / f"{name}.jpg", 1)
    (root / "labels" / split).mkdir(parents=True, exist_ok=True)
    (root / "labels" / split / f"{name}.txt").write_text(labels, encoding="utf-8")


def _counts(group: Group) -> tuple[int, int]:
    return len(group.train.entries), len(group.val.entries)


def test_folders_of_groups_are_groups_by_name(tmp_path: Path) -> None:
    write_labelled(tmp_path / "street" / "train", "a", 1, _CAR_LINE)
    write_labelled(tmp_path / "bins" / "train", "b", 2, _BIN_LINE)
    write_labelled(tmp_path / "bins" / "val", "c", 3, _BIN_LINE)
    (tmp_path / "notes").mkdir()
    source = read_source(tmp_path)
    assert [(group.name, group.layout, _counts(group)) for group in source.groups] == [
        ("bins", Layout.YOLO_SPLITS, (1, 1)),
        ("street", Layout.YOLO_SPLITS, (1, 0)),
    ]
    assert [sorted(group.labelled) for group in source.groups] == [[_BIN], [_CAR]]
    assert source.unused == ("notes",)


@pytest.mark.parametrize("val", ["val", "valid", "Validation", "val2017"])
def test_one_group_of_splits_is_recognised_whatever_validation_is_called(tmp_path: Path, val: str) -> None:
    write_labelled(tmp_path / "mine" / "train", "a", 1, _CAR_LINE)
    write_labelled(tmp_path / "mine" / val, "b", 2, _CAR_LINE)
    write_labelled(tmp_path / "mine" / "test", "c", 3, _CAR_LINE)
    (group,) = read_source(tmp_path / "mine").groups
    assert (group.name, group.layout, _counts(group)) == ("mine", Layout.YOLO_SPLITS, (1, 1))
    assert group.unused == ("test",)


def test_splits_inside_images_and_labels_are_recognised(tmp_path: Path) -> None:
    _kinds(tmp_path, "train", "a", _CAR_LINE)
    _kinds(tmp_path, "valid", "b", _BIN_LINE)
    (group,) = read_source(tmp_path).groups
    assert (group.layout, _counts(group)) == (Layout.YOLO_KINDS, (1, 1))
    assert group.val.entries[0].labels.class_id.tolist() == [_BIN]


def test_pictures_without_splits_are_all_for_training(tmp_path: Path) -> None:
    write_labelled(tmp_path, "a", 1, _CAR_LINE)
    (group,) = read_source(tmp_path).groups
    assert (group.layout, _counts(group)) == (Layout.YOLO_FLAT, (1, 0))


def test_pictures_in_folders_of_cameras_find_their_labels(tmp_path: Path) -> None:
    write_picture(tmp_path / "train" / "images" / "cam1" / "a.png", 1)
    (tmp_path / "train" / "labels" / "cam1").mkdir(parents=True)
    (tmp_path / "train" / "labels" / "cam1" / "a.txt").write_text(_CAR_LINE, encoding="utf-8")
    (entry,) = read_source(tmp_path).groups[0].train.entries
    assert entry.labels.class_id.tolist() == [_CAR]


@pytest.mark.parametrize(
    "names",
    [
        "names: [garbage bin, dog, Car]",
        "names:\n  0: garbage-bin\n  1: dog\n  2: car\n",
        "names: {2: car, 0: 垃圾桶, 1: dog}",
    ],
)
def test_the_names_of_a_data_yaml_decide_what_a_number_means(tmp_path: Path, names: str) -> None:
    write_labelled(
        tmp_path / "train", "a", 1, "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.3 0.3\n1 0.5 0.5 0.1 0.1\n2 0.2 0.2 0.1 0.1"
    )
    (tmp_path / "data.yaml").write_text(f"path: elsewhere\nnc: 3\n{names}", encoding="utf-8")
    (group,) = read_source(tmp_path).groups
    assert group.train.entries[0].labels.class_id.tolist() == [_BIN, _CAR]
    assert group.train.unknown == {"dog": 2}
    assert group.names.origin == "data.yaml"


@pytest.mark.parametrize("place", ["classes.txt", "train/labels/classes.txt"])
def test_a_list_of_names_decides_too_and_is_no_label_file(tmp_path: Path, place: str) -> None:
    write_labelled(tmp_path / "train", "a", 1, "1 0.5 0.5 0.2 0.2")
    (tmp_path / place).write_text("car\r\nvan\r\n", encoding="utf-8")
    (group,) = read_source(tmp_path).groups
    assert group.train.entries[0].labels.class_id.tolist() == [_VAN]
    assert group.train.problems == ()
    assert group.names.origin == "classes.txt"


def test_names_beside_the_groups_hold_for_those_that_have_none(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_labelled(tmp_path / name / "train", "x", 1, "0 0.5 0.5 0.2 0.2")
    (tmp_path / "classes.txt").write_text("car\n", encoding="utf-8")
    (tmp_path / "b" / "classes.txt").write_text("garbage_bin\n", encoding="utf-8")
    assert [sorted(group.labelled) for group in read_source(tmp_path).groups] == [[_CAR], [_BIN]]


def test_without_names_a_number_is_one_of_the_nine_street_classes(tmp_path: Path) -> None:
    write_labelled(tmp_path / "train", "a", 1, f"9 0.5 0.5 0.2 0.2\n{_BIN_LINE}")
    (group,) = read_source(tmp_path).groups
    (entry,) = group.train.entries
    assert entry.labels.class_id.tolist() == [_BIN]
    assert [str(problem) for problem in entry.problems] == [
        f"{tmp_path}/train/labels/a.txt: line 1: class 9; expected 0..8"
    ]
    assert group.names.origin == "no file; the nine street classes in order"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("names: [car", "not YAML: "),
        ("names: car", "names: 'car'; expected a list of names, or a name per class number"),
        ("names: {one: car}", "expected a list of names, or a name per class number"),
        ("names: [person]\nkpt_shape: [17, 3]", "describes key points"),
    ],
)
def test_a_data_yaml_that_does_not_name_classes_is_refused(tmp_path: Path, text: str, said: str) -> None:
    write_labelled(tmp_path / "train", "a", 1, "0 0.5 0.5 0.2 0.2")
    (tmp_path / "data.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DataFolderError, match="data.yaml: ") as raised:
        read_source(tmp_path)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_picture_without_a_label_file_is_empty_and_known_to_have_none(tmp_path: Path) -> None:
    write_labelled(tmp_path / "train", "a", 1, None)
    write_labelled(tmp_path / "train", "b", 2, "")
    entries = read_source(tmp_path).groups[0].train.entries
    assert [(len(entry.labels), entry.is_labelled) for entry in entries] == [(0, False), (0, True)]


def test_a_label_file_without_a_picture_is_named(tmp_path: Path) -> None:
    write_labelled(tmp_path / "train", "a", 1, _CAR_LINE)
    (tmp_path / "train" / "labels" / "lost.txt").write_text(_CAR_LINE, encoding="utf-8")
    (problem,) = read_source(tmp_path).groups[0].train.problems
    assert str(problem) == f"{tmp_path}/train/labels/lost.txt: no picture of that name"


def test_pictures_without_a_labels_folder_are_refused(tmp_path: Path) -> None:
    write_picture(tmp_path / "train" / "images" / "a.jpg", 1)
    with pytest.raises(DataFolderError, match=r"train/images: no folder 'labels' with its label files"):
        read_source(tmp_path)


def test_two_folders_that_want_to_be_validation_are_refused(tmp_path: Path) -> None:
    for name in ("val", "valid"):
        write_labelled(tmp_path / name, "a", 1, _CAR_LINE)
    with pytest.raises(DataFolderError, match="both 'val' and 'valid' would be val; keep one"):
        read_source(tmp_path)


def test_a_folder_of_nothing_known_lists_every_layout_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "holiday").mkdir()
    write_picture(tmp_path / "holiday" / "beach.jpg", 1)
    with pytest.raises(DataFolderError, match=r"no group found; understood are") as raised:
        read_source(tmp_path)
    assert "\n" not in str(raised.value)
    for layout in Layout:
        assert layout.value in str(raised.value)
    with pytest.raises(DataFolderError, match="nowhere: no such folder"):
        read_source(tmp_path / "nowhere")


def test_a_group_that_must_be_one_says_why_it_is_none(tmp_path: Path) -> None:
    with pytest.raises(DataFolderError, match="nowhere: no such folder"):
        read_group(tmp_path / "nowhere")
    with pytest.raises(DataFolderError, match="not recognised; understood are"):
        read_group(tmp_path)
