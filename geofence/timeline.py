"""Which clock of a camera to believe: late and repeated frames change nothing, nor does a burst with a wrong time.

A frame that comes much later than the one before follows a silence, or has a wrong clock. Until that is known, frames
go on in a copy of the camera's memory, and what there is to report waits. A frame that fits the old time ends the
copy: the burst never was. Frames that keep to the new time long enough make the copy the memory.
Frames from the past are late. Only when a long row of them goes on in order has the clock been set back; then the
memory follows it, as if nobody had looked meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from pydantic import TypeAdapter, ValidationError

from geofence.claims import Claim
from geofence.errors import GeofenceError
from geofence.memory import Memory, shifted
from geofence.messages import IncidentEvent
from geofence.visit import Visit

# So long and so often frames must keep to a new time before it is believed.
BELIEVED_S = 30.0
BELIEVED_FRAMES = 2
# A clock that was set back: longer than any frames that a broker delivers late or again.
SET_BACK_S = 120.0
MIN_SET_BACK_S = 60.0
MAX_HELD = 200

Events = tuple[IncidentEvent, ...]
Step = Callable[[Memory], tuple[Memory, Events]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A time that may be wrong. since, last_at: first and latest frame of it; memory: the copy; held: its events."""

    since: datetime
    last_at: datetime
    frames: int
    memory: Memory
    held: Events = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraState:
    """What a camera's rules remember between two frames; may be saved as text."""

    memory: Memory = field(default_factory=Memory)
    trial: Trial | None = None

    @property
    def last_frame_at(self) -> datetime | None:
        """Time of the latest frame that counted."""
        return self.memory.last_frame_at

    @property
    def visits(self) -> tuple[Visit, ...]:
        """All that stands before the camera."""
        return self.memory.visits

    @property
    def claims(self) -> tuple[Claim, ...]:
        """All rules that are broken there."""
        return self.memory.claims

    def to_json(self) -> str:
        """One line of JSON."""
        return _ADAPTER.dump_json(self).decode()

    @staticmethod
    def from_json(text: str) -> CameraState:
        """Read what to_json wrote; raises GeofenceError when it is something else."""
        try:
            return _ADAPTER.validate_json(text)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            where = ".".join(str(part) for part in first["loc"]) or "text"
            raise GeofenceError(f"saved camera state is not readable: {where}: {first['msg']}") from error


_ADAPTER = TypeAdapter(CameraState)


def advance_time(
    state: CameraState, seen_at: datetime, step: Step, *, is_silence: Callable[[Memory], bool]
) -> tuple[CameraState, Events]:
    """The state after a frame and the events that are certain.

    step: a memory → the memory after this frame, and its events
    is_silence: whether the frame comes too long after a memory's last one
    """
    last_at = state.memory.last_frame_at
    if last_at is None or (seen_at > last_at and not is_silence(state.memory)):
        return _believed(state, step)
    trial = _on_trial(state, last_at, seen_at, step, is_silence)
    if trial is None or trial is state.trial:
        return state, ()
    lasted_s = (trial.last_at - trial.since).total_seconds()
    needed_s = BELIEVED_S if trial.since > last_at else SET_BACK_S
    if lasted_s < needed_s or trial.frames < BELIEVED_FRAMES:
        return replace(state, trial=trial), ()
    return CameraState(memory=trial.memory), trial.held


def end_of_frames(state: CameraState) -> Events:
    """The events of frames after a silence that no later frame will confirm or deny: nothing speaks against them."""
    last_at = state.memory.last_frame_at
    if state.trial is None or last_at is None or state.trial.since < last_at:
        return ()
    return state.trial.held


def _on_trial(
    state: CameraState, last_at: datetime, seen_at: datetime, step: Step, is_silence: Callable[[Memory], bool]
) -> Trial | None:
    """The trial after a frame that does not fit; the same one, or None, for a frame that changes nothing."""
    trial = state.trial
    if trial is not None and trial.last_at < seen_at and not is_silence(trial.memory):
        memory, events = step(trial.memory)
        held = (trial.held + events)[-MAX_HELD:]
        return replace(trial, last_at=seen_at, frames=trial.frames + 1, memory=memory, held=held)
    if trial is not None and trial.since <= seen_at <= trial.last_at:
        return trial
    if seen_at <= last_at and (last_at - seen_at).total_seconds() < MIN_SET_BACK_S:
        return trial
    return _begun(state, seen_at, step)


def _believed(state: CameraState, step: Step) -> tuple[CameraState, Events]:
    memory, events = step(state.memory)
    return CameraState(memory=memory), events


def _begun(state: CameraState, seen_at: datetime, step: Step) -> Trial:
    memory = state.memory
    if memory.last_frame_at is not None and seen_at <= memory.last_frame_at:
        memory = shifted(memory, seen_at - memory.last_frame_at - timedelta(seconds=1))
    memory, events = step(memory)
    return Trial(since=seen_at, last_at=seen_at, frames=1, memory=memory, held=events)
