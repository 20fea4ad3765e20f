"""The report on a data folder: what it holds, what is wrong with it, and what a training set took from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from detectors.training.pictures import Problem
from detectors.training.source import Group
from detectors.training.survey import Survey


@dataclass(slots=True, kw_only=True)
class BuiltGroup:
    """What one group gave to a set: whole pictures and their boxes, each counted once; files after cutting
    and repeating."""

    repeat: int = 1
    pictures: int = 0
    files: int = 0
    dev_pictures: int = 0
    boxes: dict[str, int] = field(default_factory=dict)
    pseudo_boxes: dict[str, int] = field(default_factory=dict)
    doubtful_boxes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltSet:
    """A training set that was built.

    classes: names of the network's outputs; groups: by name, "drawn" for all drawn folders together
    """

    folder: Path
    classes: tuple[str, ...]
    groups: Mapping[str, BuiltGroup]
    problems: tuple[Problem, ...]
    dev_every: int
    seen_px: int
    tile_px: int


@dataclass(frozen=True, slots=True, eq=False)
class DataReport:
    """A survey, and the set that was built from it; None when nothing was built."""

    survey: Survey
    built: BuiltSet | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What a person has to mend, in real and drawn pictures."""
        return self.survey.problems + (self.built.problems if self.built else ())

    def class_names(self, group: Group) -> tuple[list[str], list[str]]:
        """The classes that a group labels, and those of the network that it does not."""
        by_id, labelled = self.survey.source.table.by_id, group.labelled
        wanted = [by_id[class_id].name for class_id in self.survey.class_ids() if class_id not in labelled]
        return [by_id[class_id].name for class_id in sorted(labelled)], wanted

    def to_json(self) -> dict[str, object]:
        """Plain values, ready for json.dumps: what report.json holds."""
        source = self.survey.source
        return {
            "data": str(source.folder),
            "unused_folders": list(source.unused),
            "groups": {group.name: self._group_json(group) for group in source.groups},
            "near_duplicates": [asdict(row) for row in self.survey.near_duplicates],
            "problems": [asdict(problem) for problem in self.problems],
            "set": None if self.built is None else _built_json(self.built),
        }

    def _group_json(self, group: Group) -> dict[str, object]:
        labelled, unlabelled = self.class_names(group)
        return {
            "folder": str(group.folder),
            "layout": group.layout.value,
            "class_names_from": group.names.origin,
            "labels": labelled,
            "does_not_label": unlabelled,
            "unknown_classes": unknown_classes(group),
            "outlines_taken_as_boxes": group.train.outlines + group.val.outlines,
            "unused_folders": list(group.unused),
            **{split: asdict(facts) for split, facts in self.survey.facts[group.name].items()},
        }


def unknown_classes(group: Group) -> dict[str, int]:
    """Boxes per name that is no street class, in both splits, the most frequent first."""
    return dict((Counter(group.train.unknown) + Counter(group.val.unknown)).most_common())


def _built_json(built: BuiltSet) -> dict[str, object]:
    facts = asdict(built)
    return {**facts, "folder": str(built.folder), "problems": len(built.problems)}
