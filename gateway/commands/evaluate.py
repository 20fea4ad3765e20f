"""`street721 eval`: models measured on labelled pictures, as tables, JSON or a report to read."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from detectors.opening import DEFAULT_MODEL
from detectors.training.evaluate import Evaluation
from detectors.training.evaluate import evaluate as evaluate_model
from detectors.training.report_page import write_report
from detectors.training.tables import format_side_by_side, format_table
from gateway.commands.progress import progress_bar


class SplitName(StrEnum):
    """Which pictures of a group are scored."""

    TRAIN = "train"
    VAL = "val"


def evaluate(
    data: Annotated[Path, typer.Option(help="labelled pictures: groups with train and val, YOLO or COCO labels")],
    model: Annotated[
        list[str] | None,
        typer.Option(help=f"shipped model, card, or weights with a card beside; several compare [{DEFAULT_MODEL}]"),
    ] = None,
    split: Annotated[SplitName, typer.Option(help="which pictures of each group")] = SplitName.VAL,
    min_iou: Annotated[float, typer.Option(min=0.05, max=0.95, help="overlap from which a detection is right")] = 0.5,
    input_px: Annotated[int | None, typer.Option(min=32, help="long side in pixels; default: each card's")] = None,
    choose_thresholds: Annotated[
        bool, typer.Option("--choose-thresholds", help="per class, on these pictures, instead of the card's")
    ] = False,
    bootstrap: Annotated[int, typer.Option(min=0, help="rounds for the 95 % intervals; 0: none")] = 1000,
    threads: Annotated[int, typer.Option(min=0, help="processor threads; 0: all")] = 0,
    report: Annotated[Path | None, typer.Option(help="folder for report.html with plots and drawn mistakes")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of tables")] = False,
) -> None:
    """Measure models on labelled pictures: precision, recall, F1 and AP per class, group, size, day and night.

    A model is measured at its card's thresholds; for a class without one the best on these pictures is taken.

    Examples:

        street721 eval --data street-objects/

        street721 eval --data street-objects/ --model street_v2 --model my_model.toml --report report/

        street721 eval --data street-objects/ --min-iou 0.3 --json > figures.json
    """
    evaluations = []
    for name in model or [DEFAULT_MODEL]:
        with progress_bar(name) as advance:
            evaluations.append(
                evaluate_model(
                    name,
                    data,
                    input_px=input_px,
                    split=split.value,
                    thresholds={} if choose_thresholds else None,
                    min_iou=min_iou,
                    rounds=bootstrap,
                    threads=threads,
                    progress=advance,
                )
            )
    if report is not None:
        sys.stderr.write(f"{write_report(evaluations, report, data=data.resolve().name)}\n")
    sys.stdout.write(as_json_text(evaluations, data) if as_json else as_text(evaluations))


def as_text(evaluations: Sequence[Evaluation]) -> str:
    """Several models side by side first, then each in full."""
    parts = [format_side_by_side(evaluations)] if len(evaluations) > 1 else []
    return "\n".join([*parts, *(format_table(one) for one in evaluations)])


def as_json_text(evaluations: Sequence[Evaluation], data: Path) -> str:
    """Every figure of every model in one line."""
    facts = {"data": data.resolve().name, "models": [one.to_json() for one in evaluations]}
    return json.dumps(facts, ensure_ascii=False) + "\n"
