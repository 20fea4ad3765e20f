"""COCO folders: pixels to fractions, crowds to doubts, and one line for whatever does not fit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from detectors.training.errors import DataFolderError
from detectors.training.pictures import open_entry
from detectors.training.source import Layout, read_source
from tests.labelled_pictures import write_picture

_CATEGORIES = [{"id": 3, "name": "car"}, {"id": 90, "name": "toothbrush"}, {"id": 7, "name": "Garbage Bin"}]
_CAR, _BIN = 2, 7


def _image(number: int, name: str, **changes: object) -> dict[str, object]:
    return {"id": number, "file_name": name, "width": 128, "height": 96, **changes}


def _box(number: int, image: int, category: int, bbox: Sequence[float], **more: object) -> dict[str, object]:
    return {"id": number, "image_id": image, "category_id": category, "bbox": list(bbox), **more}


def _write(file: Path, images: Sequence[dict[str, object]], annotations: Sequence[dict[str, object]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    content = {"info": {}, "images": images, "annotations": annotations, "categories": _CATEGORIES}
    file.write_text(json.dumps(content), encoding="utf-8")


def test_boxes_in_pixels_become_fractions_of_street_classes(tmp_path: Path) -> None:
    write_picture(tmp_path / "train" / "a.jpg", 1)
    boxes = [_box(1, 0, 3, (32, 24, 64, 48)), _box(2, 0, 90, (0, 0, 9, 9)), _box(3, 0, 7, (120, 90, 20, 20))]
    _write(tmp_path / "train" / "_annotations.coco.json", [_image(0, "a.jpg")], boxes)
    (group,) = read_source(tmp_path).groups
    (entry,) = group.train.entries
    assert group.layout is Layout.COCO_SPLITS
    assert entry.labels.class_id.tolist() == [_CAR, _BIN]
    np.testing.assert_allclose(entry.labels.xyxy, [[0.25, 0.25, 0.75, 0.75], [0.9375, 0.9375, 1, 1]])
    assert group.train.unknown == {"toothbrush": 1}
    assert group.names.origin == "_annotations.coco.json"


def test_a_crowd_is_a_doubt_and_no_label(tmp_path: Path) -> None:
    write_picture(tmp_path / "train" / "a.jpg", 1)
    boxes = [_box(1, 0, 3, (32, 24, 64, 48), iscrowd=1), _box(2, 0, 90, (0, 0, 9, 9), iscrowd=1)]
    _write(tmp_path / "train" / "_annotations.coco.json", [_image(0, "a.jpg")], boxes)
    (entry,) = read_source(tmp_path).groups[0].train.entries
    assert len(entry.labels) == 0
    np.testing.assert_allclose(entry.doubtful, [[0.25, 0.25, 0.75, 0.75]])


@pytest.mark.parametrize("folder", ["train2017", "images/train2017", "images/train", "images", "."])
def test_instances_find_their_pictures_where_people_put_them(tmp_path: Path, folder: str) -> None:
    write_picture(tmp_path / folder / "a.jpg", 1)
    _write(tmp_path / "annotations" / "instances_train2017.json", [_image(5, "a.jpg")], [_box(1, 5, 3, (0, 0, 64, 48))])
    (group,) = read_source(tmp_path).groups
    assert group.layout is Layout.COCO_INSTANCES
    assert [entry.path for entry in group.train.entries] == [tmp_path / folder / "a.jpg"]


def test_instances_of_both_splits_are_kept_apart(tmp_path: Path) -> None:
    for split, seed in (("train", 1), ("val", 2)):
        write_picture(tmp_path / "images" / f"{split}.jpg", seed)
        _write(tmp_path / "annotations" / f"instances_{split}.json", [_image(0, f"{split}.jpg")], [])
    (group,) = read_source(tmp_path).groups
    assert [entry.path.name for entry in group.train.entries + group.val.entries] == ["train.jpg", "val.jpg"]


@pytest.mark.parametrize("file", ["annotations/instances_default.json", "result.json"])
def test_without_splits_all_is_for_training(tmp_path: Path, file: str) -> None:
    write_picture(tmp_path / "images" / "a.jpg", 1)
    _write(tmp_path / file, [_image(0, "images/a.jpg")], [])
    (group,) = read_source(tmp_path).groups
    assert (len(group.train.entries), len(group.val.entries)) == (1, 0)


def test_what_does_not_fit_is_named_and_the_rest_stays(tmp_path: Path) -> None:
    file = tmp_path / "train" / "_annotations.coco.json"
    write_picture(tmp_path / "train" / "a.jpg", 1)
    boxes = [
        _box(1, 0, 3, (0, 0, 64, 48)),
        _box(2, 0, 3, (0, 0, 0, 48)),
        _box(3, 0, 3, (128, 0, 10, 10)),
        _box(4, 0, 3, (float("nan"), 0, 10, 10)),
        _box(5, 77, 3, (0, 0, 10, 10)),
        _box(6, 0, 3, (0, 0, 10)),
    ]
    _write(file, [_image(0, "a.jpg"), _image(1, "gone.jpg")], boxes)
    (group,) = read_source(tmp_path).groups
    (entry,) = group.train.entries
    assert entry.labels.class_id.tolist() == [_CAR]
    said = [str(problem).removeprefix(f"{file}: ") for problem in (*group.train.problems, *entry.problems)]
    assert said == [
        "annotation 5: no image 77",
        "annotation 6: bbox[3]: missing; it should be [x, y, width, height] in pixels",
        "picture 'gone.jpg' is not there",
        "annotation 2: bbox [0.0, 0.0, 0.0, 48.0] lies outside a.jpg or is empty",
        "annotation 3: bbox [128.0, 0.0, 10.0, 10.0] lies outside a.jpg or is empty",
        "annotation 4: bbox [nan, 0.0, 10.0, 10.0] lies outside a.jpg or is empty",
    ]


def test_a_picture_that_was_turned_after_labelling_is_not_used(tmp_path: Path) -> None:
    write_picture(tmp_path / "train" / "a.jpg", 1)
    write_picture(tmp_path / "train" / "b.jpg", 1, (64, 48))
    images = [_image(0, "a.jpg", width=96, height=128), _image(1, "b.jpg")]
    _write(tmp_path / "train" / "_annotations.coco.json", images, [])
    turned, scaled = read_source(tmp_path).groups[0].train.entries
    assert open_entry(turned)[1] == "is 128x96 px, its labels were made for 96x128 px"
    assert open_entry(scaled)[1] == ""


def test_a_file_that_is_not_coco_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "_annotations.coco.json").write_text('{"images": []}', encoding="utf-8")
    with pytest.raises(DataFolderError, match=r"annotations: missing.*expected COCO: images, annotations, categories"):
        read_source(tmp_path)
    (tmp_path / "train" / "_annotations.coco.json").write_text("[", encoding="utf-8")
    with pytest.raises(DataFolderError, match=r"_annotations\.coco\.json: .*not JSON"):
        read_source(tmp_path)


def test_a_lone_json_of_something_else_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(DataFolderError, match="no group found"):
        read_source(tmp_path)
