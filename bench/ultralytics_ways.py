"""`YOLO.predict` of ultralytics on the same weights, as its users call it: the reference for JPEG to boxes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # no stubs, and two lines of it

from detectors.model_card import DEFAULT_THRESHOLD, ModelCard
from ingest.jpeg import check_jpeg

_BATCH = 8
_BATCH_ON_GPU = 64


def ultralytics_ways(
    card: ModelCard, files: Sequence[Path], folder: Path, *, device: str
) -> dict[str, Callable[[], object]]:
    """A picture at a time and the whole list, in PyTorch and in OpenVINO; empty without the extra or a checkpoint.

    device: cpu | cuda:N; on a GPU in half precision, and in PyTorch only.

    Every way gets JPEG files on disk, the product's input size and the lowest of its thresholds. A picture smaller
    than the network's input is enlarged for nobody. folder: for the weights as ultralytics wants them
    """
    os.environ.setdefault("YOLO_OFFLINE", "true")
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    os.environ.setdefault("YOLO_VERBOSE", "false")
    try:
        from ultralytics import YOLO  # noqa: PLC0415  an extra of some gigabytes
    except ImportError:
        return {}
    is_cuda = device.startswith("cuda")
    options = {
        "imgsz": min(card.input_px, max(max(check_jpeg(file.read_bytes()).size_px) for file in files)),
        "conf": min(card.thresholds.values(), default=DEFAULT_THRESHOLD),
        "iou": card.nms_iou,
        "verbose": False,
        "device": device if is_cuda else "cpu",
        "half": is_cuda,
    }
    models: dict[str, Any] = {}
    if (checkpoint := _checkpoint(card)) is not None:
        models["PyTorch"] = YOLO(str(checkpoint), task="detect")
    if card.weights.suffix == ".xml" and not is_cuda:
        models["OpenVINO"] = YOLO(str(_as_export(card, folder)), task="detect")
    names = [str(file) for file in files]
    batch = _BATCH_ON_GPU if is_cuda else _BATCH
    ways: dict[str, Callable[[], object]] = {}
    for engine, model in models.items():
        ways[f"YOLO.predict, {engine}, each picture"] = partial(_each, model, names, options)
        ways[f"YOLO.predict, {engine}, whole list"] = partial(model.predict, names, batch=batch, **options)
    return ways


def _each(model: Any, files: Sequence[str], options: dict[str, Any]) -> None:
    for file in files:
        model.predict(file, **options)


def _checkpoint(card: ModelCard) -> Path | None:
    """The .pt that the card's weights were made of, or are."""
    if card.weights.suffix == ".pt":
        return card.weights
    beside = card.weights.parent / f"{card.name}.pt"
    return beside if beside.is_file() else None


def _as_export(card: ModelCard, folder: Path) -> Path:
    """The card's own OpenVINO files in a folder as ultralytics' exporter leaves it."""
    export = folder / f"{card.name}_openvino_model"
    export.mkdir()
    for suffix in (".xml", ".bin"):
        shutil.copy(card.weights.with_suffix(suffix), export / f"{card.name}{suffix}")
    metadata = {
        "task": "detect",
        "names": dict(enumerate(card.classes)),
        "imgsz": [card.input_px, card.input_px],
        "stride": card.stride,
        "batch": 1,
        "args": {"dynamic": True, "batch": 1},
    }
    (export / "metadata.yaml").write_text(yaml.safe_dump(metadata), encoding="utf-8")
    return export
