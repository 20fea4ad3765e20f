"""Draws some training pictures with their labels by origin, for a person to judge the teachers by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from detectors.training.boxes import F32, Image
from detectors.training.labels import Labels
from detectors.training.pictures import read_image
from detectors.training.pseudo import Opinion

COUNT = 24
_LONG_SIDE_PX = 960
_WHITE, _GREY = (255, 255, 255), (150, 150, 150)
_COLOURS_BGR = (
    (66, 135, 245), (245, 170, 66), (80, 220, 80), (210, 210, 40), (80, 80, 240), (220, 100, 220),
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A picture to draw: its file, what people labelled, what the teachers think."""

    path: Path
    human: Labels
    opinion: Opinion


@dataclass(slots=True)
class SampleBox:
    """Keeps COUNT pictures of all that pass: first those that teachers have an opinion of, picked by their names."""

    _kept: list[tuple[tuple[bool, str], Sample]] = field(default_factory=list)

    def offer(self, name: str, sample: Sample) -> None:
        """Keep the picture if it comes before the last one kept; the same pictures give the same samples."""
        has_opinion = len(sample.opinion.labels) + len(sample.opinion.doubtful) > 0
        self._kept.append(((not has_opinion, hashlib.sha256(name.encode()).hexdigest()), sample))
        self._kept.sort(key=lambda kept: kept[0])
        del self._kept[COUNT:]

    def draw_into(self, folder: Path, class_names: Mapping[int, str]) -> None:
        """Write every kept picture as 01.jpg, 02.jpg …"""
        folder.mkdir(parents=True)
        for number, (_, sample) in enumerate(self._kept, start=1):
            image = read_image(sample.path)
            if image is not None:
                drawn = draw_sample(image, sample.human, sample.opinion, class_names)
                _, jpeg = cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, 88])
                (folder / f"{number:02d}_{sample.path.stem}.jpg").write_bytes(jpeg.tobytes())


def draw_sample(image: Image, human: Labels, opinion: Opinion, class_names: Mapping[int, str]) -> Image:
    """A copy of at most 960 px: human boxes white, teachers' boxes coloured with both confidences, doubts grey."""
    scale = min(1.0, _LONG_SIDE_PX / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    drawn = np.array(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    _shade(drawn, opinion.doubtful)
    for xyxy in opinion.doubtful:
        _draw_box(drawn, xyxy, "?", _GREY)
    for class_id, xyxy in zip(human.class_id.tolist(), human.xyxy, strict=True):
        _draw_box(drawn, xyxy, class_names[class_id], _WHITE)
    rows = zip(opinion.labels.class_id.tolist(), opinion.labels.xyxy, opinion.confidence.tolist(), strict=True)
    for class_id, xyxy, (first, second) in rows:
        text = f"{class_names[class_id]} {first:.2f} {second:.2f}"
        _draw_box(drawn, xyxy, text, _COLOURS_BGR[class_id % len(_COLOURS_BGR)])
    return drawn


def _shade(drawn: Image, xyxy: F32) -> None:
    """Half grey where training sees plain grey, so that a person sees what was hidden."""
    for x0, y0, x1, y1 in _pixels(drawn, xyxy):
        drawn[y0:y1, x0:x1] = drawn[y0:y1, x0:x1] // 2 + np.uint8(_GREY[0] // 2)


def _draw_box(drawn: Image, xyxy: F32, text: str, colour: tuple[int, int, int]) -> None:
    ((x0, y0, x1, y1),) = _pixels(drawn, xyxy[None])
    cv2.rectangle(drawn, (x0, y0), (x1, y1), colour, 2)
    (width, height), base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 0.4, 1)
    top = max(0, y0 - height - base)
    cv2.rectangle(drawn, (x0, top), (x0 + width + 2, top + height + base), (30, 30, 30), -1)
    cv2.putText(drawn, text, (x0 + 1, top + height), cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)


def _pixels(drawn: Image, xyxy: F32) -> list[list[int]]:
    size = np.array([drawn.shape[1], drawn.shape[0]] * 2, np.float32)
    rows: list[list[int]] = np.round(xyxy * size).astype(int).tolist()
    return rows
