"""Things without a name: what stands before a camera's clean street joins what the detectors have found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from detectors.background import WIDTH_PX, Background, BackgroundSettings, advance_background, clean_street
from detectors.classes import ClassTable
from detectors.decoding import decode_jpeg
from detectors.messages import FrameDetections
from detectors.view_shift import Grey, shrunk
from gateway.adapters.state_store import load_states, save_states
from ingest.adapters.spool import Spool
from ingest.adapters.spool_transaction import SpoolTransaction
from ingest.errors import PayloadError
from ingest.messages import Frame

UNKNOWN_OBJECT = "unknown_object"
_STATES = "background:"
# A difference says that something is there, not what; rules and people see it as a lead among the less sure ones.
_CONFIDENCE = 0.5


@dataclass(slots=True)
class _Street:
    """picture: a hash of the clean street's picture; what is remembered holds for it only."""

    picture: str
    background: Background
    is_unsaved: bool = False


class UnknownWatch:
    """Looks behind the detectors at cameras with a picture of their clean street; one thread calls all methods."""

    def __init__(
        self,
        spool: Spool,
        references: Mapping[str, Grey],
        classes: ClassTable,
        settings: BackgroundSettings | None = None,
    ) -> None:
        """references: by camera, the picture that was taken when it was calibrated, grey."""
        self._settings = settings or BackgroundSettings()
        known = classes.by_name.get(UNKNOWN_OBJECT)
        self._class_id = None if known is None else known.id
        saved = load_states(spool, _STATES)
        self._streets = {
            camera_id: _remembered(picture, saved.get(camera_id)) for camera_id, picture in references.items()
        }

    def joined(self, frame: Frame, found: FrameDetections) -> FrameDetections:
        """The detections of a frame and, behind them, what stands there without a name."""
        street = self._streets.get(frame.camera_id)
        if street is None or self._class_id is None:
            return found
        size_px = (WIDTH_PX, WIDTH_PX * found.size_px[1] // found.size_px[0])
        try:
            picture = shrunk(decode_jpeg(frame.jpeg, found.size_px, size_px))
        except PayloadError:
            return found
        to_picture = picture.shape[1] / found.size_px[0]
        boxes = found.xyxy.astype(np.float64) * to_picture
        street.background, unknown = advance_background(
            street.background, picture, boxes, frame.captured_at.timestamp(), self._settings
        )
        street.is_unsaved = True
        return _with_boxes(found, (unknown / to_picture).astype(np.float32), self._class_id)

    def save(self, transaction: SpoolTransaction) -> None:
        """Store what has changed within the transaction."""
        changed = {camera_id: street for camera_id, street in self._streets.items() if street.is_unsaved}
        texts = {
            camera_id: json.dumps({"picture": street.picture, "background": street.background.to_json()})
            for camera_id, street in changed.items()
        }
        save_states(transaction.connection, _STATES, texts)
        for street in changed.values():
            street.is_unsaved = False


def _with_boxes(found: FrameDetections, xyxy: npt.NDArray[np.float32], class_id: int) -> FrameDetections:
    count = len(xyxy)
    if not count:
        return found
    plates = (*found.plate_sha256, *[None] * count) if found.plate_sha256 else ()
    looks = found.appearance
    return replace(
        found,
        xyxy=np.vstack((found.xyxy, xyxy)),
        confidence=np.concatenate((found.confidence, np.full(count, _CONFIDENCE, np.float32))),
        class_id=np.concatenate((found.class_id, np.full(count, class_id, np.int32))),
        plate_sha256=plates,
        appearance=None if looks is None else np.vstack((looks, np.zeros((count, looks.shape[1]), np.int8))),
    )


def _remembered(picture: Grey, saved: str | None) -> _Street:
    digest = hashlib.sha256(picture.tobytes()).hexdigest()[:16]
    known = {} if saved is None else json.loads(saved)
    if known.get("picture") == digest:
        return _Street(digest, Background.from_json(known["background"]))
    return _Street(digest, clean_street(picture))
