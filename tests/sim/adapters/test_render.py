"""A scenario on disk: complete, the same in every run, and readable by the product."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geofence.adapters.site_folder import load_site
from geofence.recorded import judge_lines
from ingest.jpeg import check_jpeg
from sim.adapters.render import Rendered, render
from sim.play import Play
from sim.scenario import Scenario, parse_scenario
from tests.sim.conftest import EMPTY, SMALL, SMALL_S, lines_of

Small = tuple[Path, Rendered]
BEGINS_AT = datetime.fromisoformat("2026-06-01T09:00:00+08:00")


def digests(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def boxes(folder: Path) -> dict[float, Any]:
    return {row["second"]: row["objects"] for row in lines_of(folder / "truth.jsonl")}


def test_all_files_are_there_and_counted(small_render: Small) -> None:
    folder, counted = small_render
    truth = lines_of(folder / "truth.jsonl")
    assert sorted(path.name for path in folder.iterdir()) == [
        "detections.jsonl", "events.jsonl", "frames", "readings.jsonl", "site", "truth.jsonl",
    ]  # fmt: skip
    assert sorted(path.name for path in (folder / "site").iterdir()) == ["grid.geojson", "site.toml", "zones.geojson"]
    assert counted == Rendered(
        frames=10,
        objects=sum(len(row["objects"]) for row in truth),
        readings=len(lines_of(folder / "readings.jsonl")),
        incidents=len(lines_of(folder / "events.jsonl")),
    )
    assert (len(truth), counted.incidents) == (10, 3)
    assert [row["id"] for row in lines_of(folder / "events.jsonl")] == ["truth-0001", "truth-0002", "truth-0003"]
    assert counted.readings > 3


def test_every_picture_is_named_by_its_line_and_carries_its_time(small_render: Small) -> None:
    folder, _ = small_render
    for number, row in enumerate(lines_of(folder / "truth.jsonl")):
        assert row["images"] == [f"frames/cam-a/{number + 1:06d}.jpg"]
        info = check_jpeg((folder / row["images"][0]).read_bytes())
        assert info.size_px == (320, 180)
        assert info.captured_at == datetime.fromisoformat(row["captured_at"]) == BEGINS_AT + timedelta(seconds=number)


def test_what_stands_is_drawn_on_its_footprint(small_render: Small) -> None:
    folder, _ = small_render
    seen = [item for row in lines_of(folder / "truth.jsonl") for item in row["objects"] if item["is_standing"]]
    assert {item["actor"] for item in seen} >= {"car-a", "pile-a", "bin-a"}
    for item in seen:
        x0, y0, x1, y1 = item["full_xyxy"]
        across, down = np.array(item["footprint_px"]).T
        assert across.min() > x0 - 4
        assert across.max() < x1 + 4
        assert down.min() > y0
        assert down.max() == pytest.approx(y1, abs=4)


def test_the_readings_are_those_of_the_play(small_render: Small, small_scenario: Scenario) -> None:
    folder, _ = small_render
    play = Play(small_scenario, begins_at=small_scenario.begins_at)
    expected = [(one.sensor_id, one.payload.decode()) for one in play.messages(0, SMALL_S)]
    assert [(row["sensor_id"], row["payload"]) for row in lines_of(folder / "readings.jsonl")] == expected


def test_the_product_judges_the_faultless_detections(small_render: Small) -> None:
    folder, _ = small_render
    lines = (folder / "detections.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in judge_lines(load_site(folder / "site"), lines)]
    assert "illegal_parking" in {event["kind"] for event in events if event["event"] == "opened"}


def test_the_same_scenario_gives_the_same_bytes(small_render: Small, small_scenario: Scenario, tmp_path: Path) -> None:
    render(small_scenario, tmp_path, seconds=SMALL_S)
    assert digests(tmp_path) == digests(small_render[0])


def test_another_hash_seed_changes_nothing(small_render: Small, tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text(SMALL, encoding="utf-8")
    code = (
        "import sys; from pathlib import Path; from sim.adapters.render import render\n"
        "from sim.scenario import load_scenario\n"
        f"render(load_scenario(Path(sys.argv[1])), Path(sys.argv[1]) / 'out', seconds={SMALL_S})"
    )
    environment = os.environ | {"PYTHONHASHSEED": "4711"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=environment, check=True, timeout=120)
    assert digests(tmp_path / "out") == digests(small_render[0])


def test_another_seed_gives_other_frames_and_other_truth(small_render: Small, tmp_path: Path) -> None:
    render(parse_scenario(SMALL.replace("seed = 3", "seed = 4")), tmp_path, seconds=1)
    own, other = digests(small_render[0]), digests(tmp_path)
    first = "frames/cam-a/000001.jpg"
    assert own[first] != other[first]
    assert boxes(small_render[0])[0.0] != boxes(tmp_path)[0.0]


def test_a_longer_run_begins_as_a_shorter_one(small_render: Small, small_scenario: Scenario, tmp_path: Path) -> None:
    render(small_scenario, tmp_path, seconds=4)
    own, shorter = digests(small_render[0]), digests(tmp_path)
    frames = {name: digest for name, digest in shorter.items() if name.startswith("frames/")}
    assert len(frames) == 4
    assert frames.items() <= own.items()
    for name in ("truth.jsonl", "detections.jsonl", "readings.jsonl"):
        part = (tmp_path / name).read_text(encoding="utf-8")
        assert part
        assert (small_render[0] / name).read_text(encoding="utf-8").startswith(part)


def test_the_truth_of_a_second_does_not_depend_on_the_frame_rate(small_render: Small, tmp_path: Path) -> None:
    render(parse_scenario(SMALL.replace("tilt_deg = 20", "tilt_deg = 20\nframes_per_s = 2")), tmp_path, seconds=4)
    slow, fast = boxes(small_render[0]), boxes(tmp_path)
    assert [second in fast for second in (0.0, 0.5, 1.0, 1.5)] == [True] * 4
    assert [fast[second] for second in (0.0, 1.0, 2.0, 3.0)] == [slow[second] for second in (0.0, 1.0, 2.0, 3.0)]


def test_progress_is_told_of_every_frame(small_scenario: Scenario, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    render(small_scenario, tmp_path, seconds=2, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


FAULTS = "".join(
    f'\n[[faults]]\nkind = "{kind}"\ncamera = "cam-a"\nfrom_s = {at_s}\nuntil_s = {at_s + 1}\n{more}'
    for at_s, kind, more in (
        (1, "freeze", ""),
        (2, "black", ""),
        (3, "truncate", ""),
        (4, "link_lost", "keeps_backlog = true\n"),
        (6, "clock_jump", "jump_s = -3600\n"),
        (7, "repeat", ""),
    )
)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faulty")
    text = EMPTY.replace("pedestrians_per_h = 240", "pedestrians_per_h = 600")
    render(parse_scenario(text + FAULTS), folder, seconds=8)
    return folder


def test_truth_names_the_faults_and_the_pictures_that_left(faulty: Path) -> None:
    rows = lines_of(faulty / "truth.jsonl")
    assert [row["faults"] for row in rows] == [
        [], ["freeze"], ["black"], ["truncate"], ["link_lost"], [], ["clock_jump"], ["repeat"],
    ]  # fmt: skip
    assert [len(row["images"]) for row in rows] == [1, 1, 1, 1, 0, 2, 1, 2]
    assert rows[5]["images"] == ["frames/cam-a/000006.jpg", "frames/cam-a/000006_2.jpg"]
    assert all(row["objects"] for row in rows)
    named = {image for row in rows for image in row["images"]}
    assert named == {str(file.relative_to(faulty)) for file in faulty.rglob("*.jpg")}


def test_detections_are_those_of_the_pictures_that_left(faulty: Path) -> None:
    seconds_of = [
        (datetime.fromisoformat(row["captured_at"]) - BEGINS_AT).total_seconds()
        for row in lines_of(faulty / "detections.jsonl")
    ]
    assert seconds_of == [0, 1, 2, 4, 5, -3594, 7, 7]
    found = [row["detections"] for row in lines_of(faulty / "detections.jsonl")]
    assert found[1] == found[0] != []
    assert found[2] == []
    assert found[6] == found[7]


def test_the_clock_of_the_camera_is_in_the_picture(faulty: Path) -> None:
    captured = [
        check_jpeg((faulty / f"frames/cam-a/{name}.jpg").read_bytes()).captured_at
        for name in ("000007", "000006", "000006_2")
    ]
    assert [at and (at - BEGINS_AT).total_seconds() for at in captured] == [-3594, 4, 5]


def test_a_detector_is_compared_with_the_picture_that_its_line_is_about(faulty: Path) -> None:
    row = lines_of(faulty / "truth.jsonl")[5]
    last = check_jpeg((faulty / row["images"][-1]).read_bytes())
    assert last.captured_at == datetime.fromisoformat(row["captured_at"])


def test_a_shorter_rendering_leaves_no_frame_of_a_longer_one(tmp_path: Path) -> None:
    scenario = parse_scenario(SMALL)
    render(scenario, tmp_path, seconds=3)
    (tmp_path / "frames" / "note.txt").write_text("mine", encoding="utf-8")
    render(scenario, tmp_path, seconds=1)
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("frames/*/*.jpg")}
    assert written == {name for row in lines_of(tmp_path / "truth.jsonl") for name in row["images"]}
    assert (tmp_path / "frames" / "note.txt").exists()
