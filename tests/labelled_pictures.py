"""Small labelled pictures on disk, each seed another scene that no perceptual hash confuses."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from detectors.training.boxes import Image


def scene(seed: int, size_px: tuple[int, int] = (128, 96)) -> Image:
    """A smooth random picture of (width, height)."""
    coarse = np.random.default_rng(seed).integers(0, 255, (9, 12, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, size_px, interpolation=cv2.INTER_CUBIC), np.uint8)


def write_picture(path: Path, seed: int, size_px: tuple[int, int] = (128, 96)) -> Path:
    """Write a scene; the folders on the way are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), scene(seed, size_px))
    return path


def write_labelled(split: Path, name: str, seed: int, labels: str | None, size_px: tuple[int, int] = (128, 96)) -> Path:
    """Write split/images/name.jpg and split/labels/name.txt; no label file for None."""
    (split / "labels").mkdir(parents=True, exist_ok=True)
    if labels is not None:
        (split / "labels" / f"{name}.txt").write_text(labels, encoding="utf-8")
    return write_picture(split / "images" / f"{name}.jpg", seed, size_px)
