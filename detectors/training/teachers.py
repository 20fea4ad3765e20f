"""The two COCO detectors that fill in missing classes, run through the product's own path."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.classes import load_classes
from detectors.coco import COCO_CLASSES
from detectors.detector import BatchedDetector
from detectors.model_card import ModelCard
from detectors.nms import Boxes
from detectors.training.boxes import Image
from detectors.training.errors import ModelFileError

_FLOOR = 0.1
_MAX_IOU = 0.6


class Sees(Protocol):
    """Anything that finds street classes in a picture."""

    def see(self, image: Image) -> Boxes:
        """Boxes in fractions of the picture, class ids of the street classes."""


class Teacher:
    """A COCO detector; `see` gives street classes in fractions of the picture."""

    def __init__(self, model: Path, *, threads: int, input_px: int = 640) -> None:
        """model: an ONNX file of any layout that models may have; input_px: used where it does not fix its input.

        Raises ModelFileError or ModelError, each one clear line.
        """
        if not model.is_file():
            raise ModelFileError(model, "no such teacher; expected an ONNX file of a COCO detector")
        card = ModelCard(
            name=model.stem,
            weights=model,
            classes=COCO_CLASSES,
            input_px=input_px,
            stride=32,
            nms_iou=_MAX_IOU,
            thresholds={},
        )
        backend = OpenVinoBackend(model, "cpu", threads=threads)
        self._detector = BatchedDetector(backend, card, load_classes(), confidence=_FLOOR)

    def see(self, image: Image) -> Boxes:
        """What stands in a BGR picture, above a low floor of confidence."""
        found = self._detector.see(image)
        fractions = found.xyxy / np.array(found.size_px * 2, np.float32)
        return Boxes(xyxy=fractions.astype(np.float32), confidence=found.confidence, class_id=found.class_id)
