"""Faults on the way from the lens to the product: each alone, at its boundaries, and together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from sim.devices.faults import (
    MAX_BACKLOG_FRAMES,
    BrokerRestart,
    CameraFault,
    FaultPart,
    FrameChain,
    GatewayKill,
    Outgoing,
    black_like,
    pose_of,
    truncated,
)
from sim.street.pinhole import PinholeCamera

CAMERA = PinholeCamera(size_px=(64, 48), focal_px=50, height_m=5, tilt_deg=20, heading_deg=350)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    faults: list[FaultPart]


def fault(kind: str, **keys: Any) -> CameraFault:
    (made,) = _File.model_validate({"faults": [{"kind": kind, "camera": "cam-02", **keys}]}).faults
    assert isinstance(made, CameraFault)
    return made


def jpeg_of(second: float) -> bytes:
    """Another picture at every second."""
    image = np.random.default_rng(int(second * 1000)).integers(0, 255, (48, 64, 3), np.uint8)
    return cv2.imencode(".jpg", image)[1].tobytes()


def sent(
    *faults: CameraFault, seconds: Sequence[float] = range(10), loop_s: float | None = None
) -> list[list[Outgoing]]:
    """What leaves the camera at each second."""
    chain = FrameChain(faults, loop_s=loop_s)
    return [chain.send(second, lambda second=second: jpeg_of(second)) for second in seconds]  # type: ignore[misc]


def good(second: float) -> Outgoing:
    return Outgoing(jpeg_of(second), second)


def test_a_healthy_camera_sends_every_frame_once() -> None:
    assert sent() == [[good(second)] for second in range(10)]


def test_a_frozen_camera_repeats_its_last_picture_with_new_times() -> None:
    frames = sent(fault("freeze", from_s=3, until_s=6))
    assert frames[2:7] == [
        [good(2)],
        [Outgoing(jpeg_of(2), 3)],
        [Outgoing(jpeg_of(2), 4)],
        [Outgoing(jpeg_of(2), 5)],
        [good(6)],
    ]


def test_a_camera_that_is_frozen_from_the_start_repeats_its_first_picture() -> None:
    frames = sent(fault("freeze"), seconds=[5, 6, 7])
    assert frames == [[Outgoing(jpeg_of(5), second)] for second in (5, 6, 7)]


def test_a_frozen_camera_draws_nothing() -> None:
    chain = FrameChain([fault("freeze", from_s=1)])
    chain.send(0, lambda: jpeg_of(0))
    drawn: list[int] = []

    def draw() -> bytes:
        drawn.append(1)
        return b""

    assert [one.jpeg for one in chain.send(1, draw)] == [jpeg_of(0)]
    assert drawn == []


def test_a_black_picture_is_as_large_as_the_camera_s_own() -> None:
    frames = sent(fault("black", from_s=2, until_s=4))
    assert [frames[1], frames[4]] == [[good(1)], [good(4)]]
    for second in (2, 3):
        (black,) = frames[second]
        image = cv2.imdecode(np.frombuffer(black.jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert (image.shape, int(image.max()), black.captured_s) == ((48, 64, 3), 0, second)


def test_a_truncated_picture_begins_like_the_whole_one_and_does_not_end() -> None:
    ((cut,), (again,)) = sent(fault("truncate"), seconds=[4]) + sent(fault("truncate"), seconds=[4])
    whole = jpeg_of(4)
    assert cut == again
    assert whole.startswith(cut.jpeg)
    assert 0.3 * len(whole) - 1 <= len(cut.jpeg) <= 0.9 * len(whole)
    assert not cut.jpeg.endswith(b"\xff\xd9")


def test_the_place_of_the_cut_differs_from_picture_to_picture() -> None:
    shares = {round(len(truncated(jpeg_of(n))) / len(jpeg_of(n)), 2) for n in range(20)}
    assert len(shares) > 10


def test_a_repeated_frame_leaves_twice_with_one_time() -> None:
    frames = sent(fault("repeat", from_s=1, until_s=2))
    assert frames[:3] == [[good(0)], [good(1), good(1)], [good(2)]]


def test_a_clock_that_jumped_shifts_the_capture_time_only() -> None:
    frames = sent(fault("clock_jump", jump_s=-3600, from_s=1, until_s=2))
    assert frames[:3] == [[good(0)], [Outgoing(jpeg_of(1), -3599)], [good(2)]]


def test_a_lost_link_loses_its_frames() -> None:
    frames = sent(fault("link_lost", from_s=2, until_s=5))
    assert frames[1:6] == [[good(1)], [], [], [], [good(5)]]


def test_a_kept_backlog_comes_first_when_the_link_is_back_and_once() -> None:
    frames = sent(fault("link_lost", from_s=2, until_s=5, keeps_backlog=True))
    assert frames[2:7] == [[], [], [], [good(2), good(3), good(4), good(5)], [good(6)]]


def test_a_backlog_keeps_the_newest_frames_and_is_bounded() -> None:
    count = MAX_BACKLOG_FRAMES + 5
    chain = FrameChain([fault("link_lost", until_s=count, keeps_backlog=True)])
    frames = [chain.send(second, lambda: b"jpeg") for second in range(count + 1)]
    assert [one.captured_s for one in frames[-1]] == list(range(5, count + 1))


def test_where_one_of_two_lost_links_keeps_nothing_nothing_is_kept() -> None:
    frames = sent(fault("link_lost", from_s=1, until_s=4, keeps_backlog=True), fault("link_lost", from_s=2, until_s=3))
    assert frames[4] == [good(1), good(3), good(4)]


def test_faults_add_up() -> None:
    frames = sent(
        fault("repeat"), fault("clock_jump", jump_s=100), fault("freeze", from_s=1), fault("link_lost", until_s=1)
    )
    assert frames[:2] == [[], [Outgoing(jpeg_of(0), 101)] * 2]


def test_a_loop_brings_its_faults_again_and_times_go_on() -> None:
    lost = fault("link_lost", from_s=1, until_s=2)
    assert [len(one) for one in sent(lost, seconds=range(8), loop_s=4)] == [1, 0, 1, 1, 1, 0, 1, 1]
    assert sent(lost, seconds=[4], loop_s=4) == [[good(4)]]


def test_a_moved_camera_looks_elsewhere_from_the_same_place() -> None:
    moves = [
        fault("move", pan_deg=15, from_s=5),
        fault("move", pan_deg=2, tilt_deg=-4, from_s=5, until_s=6),
        fault("freeze"),
    ]
    assert pose_of(CAMERA, moves, 4.999) == CAMERA
    moved = pose_of(CAMERA, moves, 5)
    assert (moved.heading_deg, moved.tilt_deg, moved.height_m, moved.size_px) == (367, 16, 5, (64, 48))
    assert pose_of(CAMERA, moves, 6).tilt_deg == 20


def test_a_positive_tilt_shows_more_of_the_ground_and_a_positive_pan_what_was_to_the_right() -> None:
    middle = np.array([[32.0, 24.0]])
    ahead = PinholeCamera(size_px=(64, 48), focal_px=50, height_m=5, tilt_deg=20)
    nearer = pose_of(ahead, [fault("move", tilt_deg=5)], 0).ground_under(middle)[0]
    right = pose_of(ahead, [fault("move", pan_deg=5)], 0).ground_under(middle)[0]
    assert nearer[1] < ahead.ground_under(middle)[0, 1]
    assert right[0] > 0


def test_faults_of_processes_are_data() -> None:
    tables = [{"kind": "broker_restart", "at_s": 30, "down_s": 5}, {"kind": "gateway_kill", "at_s": 60}]
    assert _File.model_validate({"faults": tables}).faults == [
        BrokerRestart(kind="broker_restart", at_s=30, down_s=5),
        GatewayKill(kind="gateway_kill", at_s=60, down_s=2),
    ]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"kind": "melt", "camera": "c"}, "'melt' found using 'kind' does not match any of the expected tags"),
        ({"kind": "freeze"}, "Field required"),
        ({"kind": "freeze", "camera": "c", "jump_s": 3}, "Extra inputs are not permitted"),
        ({"kind": "black", "camera": "c", "from_s": 5, "until_s": 5}, "until_s 5 is not later than from_s 5"),
        ({"kind": "move", "camera": "c"}, "pan_deg and tilt_deg are both 0"),
        ({"kind": "clock_jump", "camera": "c", "jump_s": 0}, "jump_s is 0"),
        ({"kind": "clock_jump", "camera": "c", "jump_s": float("nan")}, "finite"),
        ({"kind": "gateway_kill", "at_s": -1}, "greater than or equal to 0"),
        ({"kind": "broker_restart", "camera": "c", "at_s": 1}, "Extra inputs are not permitted"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(FaultPart).validate_python(table)
    assert said in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"<html>"])
def test_only_a_picture_has_a_black_twin(content: bytes) -> None:
    with pytest.raises(ValueError, match="are no picture"):
        black_like(content)
