"""Measures a model on labelled folders, the way the gateway would run it: per class, group, object size and light.

A group is scored only on the classes that its split labels: a car found in a group that labels no cars is
neither right nor wrong. A class that the model does not name has no figures.

The detector runs once, at a low floor of confidence, each class by itself: average precision is of all that it
found, as everybody counts it. Precision and recall are of what the gateway would show of that: boxes above their
thresholds, and of several readings of one thing (car and truck) the surest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from detectors.classes import class_by_any_name, load_classes
from detectors.detector import Detector
from detectors.model_card import ModelCard, load_card
from detectors.opening import card_path, open_detector
from detectors.training.bootstrap import draw_rounds
from detectors.training.boxes import F32
from detectors.training.figures import Figures, figures_of
from detectors.training.matching import SIZES, Flags, Size
from detectors.training.mistakes import Confusion, Mistake, confuse, pair, worst_mistakes
from detectors.training.observing import FLOOR, Observation, Progress, as_shown, observe
from detectors.training.records import VEHICLE, ClassRecord, build_records
from detectors.training.scoring import Scored
from detectors.training.thresholds import by_class_id, choose_thresholds

ALL_GROUPS = "all"

NIGHT_BELOW_LUMA = 66.0
"""A picture whose mean grey value (0..255) is lower counts as night. Among the training pictures it parts every
night frame of a traffic camera (26..65) from every day frame (68 and more); of photographs it takes the dark ones,
courtyards and underpasses by day among them."""

Table = Mapping[str, Mapping[str, Figures]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Figures per group and class; group "all" pools every group that labels the class.

    pictures:   how many were scored; problems: one line per picture or label that could not be used
    chosen:     classes whose threshold was chosen on these very pictures
    sizes, light: figures per object size and per day and night, over all groups
    curves:     the detections of each class at min_iou, for plots
    """

    model: str
    input_px: int
    min_iou: float
    pictures: int
    groups: Table
    split: str = "val"
    chosen: tuple[str, ...] = ()
    sizes: Table = field(default_factory=dict)
    light: Table = field(default_factory=dict)
    confusion: Confusion | None = None
    mistakes: tuple[Mistake, ...] = ()
    curves: Mapping[str, Scored] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def thresholds(self) -> dict[str, float]:
        """The threshold of every class that could be scored; merged classes have none."""
        rows = self.groups.get(ALL_GROUPS, {})
        return {name: row.threshold for name, row in rows.items() if row.threshold is not None}

    def mean_ap(self, group: str = ALL_GROUPS) -> tuple[float, float]:
        """(mAP50, mAP50-95) over the classes `averaged`; 0 when there is none."""
        rows = [self.groups[group][name] for name in self.averaged(group)]
        count = max(len(rows), 1)
        return sum(row.ap50 for row in rows) / count, sum(row.ap50_95 for row in rows) / count

    def averaged(self, group: str = ALL_GROUPS) -> list[str]:
        """The classes that mean average precision is over: single ones that the group holds and the model names."""
        return [name for name, row in self.groups.get(group, {}).items() if name != VEHICLE and row.n]

    def to_json(self) -> dict[str, object]:
        """Plain values, ready for json.dumps."""
        return {
            "model": self.model,
            "input_px": self.input_px,
            "split": self.split,
            "min_iou": self.min_iou,
            "pictures": self.pictures,
            "thresholds_chosen_here": list(self.chosen),
            "mean_ap": {
                group: dict(zip(("map50", "map50_95"), self.mean_ap(group), strict=True)) for group in self.groups
            },
            "groups": _plain(self.groups),
            "sizes": _plain(self.sizes),
            "light": _plain(self.light),
            "confusion": self.confusion and {"names": self.confusion.names, "counts": self.confusion.counts.tolist()},
            "mistakes": [_mistake_facts(mistake) for mistake in self.mistakes],
            "problems": list(self.problems),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What must be known of a detector to score it.

    named:      ids of the classes that it can find
    thresholds: by class name, those that ship; of a class without one it is chosen on the pictures
    nms_iou:    overlap from which boxes of one thing are rivals
    """

    name: str
    input_px: int
    named: frozenset[int]
    thresholds: Mapping[str, float]
    nms_iou: float = 0.5


def subject_of(card: ModelCard, *, input_px: int | None = None) -> Subject:
    """What a card says of its model, in the names and ids of configs/classes.toml.

    Where several outputs are one class here, such as sedan and taxi, the lowest of their thresholds counts.
    """
    table = load_classes()
    known = {name: row for name in card.classes if (row := class_by_any_name(table, name)) is not None}
    thresholds: dict[str, float] = {}
    for name, row in known.items():
        if name in card.thresholds:
            thresholds[row.name] = min(card.thresholds[name], thresholds.get(row.name, 1.0))
    return Subject(
        name=card.name,
        input_px=input_px or card.input_px,
        named=frozenset(row.id for row in known.values()),
        thresholds=thresholds,
        nms_iou=card.nms_iou,
    )


def evaluate(
    model: str,
    data: Path,
    *,
    input_px: int | None = None,
    split: str = "val",
    thresholds: Mapping[str, float] | None = None,
    min_iou: float = 0.5,
    rounds: int = 1000,
    threads: int = 2,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a shipped model, a card or a file with a card beside it on a split of every group in `data`.

    thresholds: by class name; None takes the card's, {} chooses each class's own on these pictures
    input_px:   long side shown to the network; None takes the card's
    rounds:     of the bootstrap; 0 gives no intervals
    Raises DataFolderError, ModelError or DeviceError, each one clear line.
    """
    card = load_card(card_path(model))
    detector = open_detector(
        model, "cpu", confidence=FLOOR, threads=threads, max_batch=1, input_px=input_px, one_box=False
    )
    subject = subject_of(card, input_px=input_px)
    if thresholds is not None:
        subject = replace(subject, thresholds=thresholds)
    return evaluate_detector(
        detector, data, subject=subject, split=split, min_iou=min_iou, rounds=rounds, progress=progress
    )


def evaluate_detector(
    detector: Detector,
    data: Path,
    *,
    subject: Subject,
    split: str = "val",
    min_iou: float = 0.5,
    rounds: int = 1000,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a detector opened with the confidence `observing.FLOOR` and without `one_box`; see `evaluate`."""
    observations, problems = observe(detector, data, split=split, progress=progress)
    return score(observations, subject=subject, split=split, min_iou=min_iou, rounds=rounds, problems=problems)


def score(
    observations: list[Observation],
    *,
    subject: Subject,
    split: str = "val",
    min_iou: float = 0.5,
    rounds: int = 1000,
    problems: Iterable[str] = (),
) -> Evaluation:
    """Every figure of what was seen."""
    records = build_records(observations, subject.named, min_iou)
    thresholds = choose_thresholds(
        records, observations, subject.thresholds, iou_limit=subject.nms_iou, min_iou=min_iou
    )
    shown = [as_shown(observation, by_class_id(thresholds), iou_limit=subject.nms_iou) for observation in observations]
    pairs = [pair(observation, thresholds, subject.named, min_iou) for observation in shown]
    everywhere = np.ones(len(observations), bool)
    kept = build_records(shown, subject.named, min_iou)
    tabulate = _Tabulator(list(zip(records, kept, strict=True)), thresholds, _draw(observations, rounds))
    return Evaluation(
        model=subject.name,
        input_px=subject.input_px,
        min_iou=min_iou,
        pictures=len(observations),
        groups={
            ALL_GROUPS: tabulate(everywhere),
            **{name: tabulate(rows) for name, rows in _by_group(observations).items()},
        },
        split=split,
        chosen=tuple(name for name in thresholds if name not in subject.thresholds),
        sizes={size.value: tabulate(everywhere, size) for size in SIZES if size is not Size.ALL},
        light={name: tabulate(rows) for name, rows in _by_light(observations).items()},
        confusion=confuse(pairs, subject.named),
        mistakes=tuple(worst_mistakes(pairs, thresholds, min_iou=min_iou)),
        curves={record.name: record.scored(everywhere) for record in records},
        problems=tuple(problems),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Tabulator:
    records: list[tuple[ClassRecord, ClassRecord]]
    thresholds: Mapping[str, float]
    drawn: F32

    def __call__(self, chosen: Flags, size: Size = Size.ALL) -> dict[str, Figures]:
        """The figures of every class that has something to find, or was found, in the chosen pictures (P,)."""
        rows = {
            one.name: figures_of(one, shown, self.thresholds, chosen, self.drawn, size=size)
            for one, shown in self.records
        }
        return {name: row for name, row in rows.items() if row.n or row.found}


def _by_group(observations: list[Observation]) -> dict[str, Flags]:
    names = sorted({one.group for one in observations} - {ALL_GROUPS})
    return {name: np.array([one.group == name for one in observations]) for name in names}


def _by_light(observations: list[Observation]) -> dict[str, Flags]:
    is_night = np.array([one.luma < NIGHT_BELOW_LUMA for one in observations], bool)
    return {"day": ~is_night, "night": is_night}


def _draw(observations: list[Observation], rounds: int) -> F32:
    names = sorted({one.group for one in observations})
    return draw_rounds(np.array([names.index(one.group) for one in observations], np.int64), rounds=rounds)


def _plain(table: Table) -> dict[str, dict[str, object]]:
    return {part: {name: asdict(row) for name, row in rows.items()} for part, rows in table.items()}


def _mistake_facts(mistake: Mistake) -> dict[str, object]:
    seen = mistake.pairs.observation
    return {
        "kind": mistake.wrong.value,
        "class": mistake.name,
        "picture": f"{seen.group}/{seen.path.name}",
        "xyxy": [round(side, 1) for side in mistake.xyxy],
        "confidence": mistake.confidence,
        "reason": mistake.reason,
    }
