"""Which frames are inferred and which are let go; every frame is one or the other, once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.frame_plan import FramePlan, WaitingFrame, plan_frames


def _waiting(topics: str) -> list[WaitingFrame]:
    return [WaitingFrame(id=row, topic=topic) for row, topic in enumerate(topics, start=1)]


def test_nothing_waits_nothing_to_do() -> None:
    assert plan_frames([], max_pending_per_camera=8, max_batch=8) is None


def test_all_fit_in_one_batch() -> None:
    assert plan_frames(_waiting("aba"), max_pending_per_camera=8, max_batch=8) == FramePlan(
        take=(1, 2, 3), drop=(), done_to=3
    )


def test_a_flooding_camera_loses_its_oldest_frames_and_costs_the_other_nothing() -> None:
    plan = plan_frames(_waiting("aaaaaab"), max_pending_per_camera=2, max_batch=8)
    assert plan == FramePlan(take=(5, 6, 7), drop=(1, 2, 3, 4), done_to=7)


def test_the_cursor_stops_before_the_first_frame_that_waits_on() -> None:
    plan = plan_frames(_waiting("abab"), max_pending_per_camera=8, max_batch=3)
    assert plan == FramePlan(take=(1, 2, 3), drop=(), done_to=3)


@given(
    topics=st.text("abcd", min_size=1, max_size=60),
    max_pending=st.integers(1, 5),
    max_batch=st.integers(1, 6),
)
def test_every_frame_is_taken_or_dropped_exactly_once(topics: str, max_pending: int, max_batch: int) -> None:
    waiting = _waiting(topics)
    taken: list[int] = []
    dropped: list[int] = []
    while plan := plan_frames(waiting, max_pending_per_camera=max_pending, max_batch=max_batch):
        assert 0 < len(plan.take) <= max_batch
        taken += plan.take
        dropped += plan.drop
        waiting = [frame for frame in waiting if frame.id > plan.done_to]
    assert sorted(taken + dropped) == list(range(1, len(topics) + 1))
    newest = {topic: row for row, topic in enumerate(topics, start=1)}
    assert set(newest.values()) <= set(taken)
