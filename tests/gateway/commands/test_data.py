"""`street721 data check` and `data prepare`: what a person reads, and what a mistake says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from detectors.training.errors import DataFolderError
from gateway.commands.data import data_app
from tests.labelled_pictures import write_labelled


def _run(*words: object) -> Result:
    return CliRunner().invoke(data_app, [str(word) for word in words])


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Bins that people labelled, one of them twice, beside a broken line and a class of no street."""
    root = tmp_path / "data"
    write_labelled(root / "bins" / "train", "t1", 1, "0 0.5 0.5 0.2 0.2\n1 0.5 0.5 0.2 0.2\n")
    write_labelled(root / "bins" / "train", "t2", 2, "0 0.5 0.5\n")
    write_labelled(root / "bins" / "train", "t3", 1, "")
    write_labelled(root / "bins" / "val", "v1", 3, "0 0.5 0.5 0.2 0.2\n")
    (root / "bins" / "data.yaml").write_text("names: [garbage_bin, dog]", encoding="utf-8")
    (root / "notes").mkdir()
    return root


def test_a_check_says_what_was_recognised_and_what_is_wrong(data: Path) -> None:
    result = _run("check", data)
    assert result.exit_code == 0
    for said in (
        "bins: YOLO: {train,val}/{images,labels}; class names from data.yaml",
        "left out, no street class has these names (boxes): dog 1",
        "not used, no layout that is understood: notes",
        "bins labels garbage_bin; it does not label person, bicycle, car",
        "near-duplicates: 1",
        "within train: bins/train/images/t3.jpg = bins/train/images/t1.jpg (0 of 256 bits differ)",
        "problems: 1",
        "t2.txt: line 1: 3 fields; expected 5: class cx cy w h",
    ):
        assert said in result.stdout
    row = next(line for line in result.stdout.splitlines() if "垃圾桶" in line)
    assert row.split() == ["garbage_bin", "垃圾桶", "1", "1"]


def test_the_json_of_a_check_is_one_object_with_all_of_it(data: Path) -> None:
    report = json.loads(_run("check", data, "--json").stdout)
    assert report["groups"]["bins"]["unknown_classes"] == {"dog": 1}
    assert report["groups"]["bins"]["train"]["near_duplicates"] == 1
    assert [(problem["line"], problem["why"][:8]) for problem in report["problems"]] == [(1, "3 fields")]
    assert report["near_duplicates"][0]["where"] == "within train"
    assert report["set"] is None


def test_prepare_builds_a_set_and_says_where_to_look(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    result = _run("prepare", data, "--out", out, "--repeat", "bins=2", "--dev-every", 0)
    assert result.exit_code == 0
    assert sorted(path.name for path in (out / "images" / "train").iterdir()) == [
        "t1.jpg", "t1_1.jpg", "t2.jpg", "t2_1.jpg",
    ]  # fmt: skip
    assert f"look at {out / 'samples'}" in result.stdout
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert (report["set"]["dev_every"], report["set"]["seen_px"], report["set"]["tile_px"]) == (0, 800, 416)


def test_tiles_and_drawn_folders_are_options(data: Path, tmp_path: Path) -> None:
    for name in ("d1", "d2"):
        write_labelled(tmp_path / name, "x", 9, "", (100, 64))
    out = tmp_path / "set"
    sizes = ("--tile-px", 64, "--seen-px", 100, "--dev-every", 0)
    drawn = ("--drawn", tmp_path / "d1", "--drawn", tmp_path / "d2")
    report = json.loads(_run("prepare", data, "--out", out, *sizes, *drawn, "--json").stdout)
    assert report["set"]["groups"]["drawn"]["files"] == 4
    assert report["set"]["groups"]["drawn"]["pictures"] == 2


@pytest.mark.parametrize("text", ["bins", "=2", "bins=", "bins=0", "bins=two", "bins=-1"])
def test_a_repeat_that_is_not_group_and_times_is_wrong_usage(data: Path, tmp_path: Path, text: str) -> None:
    result = _run("prepare", data, "--out", tmp_path / "set", "--repeat", text)
    assert result.exit_code == 2
    assert "GROUP=TIMES" in result.output
    assert not (tmp_path / "set").exists()


def test_one_teacher_alone_is_wrong_usage(data: Path, tmp_path: Path) -> None:
    result = _run("prepare", data, "--out", tmp_path / "set", "--teacher", tmp_path / "one.onnx")
    assert result.exit_code == 2
    assert "no teacher or two" in result.output
    assert not (tmp_path / "set").exists()


def test_a_second_run_refuses_the_folder_of_the_first(data: Path, tmp_path: Path) -> None:
    assert _run("prepare", data, "--out", tmp_path / "set").exit_code == 0
    result = _run("prepare", data, "--out", tmp_path / "set")
    assert isinstance(result.exception, DataFolderError)
    assert str(result.exception) == f"{tmp_path / 'set'}: already holds a training set; give a new folder or remove it"


def test_drawn_streets_are_a_folder_that_prepare_takes(tmp_path: Path, data: Path) -> None:
    assert _run("drawn", "--out", tmp_path / "drawn", "--count", 2).exit_code == 0
    result = _run("prepare", data, "--out", tmp_path / "set", "--drawn", tmp_path / "drawn", "--json")
    assert json.loads(result.stdout)["set"]["groups"]["drawn"]["pictures"] == 2
