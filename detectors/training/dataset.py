"""Builds the training set: human labels, agreed pseudo-labels and drawn frames under one roof.

The source is left as it is. Three kinds of pictures come out of it. `train` is what the network learns from:
cut to tiles, filled in by the teachers, doubts painted over. `dev` is a share of the training pictures kept out
of it, for every choice that has to be made on the way. Validation pictures are not copied at all, only compared:
a training picture that nearly repeats one is left out. No teacher ever touches what scores a model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from detectors.classes import ClassTable, class_by_any_name
from detectors.coco import COCO_CLASSES
from detectors.training.boxes import Image
from detectors.training.data_report import BuiltGroup, BuiltSet, DataReport
from detectors.training.errors import DataFolderError
from detectors.training.pictures import Entry, Problem, open_entry
from detectors.training.pseudo import NO_OPINION, Agreement, Opinion, weigh
from detectors.training.samples import Sample, SampleBox
from detectors.training.source import Group, Source, read_group, read_source
from detectors.training.survey import MAX_HASH_DISTANCE, Progress, Survey, count_into, survey
from detectors.training.teachers import Sees
from detectors.training.training_set import SetWriter, TrainingPicture, building
from detectors.validation import closest

DRAWN = "drawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How pictures become training pictures.

    repeats:   how often the training pictures of a group (or of all "drawn" folders) count in one epoch, else once
    dev_every: every n-th training picture goes to `dev`; 0 keeps none out
    seen_px:   long side at which the gateway will show a picture to the network
    tile_px:   long side of a training picture; larger ones are cut
    """

    repeats: Mapping[str, int] = field(default_factory=dict)
    dev_every: int = 16
    seen_px: int = 800
    tile_px: int = 416
    agreement: Agreement = field(default_factory=Agreement)
    max_hash_distance: int = MAX_HASH_DISTANCE


def check(data: Path, *, progress: Progress | None = None) -> DataReport:
    """Report what a folder holds and what is wrong with it, and build nothing; raises DataFolderError."""
    with _one_line(data):
        return DataReport(survey(read_source(data), progress=progress))


def prepare(
    data: Path,
    out: Path,
    *,
    recipe: Recipe,
    teachers: tuple[Sees, Sees] | None = None,
    drawn: Sequence[Path] = (),
    progress: Progress | None = None,
) -> DataReport:
    """Build `out` from the groups in `data`, ready for `train`; returns what went in.

    teachers: two COCO detectors, the surer first, for the classes that a group does not label; None adds none
    drawn:    folders of pictures whose labels are exact and complete; training only
    A picture that cannot be decoded, a broken label line or a near-duplicate is left out and reported.
    Raises DataFolderError when `data` is not understood, has nothing to train on, or `out` cannot be written.
    """
    with _one_line(out):
        source = read_source(data)
        drawn_groups = [read_group(folder, source.table) for folder in drawn]
        _check_inputs(source, drawn_groups, recipe, out)
        with building(out) as folder:
            found = survey(source, max_hash_distance=recipe.max_hash_distance, progress=progress)
            writer = SetWriter(folder, _names(found, drawn_groups), recipe.seen_px, recipe.tile_px)
            advance = _Counter(progress, _count(found, drawn_groups))
            builder = _Builder(writer, recipe, teachers, _teachable(source.table), advance)
            for group in source.groups:
                builder.add_group(group, found.usable[group.name]["train"])
            for group in drawn_groups:
                builder.add_drawn(group)
            report = DataReport(found, builder.built_set(out))
            builder.samples.draw_into(folder / "samples", writer.class_names)
            writer.finish(report.to_json())
            return report


@dataclass(slots=True)
class _Builder:
    writer: SetWriter
    recipe: Recipe
    teachers: tuple[Sees, Sees] | None
    teachable: frozenset[int]
    advance: _Counter
    samples: SampleBox = field(default_factory=SampleBox)
    groups: dict[str, BuiltGroup] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add_group(self, group: Group, entries: Sequence[Entry]) -> None:
        """Real pictures: each to `dev` or to `train`, there with the teachers' opinion."""
        missing = self.teachable - group.labelled
        built = self.groups.setdefault(group.name, BuiltGroup(repeat=self.recipe.repeats.get(group.name, 1)))
        for entry in self._each(entries):
            if self._is_for_dev(entry.path):
                built.dev_pictures += 1
                self.writer.add_dev(group.name, entry.path, entry.labels)
            else:
                self._train_on(entry, group.name_of(entry.path), built, missing=missing)

    def add_drawn(self, group: Group) -> None:
        """Drawn pictures: their labels are the truth, all of it."""
        self.problems += [*group.train.problems, *(bad for entry in group.train.entries for bad in entry.problems)]
        built = self.groups.setdefault(DRAWN, BuiltGroup(repeat=self.recipe.repeats.get(DRAWN, 1)))
        for entry in self._each(group.train.entries):
            self._train_on(entry, group.name_of(entry.path), built, prefix=f"{group.name}_")

    def built_set(self, out: Path) -> BuiltSet:
        """What was written, for the report."""
        return BuiltSet(
            folder=out,
            classes=tuple(self.writer.class_names.values()),
            groups=self.groups,
            problems=tuple(self.problems),
            dev_every=self.recipe.dev_every,
            seen_px=self.recipe.seen_px,
            tile_px=self.recipe.tile_px,
        )

    def _each(self, entries: Sequence[Entry]) -> Iterator[Entry]:
        for entry in entries:
            yield entry
            self.advance()

    def _is_for_dev(self, path: Path) -> bool:
        every = self.recipe.dev_every
        return every > 0 and int(hashlib.sha256(path.stem.encode()).hexdigest(), 16) % every == 0

    def _train_on(
        self,
        entry: Entry,
        name: str,
        built: BuiltGroup,
        *,
        missing: frozenset[int] | None = None,
        prefix: str = "",
    ) -> None:
        image, why = open_entry(entry)
        if image is None:
            self.problems.append(Problem(str(entry.path), None, f"{why}; left out"))
            return
        picture = TrainingPicture(
            name=name,
            path=entry.path,
            stem=f"{prefix}{entry.path.stem}",
            image=image,
            human=entry.labels,
            opinion=self._opinion(entry, image, missing),
            times=built.repeat,
        )
        self.samples.offer(name, Sample(entry.path, picture.human, picture.opinion))
        self._count(picture, built)
        built.files += self.writer.add(picture)

    def _opinion(self, entry: Entry, image: Image, missing: frozenset[int] | None) -> Opinion:
        """The teachers', with the doubts of the people who labelled it; missing None: nothing is missing."""
        opinion = NO_OPINION
        if self.teachers is not None and missing is not None:
            first, second = (teacher.see(image) for teacher in self.teachers)
            opinion = weigh(entry.labels, first, second, missing=missing, rule=self.recipe.agreement)
        return replace(opinion, doubtful=np.concatenate((opinion.doubtful, entry.doubtful)))

    def _count(self, picture: TrainingPicture, built: BuiltGroup) -> None:
        names, opinion = self.writer.class_names, picture.opinion
        built.pictures += 1
        count_into(built.boxes, (names[class_id] for class_id in picture.human.class_id.tolist()))
        count_into(built.pseudo_boxes, (names[class_id] for class_id in opinion.labels.class_id.tolist()))
        built.doubtful_boxes += len(opinion.doubtful)


@dataclass(slots=True)
class _Counter:
    """Counts pictures towards a progress bar."""

    report: Progress | None
    total: int
    done: int = 0

    def __call__(self) -> None:
        self.done += 1
        if self.report is not None:
            self.report("building", self.done, self.total)


@contextmanager
def _one_line(folder: Path) -> Iterator[None]:
    """What the disk refuses becomes a DataFolderError."""
    try:
        yield
    except OSError as error:
        raise DataFolderError(Path(error.filename or folder), str(error.strerror or error)) from error


def _count(found: Survey, drawn: Sequence[Group]) -> int:
    return sum(len(splits["train"]) for splits in found.usable.values()) + sum(
        len(group.train.entries) for group in drawn
    )


def _names(found: Survey, drawn: Sequence[Group]) -> dict[int, str]:
    """The set's classes in output order: the nine, then what else training pictures hold."""
    ids = set(found.class_ids()).union(*(group.train.labelled() for group in drawn))
    return {class_id: found.source.table.by_id[class_id].name for class_id in sorted(ids)}


def _teachable(table: ClassTable) -> frozenset[int]:
    """The street classes that a COCO teacher knows."""
    rows = (class_by_any_name(table, name) for name in COCO_CLASSES)
    return frozenset(row.id for row in rows if row is not None)


def _check_inputs(source: Source, drawn: Sequence[Group], recipe: Recipe, out: Path) -> None:
    if out.resolve().is_relative_to(source.folder.resolve()):
        raise DataFolderError(out, f"lies inside {source.folder}, which would take it for a group; give another place")
    if not any(group.train.entries for group in source.groups):
        raise DataFolderError(source.folder, "no picture to train on; expected some in a folder train")
    for group in drawn:
        if not group.train.entries:
            raise DataFolderError(group.folder, "no drawn picture in it; expected images and labels")
    known = [group.name for group in source.groups] + ([DRAWN] if drawn else [])
    unknown = [name for name in recipe.repeats if name not in known]
    if unknown:
        raise DataFolderError(source.folder, f"no group {unknown[0]!r} to repeat; {closest(unknown[0], known)}")
