"""Cameras that fall silent and are heard again; delays from capture to detections."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from detectors import FrameDetections
from gateway.adapters.state_store import create_tables
from gateway.camera_watch import SILENT_AFTER_S, CameraWatch
from ingest.adapters.spool import Spool
from ingest.config import SpoolSettings
from ingest.messages import CameraId, Frame, TimeSource

BEGAN = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


class _Clock:
    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return BEGAN + timedelta(seconds=self.seconds)


@pytest.fixture
def clock() -> _Clock:
    return _Clock()


@pytest.fixture
def watch(tmp_path: Path, clock: _Clock) -> Iterator[CameraWatch]:
    with Spool(SpoolSettings(file=tmp_path / "spool.db")) as spool:
        with spool.transaction() as transaction:
            create_tables(transaction.connection)
        yield CameraWatch(spool, {"cam-01": "", "cam-02": ""}, clock=clock.monotonic, now=clock.now)


def _hear(watch: CameraWatch, clock: _Clock, *, delay_s: float = 0.2) -> None:
    at = clock.now() - timedelta(seconds=delay_s)
    frame = Frame(
        camera_id=CameraId("cam-01"),
        captured_at=at,
        received_at=at,
        time_source=TimeSource.DEVICE,
        size_px=(64, 48),
        jpeg=b"",
    )
    assert watch.look(frame, FrameDetections.empty((64, 48)), None) is not None


def test_a_camera_that_is_not_heard_is_silent_and_said_so_once(watch: CameraWatch, clock: _Clock) -> None:
    with capture_logs() as logs:
        for _ in range(40):
            clock.seconds += 1
            _hear(watch, clock)
            watch.check_silence()
    assert [(line["event"], line["camera_id"]) for line in logs] == [("camera_silent", "cam-02")]
    states = watch.as_json()
    assert (states["cam-01"]["state"], states["cam-02"]["state"]) == ("ok", "silent")
    clock.seconds += SILENT_AFTER_S + 1
    with capture_logs() as logs:
        watch.check_silence()
        assert watch.as_json()["cam-01"]["state"] == "silent"
        _hear(watch, clock)
        watch.check_silence()
    assert [line["event"] for line in logs] == ["camera_silent", "camera_heard_again"]


def test_a_camera_that_sends_no_pictures_is_unreadable_until_it_does(watch: CameraWatch, clock: _Clock) -> None:
    states = []
    with capture_logs() as logs:
        for _ in range(40):
            clock.seconds += 1
            watch.refused("cam-01")
            watch.check_silence()
            states.append(watch.as_json()["cam-01"]["state"])
    assert states == ["ok"] * 4 + ["unreadable"] * 36
    assert [line["event"] for line in logs if line["camera_id"] == "cam-01"] == ["camera_unreadable"]
    _hear(watch, clock)
    assert watch.as_json()["cam-01"]["state"] == "ok"


def test_delays_are_from_capture_to_detections(watch: CameraWatch, clock: _Clock) -> None:
    for number in range(100):
        clock.seconds += 1
        _hear(watch, clock, delay_s=2.0 if number == 50 else 0.25)
    facts = watch.as_json()["cam-01"]
    assert (facts["frames"], facts["last_s"]) == (100, 0.0)
    assert (facts["delay_p50_s"], facts["delay_p99_s"]) == (0.25, 2.0)
    assert watch.as_json()["cam-02"]["delay_p50_s"] is None


def test_a_camera_that_was_calibrated_anew_has_no_usual_view_yet(tmp_path: Path, clock: _Clock) -> None:
    glance = np.full((28, 50, 3), 3, np.uint8)
    with Spool(SpoolSettings(file=tmp_path / "spool.db")) as spool:
        with spool.transaction() as transaction:
            create_tables(transaction.connection)
        states = []
        for words in ("gcps = 1", "gcps = 1", "gcps = 2"):
            watch = CameraWatch(spool, {"cam-01": words}, clock=clock.monotonic, now=clock.now)
            states.append(watch.as_json()["cam-01"]["state"])
            for second in range(20 if not states[1:] else 0):
                at = BEGAN + timedelta(seconds=second)
                frame = Frame(
                    camera_id=CameraId("cam-01"), captured_at=at, received_at=at, time_source=TimeSource.DEVICE,
                    size_px=(64, 48), jpeg=b"",
                )  # fmt: skip
                watch.look(frame, replace(FrameDetections.empty((64, 48)), glance=glance), None)
            with spool.transaction() as transaction:
                watch.save(transaction)
    assert states == ["ok", "black", "ok"]
