"""Writes the card beside a model's weights, in the form that `detectors.model_card` reads."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

from detectors.training.errors import ModelFileError
from detectors.training.evaluate import ALL_GROUPS, Evaluation
from detectors.training.labels import STREET_CLASSES

LICENCE = "AGPL-3.0-or-later"


def write_card(
    card: Path,
    weights: Path,
    evaluation: Evaluation,
    *,
    unmeasured: Mapping[str, float],
    measured_by: str,
    nms_iou: float = 0.5,
) -> None:
    """Write `card` (<name>.toml) for an exported model (.xml with its .bin, or .onnx) and its figures.

    unmeasured:  thresholds of the classes that no labelled picture could score
    measured_by: the command that printed the figures
    Raises ModelFileError when a class has neither figures nor a threshold.
    """
    thresholds = {name: _threshold(card, name, evaluation, unmeasured) for name in STREET_CLASSES}
    files = [weights, *([weights.with_suffix(".bin")] if weights.suffix == ".xml" else [])]
    names = [path.relative_to(card.parent).as_posix() for path in files]
    hashes = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in zip(names, files, strict=True)}
    parts = [
        f'name = "{card.stem}"',
        f'file = "{names[0]}"',
        f'licence = "{LICENCE}"',
        "classes = [" + ", ".join(f'"{name}"' for name in STREET_CLASSES) + "]",
        f"input_px = {evaluation.input_px}  # long side of the letterboxed picture",
        "stride = 32",
        'layout = "yolo_v8_head"  # rows: centre x, centre y, width, height in input pixels, then class scores',
        f"nms_iou = {nms_iou}",
        "\n[sha256]",
        *(f'"{name}" = "{value}"' for name, value in hashes.items()),
        "\n[thresholds]  # maximise min(precision, recall) where pictures are labelled; chosen by hand elsewhere",
        *(f"{name} = {value}" for name, value in thresholds.items()),
        *_figure_tables(evaluation, measured_by),
    ]
    card.write_text("\n".join(parts) + "\n", encoding="utf-8")


def _threshold(card: Path, name: str, evaluation: Evaluation, unmeasured: Mapping[str, float]) -> float:
    """Rounded down, so that the box that the threshold was chosen by still passes."""
    measured = evaluation.thresholds().get(name, unmeasured.get(name))
    if measured is None:
        raise ModelFileError(card, f"class {name!r} has no figures; give its threshold by hand")
    return math.floor(measured * 1000) / 1000


def _figure_tables(evaluation: Evaluation, measured_by: str) -> list[str]:
    lines: list[str] = []
    for name, row in evaluation.groups[ALL_GROUPS].items():
        lines += [
            f"\n[figures.{name}]",
            f"precision = {row.precision:.3f}",
            f"recall = {row.recall:.3f}",
            f"f1 = {row.f1:.3f}",
            f"ap50 = {row.ap50:.3f}",
            f"n = {row.n}",
            f'how = "{measured_by}"',
        ]
    return lines
