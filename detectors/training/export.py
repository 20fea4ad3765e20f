"""Turns a checkpoint into what runs on a gateway: ONNX, and OpenVINO IR in three precisions.

All of them take (N, 3, h, w) RGB in 0..1, h and w multiples of 32, and give (N, 4 + classes, boxes) before
suppression: centre x, y, width, height in input pixels, then one score per class.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np

from detectors.training.errors import ModelFileError
from detectors.training.quantise import quantise
from detectors.training.weights import open_checkpoint

_LEAST_TO_HALVE = 64


class Form(StrEnum):
    """What a checkpoint can become."""

    ONNX = "onnx_fp16"
    FP32 = "openvino_fp32"
    FP16 = "openvino_fp16"
    INT8 = "openvino_int8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The files that an export wrote.

    checkpoint: the slim .pt to train on from
    models:     what a backend loads (.onnx, or .xml with its .bin beside it) per form
    classes:    the checkpoint's class names in output order
    """

    checkpoint: Path
    models: Mapping[Form, Path]
    classes: tuple[str, ...]


def export(weights: Path, out: Path, *, pictures: Sequence[Path] = (), input_px: int = 640) -> Exported:
    """Write every form of a checkpoint to the folder `out`, each named after the folder.

    pictures: training pictures that the int8 form is calibrated on; none, no int8 form
    input_px: long side at which they are shown to the network
    Raises ExtraMissingError or ModelFileError, each one clear line.
    """
    names = open_checkpoint(weights).names
    classes = tuple(names[index] for index in sorted(names))
    out.mkdir(parents=True, exist_ok=True)
    checkpoint, onnx = out / f"{out.name}.pt", out / f"{out.name}.onnx"
    shutil.copyfile(weights, checkpoint)
    _slim(checkpoint)
    _write_onnx(checkpoint, onnx)
    models = {Form.ONNX: onnx, **_write_ir(onnx, out, classes)}
    _halve(onnx)
    if pictures:
        models[Form.INT8] = out / f"{out.name}_int8.xml"
        quantise(models[Form.FP32], models[Form.INT8], pictures, input_px=input_px)
    return Exported(checkpoint=checkpoint, models=models, classes=classes)


def files_of(model: Path) -> tuple[Path, ...]:
    """The files that make up one exported model."""
    return (model, model.with_suffix(".bin")) if model.suffix == ".xml" else (model,)


def _write_onnx(checkpoint: Path, onnx: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / checkpoint.name
        shutil.copyfile(checkpoint, copy)  # ultralytics writes beside the file that it reads
        written = open_checkpoint(copy).export(format="onnx", dynamic=True, simplify=False, verbose=False)
        if not written:
            raise ModelFileError(checkpoint, "ultralytics could not export it to ONNX; its log above says why")
        shutil.copyfile(written, onnx)


def _halve(onnx: Path) -> None:
    """Keep the weights in half precision, as the checkpoint has them; every engine widens them when it loads."""
    import onnx as onnx_package  # noqa: PLC0415  comes with the extra

    model = onnx_package.load(onnx)
    widen = []
    for tensor in model.graph.initializer:
        if tensor.data_type != onnx_package.TensorProto.FLOAT or math.prod(tensor.dims) < _LEAST_TO_HALVE:
            continue
        values = onnx_package.numpy_helper.to_array(tensor).astype(np.float16)
        name = tensor.name
        tensor.CopyFrom(onnx_package.numpy_helper.from_array(values, f"{name}_half"))
        cast = onnx_package.helper.make_node("Cast", [f"{name}_half"], [name], to=onnx_package.TensorProto.FLOAT)
        widen.append(cast)
    nodes = [*widen, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    onnx_package.save(model, onnx)


def _write_ir(onnx: Path, out: Path, classes: Sequence[str]) -> dict[Form, Path]:
    import openvino  # noqa: PLC0415  an inference engine, loaded where it is used

    written: dict[Form, Path] = {}
    for form, suffix, half in ((Form.FP32, "_fp32", False), (Form.FP16, "_fp16", True)):
        model = openvino.convert_model(onnx)
        model.set_rt_info(list(classes), ["model_info", "labels"])
        written[form] = out / f"{out.name}{suffix}.xml"
        openvino.save_model(model, written[form], compress_to_fp16=half)
    return written


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
