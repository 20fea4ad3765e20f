"""Writes a training folder of drawn streets with exact YOLO labels."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from sim.random_streets import draw_random_street
from sim.street_frames import Box


def write_drawn_set(out: Path, class_names: tuple[str, ...], *, count: int, seed: int = 0) -> int:
    """Write `count` pictures to out/images and their labels to out/labels; returns the number of boxes.

    class_names: the model's classes in output order. The same seed gives the same pictures.
    """
    for kind in ("images", "labels"):
        (out / kind).mkdir(parents=True, exist_ok=True)
    boxes = 0
    for index in range(count):
        frame = draw_random_street(np.random.default_rng((seed, index)))
        height, width = frame.image.shape[:2]
        cv2.imwrite(str(out / "images" / f"drawn_{index:04d}.jpg"), frame.image, [cv2.IMWRITE_JPEG_QUALITY, 85])
        lines = [_label_line(class_names.index(name), box, (width, height)) for name, box in frame.boxes]
        (out / "labels" / f"drawn_{index:04d}.txt").write_text("".join(lines), encoding="utf-8")
        boxes += len(lines)
    return boxes


def _label_line(class_id: int, box: Box, size_px: tuple[int, int]) -> str:
    (x0, y0, x1, y1), (width, height) = box, size_px
    values = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
    return f"{class_id} " + " ".join(f"{value:.6f}" for value in values) + "\n"
