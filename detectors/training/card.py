"""Writes the card beside a model's weights, in the form that `detectors.model_card` reads."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from detectors.training.evaluate import ALL_GROUPS, Evaluation
from detectors.training.export import Form, files_of
from detectors.training.trade import Variant

LICENCE = "AGPL-3.0-or-later"
UNMEASURED = 0.30
"""Threshold of a class that no labelled picture can score."""


def write_card(
    card: Path,
    weights: Path,
    *,
    classes: Sequence[str],
    evaluation: Evaluation,
    measured_by: str,
    variants: Mapping[Form, Variant] | None = None,
    elsewhere: Mapping[str, float] = MappingProxyType({}),
    also: Sequence[Path] = (),
    nms_iou: float = 0.5,
) -> None:
    """Write `card` (<name>.toml) for an exported model (.xml with its .bin, or .onnx) and its figures.

    measured_by: the command that printed the figures
    variants:    every form that the checkpoint was exported to, for the reader
    also:        the same network for other engines (.pt, .onnx), below the card's folder
    elsewhere:   thresholds of classes that the evaluation could not score, chosen on drawn streets
    """
    others = [path.relative_to(card.parent).as_posix() for path in also]
    names = [path.relative_to(card.parent).as_posix() for path in files_of(weights)] + others
    hashes = {name: hashlib.sha256((card.parent / name).read_bytes()).hexdigest() for name in names}
    parts = [
        f'name = "{card.stem}"',
        f'file = "{names[0]}"',
        *([f"also = {json.dumps(others)}  # the same network for other engines"] if others else []),
        f'licence = "{LICENCE}"',
        "classes = [" + ", ".join(f'"{name}"' for name in classes) + "]",
        f"input_px = {evaluation.input_px}  # long side of the letterboxed picture; no picture is enlarged",
        "stride = 32",
        'layout = "yolo_v8_head"  # rows: centre x, centre y, width, height in input pixels, then class scores',
        f"nms_iou = {nms_iou}",
        "\n[sha256]",
        *(f'"{name}" = "{value}"' for name, value in hashes.items()),
        f"\n[thresholds]  # maximise min(precision, recall) on labelled pictures; {UNMEASURED} where there are none",
        *_threshold_lines(classes, evaluation.thresholds(), elsewhere),
        *_figure_tables(evaluation, measured_by),
        *_export_tables(variants or {}),
    ]
    card.write_text("\n".join(parts) + "\n", encoding="utf-8")


def write_short_card(card: Path, weights: Path, *, classes: Sequence[str], input_px: int) -> None:
    """The least that opens a model: for one that has not been measured yet. The file lies beside the card."""
    lines = [
        f'name = "{card.stem}"',
        f'file = "{weights.name}"',
        f'licence = "{LICENCE}"',
        "classes = [" + ", ".join(f'"{name}"' for name in classes) + "]",
        f"input_px = {input_px}",
    ]
    card.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _threshold_lines(
    classes: Sequence[str], scored: Mapping[str, float], elsewhere: Mapping[str, float]
) -> Iterator[str]:
    """Rounded down, so that the box that the threshold was chosen by still passes, and so little that no other does."""
    for name in classes:
        value = scored.get(name, elsewhere.get(name, UNMEASURED))
        remark = "  # on drawn streets" if name in elsewhere and name not in scored else ""
        yield f"{name} = {math.floor(round(value * 100_000, 6)) / 100_000}{remark}"


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


def _export_tables(variants: Mapping[Form, Variant]) -> list[str]:
    if not variants:
        return []
    slowest = max(variant.ms_per_picture for variant in variants.values())
    lines: list[str] = []
    for form, variant in variants.items():
        lines += [
            f"\n[exports.{form}]",
            f'file = "{variant.file.name}"',
            f"size_mb = {variant.size_mb:.1f}",
            f"ap50 = {variant.ap50:.3f}  # mean of the labelled classes",
            f"speed = {slowest / variant.ms_per_picture:.2f}  # pictures per second, the slowest of these forms = 1",
        ]
    return lines
