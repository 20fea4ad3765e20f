"""`street721 detect`: pictures or video → detections, as text or JSON lines, drawn where wanted."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress

from detectors import FrameDetections, open_detector
from detectors.classes import ClassTable, load_classes
from detectors.drawing import draw_detections
from detectors.opening import DEFAULT_MODEL
from gateway.adapters.pictures import Picture, count_pictures, read_pictures
from ingest.jpeg import check_jpeg

_BATCH = 8


def detect(
    paths: Annotated[list[Path], typer.Argument(help="pictures, folders of pictures, or videos")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per picture on stdout")] = False,
    save: Annotated[Path | None, typer.Option(help="folder for the pictures with their detections drawn")] = None,
    model: Annotated[str, typer.Option(help="a shipped model, or the path of a model card")] = DEFAULT_MODEL,
    confidence: Annotated[
        float | None, typer.Option(min=0.01, max=0.99, help="one threshold for all classes; default: the card's")
    ] = None,
    device: Annotated[str, typer.Option(help="auto | cpu | gpu | cuda:N")] = "auto",
    engine: Annotated[str, typer.Option(help="auto | openvino | torch | onnxruntime")] = "auto",
    start: Annotated[
        datetime | None,
        typer.Option(help="capture time of a video's first frame, for `judge`; UTC if no zone is given"),
    ] = None,
) -> None:
    """Find garbage, bins, vehicles and people in pictures or video.

    Examples:

        street721 detect street.jpg

        street721 detect photos/ --json > detections.jsonl

        street721 detect camera.mp4 --save drawn/ --confidence 0.4
    """
    detector = open_detector(model, device, engine=engine, confidence=confidence)
    classes = load_classes()
    if save:
        save.mkdir(parents=True, exist_ok=True)
    failures = 0
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task(detector.description, total=count_pictures(paths))
        for batch in _batches(read_pictures(paths)):
            for picture, found in zip(batch, detector.detect([item.jpeg for item in batch]), strict=True):
                failures += _report(picture, found, classes, as_json=as_json, save=save, start=start)
            progress.advance(task, len(batch))
    if failures:
        raise typer.Exit(1)


def _batches(pictures: Iterator[Picture]) -> Iterator[list[Picture]]:
    while batch := list(islice(pictures, _BATCH)):
        yield batch


def _report(
    picture: Picture,
    found: FrameDetections,
    classes: ClassTable,
    *,
    as_json: bool,
    save: Path | None,
    start: datetime | None,
) -> int:
    """Print one result; returns 1 when the picture could not be used."""
    if found.failure:
        sys.stderr.write(f"street721: {picture.name}: {found.failure}\n")
        return 1
    if as_json:
        sys.stdout.write(json.dumps(_as_line(picture, found, classes, start), ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(f"{picture.name}: {_summary(found, classes)}\n")
    if save:
        _save(picture, found, classes, save)
    return 0


def _as_line(
    picture: Picture, found: FrameDetections, classes: ClassTable, start: datetime | None
) -> dict[str, object]:
    captured_at = check_jpeg(picture.jpeg).captured_at
    if captured_at is None and start is not None and picture.video_s is not None:
        captured_at = (start if start.tzinfo else start.replace(tzinfo=UTC)) + timedelta(seconds=picture.video_s)
    return {
        "image": picture.name,
        "captured_at": None if captured_at is None else captured_at.isoformat(),
        "size_px": list(found.size_px),
        "detections": [
            {
                "class": classes.by_id[int(class_id)].name,
                "confidence": round(float(confidence), 4),
                "xyxy": [round(float(side), 1) for side in xyxy],
            }
            for xyxy, confidence, class_id in zip(found.xyxy, found.confidence, found.class_id, strict=True)
        ],
    }


def _summary(found: FrameDetections, classes: ClassTable) -> str:
    if not len(found):
        return "nothing found"
    ids, counts = np.unique(found.class_id, return_counts=True)
    return ", ".join(
        f"{count} {classes.by_id[int(class_id)].name} {classes.by_id[int(class_id)].name_zh}"
        for class_id, count in zip(ids, counts, strict=True)
    )


def _save(picture: Picture, found: FrameDetections, classes: ClassTable, folder: Path) -> None:
    pixels = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    if pixels is not None:
        name = picture.name.replace("/", "_").replace("#", "_").rsplit(".jpg", 1)[0]
        cv2.imwrite(str(folder / f"{name}.jpg"), draw_detections(np.asarray(pixels, np.uint8), found, classes))
