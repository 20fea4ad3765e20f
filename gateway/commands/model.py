"""`street721 data`, `train`, `export`, `eval`: the workbench of the street model."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from detectors.model_card import load_card
from detectors.opening import DEFAULT_MODEL, card_path
from detectors.training.card import write_card
from detectors.training.dataset import prepare as prepare_set
from detectors.training.evaluate import Evaluation, format_table
from detectors.training.evaluate import evaluate as evaluate_model
from detectors.training.export import export as export_model
from detectors.training.labels import STREET_CLASSES
from detectors.training.teachers import Teacher
from detectors.training.train import train as train_model
from sim.adapters.drawn_set import write_drawn_set

data_app = typer.Typer(no_args_is_help=True, help="Build training sets.", rich_markup_mode="markdown")

DataFolder = Annotated[Path, typer.Argument(help="folder with GROUP/{train,val}/{images,labels}, YOLO labels")]
OutFolder = Annotated[Path, typer.Option(help="folder to write to")]
UNMEASURED = {"person": 0.35, "bicycle": 0.30}
"""Thresholds of the classes that no labelled picture can score: the teachers' usual ones."""


@data_app.command("prepare")
def prepare(
    data: DataFolder,
    out: OutFolder,
    teacher: Annotated[list[Path] | None, typer.Option(help="two COCO detectors (.onnx), the surer first")] = None,
    drawn: Annotated[Path | None, typer.Option(help="folder that `data drawn` wrote")] = None,
    repeat: Annotated[list[str] | None, typer.Option(help="GROUP=TIMES: train on a small group more often")] = None,
) -> None:
    """Build a training set: merge groups, fill what a group does not label, leave near-duplicates out.

    Example:

        street721 data prepare street-objects/ --out work/set --teacher yolov8n.onnx --teacher yolox_nano.onnx
        --drawn work/drawn --repeat traffic=3
    """
    teachers = [Teacher(path, threads=2) for path in teacher or []]
    if len(teachers) not in {0, 2}:
        raise typer.BadParameter("give no teacher or two: a label needs the agreement of both", param_hint="--teacher")
    with _progress("pictures") as advance:
        report = prepare_set(
            data,
            out,
            teachers=(teachers[0], teachers[1]) if teachers else None,
            drawn=drawn,
            repeats=dict(_group_and_times(text) for text in repeat or []),
            progress=advance,
        )
    facts = asdict(report)
    facts["near_duplicates"], facts["problems"] = len(report.near_duplicates), report.problems[:20]
    sys.stdout.write(json.dumps(facts, ensure_ascii=False, indent=1) + "\n")


@data_app.command("drawn")
def drawn_streets(
    out: OutFolder,
    count: Annotated[int, typer.Option(min=1, help="number of pictures")] = 240,
    seed: Annotated[int, typer.Option(help="another seed, other streets")] = 0,
) -> None:
    """Draw random streets with exact labels.

    Example:

        street721 data drawn --out work/drawn --count 240
    """
    with _progress("pictures") as advance:
        boxes = write_drawn_set(out, STREET_CLASSES, count=count, seed=seed, progress=advance)
    sys.stdout.write(f"{out}: {count} pictures, {boxes} boxes\n")


def train(
    data: Annotated[Path, typer.Argument(help="training set that `data prepare` built")],
    start: Annotated[Path, typer.Option(help="weights to start from (.pt)")],
    out: OutFolder,
    epochs: Annotated[int, typer.Option(min=1)] = 8,
    imgsz: Annotated[int, typer.Option(min=32, help="long side of the training pictures in pixels")] = 416,
    batch: Annotated[int, typer.Option(min=1)] = 16,
    device: Annotated[str, typer.Option(help="cpu, or the number of an NVIDIA GPU")] = "cpu",
    seed: Annotated[int, typer.Option()] = 0,
    frozen_layers: Annotated[int, typer.Option(min=0, help="the first layers stay as they are")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="go on where the run in --out was interrupted")] = False,
) -> None:
    """Fine-tune the street model (needs the extra: pip install 'street721[train]').

    Examples:

        street721 train work/set --start street_v1.pt --out work/run --epochs 8

        street721 train work/set --start street_v1.pt --out work/run --resume
    """
    last = train_model(
        data,
        start,
        out=out,
        epochs=epochs,
        imgsz=imgsz,
        batch=batch,
        device=device,
        seed=seed,
        frozen_layers=frozen_layers,
        resume=resume,
    )
    sys.stdout.write(f"{last}\n")


def export(
    weights: Annotated[Path, typer.Argument(help="checkpoint (.pt)")],
    out: Annotated[Path, typer.Option(help="folder named like the model, e.g. configs/models/street_v1")],
    data: Annotated[Path | None, typer.Option(help="labelled folders: measure it and write its card")] = None,
    input_px: Annotated[int, typer.Option(min=32, help="long side that the card asks for")] = 416,
) -> None:
    """Turn a checkpoint into OpenVINO IR, and with --data write its model card beside the folder.

    Example:

        street721 export work/run/weights/last.pt --out models/street_v2 --data street-objects/
    """
    exported = export_model(weights, out)
    sys.stdout.write(f"{exported}\n")
    if data is None:
        return
    with _progress("pictures") as advance:
        evaluation = evaluate_model(exported, data, input_px=input_px, progress=advance)
    card = out.parent / f"{out.name}.toml"
    command = f"street721 eval --data {data.name} --model {out.name} --input-px {input_px}"
    write_card(card, exported, evaluation, unmeasured=UNMEASURED, measured_by=command)
    sys.stdout.write(f"{format_table(evaluation)}\n{card}\n")


def evaluate(
    data: Annotated[Path, typer.Option(help="folder with GROUP/{train,val}/{images,labels}, YOLO labels")],
    model: Annotated[str, typer.Option(help="shipped model, card, or exported file (.xml, .onnx)")] = DEFAULT_MODEL,
    input_px: Annotated[int | None, typer.Option(min=32, help="long side in pixels; default: the card's")] = None,
    min_iou: Annotated[float, typer.Option(min=0.05, max=0.95, help="overlap from which a detection hits")] = 0.5,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of a table")] = False,
) -> None:
    """Measure a model on labelled pictures: precision, recall, F1 and AP50 per class and group.

    A shipped model is measured at its card's thresholds; a bare file at thresholds chosen on these pictures.

    Example:

        street721 eval --data street-objects/ --model street_v1
    """
    path = Path(model)
    card = None if path.suffix in {".xml", ".onnx"} else load_card(card_path(model))
    size_px = input_px or (card.input_px if card else 416)
    with _progress("pictures") as advance:
        evaluation = evaluate_model(
            card.weights if card else path,
            data,
            input_px=size_px,
            thresholds=card.thresholds if card else None,
            min_iou=min_iou,
            progress=advance,
        )
    sys.stdout.write((_as_json(evaluation) if as_json else format_table(evaluation)) + "\n")


def _as_json(evaluation: Evaluation) -> str:
    return json.dumps(evaluation.to_json(), ensure_ascii=False)


def _group_and_times(text: str) -> tuple[str, int]:
    group, _, times = text.partition("=")
    if not (group and times.isdigit()):
        raise typer.BadParameter(f"{text!r}: should be GROUP=TIMES such as traffic=3", param_hint="--repeat")
    return group, int(times)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr as (done, total) → None."""
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(what, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
