"""The simulated day of `bench sampling`: boxes where the painter draws them, and every way looking as it should."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from bench.sampling import DEADLINE, EVERY, FRIGATE, FrigatesRule, as_text, day_of, play_hour
from bench.seen_boxes import BoxCamera, SeenFrame, corners_of
from bench.street_day import street_hour
from detectors.classes import load_classes
from detectors.messages import FrameDetections
from detectors.nms import iou_matrix
from geofence.timeline import CameraState
from sim.street.body import BodyKind
from tests.drawn_street import CAMERA, DrawnStreet, standing

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BODIES = (
    standing(BodyKind.CAR, x_m=-1.5, y_m=20.0, look=1),
    standing(BodyKind.GARBAGE, x_m=1.5, y_m=13.5, look=2),
    standing(BodyKind.BIN, x_m=3.8, y_m=12.8, look=3),
    standing(BodyKind.BUS, x_m=-6.0, y_m=35.0, look=4),
)


def _camera(missed: float = 0.0) -> BoxCamera:
    return BoxCamera("cam", CAMERA, load_classes(), missed=missed, seed=3)


def test_boxes_lie_where_the_painter_draws_the_things() -> None:
    seen = _camera().look(0.0, BODIES, corners_of(BODIES)).detections
    drawn = DrawnStreet().frame(*BODIES).shown
    assert len(seen) == len(drawn) == len(BODIES)
    for item in drawn:
        own = seen.class_id == load_classes().by_name[item.body.class_name].id
        assert iou_matrix(seen.xyxy[own], np.array([item.xyxy], np.float32)).max() > 0.6, item.body.kind


def test_what_is_behind_something_nearer_or_behind_the_camera_is_not_seen() -> None:
    bus = standing(BodyKind.BUS, x_m=0.0, y_m=20.0, look=5)
    hidden = standing(BodyKind.BIN, x_m=0.0, y_m=30.0, look=6)
    behind = standing(BodyKind.CAR, x_m=0.0, y_m=-20.0, look=7)
    bodies = (hidden, bus, behind)
    assert _camera().look(0.0, bodies, corners_of(bodies)).ids == (bus.id,)


def test_a_detector_misses_its_share_the_same_way_whenever_it_is_asked() -> None:
    corners_m = corners_of(BODIES)
    found = [len(_camera(0.25).look(2.0 * slot, BODIES, corners_m).detections) for slot in range(300)]
    assert np.mean(found) == pytest.approx(0.75 * len(BODIES), abs=0.15)
    again = [len(_camera(0.25).look(2.0 * slot + 1.9, BODIES, corners_m).detections) for slot in range(300)]
    assert again == found


def _frame(second: float, **is_moving: bool) -> SeenFrame:
    return SeenFrame(
        second=second,
        ids=tuple(is_moving),
        shares=np.full(len(is_moving), 0.01),
        is_moving=np.array(list(is_moving.values()), bool),
        detections=FrameDetections.empty((960, 540)),
    )


def test_frigates_rule_looks_while_something_moves_then_for_fifty_frames_and_then_every_fifty() -> None:
    way = FrigatesRule()
    looks = [
        second
        for second in np.arange(0, 60, 0.2).round(1).tolist()
        if way.wants(_frame(second, car=second < 5) if second < 45 else _frame(second), NOW, CameraState())
    ]
    assert looks[:74] == np.arange(0, 14.7, 0.2).round(1).tolist()
    assert looks[74:] == pytest.approx([24.6, 34.6, 44.6])  # and after 45 s, when it is gone, nothing


def test_frigates_rule_knows_again_what_was_hidden_for_a_moment() -> None:
    way = FrigatesRule()
    seconds = np.arange(0, 40, 0.2).round(1).tolist()
    frames = [_frame(at_s) if 21 < at_s < 25 else _frame(at_s, car=False) for at_s in seconds]
    looks = [frame.second for frame in frames if way.wants(frame, NOW, CameraState())]
    assert looks[50:] == pytest.approx([19.8, 29.8, 39.8])


def test_frigates_rule_does_not_see_what_is_too_small_for_its_motion_detector() -> None:
    frame = _frame(0.0, walker=True)
    assert FrigatesRule().wants(frame, NOW, CameraState())
    assert not FrigatesRule().wants(replace(frame, shares=np.array([0.0003])), NOW, CameraState())


def test_hours_of_a_day_differ_and_every_seed_is_its_own_day() -> None:
    assert street_hour(8, seed=1).traffic.vehicles_per_h > 5 * street_hour(3, seed=1).traffic.vehicles_per_h
    assert street_hour(8, seed=1) == street_hour(8, seed=1)
    assert street_hour(8, seed=1).actors != street_hour(8, seed=2).actors


def test_by_deadline_a_quiet_quarter_of_an_hour_takes_a_tenth_of_the_looks_and_finds_the_same() -> None:
    played = play_hour(3, missed=0.0, seed=1, seconds=900)
    result = day_of({3: played}, missed=0.0)
    assert played.looks[EVERY] == 4 * 5 * 900
    assert played.looks[DEADLINE] < played.looks[FRIGATE] < played.looks[EVERY]
    assert played.looks[DEADLINE] < played.looks[EVERY] / 10
    every, deadline = (result.ways[name].score.total for name in (EVERY, DEADLINE))
    assert every.truths == deadline.truths > 0
    assert deadline.matched == every.matched == every.truths
    assert max(result.later_s[DEADLINE]) <= result.bound_s
    told = result.to_json()
    assert told["ways"][EVERY]["looks_per_camera_hour"] == 4500.0
    assert told["ways"][DEADLINE]["truths"] == every.truths
    assert "by deadline" in as_text(result)
