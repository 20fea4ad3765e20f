"""`street721 data`: what labelled pictures hold, and training sets made of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, TaskID

from detectors.training.data_report import DataReport
from detectors.training.dataset import Recipe
from detectors.training.dataset import check as check_data
from detectors.training.dataset import prepare as prepare_set
from detectors.training.labels import STREET_CLASSES
from detectors.training.teachers import Teacher
from gateway.commands.data_tables import print_report
from sim.adapters.drawn_set import write_drawn_set
from sim.drawing.random_streets import TRAFFIC_SHARE

data_app = typer.Typer(
    no_args_is_help=True, help="Look at labelled pictures, and build training sets.", rich_markup_mode="markdown"
)

DataFolder = Annotated[
    Path,
    typer.Argument(help="labelled pictures, YOLO or COCO: one group or a folder of groups"),
]
OutFolder = Annotated[Path, typer.Option(help="folder to write to")]
_PIPED_WIDTH = 160
AsJson = Annotated[bool, typer.Option("--json", help="one JSON object instead of tables")]


@data_app.command("check")
def check(data: DataFolder, as_json: AsJson = False) -> None:
    """Say what a folder of labelled pictures holds and what is wrong with it; nothing is written.

    Example:

        street721 data check street-objects/
    """
    with _stages() as progress:
        report = check_data(data, progress=progress)
    _print(report, as_json=as_json)


@data_app.command("prepare")
def prepare(
    data: DataFolder,
    out: OutFolder,
    teacher: Annotated[list[Path] | None, typer.Option(help="two COCO detectors (.onnx), the surer first")] = None,
    drawn: Annotated[list[Path] | None, typer.Option(help="a folder that `data drawn` wrote; may be repeated")] = None,
    repeat: Annotated[
        list[str] | None, typer.Option(help="GROUP=TIMES: train on a small group (or on `drawn`) more often")
    ] = None,
    dev_every: Annotated[
        int, typer.Option(min=0, help="every n-th training picture is kept out, to choose by; 0 keeps none")
    ] = 16,
    seen_px: Annotated[int, typer.Option(min=32, help="long side at which the gateway will see a picture")] = 800,
    tile_px: Annotated[int, typer.Option(min=32, help="long side of a training picture; larger ones are cut")] = 416,
    as_json: AsJson = False,
) -> None:
    """Build a training set: merge groups, fill what a group does not label, leave near-duplicates out.

    Validation pictures are only compared, never copied. Besides the pictures the set holds report.json,
    pseudo.jsonl (every label that no person made) and samples/ (drawn pictures to judge those labels by).

    Examples:

        street721 data prepare street-objects/ --out work/set

        street721 data prepare street-objects/ --out work/set --teacher yolov8n.onnx --teacher yolox_nano.onnx
        --drawn work/drawn --repeat traffic=3
    """
    if len(teacher or []) not in {0, 2}:
        raise typer.BadParameter("give no teacher or two: a label needs the agreement of both", param_hint="--teacher")
    repeats = dict(_group_and_times(text) for text in repeat or [])
    teachers = [Teacher(path, threads=2) for path in teacher or []]
    recipe = Recipe(repeats=repeats, dev_every=dev_every, seen_px=seen_px, tile_px=tile_px)
    with _stages() as progress:
        report = prepare_set(
            data,
            out,
            recipe=recipe,
            teachers=(teachers[0], teachers[1]) if teachers else None,
            drawn=drawn or (),
            progress=progress,
        )
    _print(report, as_json=as_json)


@data_app.command("drawn")
def drawn_streets(
    out: OutFolder,
    count: Annotated[int, typer.Option(min=1, help="number of pictures")] = 240,
    seed: Annotated[int, typer.Option(help="another seed, other streets")] = 0,
    traffic_share: Annotated[
        float, typer.Option(min=0, max=1, help="share of the streets that a traffic camera sees from afar")
    ] = TRAFFIC_SHARE,
    without_doubt: Annotated[
        bool,
        typer.Option("--without-doubt", help="leave out what is hidden or cut too much for a label: to measure with"),
    ] = False,
) -> None:
    """Draw random streets with exact labels of the nine street classes.

    Examples:

        street721 data drawn --out work/drawn --count 240

        street721 data drawn --out work/apart --count 120 --seed 190 --without-doubt
    """
    with _stages() as progress:
        boxes = write_drawn_set(
            out,
            STREET_CLASSES,
            count=count,
            seed=seed,
            traffic_share=traffic_share,
            without_doubt=without_doubt,
            progress=lambda done, total: progress("drawing", done, total),
        )
    sys.stdout.write(f"{out}: {count} pictures, {boxes} boxes\n")


def _print(report: DataReport, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(report.to_json(), ensure_ascii=False) + "\n")
    else:
        print_report(report, Console(width=None if sys.stdout.isatty() else _PIPED_WIDTH, soft_wrap=True))


def _group_and_times(text: str) -> tuple[str, int]:
    group, _, times = text.rpartition("=")
    if not (group and times.isdecimal() and int(times) > 0):
        raise typer.BadParameter(f"{text!r}: should be GROUP=TIMES such as traffic=3", param_hint="--repeat")
    return group, int(times)


@contextmanager
def _stages() -> Iterator[Callable[[str, int, int], None]]:
    """One progress bar per stage on stderr, as (stage, done, total) → None."""
    tasks: dict[str, TaskID] = {}
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done)

        yield advance
