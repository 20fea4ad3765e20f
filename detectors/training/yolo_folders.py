"""Reads one split of YOLO labels: a folder of pictures, and a folder with a text file of the same name for each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from detectors.training.class_names import ClassNames
from detectors.training.errors import DataFolderError
from detectors.training.labels import NO_LABELS, parse_labels
from detectors.training.pictures import Entry, Problem, Split, list_pictures

_NO_LABEL_FILES = frozenset({"classes.txt"})


def read_yolo_split(images: Path, labels: Path, names: ClassNames) -> Split:
    """Every picture below `images`; its labels lie at the same place below `labels`.

    A missing label file means an empty picture. Raises DataFolderError when there is no labels folder at all.
    """
    if not labels.is_dir():
        raise DataFolderError(images, f"no folder {labels.name!r} with its label files; expected {labels}")
    unknown: Counter[str] = Counter()
    entries: list[Entry] = []
    outlines = 0
    expected: set[Path] = set()
    for path in list_pictures(images):
        file = labels / path.relative_to(images).with_suffix(".txt")
        expected.add(file)
        if not file.is_file():
            entries.append(Entry(path=path, labels=NO_LABELS, is_labelled=False))
            continue
        parsed = parse_labels(file.read_text(encoding="utf-8", errors="replace"), names.count)
        found, foreign = names.translate(parsed.labels)
        problems = tuple(Problem(str(file), line, why) for line, why in parsed.problems)
        entries.append(Entry(path=path, labels=found, problems=problems))
        unknown += foreign
        outlines += parsed.outlines
    return Split(entries=tuple(entries), problems=_orphans(labels, expected), unknown=dict(unknown), outlines=outlines)


def _orphans(labels: Path, expected: set[Path]) -> tuple[Problem, ...]:
    files = (file for file in sorted(labels.rglob("*.txt")) if file.name not in _NO_LABEL_FILES)
    return tuple(Problem(str(file), None, "no picture of that name") for file in files if file not in expected)
