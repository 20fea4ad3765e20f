"""Networks of a few operations in OpenVINO IR: they answer every picture with the same head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov
from openvino import opset13 as ops

F32 = npt.NDArray[np.float32]
ANY_PICTURE = (-1, 3, -1, -1)


def write_network(
    path: Path,
    head: F32,
    *,
    input_shape: tuple[int, ...],
    names: str | None = None,
    outputs: int = 1,
    element: type[np.floating] = np.float32,
) -> Path:
    """An .xml and .bin that answer with `head`; names: what an ONNX exporter writes into its metadata."""
    picture = ops.parameter(list(input_shape), element, name="images")
    axes = ops.constant(list(range(len(input_shape))))
    nothing = ops.multiply(ops.reduce_mean(picture, axes, False), ops.constant(element(0)))
    answers = [ops.add(ops.constant(head.astype(element)), nothing) for _ in range(outputs)]
    model = ov.Model(answers, [picture], "fixed")
    if names is not None:
        model.set_rt_info(names, ["framework", "names"])
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def yolo_head(
    *rows: tuple[int, float, tuple[float, float, float, float]], class_count: int, anchors: int = 2100
) -> F32:
    """(1, 4 + classes, anchors) with one (class, score, centre box) per anchor, and nothing in the other anchors."""
    head = np.zeros((1, 4 + class_count, anchors), np.float32)
    for column, (class_id, score, box) in enumerate(rows):
        head[0, :4, column] = box
        head[0, 4 + class_id, column] = score
    return head
