"""Recognises how somebody's folder of labelled pictures is laid out, and lists what is in it.

A *group* is a set of pictures whose people labelled the same classes; of any other class its pictures say
nothing. A folder is one group, or holds one in each of its folders.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from detectors.classes import ClassTable, load_classes
from detectors.training.class_names import ClassNames, find_class_names
from detectors.training.coco_folders import is_coco, read_coco_split
from detectors.training.errors import DataFolderError
from detectors.training.pictures import Split
from detectors.training.yolo_folders import read_yolo_split

SPLITS = ("train", "val")


class Layout(StrEnum):
    """The layouts that are understood; {val} may be called valid or validation, and either may carry a year."""

    YOLO_SPLITS = "YOLO: {train,val}/{images,labels}"
    YOLO_KINDS = "YOLO: {images,labels}/{train,val}"
    COCO_SPLITS = "COCO: {train,val}/_annotations.coco.json"
    COCO_INSTANCES = "COCO: annotations/instances_{train,val,default}.json and images/"
    YOLO_FLAT = "YOLO without splits: {images,labels}, all for training"
    COCO_FLAT = "COCO without splits: one JSON file and its pictures, all for training"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Group:
    """Pictures whose people labelled the same classes.

    unused: folders in it that hold no split that is read, such as `test`
    """

    name: str
    folder: Path
    layout: Layout
    names: ClassNames
    train: Split = field(default_factory=Split)
    val: Split = field(default_factory=Split)
    unused: tuple[str, ...] = ()

    @property
    def labelled(self) -> frozenset[int]:
        """The classes that its people label: those that occur in training (without such pictures, anywhere)."""
        return self.train.labelled() if self.train.entries else self.val.labelled()

    def splits(self) -> Iterator[tuple[str, Split]]:
        """train, then val."""
        yield from zip(SPLITS, (self.train, self.val), strict=True)

    def name_of(self, path: Path) -> str:
        """A picture as reports call it: the group, then its place in the group."""
        inside = path.relative_to(self.folder).as_posix() if path.is_relative_to(self.folder) else path.name
        return f"{self.name}/{inside}"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """All groups of a data folder by name; unused: its folders that are none."""

    folder: Path
    table: ClassTable
    groups: tuple[Group, ...]
    unused: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Context:
    table: ClassTable
    root: Path


def read_source(data: Path, table: ClassTable | None = None) -> Source:
    """List the groups of a folder; no picture is decoded.

    Raises DataFolderError when nothing is recognised, or a label file as a whole cannot be read.
    """
    if not data.is_dir():
        raise DataFolderError(data, f"no such folder; {_understood()}")
    context = _Context(table or load_classes(), data)
    whole = _read_group(data, context)
    if whole is not None:
        return Source(folder=data, table=context.table, groups=(whole,))
    folders = [folder for folder in sorted(data.iterdir()) if folder.is_dir() and not folder.name.startswith(".")]
    found = [(folder, _read_group(folder, context)) for folder in folders]
    groups = tuple(group for _, group in found if group is not None)
    if not groups:
        raise DataFolderError(data, f"no group found; {_understood()}")
    unused = tuple(folder.name for folder, group in found if group is None)
    return Source(folder=data, table=context.table, groups=groups, unused=unused)


def read_group(folder: Path, table: ClassTable | None = None) -> Group:
    """The one group that a folder is; raises DataFolderError when it is none."""
    group = _read_group(folder, _Context(table or load_classes(), folder)) if folder.is_dir() else None
    if group is None:
        problem = "not recognised" if folder.is_dir() else "no such folder"
        raise DataFolderError(folder, f"{problem}; {_understood()}")
    return group


def _understood() -> str:
    return f"understood are GROUP/… or a single group with one of: {'; '.join(Layout)}"


def _read_group(folder: Path, context: _Context) -> Group | None:
    return next((group for read in _READERS if (group := read(folder, context)) is not None), None)


def _yolo_splits(folder: Path, context: _Context) -> Group | None:
    found = {split: inside for split, inside in _split_folders(folder).items() if (inside / "images").is_dir()}
    if not found:
        return None
    names = find_class_names([folder, *(inside / "labels" for inside in found.values()), context.root], context.table)
    splits = {split: read_yolo_split(inside / "images", inside / "labels", names) for split, inside in found.items()}
    return _group(folder, Layout.YOLO_SPLITS, names, splits, unused=_other_folders(folder, found.values()))


def _yolo_kinds(folder: Path, context: _Context) -> Group | None:
    found = _split_folders(folder / "images")
    if not found or not (folder / "labels").is_dir():
        return None
    labels = {split: folder / "labels" / inside.name for split, inside in found.items()}
    names = find_class_names([folder, folder / "labels", *labels.values(), context.root], context.table)
    splits = {split: read_yolo_split(inside, labels[split], names) for split, inside in found.items()}
    return _group(folder, Layout.YOLO_KINDS, names, splits, unused=_other_folders(folder / "images", found.values()))


def _yolo_flat(folder: Path, context: _Context) -> Group | None:
    images, labels = folder / "images", folder / "labels"
    if not (images.is_dir() and labels.is_dir()):
        return None
    names = find_class_names([folder, labels, context.root], context.table)
    return _group(folder, Layout.YOLO_FLAT, names, {"train": read_yolo_split(images, labels, names)})


def _coco_splits(folder: Path, context: _Context) -> Group | None:
    found = _split_folders(folder)
    files = [(split, inside / "_annotations.coco.json", (inside,)) for split, inside in found.items()]
    unused = _other_folders(folder, found.values())
    return _coco(folder, Layout.COCO_SPLITS, [row for row in files if row[1].is_file()], context, unused)


def _coco_instances(folder: Path, context: _Context) -> Group | None:
    files = []
    for file in sorted((folder / "annotations").glob("instances_*.json")):
        word = file.stem.removeprefix("instances_")
        split = "train" if word.lower() == "default" else _split_named(word)
        if split is not None:
            places = (word, f"images/{word}", split, f"images/{split}", "images", ".")
            files.append((split, file, tuple(folder / place for place in places)))
    return _coco(folder, Layout.COCO_INSTANCES, files, context)


def _coco_flat(folder: Path, context: _Context) -> Group | None:
    files = list(folder.glob("*.json"))
    if len(files) != 1 or not is_coco(files[0]):
        return None
    return _coco(folder, Layout.COCO_FLAT, [("train", files[0], (folder, folder / "images"))], context)


_Listed = tuple[str, Path, tuple[Path, ...]]


def _coco(
    folder: Path, layout: Layout, files: Sequence[_Listed], context: _Context, unused: tuple[str, ...] = ()
) -> Group | None:
    """files: split, JSON file, and where its pictures may lie; the first file gives the names."""
    if not files:
        return None
    splits: dict[str, Split] = {}
    read = [(split, *read_coco_split(file, roots, context.table)) for split, file, roots in files]
    for split, part, _ in read:
        splits[split] = splits.get(split, Split()) + part
    return _group(folder, layout, read[0][2], splits, unused=unused)


def _group(
    folder: Path, layout: Layout, names: ClassNames, splits: dict[str, Split], *, unused: tuple[str, ...] = ()
) -> Group:
    return Group(name=folder.resolve().name, folder=folder, layout=layout, names=names, unused=unused, **splits)


def _split_named(word: str) -> str | None:
    """train2017 → train, Validation → val, test → None."""
    match = re.fullmatch(r"(train|val|valid|validation)[0-9]*", word.lower())
    return None if match is None else "train" if match[1] == "train" else "val"


def _split_folders(folder: Path) -> dict[str, Path]:
    """The folder of each split, by its name; raises DataFolderError when two want to be the same split."""
    found: dict[str, Path] = {}
    for inside in sorted(folder.iterdir()) if folder.is_dir() else []:
        split = _split_named(inside.name)
        if split is None or not inside.is_dir():
            continue
        if split in found:
            names = f"{found[split].name!r} and {inside.name!r}"
            raise DataFolderError(folder, f"both {names} would be {split}; keep one, or make two groups of them")
        found[split] = inside
    return found


def _other_folders(folder: Path, used: Iterable[Path]) -> tuple[str, ...]:
    names = {path.name for path in used}
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name not in names))


_READERS: tuple[Callable[[Path, _Context], Group | None], ...] = (
    _yolo_splits,
    _yolo_kinds,
    _coco_splits,
    _coco_instances,
    _yolo_flat,
    _coco_flat,
)
