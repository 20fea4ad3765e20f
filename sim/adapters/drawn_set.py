"""Writes a training folder of drawn streets with exact YOLO labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2

from sim.drawing.placed import Box
from sim.drawing.random_streets import TRAFFIC_SHARE, draw_random_pictures


def write_drawn_set(
    out: Path,
    class_names: tuple[str, ...],
    *,
    count: int,
    seed: int = 0,
    traffic_share: float = TRAFFIC_SHARE,
    without_doubt: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Write `count` pictures to out/images and their labels to out/labels; returns the number of boxes.

    class_names:   the model's classes in output order; what has no class is drawn without a label
    traffic_share: how many of the streets are seen by a traffic camera, 0..1
    without_doubt: nothing in the pictures that shows too little of itself for a label
    progress:      called with pictures done and in all
    The same seed gives the same files.
    """
    for kind in ("images", "labels"):
        (out / kind).mkdir(parents=True, exist_ok=True)
    boxes = 0
    pictures = draw_random_pictures(seed=seed, count=count, traffic_share=traffic_share, without_doubt=without_doubt)
    for index, picture in enumerate(pictures):
        height, width = picture.image.shape[:2]
        cv2.imwrite(str(out / "images" / f"drawn_{index:04d}.jpg"), picture.image, [cv2.IMWRITE_JPEG_QUALITY, 85])
        lines = [
            _label_line(class_names.index(name), box, (width, height))
            for name, box in picture.boxes
            if name in class_names
        ]
        (out / "labels" / f"drawn_{index:04d}.txt").write_text("".join(lines), encoding="utf-8")
        boxes += len(lines)
        if progress is not None:
            progress(index + 1, count)
    return boxes


def _label_line(class_id: int, box: Box, size_px: tuple[int, int]) -> str:
    (x0, y0, x1, y1), (width, height) = box, size_px
    values = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
    return f"{class_id} " + " ".join(f"{value:.6f}" for value in values) + "\n"
