"""Turns a checkpoint into what ships: OpenVINO IR with fp16 weights, dynamic batch and picture size."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from detectors.training.errors import ModelFileError
from detectors.training.labels import STREET_CLASSES
from detectors.training.train import load_ultralytics


def export(weights: Path, out: Path, *, imgsz: int = 416, keep_checkpoint: bool = True) -> Path:
    """Write out/<out.name>.xml and .bin, and the slim .pt beside them; returns the .xml.

    The network takes (N, 3, h, w) RGB in 0..1, h and w multiples of 32, and gives (N, 4 + classes, boxes)
    before suppression: centre x, y, width, height in input pixels, then one score per class.
    Raises ExtraMissingError or ModelFileError, each one clear line.
    """
    model = load_ultralytics(weights)
    names = tuple(model.names[index] for index in sorted(model.names))
    if names != STREET_CLASSES:
        raise ModelFileError(weights, f"classes {names}; expected {STREET_CLASSES}")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / f"{out.name}.pt"
        shutil.copyfile(weights, copy)  # ultralytics writes beside the file that it reads
        _slim(copy)
        folder = Path(load_ultralytics(copy).export(format="openvino", half=True, dynamic=True, imgsz=imgsz))
        for suffix in (".xml", ".bin"):
            shutil.copyfile(folder / f"{out.name}{suffix}", out / f"{out.name}{suffix}")
        if keep_checkpoint:
            shutil.copyfile(copy, out / copy.name)
    return out / f"{out.name}.xml"


def _slim(checkpoint: Path) -> None:
    """Keep the averaged weights in half precision; drop the optimiser's state and the trainer's paths and scores."""
    import torch  # noqa: PLC0415  comes with the extra
    from ultralytics.utils.torch_utils import strip_optimizer  # noqa: PLC0415

    strip_optimizer(str(checkpoint))
    content = torch.load(checkpoint, map_location="cpu", weights_only=False)
    settings = {key: content["train_args"][key] for key in ("imgsz", "task")}
    content["train_args"] = content["model"].args = settings
    content["model"].pt_path = None
    for key in ("train_metrics", "train_results", "git", "date"):
        content.pop(key, None)
    torch.save(content, checkpoint)
