"""The two COCO detectors that fill in missing classes, run through OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
import openvino

from detectors.letterbox import FILL
from detectors.nms import Boxes, suppress
from detectors.training.boxes import F32, Image, centre_to_corners
from detectors.training.errors import ModelFileError

COCO_TO_STREET = {0: 0, 1: 1, 2: 2, 3: 3, 5: 4, 7: 5}
"""COCO class → street class: person, bicycle, car, motorcycle, bus, truck."""

_FLOOR = 0.1
_MAX_IOU = 0.6
_YOLOX_STRIDES = (8, 16, 32)


class Sees(Protocol):
    """Anything that finds street classes in a picture."""

    def see(self, image: Image) -> Boxes:
        """Boxes in fractions of the picture, class ids of the street classes."""


class Teacher:
    """A COCO detector of fixed square input; `see` gives street classes in fractions of the picture."""

    def __init__(self, model: Path, *, threads: int) -> None:
        if not model.is_file():
            raise ModelFileError(model, "no such teacher; expected an ONNX file of a COCO detector")
        settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        try:
            self._compiled: Any = openvino.Core().compile_model(model, "CPU", settings)
        except RuntimeError as error:
            raise ModelFileError(model, f"OpenVINO cannot read it: {str(error).splitlines()[-1]}") from error
        if self._compiled.input(0).partial_shape.is_dynamic:
            raise ModelFileError(model, "input of changing size; expected a fixed square")
        self._side_px = int(self._compiled.input(0).shape[2])
        shape = tuple(self._compiled.output(0).shape)
        self._is_yolox = len(shape) == 3 and shape[2] == 85
        if not self._is_yolox and shape[1] != 84:
            raise ModelFileError(model, f"output {shape}; expected (1, 84, boxes) or (1, boxes, 85)")

    def see(self, image: Image) -> Boxes:
        """What stands in a BGR picture, above a low floor of confidence."""
        height, width = image.shape[:2]
        scale = self._side_px / max(height, width)
        output = self._compiled([self._tensor(image, scale)])[0][0]
        cxcywh, scores = decode_yolox(output, self._side_px) if self._is_yolox else (output[:4].T, output[4:].T)
        boxes = _strongest(cxcywh, scores)
        fractions = np.clip(boxes.xyxy / (np.array([width, height] * 2, np.float32) * scale), 0, 1)
        return Boxes(xyxy=fractions.astype(np.float32), confidence=boxes.confidence, class_id=boxes.class_id)

    def _tensor(self, image: Image, scale: float) -> F32:
        size = (round(image.shape[1] * scale), round(image.shape[0] * scale))
        canvas = np.full((self._side_px, self._side_px, 3), FILL, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(image, size)
        # YOLOX learned on raw BGR values, the other family on RGB fractions.
        planes = canvas.astype(np.float32) if self._is_yolox else canvas[..., ::-1].astype(np.float32) / 255
        return np.ascontiguousarray(planes.transpose(2, 0, 1)[None])


def decode_yolox(output: F32, side_px: int) -> tuple[F32, F32]:
    """YOLOX rows (grid offsets, log sizes, objectness, class scores) to pixels and class scores."""
    grids, strides = [], []
    for stride in _YOLOX_STRIDES:
        cells = side_px // stride
        xs, ys = np.meshgrid(np.arange(cells), np.arange(cells))
        grids.append(np.stack((xs, ys), axis=-1).reshape(-1, 2))
        strides.append(np.full((cells * cells, 1), stride))
    grid, stride_column = np.concatenate(grids), np.concatenate(strides)
    centre = (output[:, :2] + grid) * stride_column
    size = np.exp(output[:, 2:4]) * stride_column
    cxcywh = np.concatenate((centre, size), axis=1)
    return cxcywh.astype(np.float32), np.asarray(output[:, 4:5] * output[:, 5:], np.float32)


def _strongest(cxcywh: F32, scores: F32) -> Boxes:
    best, confidence = scores.argmax(axis=1), scores.max(axis=1)
    known = np.isin(best, list(COCO_TO_STREET)) & (confidence >= _FLOOR)
    candidates = Boxes(
        xyxy=centre_to_corners(cxcywh[known]),
        confidence=confidence[known].astype(np.float32),
        class_id=np.array([COCO_TO_STREET[coco] for coco in best[known].tolist()], np.int32),
    )
    return suppress(candidates, iou_limit=_MAX_IOU)
