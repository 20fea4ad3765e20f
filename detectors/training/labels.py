"""YOLO label files: one `class cx cy w h` line per box, fractions of the picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from detectors.training.boxes import F32, I32, centre_to_corners, corners_to_centre

STREET_CLASSES = (
    "person", "bicycle", "car", "motorcycle", "bus", "truck", "garbage", "garbage_bin", "overflow",
)  # fmt: skip
"""The shipped model's classes in output order; the order is part of every label file, so it never changes.
Their ids in configs/classes.toml are the same numbers."""


@dataclass(frozen=True, slots=True, eq=False)
class Labels:
    """Boxes of one picture.

    class_id: (N,)   int32, id of configs/classes.toml; for the nine street classes, place in STREET_CLASSES
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


@dataclass(frozen=True, slots=True, eq=False)
class LabelFile:
    """What a label file says: its usable boxes, (line number from 1, why) of the others, and how many were outlines.

    The class ids are the file's own numbers.
    """

    labels: Labels
    problems: tuple[tuple[int, str], ...]
    outlines: int


def parse_labels(text: str, class_count: int) -> LabelFile:
    """The boxes of a label file; an outline (class x y x y x y …) becomes its bounding box.

    A line that cannot be used, or that repeats another, is a problem and left out; the others stay.
    """
    first_line: dict[tuple[int, tuple[float, ...]], int] = {}
    problems: list[tuple[int, str]] = []
    outlines = 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        try:
            row = _class_number(fields[0], class_count), _box(fields[1:])
        except ValueError as error:
            problems.append((number, str(error)))
            continue
        outlines += len(fields) > 5
        if first_line.setdefault(row, number) != number:
            problems.append((number, f"the same box as in line {first_line[row]}"))
    return LabelFile(_to_labels(list(first_line)), tuple(problems), outlines)


def format_labels(labels: Labels, numbers: Mapping[int, int] | None = None) -> str:
    """The label file of these boxes; parse_labels reads it back within 1e-6.

    numbers: what each class id is called in the file; None leaves the ids as they are
    """
    rows = zip(labels.class_id.tolist(), corners_to_centre(labels.xyxy).tolist(), strict=True)
    return "".join(
        f"{class_id if numbers is None else numbers[class_id]} " + " ".join(f"{value:.6f}" for value in box) + "\n"
        for class_id, box in rows
    )


def _to_labels(rows: list[tuple[int, tuple[float, ...]]]) -> Labels:
    if not rows:
        return NO_LABELS
    corners = np.clip(centre_to_corners(np.array([box for _, box in rows], np.float32)), 0.0, 1.0)
    return Labels(np.array([number for number, _ in rows], np.int32), corners)


def _class_number(text: str, class_count: int) -> int:
    try:
        number = int(text)
    except ValueError:
        raise ValueError(f"class {text!r}; expected a whole number 0..{class_count - 1}") from None
    if not 0 <= number < class_count:
        raise ValueError(f"class {number}; expected 0..{class_count - 1}")
    return number


def _box(fields: list[str]) -> tuple[float, ...]:
    """Centre and size, from four such fields or from the points of an outline."""
    is_outline = len(fields) >= 6 and len(fields) % 2 == 0
    if len(fields) != 4 and not is_outline:
        raise ValueError(f"{len(fields) + 1} fields; expected 5: class cx cy w h")
    try:
        values = [float(field) for field in fields]
    except ValueError as error:
        raise ValueError(f"box {fields}; {error}") from None
    cx, cy, width, height = _bounds(values) if is_outline else values
    inside = 0.0 <= cx <= 1.0 and 0.0 <= cy <= 1.0
    if not (inside and 0.0 < width <= 1.0 and 0.0 < height <= 1.0):
        raise ValueError(f"box {fields}; expected fractions of the picture, w and h above 0")
    return cx, cy, width, height


def _bounds(points: list[float]) -> tuple[float, float, float, float]:
    left, right, top, bottom = min(points[::2]), max(points[::2]), min(points[1::2]), max(points[1::2])
    return (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
