"""Builds the training folder: human labels, agreed pseudo-labels and drawn frames under one roof.

The source is left as it is. A *group* is a folder with `train` and `val`, each with `images` and `labels`;
it labels the classes that occur in its training labels and no others. Validation labels are only copied:
no teacher ever touches what scores a model.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

import cv2
import numpy as np

from detectors.training.boxes import Image
from detectors.training.errors import DataFolderError
from detectors.training.fingerprint import Fingerprints, fingerprint
from detectors.training.labels import NO_LABELS, STREET_CLASSES, Labels, format_labels, label_path, parse_labels
from detectors.training.pseudo import Agreement, pseudo_labels
from detectors.training.teachers import COCO_TO_STREET, Sees

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
SPLITS = ("train", "val")
DRAWN = "drawn"
TEACHABLE = frozenset(COCO_TO_STREET.values())
"""The street classes that a COCO teacher knows."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Picture:
    """One labelled picture of a group; image is None when the file cannot be decoded."""

    path: Path
    image: Image | None
    labels: Labels
    problems: tuple[str, ...]


@dataclass(slots=True)
class DatasetReport:
    """What went into a training folder: pictures per split and group, boxes per class, and what was refused."""

    data_yaml: str
    pictures: dict[str, int] = field(default_factory=dict)
    human_boxes: dict[str, int] = field(default_factory=dict)
    pseudo_boxes: dict[str, int] = field(default_factory=dict)
    near_duplicates: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def prepare(
    data: Path,
    out: Path,
    *,
    teachers: tuple[Sees, Sees] | None = None,
    drawn: Path | None = None,
    repeats: Mapping[str, int] | None = None,
    rule: Agreement | None = None,
    max_hash_distance: int = 8,
    progress: Progress | None = None,
) -> DatasetReport:
    """Build `out` from the groups in `data`, ready for `train`; returns what went in.

    teachers: two COCO detectors, the surer first, for the classes that a group does not label; None adds none
    drawn:    a folder with `images` and `labels` whose labels are exact and complete; training only
    repeats:  how often a group's training pictures count in one epoch (default once)
    A picture that cannot be decoded, a broken label line or a near-duplicate is left out and reported.
    Raises DataFolderError when `data` holds no group or `out` already holds a set.
    """
    groups = find_groups(data)
    report = DatasetReport(data_yaml=str(out / "data.yaml"))
    builder = _Builder(out, teachers, rule or Agreement(), report, Fingerprints(max_hash_distance))
    _make_folders(out)
    total = sum(len(list_images(group / split)) for group in groups for split in SPLITS)
    done = 0
    for split in reversed(SPLITS):  # val first: a training picture that repeats it is the one left out
        for group in groups:
            times = (repeats or {}).get(group.name, 1) if split == "train" else 1
            missing = TEACHABLE - labelled_classes(group / "train")
            for picture in read_split(group / split):
                builder.add(picture, group.name, split, missing=missing, times=times)
                done += 1
                if progress is not None:
                    progress(done, total)
    for picture in read_split(drawn) if drawn is not None else ():
        builder.add(picture, DRAWN, "train", missing=frozenset(), times=1)
    _write_yaml(out)
    (out / "report.json").write_text(json.dumps(asdict(report), indent=1), encoding="utf-8")
    return report


def find_groups(data: Path) -> list[Path]:
    """The groups of a data folder by name; raises DataFolderError when there is none."""
    if not data.is_dir():
        raise DataFolderError(data, "no such folder; expected groups with train/images and train/labels")
    groups = sorted(group for group in data.iterdir() if (group / "train" / "images").is_dir())
    if not groups:
        raise DataFolderError(data, "no group found; expected <group>/train/images and <group>/train/labels")
    return groups


def list_images(split: Path) -> list[Path]:
    """The pictures of a split folder by name; none when the split does not exist."""
    folder = split / "images"
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES) if folder.is_dir() else []


def read_split(split: Path) -> Iterator[Picture]:
    """Every picture of a split with its labels; a missing label file means an empty picture."""
    for path in list_images(split):
        labels_file = label_path(path)
        text = labels_file.read_text(encoding="utf-8", errors="replace") if labels_file.is_file() else ""
        labels, problems = parse_labels(text, len(STREET_CLASSES))
        named = tuple(f"{labels_file}: {problem}" for problem in problems)
        yield Picture(path, read_image(path), labels, named)


def read_image(path: Path) -> Image | None:
    """The picture as (H, W, 3) BGR, None when it is truncated or no picture."""
    decoded = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR) if path.stat().st_size else None
    return None if decoded is None else np.asarray(decoded, np.uint8)


def labelled_classes(split: Path) -> frozenset[int]:
    """The classes that a split folder labels: those that occur in it."""
    found: set[int] = set()
    for path in list_images(split):
        labels_file = label_path(path)
        if labels_file.is_file():
            text = labels_file.read_text(encoding="utf-8", errors="replace")
            found.update(parse_labels(text, len(STREET_CLASSES))[0].class_id.tolist())
    return frozenset(found)


@dataclass(slots=True)
class _Builder:
    out: Path
    teachers: tuple[Sees, Sees] | None
    rule: Agreement
    report: DatasetReport
    seen: Fingerprints

    def add(self, picture: Picture, group: str, split: str, *, missing: frozenset[int], times: int) -> None:
        self.report.problems.extend(picture.problems)
        if picture.image is None:
            self.report.problems.append(f"{picture.path}: cannot be decoded; left out")
            return
        if group != DRAWN and not self._is_new(picture.path, picture.image, split):
            return
        labels = picture.labels
        if split == "train" and self.teachers is not None and missing:
            labels = labels.plus(self._agreed(picture.image, labels, missing))
        self._count(group, split, picture.labels, labels, times)
        for copy in range(times):
            self._write(picture.path, labels, split, suffix=f"_{copy}" if copy else "")

    def _is_new(self, path: Path, image: Image, split: str) -> bool:
        print_ = fingerprint(image)
        twin = self.seen.find(print_) if split == "train" else None
        if twin is not None:
            self.report.near_duplicates.append(f"{path.name} = {twin}")
            return False
        self.seen.add(path.name, print_)
        return True

    def _agreed(self, image: Image, human: Labels, missing: frozenset[int]) -> Labels:
        assert self.teachers is not None
        surer, quicker = self.teachers
        second = quicker.see(image)
        hopeful = np.isin(second.class_id, list(missing)) & (second.confidence >= self.rule.min_second_confidence)
        if not hopeful.any():  # both must agree, so the slower one need not look
            return NO_LABELS
        return pseudo_labels(human, surer.see(image), second, missing=missing, rule=self.rule)

    def _count(self, group: str, split: str, human: Labels, all_labels: Labels, times: int) -> None:
        _add(self.report.pictures, f"{split}/{group}", times)
        if split != "train":
            return
        for row, class_id in enumerate(all_labels.class_id.tolist()):
            boxes = self.report.human_boxes if row < len(human) else self.report.pseudo_boxes
            _add(boxes, STREET_CLASSES[class_id], times)

    def _write(self, source: Path, labels: Labels, split: str, *, suffix: str) -> None:
        link = self.out / "images" / split / f"{source.stem}{suffix}{source.suffix}"
        link.unlink(missing_ok=True)
        link.symlink_to(source.resolve())
        (self.out / "labels" / split / f"{link.stem}.txt").write_text(format_labels(labels), encoding="utf-8")


def _add(counts: dict[str, int], key: str, times: int) -> None:
    counts[key] = counts.get(key, 0) + times


def _make_folders(out: Path) -> None:
    if (out / "images").exists():
        raise DataFolderError(out, "already holds a training set; give a new folder or remove it")
    for kind in ("images", "labels"):
        for split in SPLITS:
            (out / kind / split).mkdir(parents=True, exist_ok=True)


def _write_yaml(out: Path) -> None:
    names = "\n".join(f"  {index}: {name}" for index, name in enumerate(STREET_CLASSES))
    text = f"path: {out.resolve()}\ntrain: images/train\nval: images/val\nnames:\n{names}\n"
    (out / "data.yaml").write_text(text, encoding="utf-8")
