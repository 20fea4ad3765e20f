"""`street721 train` and `street721 export`: from a training set to a model with its card."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from detectors.training.card import write_card, write_short_card
from detectors.training.errors import DataFolderError
from detectors.training.evaluate import Evaluation, evaluate
from detectors.training.export import Exported, Form
from detectors.training.export import export as export_model
from detectors.training.trade import Variant, best, compare
from detectors.training.train import train as train_model
from gateway.commands.progress import progress_bar

_CALIBRATION_PICTURES = 200


def train(
    data: Annotated[Path, typer.Argument(help="training set that `data prepare` built")],
    start: Annotated[
        Path, typer.Option(help="weights to start from (.pt): a checkpoint, or the bare tensors of YOLOv5n")
    ],
    out: Annotated[Path, typer.Option(help="folder of the run: checkpoints, curves, sample pictures")],
    epochs: Annotated[int, typer.Option(min=1)] = 10,
    imgsz: Annotated[int, typer.Option(min=32, help="long side of the training pictures in pixels")] = 416,
    batch: Annotated[int, typer.Option(min=1)] = 16,
    device: Annotated[str, typer.Option(help="cpu, or the number of an NVIDIA GPU")] = "cpu",
    seed: Annotated[int, typer.Option()] = 0,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=0.1, help="at the start of the cosine")] = 1e-3,
    frozen_layers: Annotated[int, typer.Option(min=0, help="the first layers stay as they are")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="processor threads on a CPU")] = 2,
    resume: Annotated[bool, typer.Option("--resume", help="go on where the run in --out was interrupted")] = False,
) -> None:
    """Fine-tune the street model (needs the extra: pip install 'street721[train]').

    Every epoch ends with a checkpoint in OUT/weights, so Ctrl-C or a power cut costs one epoch at most:
    the same command with --resume goes on. OUT/results.png shows the curves, OUT/train_batch0.jpg what the
    network was shown. The epochs are scored on the set's own `dev` pictures, never on `val`.

    Examples:

        street721 train work/set --start street_v2.pt --out work/run --epochs 10

        street721 train work/set --start street_v2.pt --out work/run --resume

        street721 train work/set --start street_v2.pt --out work/run --epochs 100 --imgsz 640 --batch 64 --device 0
    """
    try:
        last = train_model(
            data,
            start,
            out=out,
            epochs=epochs,
            imgsz=imgsz,
            batch=batch,
            device=device,
            seed=seed,
            learning_rate=learning_rate,
            frozen_layers=frozen_layers,
            threads=threads,
            resume=resume,
        )
    except KeyboardInterrupt:
        sys.stderr.write(f"street721: stopped; {out} holds the epochs so far, the same command with --resume goes on\n")
        raise typer.Exit(130) from None
    sys.stdout.write(f"{last}\n")


def export(
    weights: Annotated[Path, typer.Argument(help="checkpoint (.pt)")],
    out: Annotated[Path, typer.Option(help="folder named like the model, e.g. models/street_v2")],
    data: Annotated[Path | None, typer.Option(help="labelled folders: measure every form and write the cards")] = None,
    calibrate: Annotated[Path | None, typer.Option(help="training set: its pictures calibrate the int8 form")] = None,
    drawn: Annotated[
        Path | None,
        typer.Option(help="streets of `data drawn`, not learned from: thresholds of the classes that DATA has not"),
    ] = None,
    input_px: Annotated[int, typer.Option(min=32, help="long side that the card asks for")] = 800,
    threads: Annotated[int, typer.Option(min=1, help="processor threads to measure with")] = 2,
) -> None:
    """Turn a checkpoint into ONNX and OpenVINO (fp32, fp16, int8), measure each, and write their cards.

    The card OUT.toml names the best trade: the fastest form that loses at most one point of AP50, each class weighed
    by its boxes, on the training set's `dev` pictures (on DATA's `val` without any). Each other form has a card of
    its own in OUT, to be opened by its path.

    Examples:

        street721 export work/run/weights/last.pt --out models/street_v2 --data street-objects/ --calibrate work/set

        street721 export last.pt --out models/mine --data mine/ --calibrate work/set --drawn work/drawn-apart
    """
    if drawn is not None and data is None:
        raise typer.BadParameter("thresholds go into cards, and those need --data as well", param_hint="--drawn")
    exported = export_model(weights, out, pictures=_calibration(calibrate), input_px=input_px)
    if data is None:
        sys.stdout.write("".join(f"{path}\n" for path in exported.models.values()))
        return
    evaluations = {form: _measure(exported, form, data, input_px) for form in exported.models}
    variants = compare(exported.models, evaluations, threads=threads)
    dev = calibrate / "dev" if calibrate is not None else None
    if dev is not None and dev.is_dir():
        judges = {form: _measure(exported, form, dev, input_px) for form in exported.models}
    else:
        judges = evaluations
    shipped = best(variants, judges)
    elsewhere = {form: _drawn_thresholds(exported, form, drawn, evaluations[form]) for form in exported.models}
    evaluations = {form: _beside(elsewhere[form], exported, form, data, found) for form, found in evaluations.items()}
    for form, model in exported.models.items():
        _card(exported, model, model.with_suffix(".toml"), evaluations[form], data, elsewhere[form], {})
    card = out.parent / f"{out.name}.toml"
    also = [
        exported.checkpoint,
        *(model for form, model in exported.models.items() if form is Form.ONNX and form is not shipped),
    ]
    _card(exported, exported.models[shipped], card, evaluations[shipped], data, elsewhere[shipped], variants, also)
    Console().print(_table(variants, shipped))
    sys.stdout.write(f"{card}\n")


def _calibration(prepared: Path | None) -> list[Path]:
    """Some pictures of a prepared set, always the same ones."""
    if prepared is None:
        return []
    pictures = sorted((prepared / "images" / "train").glob("*"))
    if not pictures:
        raise DataFolderError(prepared, "holds no images/train; expected a set that `data prepare` built")
    return random.Random(0).sample(pictures, min(_CALIBRATION_PICTURES, len(pictures)))


def _measure(exported: Exported, form: Form, data: Path, input_px: int) -> Evaluation:
    model = exported.models[form]
    card = model.with_suffix(".toml")
    write_short_card(card, model, classes=exported.classes, input_px=input_px)
    with progress_bar(f"{form}, {data.name}") as advance:
        return evaluate(str(card), data, thresholds={}, progress=advance)


def _drawn_thresholds(exported: Exported, form: Form, drawn: Path | None, evaluation: Evaluation) -> dict[str, float]:
    """Of the classes that the evaluation could not score, chosen on drawn streets beside the others' thresholds."""
    if drawn is None:
        return {}
    card, scored = exported.models[form].with_suffix(".toml"), evaluation.thresholds()
    with progress_bar(f"{form}, {drawn.name}") as advance:
        found = evaluate(str(card), drawn, split="train", thresholds=scored, rounds=0, progress=advance).thresholds()
    return {name: value for name, value in found.items() if name not in scored}


def _beside(
    elsewhere: dict[str, float], exported: Exported, form: Form, data: Path, evaluation: Evaluation
) -> Evaluation:
    """The same pictures at the same thresholds, beside those from elsewhere: a sure person may be no motorcycle."""
    if not elsewhere:
        return evaluation
    card = exported.models[form].with_suffix(".toml")
    with progress_bar(f"{form}, {data.name}, all thresholds") as advance:
        return evaluate(str(card), data, thresholds=evaluation.thresholds() | elsewhere, progress=advance)


def _card(
    exported: Exported,
    model: Path,
    card: Path,
    evaluation: Evaluation,
    data: Path,
    elsewhere: dict[str, float],
    variants: dict[Form, Variant],
    also: Sequence[Path] = (),
) -> None:
    write_card(
        card,
        model,
        classes=exported.classes,
        evaluation=evaluation,
        measured_by=f"street721 eval --data {data.name} --model {card.stem}",
        variants=variants,
        elsewhere=elsewhere,
        also=also,
    )


def _table(variants: dict[Form, Variant], shipped: Form) -> Table:
    slowest = max(variant.ms_per_picture for variant in variants.values())
    table = Table("form", "file", "MB", "mean AP50", "speed", "")
    for form, variant in variants.items():
        speed = f"{slowest / variant.ms_per_picture:.2f} x"
        chosen = "shipped" if form is shipped else ""
        table.add_row(form, variant.file.name, f"{variant.size_mb:.1f}", f"{variant.ap50:.3f}", speed, chosen)
    return table
