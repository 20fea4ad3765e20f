"""Which frames are inferred and when: arrivals and time in, batches out."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.batcher import (
    BatcherSettings,
    BatcherState,
    Wait,
    WaitingFrame,
    arrive,
    next_batch,
    window_s,
    worked,
)

SETTINGS = BatcherSettings(max_batch=8)


def _frames(cameras: Iterable[str], *, at_s: float = 0.0, first: int = 1) -> list[WaitingFrame]:
    return [WaitingFrame(id=row, camera_id=name, arrived_s=at_s) for row, name in enumerate(cameras, start=first)]


def _taken(state: BatcherState, now_s: float, settings: BatcherSettings = SETTINGS) -> tuple[BatcherState, list[int]]:
    state, batch = next_batch(state, now_s, settings)
    assert not isinstance(batch, Wait)
    return state, [frame.id for frame in batch]


def test_nothing_waits_nothing_to_do() -> None:
    assert next_batch(BatcherState(), 5.0, SETTINGS) == (BatcherState(), Wait(None))


def test_of_a_cameras_frames_the_newest_counts() -> None:
    state, dropped = arrive(BatcherState(), _frames("aabaa"), SETTINGS)
    assert dropped == [1, 2, 4]
    assert sorted(_taken(state, 1.0)[1]) == [3, 5]


def test_more_frames_of_a_camera_may_wait_where_the_settings_say_so() -> None:
    settings = BatcherSettings(max_batch=4, max_pending_per_camera=3)
    state, dropped = arrive(BatcherState(), _frames("aaaaab"), settings)
    assert dropped == [1, 2]
    state, ids = _taken(state, 1.0, settings)
    assert ids == [3, 6, 4, 5]


def test_a_frame_waits_for_the_window_and_a_full_batch_does_not() -> None:
    state, _ = arrive(BatcherState(), _frames("ab", at_s=10.0), SETTINGS)
    _, batch = next_batch(state, 10.0005, SETTINGS)
    assert isinstance(batch, Wait)
    assert batch.seconds == pytest.approx(0.0015)
    assert _taken(state, 10.002)[1] == [1, 2]
    state, _ = arrive(BatcherState(), _frames("abcdefgh", at_s=10.0), SETTINGS)
    assert len(_taken(state, 10.0)[1]) == 8


def test_who_was_served_longest_ago_comes_first() -> None:
    settings = BatcherSettings(max_batch=2)
    state, _ = arrive(BatcherState(), _frames("abc"), settings)
    state, ids = _taken(state, 1.0, settings)
    assert ids == [1, 2]
    state, dropped = arrive(state, _frames("ab", at_s=1.0, first=4), settings)
    assert dropped == []
    state, ids = _taken(state, 2.0, settings)
    assert ids == [3, 4]
    assert _taken(state, 3.0, settings)[1] == [5]


def test_the_window_follows_the_load() -> None:
    assert window_s(0.0, SETTINGS) == window_s(0.5, SETTINGS) == pytest.approx(0.002)
    assert window_s(0.7, SETTINGS) == pytest.approx(0.051)
    assert window_s(0.9, SETTINGS) == window_s(1.0, SETTINGS) == pytest.approx(0.1)


def test_the_load_is_the_share_of_the_last_seconds_that_the_network_was_busy() -> None:
    state = BatcherState()
    for _ in range(200):
        state = worked(state, busy_s=0.06, elapsed_s=0.1)
    assert state.load == pytest.approx(0.6, abs=0.02)
    assert worked(state, busy_s=0.0, elapsed_s=60.0).load == pytest.approx(0.0, abs=0.01)
    assert worked(state, busy_s=0.1, elapsed_s=0.0) == state


def test_a_camera_that_is_gone_is_forgotten() -> None:
    state, _ = arrive(BatcherState(), _frames("ab"), SETTINGS)
    state, _ = _taken(state, 1.0)
    state, _ = arrive(state, _frames("a", at_s=700.0, first=3), SETTINGS)
    state, _ = _taken(state, 701.0)
    assert dict(state.served_s) == {"a": 701.0}
    assert dict(state.pending) == {}


@given(
    arrivals=st.lists(st.text("abcd", max_size=8), max_size=15),
    max_pending=st.integers(1, 4),
    max_batch=st.integers(1, 6),
)
def test_every_frame_is_taken_or_dropped_exactly_once(arrivals: list[str], max_pending: int, max_batch: int) -> None:
    settings = BatcherSettings(max_batch=max_batch, max_pending_per_camera=max_pending)
    state, row, taken, dropped = BatcherState(), 1, list[int](), list[int]()
    newest: dict[str, int] = {}
    for second, cameras in enumerate([*arrivals, *[""] * 40]):
        frames = _frames(cameras, at_s=second, first=row)
        newest |= {frame.camera_id: frame.id for frame in frames}
        row += len(frames)
        state, gone = arrive(state, frames, settings)
        dropped += gone
        assert all(len(waiting) <= max_pending for waiting in state.pending.values())
        state, batch = next_batch(state, second + 0.5, settings)
        if not isinstance(batch, Wait):
            assert 0 < len(batch) <= max_batch
            taken += [frame.id for frame in batch]
    assert sorted(taken + dropped) == list(range(1, row))
    assert set(newest.values()) <= set(taken)


@dataclass(slots=True)
class Street:
    """Cameras that send at given times, and a network that takes so long for a batch."""

    arrivals: list[tuple[float, str]]
    settings: BatcherSettings = SETTINGS
    fixed_s: float = 0.01
    per_frame_s: float = 0.01
    seen: Counter[str] = field(default_factory=Counter)
    sent: Counter[str] = field(default_factory=Counter)
    delays_s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    batches: list[int] = field(default_factory=list)

    def play(self) -> None:
        """Until everything that was sent is seen or let go."""
        heapq.heapify(self.arrivals)
        state, now_s, row, ended_s = BatcherState(), 0.0, 0, 0.0
        while True:
            fresh = []
            while self.arrivals and self.arrivals[0][0] <= now_s:
                at_s, camera_id = heapq.heappop(self.arrivals)
                row += 1
                self.sent[camera_id] += 1
                fresh.append(WaitingFrame(id=row, camera_id=camera_id, arrived_s=at_s))
            state, _ = arrive(state, fresh, self.settings)
            state, batch = next_batch(state, now_s, self.settings)
            if not isinstance(batch, Wait):
                now_s += self.fixed_s + self.per_frame_s * len(batch)
                state = worked(state, busy_s=now_s - ended_s, elapsed_s=now_s - ended_s)
                ended_s = now_s
                self.batches.append(len(batch))
                for frame in batch:
                    self.seen[frame.camera_id] += 1
                    self.delays_s[frame.camera_id].append(now_s - frame.arrived_s)
            elif batch.seconds is not None:
                now_s += batch.seconds
            elif self.arrivals:
                state = worked(state, busy_s=0.0, elapsed_s=self.arrivals[0][0] - ended_s)
                ended_s = now_s = self.arrivals[0][0]
            else:
                return


def _regular(cameras: int, *, every_s: float, seconds: float) -> list[tuple[float, str]]:
    """Cameras that send in turn, evenly spread."""
    return [
        (number * every_s / cameras + tick * every_s, f"cam-{number:02}")
        for number in range(cameras)
        for tick in range(int(seconds / every_s))
    ]


def test_a_network_with_time_to_spare_sees_every_frame_at_once() -> None:
    street = Street(_regular(10, every_s=1.0, seconds=60))
    street.play()
    assert street.seen == street.sent
    assert max(max(delays) for delays in street.delays_s.values()) < 0.06


def test_flooding_cameras_cost_the_others_nothing() -> None:
    healthy = _regular(20, every_s=1.0, seconds=30)
    flood = [(tick / 200, f"flood-{number}") for number in range(4) for tick in range(200 * 30)]
    street = Street(healthy + flood)
    street.play()
    for number in range(20):
        camera_id = f"cam-{number:02}"
        assert street.seen[camera_id] == street.sent[camera_id]
        assert max(street.delays_s[camera_id]) < 0.5
    assert all(street.seen[f"flood-{number}"] < street.sent[f"flood-{number}"] / 5 for number in range(4))


def test_a_burst_of_everything_that_was_held_back_is_one_frame_per_camera() -> None:
    kept = [(10.0, f"cam-{number:02}") for number in range(16) for _ in range(100)]
    street = Street(_regular(16, every_s=1.0, seconds=20) + kept)
    street.play()
    assert max(max(delays) for delays in street.delays_s.values()) < 0.6
    assert min(street.seen.values()) >= 19


def test_too_much_for_the_network_is_shared_out_fairly() -> None:
    street = Street(_regular(50, every_s=0.1, seconds=20))  # 500 a second for a network that does 90
    street.play()
    assert max(street.seen.values()) - min(street.seen.values()) <= 2
    assert sum(street.seen.values()) > 0.9 * 20 * 8 / 0.09
    assert set(street.batches[1:-8]) == {8}


def test_a_busy_network_waits_for_fuller_batches_and_a_resting_one_does_not() -> None:
    busy = Street(_regular(60, every_s=1.0, seconds=30))
    rest = Street(_regular(4, every_s=1.0, seconds=30))
    busy.play()
    rest.play()
    assert busy.seen == busy.sent
    assert sum(busy.batches) / len(busy.batches) > 2
    assert set(rest.batches) == {1}
