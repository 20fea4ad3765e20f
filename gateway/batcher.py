"""Which frames are inferred next: a pure function of arrivals and time.

Every camera has the same right to the network: of its waiting frames the newest counts, and the camera that was
served longest ago comes first. A camera that floods loses its own older frames, one that is dead or slow costs
nothing, and none can make another wait for more than one turn of all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

_FORGET_S = 600.0
_LOAD_MEMORY_S = 5.0
_RELAXED_LOAD, _FULL_LOAD = 0.5, 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFrame:
    """A frame message in the spool, without its picture: row, camera, when it was first seen (monotonic seconds)."""

    id: int
    camera_id: str
    arrived_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatcherSettings:
    """max_pending_per_camera: older frames of a camera that wait are let go; windows: seconds that a frame may wait for
    others to come along, at rest and at full load."""

    max_batch: int = 8
    max_pending_per_camera: int = 1
    min_window_s: float = 0.002
    max_window_s: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class BatcherState:
    """What waits, and how it went so far.

    pending:   frames by camera, oldest first
    served_s:  when a frame of a camera was last taken
    load:      share of the last seconds that the network was busy, 0..1
    """

    pending: Mapping[str, tuple[WaitingFrame, ...]] = field(default_factory=dict)
    served_s: Mapping[str, float] = field(default_factory=dict)
    load: float = 0.0

    @property
    def ids(self) -> list[int]:
        """Rows that wait."""
        return [frame.id for frames in self.pending.values() for frame in frames]


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to infer before so many seconds have passed, or something arrives; None: not before that."""

    seconds: float | None


def arrive(
    state: BatcherState, frames: Iterable[WaitingFrame], settings: BatcherSettings
) -> tuple[BatcherState, list[int]]:
    """The state with new frames, and the rows that they make pointless. Frames come in the order of their rows."""
    pending = dict(state.pending)
    dropped: list[int] = []
    for frame in frames:
        *older, newest = (*pending.get(frame.camera_id, ()), frame)
        surplus = max(0, len(older) + 1 - settings.max_pending_per_camera)
        dropped += [one.id for one in older[:surplus]]
        pending[frame.camera_id] = (*older[surplus:], newest)
    return replace(state, pending=pending), dropped


def next_batch(
    state: BatcherState, now_s: float, settings: BatcherSettings
) -> tuple[BatcherState, tuple[WaitingFrame, ...] | Wait]:
    """The frames to infer now, or how long to wait for more of them.

    A batch goes when it is full, or when its oldest frame has waited for the window.
    """
    if not state.pending:
        return state, Wait(None)
    oldest_s = min(frames[0].arrived_s for frames in state.pending.values())
    left_s = oldest_s + window_s(state.load, settings) - now_s
    if sum(map(len, state.pending.values())) < settings.max_batch and left_s > 0:
        return state, Wait(left_s)
    taken = _in_turn(state, settings.max_batch)
    rows = {frame.id for frame in taken}
    rest = {
        camera_id: left
        for camera_id, frames in state.pending.items()
        if (left := tuple(frame for frame in frames if frame.id not in rows))
    }
    served_s = {camera_id: at_s for camera_id, at_s in state.served_s.items() if now_s - at_s < _FORGET_S}
    served_s |= dict.fromkeys((frame.camera_id for frame in taken), now_s)
    return replace(state, pending=rest, served_s=served_s), taken


def worked(state: BatcherState, *, busy_s: float, elapsed_s: float) -> BatcherState:
    """The state after the network was busy for busy_s of the last elapsed_s."""
    if elapsed_s <= 0:
        return state
    weight = 1 - math.exp(-elapsed_s / _LOAD_MEMORY_S)
    return replace(state, load=state.load + weight * (min(1.0, busy_s / elapsed_s) - state.load))


def window_s(load: float, settings: BatcherSettings) -> float:
    """How long a frame may wait for others: hardly at all at rest, longer the busier the machine is.

    Larger batches cost less per frame (one network call, one commit); a machine with time to spare need not save.
    """
    share = min(1.0, max(0.0, (load - _RELAXED_LOAD) / (_FULL_LOAD - _RELAXED_LOAD)))
    return settings.min_window_s + share * (settings.max_window_s - settings.min_window_s)


def _in_turn(state: BatcherState, most: int) -> tuple[WaitingFrame, ...]:
    """One frame of each camera, who was served longest ago first; then the second of each, while there is room."""
    cameras = sorted(
        state.pending.items(), key=lambda item: (state.served_s.get(item[0], -math.inf), item[1][0].arrived_s, item[0])
    )
    rounds = max(len(frames) for _, frames in cameras)
    in_turn = [frames[number] for number in range(rounds) for _, frames in cameras if number < len(frames)]
    return tuple(in_turn[:most])
