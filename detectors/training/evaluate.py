"""Measures an exported model on labelled folders, per class and per group, the way the gateway would run it.

A group is scored only on the classes that its split labels: a car found in a group that labels no cars is
neither right nor wrong. Pictures go through the same letterbox, decoding and suppression as in the gateway.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.letterbox import fit, write_into
from detectors.nms import Boxes, decode_yolo, suppress
from detectors.training.boxes import F32, Image
from detectors.training.dataset import Picture, find_groups, labelled_classes, list_images, read_split
from detectors.training.errors import ModelFileError
from detectors.training.labels import STREET_CLASSES, Labels
from detectors.training.scoring import Figures, Scored, best_threshold, figures, match, pool

VEHICLE = "vehicle"
"""Car, motorcycle, bus and truck as one class: sources disagree about vans, streets do not care."""

ALL_GROUPS = "all"
_VEHICLE_IDS = (2, 3, 4, 5)
_FLOOR = 0.005
_STRIDE = 32

Progress = Callable[[int, int], None]
_Parts = dict[str, dict[str, list[Scored]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """Figures per group and class; group "all" pools every group that labels the class."""

    model: str
    input_px: int
    min_iou: float
    pictures: int
    groups: Mapping[str, Mapping[str, Figures]]

    def thresholds(self) -> dict[str, float]:
        """The threshold of every class that could be scored."""
        return {name: row.threshold for name, row in self.groups[ALL_GROUPS].items()}

    def to_json(self) -> dict[str, object]:
        """Plain values, ready for json.dumps."""
        rows = {group: {name: asdict(row) for name, row in table.items()} for group, table in self.groups.items()}
        return {
            "model": self.model,
            "input_px": self.input_px,
            "min_iou": self.min_iou,
            "pictures": self.pictures,
            "groups": rows,
        }


def evaluate(
    model: Path,
    data: Path,
    *,
    input_px: int = 416,
    split: str = "val",
    thresholds: Mapping[str, float] | None = None,
    min_iou: float = 0.5,
    nms_iou: float = 0.5,
    threads: int = 2,
    progress: Progress | None = None,
) -> Evaluation:
    """Score an exported model (.xml or .onnx, raw head output) on a split of every group in `data`.

    thresholds: per class; None chooses, on these pictures, the one that maximises min(precision, recall)
    min_iou:    from which overlap a detection hits a truth box
    Raises DataFolderError, ModelFileError or the backend's ModelError, each one clear line.
    """
    if not model.is_file():
        raise ModelFileError(model, "no such file; expected an exported model (.xml or .onnx)")
    network = _Network(model, input_px=input_px, nms_iou=nms_iou, threads=threads)
    groups = find_groups(data)
    total = sum(len(list_images(group / split)) for group in groups)
    parts: _Parts = defaultdict(lambda: defaultdict(list))
    done = 0
    for group in groups:
        labelled = labelled_classes(group / split)
        for picture in read_split(group / split):
            if picture.image is not None:
                _score_into(parts, group.name, picture, network.see(picture.image), labelled=labelled, min_iou=min_iou)
            done += 1
            if progress is not None:
                progress(done, total)
    return Evaluation(
        model=model.stem, input_px=input_px, min_iou=min_iou, pictures=done, groups=_tabulate(parts, thresholds)
    )


def _score_into(
    parts: _Parts, group: str, picture: Picture, seen: Boxes, *, labelled: frozenset[int], min_iou: float
) -> None:
    assert picture.image is not None
    height, width = picture.image.shape[:2]
    for name, part in score_picture(seen, picture.labels, (width, height), labelled, min_iou):
        parts[group][name].append(part)
        parts[ALL_GROUPS][name].append(part)


def score_picture(
    seen: Boxes, truth: Labels, size_px: tuple[int, int], labelled: frozenset[int], min_iou: float
) -> Iterator[tuple[str, Scored]]:
    """Each labelled class of one picture of size_px (width, height), then the vehicles merged.

    seen: pixels of the picture; truth: fractions of it
    """
    truth_xyxy = truth.xyxy * np.array(size_px * 2, np.float32)
    for class_id in sorted(labelled):
        rows = seen.class_id == class_id
        expected = truth_xyxy[truth.class_id == class_id]
        yield STREET_CLASSES[class_id], _score(seen.xyxy[rows], seen.confidence[rows], expected, min_iou)
    if labelled.issuperset(_VEHICLE_IDS):
        rows = np.isin(seen.class_id, _VEHICLE_IDS)
        merged = suppress(
            Boxes(xyxy=seen.xyxy[rows], confidence=seen.confidence[rows], class_id=np.zeros(rows.sum(), np.int32)),
            iou_limit=0.6,
        )
        expected = truth_xyxy[np.isin(truth.class_id, _VEHICLE_IDS)]
        yield VEHICLE, _score(merged.xyxy, merged.confidence, expected, min_iou)


def _score(detected: F32, confidence: F32, expected: F32, min_iou: float) -> Scored:
    return Scored(confidence, match(detected, confidence, expected, min_iou=min_iou), len(expected))


def _tabulate(parts: _Parts, thresholds: Mapping[str, float] | None) -> dict[str, dict[str, Figures]]:
    """One threshold per class for all groups: a camera does not know which folder it would belong to."""
    scored = {group: {name: pool(rows) for name, rows in table.items()} for group, table in parts.items()}
    overall = scored.get(ALL_GROUPS, {})
    chosen = {name: (thresholds or {}).get(name) or best_threshold(part) for name, part in overall.items()}
    return {
        group: {name: figures(part, chosen[name]) for name, part in table.items()} for group, table in scored.items()
    }


class _Network:
    """Forward and suppression of one picture at a time, every box above a low floor."""

    def __init__(self, model: Path, *, input_px: int, nms_iou: float, threads: int) -> None:
        self._backend = OpenVinoBackend(model, "cpu", threads=threads)
        self._input_px = input_px
        self._nms_iou = nms_iou
        self._floor = np.full(len(STREET_CLASSES), _FLOOR, np.float32)
        self._model = model

    def see(self, image: Image) -> Boxes:
        """Boxes in pixels of the picture, best first."""
        letterbox = fit((image.shape[1], image.shape[0]), long_side_px=self._input_px, stride=_STRIDE)
        batch = np.empty((1, 3, letterbox.input_px[1], letterbox.input_px[0]), np.float32)
        write_into(batch[0], image, letterbox)
        output = self._backend.forward(batch)[0]
        if len(output) != 4 + len(STREET_CLASSES):
            raise ModelFileError(self._model, f"{len(output)} output rows; expected 4 + {len(STREET_CLASSES)} classes")
        boxes = suppress(decode_yolo(output, self._floor), iou_limit=self._nms_iou)
        return Boxes(xyxy=letterbox.to_picture(boxes.xyxy), confidence=boxes.confidence, class_id=boxes.class_id)


def format_table(evaluation: Evaluation) -> str:
    """The figures as a Markdown table, one row per group and class."""
    head = (
        f"{evaluation.model} at {evaluation.input_px} px, {evaluation.pictures} pictures, IoU {evaluation.min_iou}\n\n"
    )
    lines = ["| group | class | n | threshold | precision | recall | F1 | AP |", "|---|---|---|---|---|---|---|---|"]
    for group, table in evaluation.groups.items():
        lines += [
            f"| {group} | {name} | {row.n} | {row.threshold:.2f} | {row.precision:.3f} | {row.recall:.3f} "
            f"| {row.f1:.3f} | {row.ap50:.3f} |"
            for name, row in table.items()
        ]
    return head + "\n".join(lines) + "\n"
