"""Which waiting frames to infer next and which to let go: a pure function of what waits in the spool."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFrame:
    """A frame message in the spool, without its picture: row and camera topic."""

    id: int
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FramePlan:
    """One step of the frame consumer.

    take:    rows to infer now, oldest first
    drop:    rows that newer frames of the same camera make pointless, all older than `done_to`
    done_to: once `take` is finished, the cursor stands here; every row up to it was taken or dropped
    """

    take: tuple[int, ...]
    drop: tuple[int, ...]
    done_to: int


def plan_frames(waiting: Sequence[WaitingFrame], *, max_pending_per_camera: int, max_batch: int) -> FramePlan | None:
    """The next step, or None when nothing waits. `waiting` is ordered by row, oldest first."""
    if not waiting:
        return None
    by_camera: dict[str, list[int]] = defaultdict(list)
    for frame in waiting:
        by_camera[frame.topic].append(frame.id)
    keep = {row for rows in by_camera.values() for row in rows[-max_pending_per_camera:]}
    kept = [frame.id for frame in waiting if frame.id in keep]
    take = tuple(kept[:max_batch])
    done_to = kept[max_batch] - 1 if len(kept) > max_batch else waiting[-1].id
    drop = tuple(frame.id for frame in waiting if frame.id not in keep and frame.id <= done_to)
    return FramePlan(take=take, drop=drop, done_to=done_to)
