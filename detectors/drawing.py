"""Detections drawn over their picture, for people who want to see what the numbers say."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from detectors.classes import ClassTable
from detectors.messages import FrameDetections

Image = npt.NDArray[np.uint8]
_COLOURS_BGR = (
    (66, 135, 245), (245, 170, 66), (80, 200, 80), (200, 200, 40), (60, 60, 220),
    (200, 80, 200), (40, 40, 240), (60, 170, 60), (180, 60, 240), (160, 160, 30),
    (30, 110, 170), (220, 120, 120), (120, 90, 60),
    (235, 235, 235), (100, 200, 255), (0, 128, 255),
)  # fmt: skip


def draw_detections(picture_bgr: Image, detections: FrameDetections, classes: ClassTable) -> Image:
    """A copy of a picture (H, W, 3) BGR with a labelled box per detection."""
    drawn = picture_bgr.copy()
    scale = max(drawn.shape[:2]) / 960
    for xyxy, confidence, class_id in zip(detections.xyxy, detections.confidence, detections.class_id, strict=True):
        colour = _COLOURS_BGR[int(class_id) % len(_COLOURS_BGR)]
        label = f"{classes.by_id[int(class_id)].name} {confidence:.2f}"
        _draw_box(drawn, tuple(round(float(side)) for side in xyxy), label, colour, scale)
    return drawn


def _draw_box(drawn: Image, corners: tuple[int, ...], label: str, colour: tuple[int, int, int], scale: float) -> None:
    x0, y0, x1, y1 = corners
    thickness = max(1, round(2 * scale))
    cv2.rectangle(drawn, (x0, y0), (x1, y1), colour, thickness)
    font_scale = max(0.35, 0.5 * scale)
    (width, height), base = cv2.getTextSize(label, cv2.FONT_HERSHEY_SIMPLEX, font_scale, 1)
    top = max(0, y0 - height - base - 2)
    cv2.rectangle(drawn, (x0, top), (x0 + width + 4, top + height + base + 2), colour, -1)
    cv2.putText(
        drawn, label, (x0 + 2, top + height + 1), cv2.FONT_HERSHEY_SIMPLEX, font_scale, (255, 255, 255), 1, cv2.LINE_AA
    )
