"""Whether the cameras still look where they looked when they were calibrated, by a reference picture of each."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import structlog

from detectors.decoding import decode_jpeg
from detectors.shift_state import ShiftState, ShiftTiming, advance_shift, is_comparison_due
from detectors.view_shift import WIDTH_PX, Grey, ShiftSettings, ShiftVerdict, ViewShift, shrunk, view_shift
from gateway.adapters.state_store import load_states, save_states
from ingest.adapters.spool import Spool
from ingest.adapters.spool_transaction import SpoolTransaction
from ingest.errors import PayloadError
from ingest.messages import Frame

log = structlog.get_logger()

SHIFTED = "shifted"
_STATES = "shift:"
_APART_S = 0.25
"""Between comparisons of any cameras: they take the thread that judges frames a twentieth of a second each."""


@dataclass(slots=True)
class _Camera:
    """calibration: a hash of the calibration, and of the site's own reference if it has one; what is remembered holds
    for it only. candidate: a picture that becomes the reference when the next one shows the same view"""

    calibration: str
    reference: Grey | None
    is_own: bool
    state: ShiftState = field(default_factory=ShiftState)
    candidate: Grey | None = None
    is_unsaved: bool = False


class ShiftWatch:
    """Compares a picture of every camera now and then; one thread calls `look`, and `save` between looks."""

    def __init__(
        self,
        spool: Spool,
        calibrations: Mapping[str, str],
        references: Mapping[str, Grey],
        *,
        clock: Callable[[], float],
        settings: ShiftSettings | None = None,
        timing: ShiftTiming | None = None,
    ) -> None:
        """calibrations: by camera, in any words; references: pictures made by `shrunk` when it was calibrated, for a
        camera without one the first good pictures are taken; clock: monotonic seconds."""
        self._clock = clock
        self._compared_s = -math.inf
        self._settings = settings or ShiftSettings()
        self._timing = timing or ShiftTiming()
        saved = load_states(spool, _STATES)
        self._cameras = {
            camera_id: _remembered(words, references.get(camera_id), saved.get(camera_id))
            for camera_id, words in calibrations.items()
        }

    def is_shifted(self, camera_id: str) -> bool:
        """Whether the camera's calibration no longer holds."""
        return self._cameras[camera_id].state.is_shifted

    def look(self, frame: Frame, size_px: tuple[int, int]) -> None:
        """Compare a picture that shows the street, if it is time to; size_px: its (width, height)."""
        camera = self._cameras[frame.camera_id]
        is_due = is_comparison_due(camera.state, frame.captured_at, self._timing)
        if not is_due or self._clock() - self._compared_s < _APART_S:
            return
        self._compared_s = self._clock()
        try:
            picture = shrunk(decode_jpeg(frame.jpeg, size_px, (WIDTH_PX, WIDTH_PX * size_px[1] // size_px[0])))
        except PayloadError:
            return  # the detector's decoder took it, this one does not: there is a next picture
        if camera.reference is None:
            self._take_reference(camera, frame, picture)
            return
        found = view_shift(camera.reference, picture, self._settings)
        camera.state, is_new = advance_shift(camera.state, found, frame.captured_at, self._timing)
        if is_new:
            camera.is_unsaved = True
            _say(frame, camera.state, found)

    def save(self, transaction: SpoolTransaction) -> None:
        """Store what has changed within the transaction."""
        changed = {camera_id: camera for camera_id, camera in self._cameras.items() if camera.is_unsaved}
        save_states(transaction.connection, _STATES, {name: _as_json(camera) for name, camera in changed.items()})
        for camera in changed.values():
            camera.is_unsaved = False

    def _take_reference(self, camera: _Camera, frame: Frame, picture: Grey) -> None:
        """The first of two successive pictures that show the same view becomes the reference."""
        camera.state = ShiftState(compared_at=frame.captured_at, against=1)  # the next one soon
        first, camera.candidate = camera.candidate, picture
        if first is None or view_shift(first, picture, self._settings).verdict is not ShiftVerdict.OK:
            return
        camera.reference, camera.candidate = first, None
        camera.state = ShiftState(compared_at=frame.captured_at)
        camera.is_unsaved = True
        log.info("camera_reference_taken", camera_id=frame.camera_id, at=frame.captured_at.isoformat())


def _remembered(words: str, own: Grey | None, saved: str | None) -> _Camera:
    calibration = hashlib.sha256(words.encode() + (b"" if own is None else own.tobytes())).hexdigest()[:16]
    camera = _Camera(calibration=calibration, reference=own, is_own=own is not None)
    known = {} if saved is None else json.loads(saved)
    if known.get("calibration") != calibration:
        return camera
    camera.state = ShiftState(is_shifted=known["is_shifted"])
    if own is None and known["reference"] is not None:
        coded = np.frombuffer(base64.b64decode(known["reference"]), np.uint8)
        camera.reference = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return camera


def _as_json(camera: _Camera) -> str:
    """What is remembered; a reference of the site's own lies in its folder."""
    reference = None
    if camera.reference is not None and not camera.is_own:
        reference = base64.b64encode(cv2.imencode(".png", camera.reference)[1].tobytes()).decode("ascii")
    known = {"calibration": camera.calibration, "is_shifted": camera.state.is_shifted, "reference": reference}
    return json.dumps(known)


def _say(frame: Frame, state: ShiftState, found: ViewShift) -> None:
    at = frame.captured_at.isoformat()
    if not state.is_shifted:
        log.info("camera_view_ok", camera_id=frame.camera_id, was=SHIFTED, at=at)
        return
    assert found.shift_px is not None
    assert found.turn_deg is not None
    log.warning(
        "camera_view",
        camera_id=frame.camera_id,
        problem=SHIFTED,
        at=at,
        shift_share=round(found.shift_px / WIDTH_PX, 4),
        turn_deg=round(found.turn_deg, 2),
        help="point it as before, or calibrate it again: its rules rest until then",
    )
