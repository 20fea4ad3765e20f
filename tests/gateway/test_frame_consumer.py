"""Frames: every one accounted for once; incidents carry the picture that caused them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from structlog.testing import capture_logs

from gateway.adapters.state_store import load_states, save_states
from geofence.cloudevents import incident_from_json
from geofence.messages import EventType, IncidentKind
from geofence.sampling import SamplingSettings
from sim.devices.exif import stamp_jpeg

if TYPE_CHECKING:
    from tests.gateway.conftest import GatewayBench

NOW = datetime.now(UTC)
CAMERA = "cameras/cam-01/frame"


def _drain(gateway: GatewayBench) -> None:
    while gateway.frames.step():
        pass


def test_all_frames_are_inferred_dropped_or_dead(gateway: GatewayBench, jpeg: Callable[[], bytes]) -> None:
    good = jpeg()
    gateway.put(*[(CAMERA, stamp_jpeg(good, NOW + timedelta(seconds=n - 30))) for n in range(10)])
    gateway.put(
        ("cameras/cam-77/frame", good), (CAMERA, good[:500]), (CAMERA, good[:2] + b"\xff\xfe\x00\x06FAIL" + good[2:])
    )
    _drain(gateway)
    counts = gateway.spool.counters()
    assert counts["frames_dropped.newer_waiting"] == 8
    assert counts["frames_dropped.unknown_camera"] == 1
    assert counts["frames_dead"] == 2
    assert counts["frames_inferred"] == 2
    assert counts["frames_inferred"] + counts["frames_dropped_by_policy"] + counts["frames_dead"] == 13
    assert {letter.reason for letter in gateway.spool.dead_letters()} == {"truncated_jpeg", "undecodable_jpeg"}
    assert gateway.spool.backlog("frames") == 0


def test_batches_are_bounded(gateway: GatewayBench, jpeg: Callable[[], bytes]) -> None:
    gateway.put(*[(CAMERA, stamp_jpeg(jpeg(), NOW + timedelta(seconds=n - 30))) for n in range(4)])
    _drain(gateway)
    assert gateway.detector.batches == [3, 1]


def _look(gateway: GatewayBench, jpeg: bytes, second: float) -> bytes:
    stamped = stamp_jpeg(jpeg, NOW + timedelta(seconds=second - 60))
    gateway.put((CAMERA, stamped))
    _drain(gateway)
    return stamped


def test_garbage_that_stays_opens_one_incident_with_its_picture(
    gateway: GatewayBench, jpeg: Callable[[], bytes]
) -> None:
    _look(gateway, jpeg(), 0)
    gateway.detector.sees_garbage = True
    sent = [_look(gateway, jpeg(), second) for second in range(1, 21)]
    events = [incident_from_json(body) for _, body in gateway.outgoing()]
    opened = [(event, evidence) for _, event, evidence in events if event.event == EventType.OPENED]
    ((event, evidence),) = opened
    assert event.kind == IncidentKind.EXPOSED_GARBAGE
    assert event.dwell_s == pytest.approx(15.5)
    assert evidence is not None
    assert evidence.content() == sent[15]
    assert event.xyxy == ((542.0, 258.0, 630.0, 307.0),)


def test_dwell_goes_on_over_a_restart(gateway: GatewayBench, jpeg: Callable[[], bytes]) -> None:
    gateway.detector.sees_garbage = True
    for second in range(8):
        _look(gateway, jpeg(), second)
    gateway.restart()
    for second in range(8, 16):
        _look(gateway, jpeg(), second)
    ((_, body),) = gateway.outgoing()
    assert incident_from_json(body)[1].dwell_s == pytest.approx(15)


def test_frames_that_were_not_finished_are_judged_after_a_restart(
    gateway: GatewayBench, jpeg: Callable[[], bytes]
) -> None:
    gateway.put((CAMERA, jpeg()))
    gateway.restart()
    _drain(gateway)
    assert gateway.spool.counters()["frames_inferred"] == 1


def test_a_cleared_incident_carries_the_picture_of_its_cure(gateway: GatewayBench, jpeg: Callable[[], bytes]) -> None:
    gateway.detector.sees_garbage = True
    for second in range(17):
        _look(gateway, jpeg(), second)
    gateway.detector.sees_garbage = False
    for second in range(17, 30):
        _look(gateway, jpeg(), second)
    _, event, evidence = incident_from_json(gateway.outgoing()[-1][1])
    assert event.event == EventType.CLEARED
    assert evidence is not None
    assert evidence.captured_at > event.at, "the picture is of a moment at which the place was seen empty"
    assert evidence.captured_at - event.at < timedelta(seconds=12)


def test_what_was_remembered_of_a_camera_that_the_site_no_longer_has_is_forgotten(gateway: GatewayBench) -> None:
    with gateway.spool.transaction() as transaction:
        save_states(transaction.connection, "camera:", {"cam-gone": "{}", "cam-01": '{"memory": 3}'})
    with capture_logs() as logs:
        gateway.restart()
    assert load_states(gateway.spool, "camera:") == {}
    dropped = {line["camera_id"]: line["why"] for line in logs if line["event"] == "camera_state_dropped"}
    assert dropped["cam-gone"] == "the site has no such camera"
    assert dropped["cam-01"].startswith("saved camera state is not readable: memory: ")


def _picture(grey: float, second: int) -> bytes:
    noise = np.random.default_rng(second).normal(grey, 30 if grey > 20 else 2, (540, 960, 3))
    return cv2.imencode(".jpg", noise.clip(0, 255).astype(np.uint8))[1].tobytes()


def test_a_camera_that_goes_black_clears_nothing_and_is_named(gateway: GatewayBench) -> None:
    gateway.detector.sees_garbage = gateway.detector.gives_glances = True
    for second in range(17):
        _look(gateway, _picture(120, second), second)
    gateway.detector.sees_garbage = False
    for second in range(17, 60):
        _look(gateway, _picture(4, second), second)
    events = [incident_from_json(body)[1].event for _, body in gateway.outgoing()]
    assert set(events) == {EventType.OPENED}
    assert gateway.spool.counters()["frames_without_view"] == 43
    assert gateway.watch.as_json()["cam-01"]["state"] == "black"
    for second in range(60, 100):
        _look(gateway, _picture(120, second), second)
    assert gateway.watch.as_json()["cam-01"]["state"] == "ok"
    assert incident_from_json(gateway.outgoing()[-1][1])[1].event == EventType.CLEARED


def test_a_frozen_picture_says_nothing_of_now_and_its_time_does_not_count(gateway: GatewayBench) -> None:
    gateway.detector.sees_garbage = gateway.detector.gives_glances = True
    for second in range(8):
        _look(gateway, _picture(120, second), second)
    for second in range(8, 300):
        _look(gateway, _picture(120, 7), second)
    counts = gateway.spool.counters()
    assert (counts["frames_inferred"], counts["frames_repeated"], counts["detections"]) == (300, 292, 8)
    assert counts["frames_without_view"] == 292
    assert gateway.outgoing() == [], "the heap has been seen for 7 s, the limit is 15 s"
    assert gateway.watch.as_json()["cam-01"]["state"] == "frozen"
    for second in range(300, 340):
        _look(gateway, _picture(120, second), second)
    (event, *_) = [incident_from_json(body)[1] for _, body in gateway.outgoing()]
    assert event.event == EventType.OPENED
    assert event.dwell_s < 340 - 300 + 8
    assert (event.at - event.began_at).total_seconds() >= 300


def test_a_picture_that_is_sent_a_few_times_stops_no_clock(gateway: GatewayBench) -> None:
    gateway.detector.sees_garbage = gateway.detector.gives_glances = True
    for second in range(40):
        _look(gateway, _picture(120, second if second < 8 else 8 + second // 6), second)
    (event, *_) = [incident_from_json(body)[1] for _, body in gateway.outgoing()]
    assert (event.event, event.dwell_s) == (EventType.OPENED, 18.0)


def test_photographs_that_somebody_plays_are_judged(gateway: GatewayBench) -> None:
    gateway.detector.gives_glances = True
    for second in range(70):
        gateway.detector.sees_garbage = 20 <= second < 50
        _look(gateway, _picture(120, int(gateway.detector.sees_garbage)), second)
    told = [incident_from_json(body)[1].event for _, body in gateway.outgoing()]
    assert (told[0], told[-1]) == (EventType.OPENED, EventType.CLEARED)


def test_a_frozen_camera_stays_so_over_a_restart(gateway: GatewayBench) -> None:
    gateway.detector.gives_glances = True
    for second in range(40):
        _look(gateway, _picture(120, 1), second)
    assert gateway.watch.as_json()["cam-01"]["state"] == "frozen"
    gateway.restart()
    assert gateway.watch.as_json()["cam-01"] == {
        "state": "frozen", "frames": 0, "last_s": None, "delay_p50_s": None, "delay_p99_s": None,
    }  # fmt: skip


def test_by_deadline_only_what_the_rules_need_is_looked_at(gateway: GatewayBench, jpeg: Callable[[], bytes]) -> None:
    gateway.sampling = SamplingSettings(min_interval_s=2.0)
    gateway.restart()
    for second in range(20):
        _look(gateway, jpeg(), second)
    counts = gateway.spool.counters()
    assert (counts["frames_inferred"], counts["frames_dropped.not_due"]) == (10, 10)
    assert counts["frames_dropped_by_policy"] == 10
    assert gateway.spool.backlog("frames") == 0
    gateway.restart()
    _look(gateway, jpeg(), 19)
    assert gateway.spool.counters()["frames_inferred"] == 10, "the last look, at second 18, is remembered"
    gateway.detector.sees_garbage = True
    for second in range(20, 40):
        _look(gateway, jpeg(), second)
    ((_, body),) = gateway.outgoing()
    assert incident_from_json(body)[1].event == EventType.OPENED
