"""YOLO label files: one `class cx cy w h` line per box, fractions of the picture."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from detectors.training.boxes import F32, I32, centre_to_corners, corners_to_centre

STREET_CLASSES = (
    "person", "bicycle", "car", "motorcycle", "bus", "truck", "garbage", "garbage_bin", "overflow",
)  # fmt: skip
"""The model's classes in output order; the order is part of every label file, so it never changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Boxes of one picture.

    class_id: (N,)   int32, index into STREET_CLASSES
    xyxy:     (N, 4) float32, fractions of width and height, top-left origin
    """

    class_id: I32
    xyxy: F32

    def __len__(self) -> int:
        return len(self.class_id)

    def plus(self, other: Labels) -> Labels:
        """These boxes, then the other's."""
        return Labels(np.concatenate((self.class_id, other.class_id)), np.concatenate((self.xyxy, other.xyxy)))


NO_LABELS = Labels(np.empty(0, np.int32), np.empty((0, 4), np.float32))


def parse_labels(text: str, class_count: int) -> tuple[Labels, list[str]]:
    """The usable boxes of a label file, and one line of complaint per unusable line."""
    class_ids: list[int] = []
    boxes: list[list[float]] = []
    problems: list[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            class_id, box = _parse_line(line, class_count)
        except ValueError as error:
            problems.append(f"line {number}: {error}")
            continue
        class_ids.append(class_id)
        boxes.append(box)
    if not boxes:
        return NO_LABELS, problems
    corners = np.clip(centre_to_corners(np.array(boxes, np.float32)), 0.0, 1.0)
    return Labels(np.array(class_ids, np.int32), corners), problems


def _parse_line(line: str, class_count: int) -> tuple[int, list[float]]:
    fields = line.split()
    if len(fields) != 5:
        raise ValueError(f"{len(fields)} fields; expected 5: class cx cy w h")
    class_id, box = int(fields[0]), [float(field) for field in fields[1:]]
    if not 0 <= class_id < class_count:
        raise ValueError(f"class {class_id}; expected 0..{class_count - 1}")
    cx, cy, width, height = box
    inside = 0.0 <= cx <= 1.0 and 0.0 <= cy <= 1.0
    if not (inside and 0.0 < width <= 1.0 and 0.0 < height <= 1.0):
        raise ValueError(f"box {fields[1:]}; expected fractions of the picture, w and h above 0")
    return class_id, box


def format_labels(labels: Labels) -> str:
    """The label file of these boxes; parse_labels reads it back within 1e-6."""
    rows = zip(labels.class_id.tolist(), corners_to_centre(labels.xyxy).tolist(), strict=True)
    return "".join(f"{class_id} " + " ".join(f"{value:.6f}" for value in box) + "\n" for class_id, box in rows)


def label_path(image: Path) -> Path:
    """…/images/x.jpg belongs to …/labels/x.txt."""
    return image.parent.parent / "labels" / f"{image.stem}.txt"
