"""Reads one split of COCO labels: a JSON file with images, annotations and categories, boxes in pixels."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from detectors.classes import ClassTable
from detectors.training.boxes import F32
from detectors.training.class_names import ClassNames, name_classes
from detectors.training.errors import DataFolderError
from detectors.training.labels import Labels
from detectors.training.pictures import Entry, Problem, Split
from detectors.validation import first_problem

_KEYS = frozenset({"images", "annotations", "categories"})


class _Image(BaseModel):
    id: int | str
    file_name: str = Field(min_length=1, description="the picture's file name")
    width: int = Field(gt=0, description="the picture's width in pixels")
    height: int = Field(gt=0, description="the picture's height in pixels")


class _Category(BaseModel):
    id: int
    name: str


class _Annotation(BaseModel):
    id: int | str = "?"
    image_id: int | str
    category_id: int
    bbox: tuple[float, float, float, float] = Field(description="[x, y, width, height] in pixels")
    iscrowd: int = 0


class _File(BaseModel):
    images: list[_Image]
    annotations: list[dict[str, object]]
    categories: list[_Category]


def is_coco(file: Path) -> bool:
    """Whether a JSON file has the three keys of COCO."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.keys() >= _KEYS


def read_coco_split(file: Path, roots: Sequence[Path], table: ClassTable) -> tuple[Split, ClassNames]:
    """The pictures that `file` lists, found below the first of `roots` that has them, and the names it gives.

    A crowd (iscrowd) is doubtful, not a label. Raises DataFolderError when the file is not COCO.
    """
    content = _load(file)
    names = name_classes({row.id: row.name for row in content.categories}, table, origin=file.name)
    by_image, problems = _by_image(file, content)
    entries: list[Entry] = []
    unknown: Counter[str] = Counter()
    for image in content.images:
        path = next((root / image.file_name for root in roots if (root / image.file_name).is_file()), None)
        if path is None:
            problems.append(Problem(str(file), None, f"picture {image.file_name!r} is not there"))
            continue
        entry, foreign = _entry(path, image, by_image.get(image.id, []), names, str(file))
        entries.append(entry)
        unknown += foreign
    return Split(entries=tuple(entries), problems=tuple(problems), unknown=dict(unknown)), names


def _load(file: Path) -> _File:
    try:
        return _File.model_validate_json(file.read_bytes())
    except ValidationError as error:
        key, problem = first_problem(error, _File)
        raise DataFolderError(file, f"{key}: {problem}; expected COCO: images, annotations, categories") from error


def _by_image(file: Path, content: _File) -> tuple[dict[int | str, list[_Annotation]], list[Problem]]:
    known = {image.id for image in content.images}
    found: dict[int | str, list[_Annotation]] = defaultdict(list)
    problems: list[Problem] = []
    for row in content.annotations:
        try:
            annotation = _Annotation.model_validate(row)
        except ValidationError as error:
            key, problem = first_problem(error, _Annotation)
            problems.append(Problem(str(file), None, f"annotation {row.get('id', '?')}: {key}: {problem}"))
            continue
        if annotation.image_id in known:
            found[annotation.image_id].append(annotation)
        else:
            problems.append(Problem(str(file), None, f"annotation {annotation.id}: no image {annotation.image_id}"))
    return found, problems


def _entry(
    path: Path, image: _Image, rows: Sequence[_Annotation], names: ClassNames, file: str
) -> tuple[Entry, Counter[str]]:
    """The picture with its boxes, and the boxes per name that is no street class."""
    size_px = (image.width, image.height)
    usable = [row for row in rows if _is_inside(row.bbox, size_px)]
    labels, unknown = names.translate(_labels([row for row in usable if not row.iscrowd], size_px))
    crowds, _ = names.translate(_labels([row for row in usable if row.iscrowd], size_px))
    broken = [row for row in rows if not _is_inside(row.bbox, size_px)]
    problems = tuple(
        Problem(file, None, f"annotation {row.id}: bbox {list(row.bbox)} lies outside {path.name} or is empty")
        for row in broken
    )
    return Entry(path=path, labels=labels, doubtful=crowds.xyxy, problems=problems, size_px=size_px), unknown


def _is_inside(bbox: tuple[float, float, float, float], size_px: tuple[int, int]) -> bool:
    """Whether something of the box lies in the picture."""
    x, y, width, height = bbox
    is_box = all(math.isfinite(value) for value in bbox) and width > 0 and height > 0
    return is_box and x < size_px[0] and y < size_px[1] and x + width > 0 and y + height > 0


def _labels(rows: Sequence[_Annotation], size_px: tuple[int, int]) -> Labels:
    boxes: F32 = np.array([row.bbox for row in rows], np.float32).reshape(-1, 4)
    boxes[:, 2:] += boxes[:, :2]
    xyxy = np.clip(boxes / np.array(size_px * 2, np.float32), 0.0, 1.0).astype(np.float32)
    return Labels(np.array([row.category_id for row in rows], np.int32), xyxy)
