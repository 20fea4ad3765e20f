"""Runs the detector over rendered frames and compares it with the simulator's truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from detectors import Detector, FrameDetections, open_detector
from detectors.classes import ClassTable, load_classes
from detectors.drawing import draw_detections
from sim.scoring.recognition import FoundBox, RecognitionError, Tally, TrueFrame, parse_frames, tally_frame

_BATCH = 8
_TRUTH_BGR = (255, 255, 255)


def recognise(
    folders: Sequence[Path],
    model: str,
    *,
    min_px: float,
    save: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, dict[str, Tally]]:
    """Tallies by weather and class over all frames of the folders; raises RecognitionError, DetectorError."""
    pictures = [picture for folder in folders for picture in _pictures(folder)]
    detector, classes = open_detector(model), load_classes()
    tallies: dict[str, dict[str, Tally]] = {}
    remaining, done = iter(pictures), 0
    while batch := list(islice(remaining, _BATCH)):
        for (path, frame), found in zip(batch, _detect(detector, batch), strict=True):
            if found.failure:
                raise RecognitionError(f"{path}: {found.failure}; render the folder again")
            boxes = list(_boxes(found, classes))
            tally_frame(tallies.setdefault(frame.weather, {}), frame, boxes, min_px=min_px)
            if save is not None:
                _save(path, frame, found, classes, save)
        done += len(batch)
        if progress is not None:
            progress(done, len(pictures))
    return tallies


def _pictures(folder: Path) -> Iterator[tuple[Path, TrueFrame]]:
    file = folder / "truth.jsonl"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise RecognitionError(f"{file}: cannot be read: {error.strerror}; `sim render` writes it") from error
    for frame in parse_frames(lines, file=str(file)):
        # After a lost link one line lists what was kept as well; what it says is true of the last picture.
        for image in frame.images[-1:] if not frame.faults else ():
            yield folder / image, frame


def _detect(detector: Detector, batch: Sequence[tuple[Path, TrueFrame]]) -> list[FrameDetections]:
    return detector.detect([_read(path) for path, _ in batch])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise RecognitionError(f"{path}: cannot be read: {error.strerror}; truth.jsonl names it") from error


def _boxes(found: FrameDetections, classes: ClassTable) -> Iterator[FoundBox]:
    for xyxy, confidence, class_id in zip(found.xyxy, found.confidence, found.class_id, strict=True):
        x0, y0, x1, y1 = (float(side) for side in xyxy)
        yield FoundBox(name=classes.by_id[int(class_id)].name, confidence=float(confidence), xyxy=(x0, y0, x1, y1))


def _save(path: Path, frame: TrueFrame, found: FrameDetections, classes: ClassTable, folder: Path) -> None:
    picture = cv2.imread(str(path))
    if picture is None:
        return
    drawn = draw_detections(np.asarray(picture, np.uint8), found, classes)
    for item in frame.objects:
        x0, y0, x1, y1 = (round(side) for side in item.xyxy)
        cv2.rectangle(drawn, (x0, y0), (x1, y1), _TRUTH_BGR, 1)
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / f"{frame.weather}_{path.parent.name}_{path.name}"), drawn)
