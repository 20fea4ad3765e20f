"""The lines of truth: their keys, their types, and what a detector is asked for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from sim.devices.filming import Shot
from sim.drawing.painter import Shown
from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.earth import EarthFrame, UnitGrid
from sim.street.pinhole import PinholeCamera
from sim.street.referee import TrueIncident
from sim.street.weather import Weather
from sim.truth import TruthWriter, is_fair

FRAME = EarthFrame(lat=39.9151351, lng=116.4110263, bearing_deg=20)
GRID = UnitGrid(middle=EarthFrame(lat=39.9152, lng=116.4110), prefix="110101001001", cell_m=100, columns=2, rows=2)
BEGINS_AT = datetime(2026, 6, 1, 9, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
WRITER = TruthWriter(frame=FRAME, grid=GRID, begins_at=BEGINS_AT)
CAMERA = PinholeCamera(size_px=(320, 180), focal_px=270, height_m=5.5, tilt_deg=20)
LENGTH_M, WIDTH_M, HEIGHT_M = SIZE_M[BodyKind.VAN]
VAN = Body(
    id="van-a", kind=BodyKind.VAN, x_m=-1.3, y_m=19, heading_deg=3, length_m=LENGTH_M, width_m=WIDTH_M,
    height_m=HEIGHT_M,
)  # fmt: skip
SHOWN = Shown(body=VAN, xyxy=(140, 50, 168, 81), full_xyxy=(140, 50, 170, 81), visible_fraction=0.91234)
SHOT = Shot(
    second=2.5, weather=Weather.DAY, pose=CAMERA, shown=(SHOWN,), outgoing=(), readable=((2.5, (SHOWN,)),), faults=()
)


def frame(shot: Shot = SHOT) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(WRITER.frame_line("cam-a", shot, images=("a.jpg",)))
    return row


def test_a_line_says_which_frame_it_is_about() -> None:
    row = frame()
    assert {key: value for key, value in row.items() if key != "objects"} == {
        "camera_id": "cam-a",
        "images": ["a.jpg"],
        "captured_at": "2026-06-01T09:00:02.500000+08:00",
        "second": 2.5,
        "weather": "day",
        "faults": [],
        "size_px": [320, 180],
    }


def test_an_object_has_all_that_can_be_asked_about_it() -> None:
    (row,) = frame()["objects"]
    footprint, footprint_px = row.pop("footprint"), row.pop("footprint_px")
    assert row == {
        "actor": "van-a",
        "kind": "van",
        "class": "car",
        "xyxy": [140.0, 50.0, 168.0, 81.0],
        "full_xyxy": [140.0, 50.0, 170.0, 81.0],
        "visible_fraction": 0.912,
        "lat": pytest.approx(FRAME.to_lat_lng(np.array([(-1.3, 19.0)]))[0, 0], abs=1e-8),
        "lng": pytest.approx(FRAME.to_lat_lng(np.array([(-1.3, 19.0)]))[0, 1], abs=1e-8),
        "cell": "110101001001002",
        "heading_deg": 3.0,
        "is_standing": True,
    }
    found_m = FRAME.to_local(np.array([(corner["lat"], corner["lng"]) for corner in footprint]))
    assert found_m == pytest.approx(VAN.footprint_m(), abs=1e-3)
    ground_m = np.column_stack((VAN.footprint_m(), np.zeros(4)))
    assert np.array(footprint_px) == pytest.approx(CAMERA.project(ground_m), abs=1e-3)


def test_who_drives_is_not_standing() -> None:
    moving = replace(SHOWN, body=replace(VAN, speed_mps=0.1))
    assert frame(replace(SHOT, shown=(moving,)))["objects"][0]["is_standing"] is False


def test_a_footprint_that_reaches_behind_the_camera_has_no_pixels() -> None:
    below = replace(SHOWN, body=replace(VAN, x_m=0.0, y_m=-2.0))
    assert frame(replace(SHOT, shown=(below,)))["objects"][0]["footprint_px"] is None


def test_outside_the_grid_there_is_no_cell() -> None:
    away = replace(SHOWN, body=replace(VAN, y_m=300.0))
    assert frame(replace(SHOT, shown=(away,)))["objects"][0]["cell"] is None


def test_an_empty_street_has_no_objects() -> None:
    assert frame(replace(SHOT, shown=()))["objects"] == []


def test_a_moved_camera_shows_the_footprint_where_it_really_looks() -> None:
    pose = replace(CAMERA, heading_deg=5.0)
    (row,) = frame(replace(SHOT, pose=pose))["objects"]
    expected = pose.project(np.column_stack((VAN.footprint_m(), np.zeros(4))))
    assert np.array(row["footprint_px"]) == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    ("changes", "fair"),
    [
        ({}, True),
        ({"visible_fraction": 0.3}, True),
        ({"visible_fraction": 0.299}, False),
        ({"xyxy": (10, 10, 18, 40)}, True),
        ({"xyxy": (10, 10, 17.9, 40)}, False),
        ({"xyxy": (10, 10, 40, 17.9)}, False),
        ({"body": replace(VAN, kind=BodyKind.STALL)}, False),
        ({"body": replace(VAN, kind=BodyKind.GOODS)}, False),
        ({"body": replace(VAN, kind=BodyKind.BIN, fill=1.2)}, True),
    ],
)
def test_a_detector_is_asked_for_what_is_of_its_classes_large_and_visible(changes: dict[str, Any], fair: bool) -> None:
    assert is_fair(replace(SHOWN, **changes)) is fair


def test_a_detection_line_is_that_of_a_faultless_detector() -> None:
    hidden = replace(SHOWN, visible_fraction=0.1)
    (line,) = WRITER.detection_lines("cam-a", replace(SHOT, readable=((2.5, (SHOWN, hidden)),)))
    assert json.loads(line) == {
        "camera_id": "cam-a",
        "captured_at": "2026-06-01T09:00:02.500000+08:00",
        "detections": [{"class": "car", "confidence": 1.0, "xyxy": [140.0, 50.0, 168.0, 81.0]}],
    }


def test_every_readable_picture_has_a_line_with_the_time_of_its_clock() -> None:
    lines = WRITER.detection_lines("cam-a", replace(SHOT, readable=((-3.0, ()), (2.5, (SHOWN,)))))
    rows = [json.loads(line) for line in lines]
    assert [row["captured_at"] for row in rows] == ["2026-06-01T08:59:57+08:00", "2026-06-01T09:00:02.500000+08:00"]
    assert [len(row["detections"]) for row in rows] == [0, 1]
    assert WRITER.detection_lines("cam-a", replace(SHOT, readable=())) == []


def incident(**changes: Any) -> TrueIncident:
    made = TrueIncident(
        key="sensor:bin-001", kind="bin_overflow", also=("exposed_garbage",), x_m=-1.3, y_m=19, zone_id=None,
        subject="level", actors=("bin-a",), sources=("bin-001", "cam-a"), began_s=4.0, limit_s=1.0,
    )  # fmt: skip
    return replace(made, **changes)


def test_an_event_line_has_kind_place_people_and_times() -> None:
    row = json.loads(WRITER.event_line(3, incident(ended_s=9.0)))
    assert FRAME.to_local(np.array([(row.pop("lat"), row.pop("lng"))])) == pytest.approx(
        np.array([(-1.3, 19)]), abs=0.01
    )
    assert row == {
        "id": "truth-0003",
        "kind": "bin_overflow",
        "also": ["exposed_garbage"],
        "cell": "110101001001002",
        "zone": None,
        "subject": "level",
        "actors": ["bin-a"],
        "sources": ["bin-001", "cam-a"],
        "began_at": "2026-06-01T09:00:04+08:00",
        "due_at": "2026-06-01T09:00:05+08:00",
        "ended_at": "2026-06-01T09:00:09+08:00",
    }


@pytest.mark.parametrize(("ended_s", "is_due"), [(4.9, False), (5.0, True), (None, True)])
def test_what_ended_before_its_limit_was_never_due(ended_s: float | None, is_due: bool) -> None:
    assert (json.loads(WRITER.event_line(1, incident(ended_s=ended_s)))["due_at"] is not None) is is_due


def test_seconds_go_on_when_the_clocks_are_put_back() -> None:
    begins_at = datetime(2026, 10, 25, 0, 59, 50, tzinfo=UTC).astimezone(ZoneInfo("Europe/Berlin"))
    writer = replace(WRITER, begins_at=begins_at)
    assert begins_at.isoformat() == "2026-10-25T02:59:50+02:00"
    assert writer.time_of(20).isoformat() == "2026-10-25T02:00:10+01:00"
    assert writer.time_of(20).astimezone(UTC) == datetime(2026, 10, 25, 1, 0, 10, tzinfo=UTC)
