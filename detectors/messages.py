"""What the detectors emit: the detections of one frame as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from detectors.appearance import NUMBERS, as_text
from detectors.glance import Glance


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameDetections:
    """All detections of one picture, one row each, best confidence first.

    xyxy:       (N, 4) float32, pixels of the original picture, top-left origin
    confidence: (N,)   float32, 0..1
    class_id:   (N,)   int32, key into configs/classes.toml
    size_px:    (width, height) of the original picture; (0, 0) when it could not be decoded
    failure:    why the picture could not be decoded, else None; N is then 0
    glance:     a few pixels to know the view by, None when nothing was decoded
    plate_sha256: of each vehicle's number plate, None where none was read; empty when nobody reads plates
    appearance: (N, 100) int8, see `detectors.appearance`, zeros for what is not known; None when nobody looked
    is_repeat:  the picture is the one before to the last bit of its glance, and was not inferred; N is 0
    """

    xyxy: npt.NDArray[np.float32]
    confidence: npt.NDArray[np.float32]
    class_id: npt.NDArray[np.int32]
    size_px: tuple[int, int]
    failure: str | None = None
    glance: Glance | None = None
    is_repeat: bool = False
    plate_sha256: tuple[str | None, ...] = ()
    appearance: npt.NDArray[np.int8] | None = None

    def __post_init__(self) -> None:
        rows = len(self.confidence)
        if self.xyxy.shape != (rows, 4) or self.class_id.shape != (rows,):
            raise ValueError(
                f"shapes disagree: xyxy {self.xyxy.shape}, confidence {self.confidence.shape}, "
                f"class_id {self.class_id.shape}; expected (N, 4), (N,), (N,)"
            )
        if self.appearance is not None and self.appearance.shape != (rows, NUMBERS):
            raise ValueError(f"appearance has shape {self.appearance.shape}; expected {(rows, NUMBERS)}")

    def plate_of(self, row: int) -> str | None:
        """The hash of the plate of detection `row`, where one was read."""
        return self.plate_sha256[row] if self.plate_sha256 else None

    def appearance_of(self, row: int) -> str | None:
        """What detection `row` looks like, as text; None where it is not known."""
        if self.appearance is None or not self.appearance[row].any():
            return None
        return as_text(self.appearance[row])

    def __len__(self) -> int:
        return len(self.confidence)

    @staticmethod
    def empty(size_px: tuple[int, int], failure: str | None = None) -> FrameDetections:
        """No detections at all: an empty street, or a picture that failed."""
        return FrameDetections(
            xyxy=np.empty((0, 4), np.float32),
            confidence=np.empty(0, np.float32),
            class_id=np.empty(0, np.int32),
            size_px=size_px,
            failure=failure,
        )
