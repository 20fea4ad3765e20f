"""Every camera's health: when it was last heard, how its frames fared, and whether its view can be relied on."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import structlog

from detectors import FrameDetections
from detectors.camera_view import ViewChange, ViewSettings, ViewState, advance_view, is_a_look
from detectors.view_shift import Grey
from gateway.adapters.state_store import load_states, save_states
from gateway.shift_watch import SHIFTED, ShiftWatch
from gateway.unknown_watch import UnknownWatch
from ingest.adapters.spool import Spool
from ingest.adapters.spool_transaction import SpoolTransaction
from ingest.messages import Frame

log = structlog.get_logger()

SILENT_AFTER_S = 30.0
UNREADABLE_AFTER = 5
"""So many messages in a row that are no pictures: one that was cut on its way is no state of a camera."""
_SAVE_EVERY_S = 60.0
_STATES = "view:"
_DELAYS_KEPT = 600


@dataclass(slots=True)
class _Camera:
    """One camera since the start of the gateway, and its view, which outlives it."""

    view: ViewState = field(default_factory=ViewState)
    found: FrameDetections | None = None
    frames: int = 0
    refused_in_a_row: int = 0
    heard_s: float | None = None
    delays_s: list[float] = field(default_factory=list)
    is_silent: bool = False
    is_unsaved: bool = False


class CameraWatch:
    """Fed by the frame consumer, read by the health page: every method may be called by any thread."""

    def __init__(
        self,
        spool: Spool,
        cameras: Mapping[str, str],
        *,
        clock: Callable[[], float],
        now: Callable[[], datetime],
        references: Mapping[str, Grey] | None = None,
        unknowns: UnknownWatch | None = None,
        settings: ViewSettings | None = None,
    ) -> None:
        """cameras: ids, each with its calibration in any words: a camera with a new one has no usual view yet.

        clock: monotonic seconds; now: aware UTC; references: what calibrated cameras saw, see `ShiftWatch`
        unknowns: adds what stands before the clean street; None: only what the detectors name is judged
        """
        self._keys = {camera_id: f"{camera_id}:{_short_hash(words)}" for camera_id, words in cameras.items()}
        saved = load_states(spool, _STATES)
        self._cameras = {
            camera_id: _Camera(view=ViewState.from_json(saved[key]) if key in saved else ViewState())
            for camera_id, key in self._keys.items()
        }
        self._shifts = ShiftWatch(spool, cameras, references or {}, clock=clock)
        self._unknowns = unknowns
        self._settings = settings or ViewSettings()
        self._clock = clock
        self._now = now
        self._began_s = clock()
        self._saved_s = clock()
        self._lock = threading.Lock()

    def last_seen(self, camera_id: str) -> FrameDetections | None:
        """What was found in the camera's last inferred picture, with its glance; None before the first."""
        return self._cameras[camera_id].found

    def look(self, frame: Frame, found: FrameDetections, before: FrameDetections | None) -> FrameDetections | None:
        """What the rules may see of a frame: its detections, those of the picture `before` that it repeats, or None."""
        camera = self._cameras[frame.camera_id]
        with self._lock:
            self._note(camera, frame)
            if found.glance is not None:
                camera.view, change = advance_view(camera.view, found.glance, frame.captured_at, self._settings)
                if change is not None:
                    camera.is_unsaved = True
                    _say(frame.camera_id, change)
            if found.is_repeat and before is not None:
                found = before
            camera.found = found
            if not is_a_look(camera.view):
                return None
            is_good = found.glance is not None and camera.view.suspected is None
        if is_good:
            self._shifts.look(frame, found.size_px)
        if self._shifts.is_shifted(frame.camera_id):
            return None
        return found if self._unknowns is None else self._unknowns.joined(frame, found)

    def heard(self, camera_id: str) -> None:
        """A picture came that nobody needed to look at."""
        camera = self._cameras[camera_id]
        with self._lock:
            camera.heard_s = self._clock()
            camera.refused_in_a_row = 0

    def refused(self, camera_id: str) -> None:
        """Something came from the camera that is no picture."""
        camera = self._cameras[camera_id]
        with self._lock:
            camera.heard_s = self._clock()
            camera.refused_in_a_row += 1
            if camera.refused_in_a_row == UNREADABLE_AFTER:
                log.warning("camera_unreadable", camera_id=camera_id, messages=UNREADABLE_AFTER)

    def save(self, transaction: SpoolTransaction) -> None:
        """Store views within the transaction: one that was reported at once, the others every minute."""
        now_s = self._clock()
        is_due = now_s - self._saved_s >= _SAVE_EVERY_S
        with self._lock:
            due = {name: camera for name, camera in self._cameras.items() if camera.is_unsaved or is_due}
            views = {self._keys[name]: camera.view.to_json() for name, camera in due.items()}
            save_states(transaction.connection, _STATES, views)
            self._shifts.save(transaction)
            if self._unknowns is not None and is_due:
                self._unknowns.save(transaction)
            for camera in due.values():
                camera.is_unsaved = False
        if is_due:
            self._saved_s = now_s

    def check_silence(self) -> bool:
        """Say which cameras have not been heard for a while, or again; a worker's step, never more to do at once."""
        now_s = self._clock()
        with self._lock:
            for camera_id, camera in self._cameras.items():
                quiet_s = now_s - (self._began_s if camera.heard_s is None else camera.heard_s)
                is_silent = quiet_s > SILENT_AFTER_S
                if is_silent and not camera.is_silent:
                    log.warning("camera_silent", camera_id=camera_id, seconds=round(quiet_s))
                elif camera.is_silent and not is_silent:
                    log.info("camera_heard_again", camera_id=camera_id)
                camera.is_silent = is_silent
        return False

    def as_json(self) -> dict[str, dict[str, Any]]:
        """Every camera: state, frames since the start, seconds since the last one, delay from capture to detections."""
        now_s = self._clock()
        with self._lock:
            return {name: self._facts(name, camera, now_s) for name, camera in self._cameras.items()}

    def _note(self, camera: _Camera, frame: Frame) -> None:
        camera.frames += 1
        camera.refused_in_a_row = 0
        camera.heard_s = self._clock()
        camera.delays_s.append((self._now() - frame.captured_at).total_seconds())
        del camera.delays_s[:-_DELAYS_KEPT]

    def _facts(self, camera_id: str, camera: _Camera, now_s: float) -> dict[str, Any]:
        delays = sorted(camera.delays_s)
        return {
            "state": self._state(camera_id, camera, now_s),
            "frames": camera.frames,
            "last_s": None if camera.heard_s is None else round(now_s - camera.heard_s, 1),
            "delay_p50_s": round(delays[len(delays) // 2], 3) if delays else None,
            "delay_p99_s": round(delays[int(len(delays) * 0.99)], 3) if delays else None,
        }

    def _state(self, camera_id: str, camera: _Camera, now_s: float) -> str:
        if now_s - (self._began_s if camera.heard_s is None else camera.heard_s) > SILENT_AFTER_S:
            return "silent"
        if camera.refused_in_a_row >= UNREADABLE_AFTER:
            return "unreadable"
        return camera.view.problem or (SHIFTED if self._shifts.is_shifted(camera_id) else "ok")


def _short_hash(words: str) -> str:
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def _say(camera_id: str, change: ViewChange) -> None:
    if change.problem is None:
        log.info("camera_view_ok", camera_id=camera_id, was=change.before, at=change.at.isoformat())
    else:
        log.warning("camera_view", camera_id=camera_id, problem=change.problem, at=change.at.isoformat())
