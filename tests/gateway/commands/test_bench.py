"""`street721 bench inference`: every figure beside its reference, on the caller's pictures or drawn ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.drawn_jpegs import drawn_jpegs
from bench.inference import DECODE, FORWARD, PRODUCT
from gateway import cli

_QUICK = ["--count", "4", "--rounds", "2"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for number, jpeg in enumerate(drawn_jpegs(2, size_px=(320, 180))):
        (folder / f"{number}.jpg").write_bytes(jpeg)
    return folder


def test_the_product_stands_beside_its_parts_and_the_limit(pictures: Path, tmp_path: Path) -> None:
    words = ["bench", "inference", "--frames", str(pictures), "--json", "--save", str(tmp_path / "r" / "r.jsonl")]
    for _ in range(2):
        result = CliRunner().invoke(cli.app, [*words, *_QUICK])
        assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert {PRODUCT, DECODE, FORWARD} <= set(told["ways"])
    assert told["sizes_px"] == [[320, 180]]
    assert told["frames"] == 4
    for way in told["ways"].values():
        assert 0 < way["lowest"] <= way["frames_per_s"] <= way["highest"]
    cpu_ms = sum(told["ways"][part]["cpu_ms_per_frame"] for part in (DECODE, FORWARD))
    assert told["limit_frames_per_s"] == pytest.approx(1000 * told["cores"] / cpu_ms, rel=0.05)
    rate = told["ways"][PRODUCT]["frames_per_s"]
    assert told["share_of_limit"] == pytest.approx(rate / told["limit_frames_per_s"], rel=0.01)
    assert told["peak_mb"] > 50
    lines = (tmp_path / "r" / "r.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["frames"] for line in lines] == [4, 4]
    assert lines[-1] == result.stdout.strip()


def test_the_table_is_one_line_per_way(pictures: Path) -> None:
    result = CliRunner().invoke(cli.app, ["bench", "inference", "--frames", str(pictures), *_QUICK])
    first, *lines = result.stdout.splitlines()
    assert first.startswith("street_v2 (800 px) on OpenVINO ")
    assert lines[0].startswith(PRODUCT)
    assert lines[-1].startswith("limit: cores / (decode + forward CPU)")
    assert "frames/s" in lines[0]


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no JPEG in this folder"), (b"\xff\xd8 torn", "a picture cannot be used: ")]
)
def test_what_cannot_be_measured_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    content: bytes | None,
    said: str,
) -> None:
    if content is not None:
        (tmp_path / "a.jpg").write_bytes(content)
    monkeypatch.setattr("sys.argv", ["street721", "bench", "inference", "--frames", str(tmp_path), *_QUICK])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    assert said in capsys.readouterr().err


def test_faulty_cameras_stand_beside_healthy_ones_in_a_whole_gateway(tmp_path: Path) -> None:
    words = ["bench", "cameras", "--cameras", "6", "--faulty", "4", "--fps", "2", "--seconds", "10", "--json"]
    result = CliRunner().invoke(cli.app, [*words, "--save", str(tmp_path / "r.jsonl")])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["troubled"]["healthy_frames_sent"] > 2 * 2 * 10 - 8
    assert told["troubled"]["healthy_frames_kept"] > 0.5
    assert told["states"]["healthy"] == {"ok": 2}
    assert told["states"]["garbage"] == {"unreadable": 1}
    assert told["counts"]["frames_dropped.newer_waiting"] > 0
    assert told["counts"]["frames_dead"] > 5
    assert json.loads((tmp_path / "r.jsonl").read_text(encoding="utf-8")) == told


def test_a_street_without_a_healthy_camera_is_wrong_usage() -> None:
    result = CliRunner().invoke(cli.app, ["bench", "cameras", "--cameras", "4", "--faulty", "4"])
    assert result.exit_code == 2


def test_places_are_looked_up_by_every_way_and_saved(tmp_path: Path) -> None:
    words = ["bench", "geofence", "--places", "2000", "--cells", "100", "--zones", "20", "--rounds", "1"]
    result = CliRunner().invoke(cli.app, [*words, "--save", str(tmp_path / "g.jsonl")])
    assert result.exit_code == 0, result.output
    assert "all found the same" in result.stdout
    told = json.loads((tmp_path / "g.jsonl").read_text(encoding="utf-8"))
    assert (told["bench"], told["cells"], told["zones"], told["identical"]) == ("geofence", 100, 20, True)


def test_more_zones_than_streets_are_wrong_usage() -> None:
    result = CliRunner().invoke(cli.app, ["bench", "geofence", "--cells", "4", "--zones", "100"])
    assert result.exit_code == 2


def test_a_long_run_stands_beside_its_beginning() -> None:
    result = CliRunner().invoke(cli.app, ["bench", "history", "--frames", "200", "--json"])
    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["us_per_frame_by_tenth"]) == 10
