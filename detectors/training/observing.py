"""Shows labelled pictures to a detector as the gateway would, and keeps what it saw beside the truth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from detectors.classes import load_classes
from detectors.detector import Detector
from detectors.messages import FrameDetections
from detectors.nms import SAME_PLACE_IOU, Boxes, suppress
from detectors.training.boxes import F32, I32, Image
from detectors.training.errors import DataFolderError
from detectors.training.matching import Flags, areas_px2, overlaps, shared_px2
from detectors.training.pictures import Entry, open_entry
from detectors.training.source import read_source

FLOOR = 0.005
"""Least confidence of a detection that is scored: average precision wants the doubtful ones too."""

MAX_DETECTIONS = 300
"""Only so many of a picture's surest detections are scored, whatever their class."""

_BATCH = 8
_JPEG_QUALITY = 95
_LEAST_IOU = 0.5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Observation:
    """One labelled picture and what a detector saw in it; boxes in pixels of the picture.

    luma:        mean grey value, 0..255
    labelled:    classes that the picture's folder labels; of any other class nothing is known
    truth_xyxy:  (M, 4) float32; truth_class: (M,) int32
    xyxy:        (N, 4) float32, surest first; confidence: (N,) float32; class_id: (N,) int32
    """

    path: Path
    group: str
    size_px: tuple[int, int]
    luma: float
    labelled: frozenset[int]
    truth_xyxy: F32
    truth_class: I32
    xyxy: F32
    confidence: F32
    class_id: I32


def observe(
    detector: Detector, data: Path, *, split: str = "val", progress: Progress | None = None
) -> tuple[list[Observation], list[str]]:
    """Every picture of a split (train or val) of every group, and one line per picture or label not used.

    The truth of a picture that cannot be decoded does not count. Raises DataFolderError.
    """
    groups = [(group.name, group.labelled, getattr(group, split)) for group in read_source(data).groups]
    total = sum(len(part.entries) for _, _, part in groups)
    if not total:
        raise DataFolderError(data, f"no group has pictures in {split!r}; there is nothing to score on")
    observations: list[Observation] = []
    problems: list[str] = []
    done = 0
    for name, labelled, part in groups:
        problems.extend(str(problem) for problem in part.problems)
        ground = _Ground(name, labelled | part.labelled(), observations, problems)
        for start in range(0, len(part.entries), _BATCH):
            batch = part.entries[start : start + _BATCH]
            ground.show(detector, batch)
            done += len(batch)
            if progress is not None:
                progress(done, total)
    return observations, problems


def as_shown(observation: Observation, thresholds: F32, *, iou_limit: float) -> Observation:
    """What the gateway would show of it: boxes above their thresholds (by class id), one for each thing.

    Rivals that are below their own threshold suppress nothing, as in the gateway, where they are cut off first.
    """
    kept = observation.confidence >= thresholds[observation.class_id]
    boxes = Boxes(
        xyxy=observation.xyxy[kept], confidence=observation.confidence[kept], class_id=observation.class_id[kept]
    )
    boxes = suppress(boxes, iou_limit=iou_limit, groups=_box_groups(len(thresholds)), any_group_limit=SAME_PLACE_IOU)
    return replace(observation, xyxy=boxes.xyxy, confidence=boxes.confidence, class_id=boxes.class_id)


def _box_groups(count: int) -> I32:
    rows = load_classes().by_id
    names = [rows[class_id].box_group if class_id in rows else "" for class_id in range(count)]
    return np.array([names.index(name) for name in names], np.int32)


@dataclass(frozen=True, slots=True)
class _Ground:
    """One group, and the lists that its pictures are added to."""

    group: str
    labelled: frozenset[int]
    observations: list[Observation]
    problems: list[str]

    def show(self, detector: Detector, entries: Sequence[Entry]) -> None:
        """Let the detector see some pictures; those that cannot be used become problems."""
        usable: list[tuple[Entry, Image]] = []
        for entry in entries:
            self.problems.extend(str(problem) for problem in entry.problems)
            image, why = open_entry(entry)
            if image is None:
                self.problems.append(f"{entry.path}: {why}; not scored")
            else:
                usable.append((entry, image))
        found = detector.detect([_as_jpeg(entry.path, image) for entry, image in usable])
        for (entry, image), seen in zip(usable, found, strict=True):
            if seen.failure is not None:
                self.problems.append(f"{entry.path}: {seen.failure}; not scored")
            else:
                self.observations.append(_observation(entry, image, seen, self.group, self.labelled))


def _as_jpeg(path: Path, image: Image) -> bytes:
    """The file's own bytes, or a JPEG made of another format: the detector reads nothing else."""
    content = path.read_bytes()
    if content.startswith(b"\xff\xd8"):
        return content
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tobytes())


def _observation(
    entry: Entry, image: Image, seen: FrameDetections, group: str, labelled: frozenset[int]
) -> Observation:
    size_px = (image.shape[1], image.shape[0])
    to_px = np.array(size_px * 2, np.float32)
    truth_xyxy = np.asarray(entry.labels.xyxy * to_px, np.float32)
    surest = np.argsort(-seen.confidence, kind="stable")[:MAX_DETECTIONS]
    surest = surest[~_in_doubt(seen.xyxy[surest], truth_xyxy, np.asarray(entry.doubtful * to_px, np.float32))]
    return Observation(
        path=entry.path,
        group=group,
        size_px=size_px,
        luma=float(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).mean()),
        labelled=labelled,
        truth_xyxy=truth_xyxy,
        truth_class=entry.labels.class_id,
        xyxy=seen.xyxy[surest],
        confidence=seen.confidence[surest],
        class_id=seen.class_id[surest],
    )


def _in_doubt(xyxy: F32, truth_xyxy: F32, doubtful: F32) -> Flags:
    """Which boxes lie mostly where nobody counted, and on no labelled thing: neither right nor wrong, left out."""
    if not len(doubtful):
        return np.zeros(len(xyxy), bool)
    shared = shared_px2(xyxy, doubtful) / np.maximum(areas_px2(xyxy), 1e-9)[:, None]
    on_truth = (overlaps(xyxy, truth_xyxy) >= _LEAST_IOU).any(axis=1)
    return np.asarray((shared > 0.5).any(axis=1) & ~on_truth)
