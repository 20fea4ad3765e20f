"""What the class numbers of somebody's label files mean, and which street classes they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml  # type: ignore[import-untyped]  # its stubs are one more package for one call

from detectors.classes import ClassTable, class_by_any_name
from detectors.training.errors import DataFolderError
from detectors.training.labels import STREET_CLASSES, Labels

_YAML_FILES = ("data.yaml", "data.yml")
_LIST_FILE = "classes.txt"


@dataclass(frozen=True, slots=True)
class ClassNames:
    """Names by the number that label files use.

    origin: the file that says so, or that no file does
    ids:    ids of configs/classes.toml; a number whose name is no street class is missing
    """

    origin: str
    names: Mapping[int, str]
    ids: Mapping[int, int]

    @property
    def count(self) -> int:
        """One more than the largest number."""
        return max(self.names, default=-1) + 1

    def translate(self, labels: Labels) -> tuple[Labels, Counter[str]]:
        """The labels with street class ids, and the boxes per name that are none."""
        ids = np.array([self.ids.get(number, -1) for number in labels.class_id.tolist()], np.int32)
        unknown = Counter(self.names.get(number, f"class {number}") for number in labels.class_id[ids < 0].tolist())
        return Labels(ids[ids >= 0], labels.xyxy[ids >= 0]), unknown


def name_classes(names: Mapping[int, str], table: ClassTable, *, origin: str) -> ClassNames:
    """Join names to the street classes that carry them."""
    rows = {number: class_by_any_name(table, name) for number, name in names.items()}
    return ClassNames(origin, names, {number: row.id for number, row in rows.items() if row is not None})


def find_class_names(folders: Sequence[Path], table: ClassTable) -> ClassNames:
    """The names in the first data.yaml, else the first classes.txt; without either, the nine street classes.

    Raises DataFolderError when such a file cannot be used.
    """
    for file in (folder / name for folder in folders for name in _YAML_FILES):
        if file.is_file() and (names := _names_of_yaml(file)) is not None:
            return name_classes(names, table, origin=file.name)
    for file in (folder / _LIST_FILE for folder in folders):
        if file.is_file():
            lines = _text(file).split("\n")
            names = {number: line.strip() for number, line in enumerate(lines) if line.strip()}
            return name_classes(names, table, origin=file.name)
    return name_classes(dict(enumerate(STREET_CLASSES)), table, origin="no file; the nine street classes in order")


def _names_of_yaml(file: Path) -> dict[int, str] | None:
    """`names` as a list or by number, None when there is none."""
    try:
        content: Any = yaml.safe_load(_text(file))
    except yaml.YAMLError as error:
        raise DataFolderError(file, f"not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict) or content.get("names") is None:
        return None
    if "kpt_shape" in content:
        raise DataFolderError(file, "describes key points (kpt_shape); expected labels of boxes or outlines")
    names = content["names"]
    if isinstance(names, list):
        names = dict(enumerate(names))
    if not isinstance(names, dict) or not all(type(number) is int and number >= 0 for number in names):
        raise DataFolderError(file, f"names: {names!r}; expected a list of names, or a name per class number")
    return {number: str(name) for number, name in names.items()}


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8-sig", errors="replace")
