"""Pictures with their labels as a folder lists them; a picture is decoded only when somebody asks for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from detectors.training.boxes import F32, Image
from detectors.training.labels import Labels

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
NO_BOXES: F32 = np.empty((0, 4), np.float32)

_MAX_SHAPE_ERROR = 0.02


@dataclass(frozen=True, slots=True)
class Problem:
    """What a person has to mend: the file, the line where there is one (counted from 1), and why."""

    file: str
    line: int | None
    why: str

    def __str__(self) -> str:
        return f"{self.file}: {'' if self.line is None else f'line {self.line}: '}{self.why}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Entry:
    """One picture of a split, not yet decoded.

    labels:      class ids of configs/classes.toml
    doubtful:    (N, 4) float32, fractions: crowds, where nobody counted
    is_labelled: False when no label file came along, which may mean "nothing there" or "not looked at"
    size_px:     (width, height) that the label file states; None when it states none
    """

    path: Path
    labels: Labels
    doubtful: F32 = field(default_factory=lambda: NO_BOXES)
    problems: tuple[Problem, ...] = ()
    is_labelled: bool = True
    size_px: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The pictures of a group that are for training, or for validation.

    problems: those that belong to no picture, such as a label file without one
    unknown:  boxes per name that is no street class; they are left out
    outlines: polygons that were taken as their bounding boxes
    """

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)
    outlines: int = 0

    def labelled(self) -> frozenset[int]:
        """The classes that the split labels: those that occur in it."""
        return frozenset(class_id for entry in self.entries for class_id in entry.labels.class_id.tolist())

    def __add__(self, other: Split) -> Split:
        return Split(
            entries=self.entries + other.entries,
            problems=self.problems + other.problems,
            unknown=dict(Counter(self.unknown) + Counter(other.unknown)),
            outlines=self.outlines + other.outlines,
        )


def open_entry(entry: Entry) -> tuple[Image | None, str]:
    """The decoded picture and "", or None and why it cannot be used."""
    try:
        image = read_image(entry.path)
    except OSError as error:
        return None, f"cannot be read: {error.strerror}"
    if image is None:
        return None, "cannot be decoded: it is truncated or no picture"
    if entry.size_px is not None and not _same_shape(entry.size_px, (image.shape[1], image.shape[0])):
        width, height = entry.size_px
        return None, f"is {image.shape[1]}x{image.shape[0]} px, its labels were made for {width}x{height} px"
    return image, ""


def read_image(path: Path) -> Image | None:
    """The picture as (H, W, 3) BGR, None when it is truncated or no picture; raises OSError."""
    decoded = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
    return None if decoded is None else np.asarray(decoded, np.uint8)


def list_pictures(folder: Path) -> list[Path]:
    """The pictures in a folder and the folders in it, by name; none when it does not exist."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)


def _same_shape(stated_px: tuple[int, int], found_px: tuple[int, int]) -> bool:
    """A picture may have been scaled since it was labelled, but not turned or cropped."""
    return abs(stated_px[0] * found_px[1] / (stated_px[1] * found_px[0]) - 1) <= _MAX_SHAPE_ERROR
