"""What a detector saw in pictures that nobody drew: boxes of truth and detection, written down by a test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors import FrameDetections
from detectors.glance import Glance
from detectors.training.boxes import F32
from detectors.training.observing import Observation
from ingest.jpeg import check_jpeg

Box = tuple[float, float, float, float]
"""x0, y0, x1, y1 in pixels."""

CAR, MOTORCYCLE, BUS, TRUCK, GARBAGE, BIN, OVERFLOW = 2, 3, 4, 5, 6, 7, 8
FOUR_VEHICLES = (CAR, MOTORCYCLE, BUS, TRUCK)


def xyxy(rows: Sequence[Sequence[float]]) -> F32:
    """Boxes as an array (N, 4)."""
    return np.array(rows, np.float32).reshape(-1, 4)


def observation(
    truth: Sequence[tuple[int, Box]] = (),
    seen: Sequence[tuple[int, float, Box]] = (),
    *,
    labelled: Sequence[int] = (GARBAGE, BIN, OVERFLOW),
    group: str = "street",
    luma: float = 120.0,
    path: Path = Path("a.jpg"),
    size_px: tuple[int, int] = (640, 480),
) -> Observation:
    """One picture: (class, box) of truth, (class, confidence, box) of detections in any order."""
    surest_first = sorted(seen, key=lambda row: -row[1])
    return Observation(
        path=path,
        group=group,
        size_px=size_px,
        luma=luma,
        labelled=frozenset(labelled),
        truth_xyxy=xyxy([box for _, box in truth]),
        truth_class=np.array([class_id for class_id, _ in truth], np.int32),
        xyxy=xyxy([box for _, _, box in surest_first]),
        confidence=np.array([confidence for _, confidence, _ in surest_first], np.float32),
        class_id=np.array([class_id for class_id, _, _ in surest_first], np.int32),
    )


@dataclass(frozen=True, slots=True)
class SameAnswer:
    """A detector that sees the same boxes in every picture, and counts nothing else."""

    seen: Sequence[tuple[int, float, Box]]
    failure: str | None = None

    @property
    def description(self) -> str:
        return "the same answer"

    def prepare(self, sizes_px: Iterable[tuple[int, int]]) -> None:
        pass

    def detect(self, jpegs: Sequence[bytes], before: Sequence[Glance | None] = ()) -> list[FrameDetections]:
        return [self._answer(jpeg) for jpeg in jpegs]

    def _answer(self, jpeg: bytes) -> FrameDetections:
        if self.failure is not None:
            return FrameDetections.empty((0, 0), failure=self.failure)
        one = observation(seen=self.seen)
        return FrameDetections(
            xyxy=one.xyxy, confidence=one.confidence, class_id=one.class_id, size_px=check_jpeg(jpeg).size_px
        )
