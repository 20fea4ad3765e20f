"""Looks at every picture of a source once: what can be used, what cannot and why, what is nearly the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from detectors.classes import ClassTable
from detectors.training.fingerprint import Fingerprints, fingerprint
from detectors.training.labels import STREET_CLASSES
from detectors.training.pictures import Entry, Problem, open_entry
from detectors.training.source import SPLITS, Group, Source

Progress = Callable[[str, int, int], None]
"""(what is being done, pictures done, pictures in all)"""

MAX_HASH_DISTANCE = 8
"""Pictures that differ in no more of 256 bits are near-duplicates."""


class Where(StrEnum):
    """Between which splits two nearly equal pictures were found."""

    TRAIN = "within train"
    VAL = "within val"
    ACROSS = "train and val"


@dataclass(frozen=True, slots=True, kw_only=True)
class NearDuplicate:
    """A picture and the one, seen before it, that it nearly repeats; names as GROUP/…/file."""

    picture: str
    twin: str
    distance: int
    where: Where


@dataclass(slots=True, kw_only=True)
class SplitFacts:
    """Counts of one split; boxes (human labels by class name) and crowds are those of the usable pictures."""

    pictures: int = 0
    without_labels: int = 0
    unusable: int = 0
    near_duplicates: int = 0
    boxes: dict[str, int] = field(default_factory=dict)
    crowds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Survey:
    """What a source holds.

    facts:    per group name and split
    usable:   the pictures per group name and split that can be read; in train, one of each near-duplicates
    problems: of pictures and labels, in the order of the groups
    """

    source: Source
    facts: Mapping[str, Mapping[str, SplitFacts]]
    usable: Mapping[str, Mapping[str, tuple[Entry, ...]]]
    near_duplicates: tuple[NearDuplicate, ...]
    problems: tuple[Problem, ...]

    def class_ids(self) -> list[int]:
        """The classes that a network for these pictures names: the nine, then what else training labels hold."""
        found = {class_id for group in self.source.groups for class_id in group.train.labelled()}
        return sorted(found.union(range(len(STREET_CLASSES))))


def survey(source: Source, *, max_hash_distance: int = MAX_HASH_DISTANCE, progress: Progress | None = None) -> Survey:
    """Decode every picture of a source and compare all with each other.

    Validation comes first, so that a training picture that repeats one is the one that goes.
    """
    total = sum(len(split.entries) for group in source.groups for _, split in group.splits())
    surveyor = _Surveyor(source.table, Fingerprints(max_hash_distance), total, progress)
    for split in reversed(SPLITS):
        for group in source.groups:
            surveyor.look_at(group, split)
    names = [group.name for group in source.groups]
    return Survey(
        source=source,
        facts={name: {split: surveyor.facts[name][split] for split in SPLITS} for name in names},
        usable={name: surveyor.usable[name] for name in names},
        near_duplicates=tuple(surveyor.near_duplicates),
        problems=tuple(surveyor.problems),
    )


def count_into(counts: dict[str, int], names: Iterable[str]) -> None:
    """Add one to the count of each name."""
    for name in names:
        counts[name] = counts.get(name, 0) + 1


@dataclass(slots=True)
class _Surveyor:
    table: ClassTable
    seen: Fingerprints
    total: int
    progress: Progress | None
    done: int = 0
    facts: dict[str, dict[str, SplitFacts]] = field(default_factory=dict)
    usable: dict[str, dict[str, tuple[Entry, ...]]] = field(default_factory=dict)
    near_duplicates: list[NearDuplicate] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    split_of: dict[str, str] = field(default_factory=dict)

    def look_at(self, group: Group, split: str) -> None:
        """Every picture of one split of a group."""
        listed = dict(group.splits())[split]
        facts = SplitFacts(pictures=len(listed.entries))
        self.problems.extend(listed.problems)
        usable = tuple(entry for entry in listed.entries if self._keeps(entry, group.name_of(entry.path), split, facts))
        self.facts.setdefault(group.name, {})[split] = facts
        self.usable.setdefault(group.name, {})[split] = usable

    def _keeps(self, entry: Entry, name: str, split: str, facts: SplitFacts) -> bool:
        """Count one picture; whether it can be used, and in training is none that was there before."""
        self._step()
        self.problems.extend(entry.problems)
        facts.without_labels += not entry.is_labelled
        image, why = open_entry(entry)
        if image is None:
            facts.unusable += 1
            self.problems.append(Problem(str(entry.path), None, f"{why}; left out"))
            return False
        count_into(facts.boxes, (self.table.by_id[class_id].name for class_id in entry.labels.class_id.tolist()))
        facts.crowds += len(entry.doubtful)
        bits = fingerprint(image)
        twin = self.seen.find(bits)
        if twin is not None:
            facts.near_duplicates += 1
            where = _where(split, self.split_of[twin.name])
            self.near_duplicates.append(
                NearDuplicate(picture=name, twin=twin.name, distance=twin.distance, where=where)
            )
            if split == "train":
                return False
        self.split_of[name] = split
        self.seen.add(name, bits)
        return True

    def _step(self) -> None:
        self.done += 1
        if self.progress is not None:
            self.progress("reading", self.done, self.total)


def _where(split: str, other: str) -> Where:
    if split != other:
        return Where.ACROSS
    return Where.TRAIN if split == "train" else Where.VAL
