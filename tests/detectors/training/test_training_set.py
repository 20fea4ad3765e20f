"""The folder of a set: all of it or nothing, and every file under a name of its own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from detectors.training.errors import DataFolderError
from detectors.training.labels import NO_LABELS, Labels
from detectors.training.pseudo import NO_OPINION, Opinion
from detectors.training.training_set import SetWriter, TrainingPicture, building
from tests.labelled_pictures import scene, write_picture


def _picture(
    path: Path, *, size_px: tuple[int, int] = (128, 96), opinion: Opinion = NO_OPINION, times: int = 1
) -> TrainingPicture:
    human = Labels(np.array([7], np.int32), np.array([[0.0, 0.0, 0.1, 0.1]], np.float32))
    return TrainingPicture(
        name=f"g/{path.name}",
        path=path,
        stem=path.stem,
        image=scene(1, size_px),
        human=human,
        opinion=opinion,
        times=times,
    )


def _writer(folder: Path) -> SetWriter:
    return SetWriter(folder, {2: "car", 7: "garbage_bin", 9: "van"}, seen_px=640, tile_px=416)


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "images" / "train").iterdir())


def test_a_set_appears_when_it_is_whole(tmp_path: Path) -> None:
    out = tmp_path / "work" / "set"
    with building(out) as folder:
        (folder / "a").write_text("a", encoding="utf-8")
        assert not out.exists()
    assert [path.name for path in out.iterdir()] == ["a"]
    assert [path.name for path in out.parent.iterdir()] == ["set"]


@pytest.mark.parametrize("cause", [KeyboardInterrupt, OSError])
def test_an_interrupted_set_leaves_nothing_behind(tmp_path: Path, cause: type[BaseException]) -> None:
    def build() -> None:
        with building(tmp_path / "set") as folder:
            (folder / "a").write_text("a", encoding="utf-8")
            raise cause

    with pytest.raises(cause):
        build()
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_was_killed_is_named_by_the_next_run(tmp_path: Path) -> None:
    (tmp_path / "set.partial").mkdir()
    with (
        pytest.raises(DataFolderError, match=r"set\.partial: another run is writing it or was killed"),
        building(tmp_path / "set"),
    ):
        pass
    assert (tmp_path / "set.partial").is_dir()


@pytest.mark.parametrize(
    ("inside", "said"), [("data.yaml", "already holds a training set"), ("notes.txt", "is there and not empty")]
)
def test_a_set_is_not_built_over_anything(tmp_path: Path, inside: str, said: str) -> None:
    (tmp_path / inside).write_text("mine", encoding="utf-8")
    with pytest.raises(DataFolderError, match=f"{said}; give a new folder"), building(tmp_path):
        pass
    assert (tmp_path / inside).read_text(encoding="utf-8") == "mine"


def test_an_empty_folder_may_become_a_set(tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    with building(tmp_path / "set") as folder:
        (folder / "a").write_text("a", encoding="utf-8")
    assert (tmp_path / "set" / "a").is_file()


def test_pictures_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    writer = _writer(tmp_path / "set")
    for folder in ("a", "b"):
        writer.add(_picture(write_picture(tmp_path / folder / "001.jpg", 1)))
    writer.add(_picture(write_picture(tmp_path / "a" / "001_1.jpg", 1)))
    writer.add(_picture(write_picture(tmp_path / "c" / "001.jpg", 1), times=2))
    assert _files(tmp_path / "set") == ["001.jpg", "001_1.jpg", "001_n2.jpg", "001_n3.jpg", "001_n3_1.jpg"]
    links = {path.name: path.resolve().parent.name for path in (tmp_path / "set" / "images" / "train").iterdir()}
    assert links["001_n3_1.jpg"] == "c"


def test_a_picture_that_is_not_changed_is_a_link_to_the_source(tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a" / "x.png", 1)
    assert _writer(tmp_path / "set").add(_picture(source)) == 1
    link = tmp_path / "set" / "images" / "train" / "x.png"
    assert link.is_symlink()
    assert link.resolve() == source


def test_a_large_picture_becomes_tiles_and_every_file_its_own_labels(tmp_path: Path) -> None:
    source = write_picture(tmp_path / "a" / "x.jpg", 1, (640, 360))
    assert _writer(tmp_path / "set").add(_picture(source, size_px=(640, 360), times=2)) == 4
    assert _files(tmp_path / "set") == ["x.jpg", "x_1.jpg", "x_t1.jpg", "x_t1_1.jpg"]
    labels = tmp_path / "set" / "labels" / "train"
    assert (labels / "x_1.txt").read_text(encoding="utf-8").startswith("1 0.07")
    assert (labels / "x_t1.txt").read_text(encoding="utf-8") == ""


def test_a_pseudo_label_keeps_its_origin_through_cutting(tmp_path: Path) -> None:
    seen = Labels(np.array([2, 2], np.int32), np.array([[0.0, 0.5, 0.1, 0.6], [0.9, 0.0, 1.0, 0.5]], np.float32))
    opinion = Opinion(seen, np.array([[0.9, 0.3], [0.8, 0.4]], np.float32), NO_OPINION.doubtful)
    writer = _writer(tmp_path / "set")
    writer.add(_picture(write_picture(tmp_path / "x.jpg", 1, (640, 360)), size_px=(640, 360), opinion=opinion))
    writer.finish({})
    lines = (tmp_path / "set" / "pseudo.jsonl").read_text(encoding="utf-8").splitlines()
    facts = [json.loads(line) for line in lines]
    assert [(fact["image"], fact["line"], fact["class"], fact["confidence"], fact["source"]) for fact in facts] == [
        ("x.jpg", 2, "car", [0.9, 0.3], "g/x.jpg"),
        ("x_t1.jpg", 1, "car", [0.8, 0.4], "g/x.jpg"),
    ]
    x0, y0, x1, y1 = facts[1]["xyxy"]
    written = (tmp_path / "set" / "labels" / "train" / "x_t1.txt").read_text(encoding="utf-8").split()
    assert [float(value) for value in written] == pytest.approx(
        [0, (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0], abs=2e-6
    )


def test_doubts_are_painted_in_what_is_written_and_not_in_the_source(tmp_path: Path) -> None:
    source = write_picture(tmp_path / "x.jpg", 1)
    before = source.read_bytes()
    opinion = Opinion(NO_LABELS, NO_OPINION.confidence, np.array([[0.5, 0.5, 1, 1]], np.float32))
    _writer(tmp_path / "set").add(_picture(source, opinion=opinion))
    written = tmp_path / "set" / "images" / "train" / "x.jpg"
    assert not written.is_symlink()
    assert source.read_bytes() == before


def test_names_stand_in_output_order_and_the_set_can_be_moved(tmp_path: Path) -> None:
    writer = _writer(tmp_path / "set")
    writer.finish({"a": "垃圾"})
    assert (tmp_path / "set" / "data.yaml").read_text(encoding="utf-8") == (
        "train: images/train\nval: images/train\nnames:\n  0: car\n  1: garbage_bin\n  2: van\n"
    )
    assert "垃圾" in (tmp_path / "set" / "report.json").read_text(encoding="utf-8")
