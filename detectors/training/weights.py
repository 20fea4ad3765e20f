"""Weight files (.pt) opened with ultralytics: whole checkpoints, and bare tensors to start from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from detectors.adapters.torch_backend import UNREADABLE
from detectors.training.errors import ExtraMissingError, ModelFileError

_BARE_NETWORK = "yolov5n.yaml"


def open_checkpoint(weights: Path) -> Any:
    """A `YOLO` object of a checkpoint; never reaches for the network.

    Raises ExtraMissingError or ModelFileError.
    """
    yolo = _ultralytics(weights)
    try:
        return yolo(str(weights))
    except UNREADABLE as error:
        raise ModelFileError(
            weights, f"not a checkpoint of ultralytics, or a broken one ({type(error).__name__})"
        ) from error


def open_start(weights: Path) -> Any:
    """What training may start from: a checkpoint, or the bare tensors (a state dict) of YOLOv5n or a part of it.

    Raises ExtraMissingError or ModelFileError.
    """
    yolo = _ultralytics(weights)
    tensors = _bare_tensors(weights)
    if not tensors:
        return open_checkpoint(weights)
    model = yolo(_BARE_NETWORK)
    network = model.model.state_dict()
    strangers = [name for name, tensor in tensors.items() if getattr(network.get(name), "shape", None) != tensor.shape]
    if strangers:
        raise ModelFileError(
            weights, f"holds tensors alone, and {strangers[0]!r} does not fit {_BARE_NETWORK}; expected a checkpoint"
        )
    model.model.load_state_dict(tensors, strict=False)
    model.ckpt = tensors  # without one, ultralytics would train from nothing
    return model


def _ultralytics(weights: Path) -> Any:
    """The class `YOLO`, once there is a file for it."""
    if not weights.is_file():
        raise ModelFileError(weights, "no such file; expected ultralytics weights (.pt)")
    os.environ.setdefault("YOLO_OFFLINE", "true")  # no font, weight or usage-statistics traffic
    try:
        from ultralytics import YOLO  # noqa: PLC0415  an extra, 6 GB, absent from gateways
    except ImportError as error:
        raise ExtraMissingError("ultralytics") from error
    return YOLO


def _bare_tensors(weights: Path) -> dict[str, Any]:
    """What a file without a network holds; nothing for any other file."""
    import torch  # noqa: PLC0415  comes with the extra

    try:
        content = torch.load(weights, map_location="cpu", weights_only=True)
    except UNREADABLE:  # a checkpoint holds classes, which this way of loading refuses
        return {}
    is_bare = isinstance(content, dict) and all(isinstance(value, torch.Tensor) for value in content.values())
    return content if is_bare else {}
