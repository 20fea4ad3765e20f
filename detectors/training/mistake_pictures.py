"""Mistakes drawn with their surroundings: truth white, detections green (right), orange (wrong) or grey (not known)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detectors.classes import load_classes
from detectors.training.boxes import F32, Image
from detectors.training.mistakes import Mistake, Wrong
from detectors.training.observing import Observation

_VIEW_PX = (480, 360)
_CONTEXT = 2.4
_LEAST_CROP_PX = 120
_JPEG_QUALITY = 82
_FONT_SCALE = 0.5
_WHITE, _BLACK, _GREEN, _ORANGE, _GREY = (255, 255, 255), (0, 0, 0), (70, 170, 50), (20, 110, 245), (150, 150, 150)

Colour = tuple[int, int, int]
Corners = tuple[int, int, int, int]
"""x0, y0, x1, y1"""


def save_mistake(mistake: Mistake, path: Path) -> None:
    """Write the drawn mistake as a JPEG; the picture is read again from where it lies."""
    pixels = cv2.imdecode(np.fromfile(mistake.pairs.observation.path, np.uint8), cv2.IMREAD_COLOR)
    drawn = draw_mistake(mistake, np.asarray(pixels, np.uint8))
    cv2.imencode(".jpg", drawn, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])[1].tofile(path)


def draw_mistake(mistake: Mistake, picture_bgr: Image) -> Image:
    """The surroundings of a mistake, at most 480 × 360 px, with every box of truth and detection in them."""
    window = _window(mistake.xyxy, (picture_bgr.shape[1], picture_bgr.shape[0]))
    x0, y0, x1, y1 = window
    scale = min(_VIEW_PX[0] / (x1 - x0), _VIEW_PX[1] / (y1 - y0))
    size_px = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    shrink = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    view = np.asarray(cv2.resize(picture_bgr[y0:y1, x0:x1], size_px, interpolation=shrink), np.uint8)
    for box in _boxes(mistake):
        _draw(view, _placed(box.xyxy, window, scale), box)
    return view


@dataclass(frozen=True, slots=True, eq=False)
class _Box:
    """What is drawn: a box (4,) in pixels of the picture, its colour and label; stressed where it is the one meant."""

    xyxy: F32
    colour: Colour
    label: str
    is_stressed: bool


def _boxes(mistake: Mistake) -> Iterator[_Box]:
    """Truth, then detections, then the one that is meant."""
    pairs, seen, classes = mistake.pairs, mistake.pairs.observation, load_classes().by_id
    is_alarm = mistake.wrong is Wrong.FALSE_ALARM
    last: list[_Box] = []
    for row in pairs.truth_rows.tolist():
        is_it = not is_alarm and bool(np.allclose(seen.truth_xyxy[row], mistake.xyxy))
        label = classes[int(seen.truth_class[row])].name if is_it else ""
        box = _Box(seen.truth_xyxy[row], _WHITE, label, is_it)
        if is_it:
            last.append(box)
        else:
            yield box
    for row, truth in zip(pairs.kept.tolist(), pairs.truth.tolist(), strict=True):
        is_it = is_alarm and bool(np.allclose(seen.xyxy[row], mistake.xyxy))
        label = f"{classes[int(seen.class_id[row])].name} {seen.confidence[row]:.2f}"
        box = _Box(seen.xyxy[row], _colour(seen, row, truth), label, is_it)
        if is_it:
            last.append(box)
        else:
            yield box
    yield from last


def _colour(seen: Observation, row: int, truth: int) -> Colour:
    if truth >= 0:
        return _GREEN if seen.truth_class[truth] == seen.class_id[row] else _ORANGE
    return _ORANGE if int(seen.class_id[row]) in seen.labelled else _GREY


def _window(xyxy: tuple[float, float, float, float], size_px: tuple[int, int]) -> Corners:
    """A 4:3 window around a box, moved and cut so that it lies in the picture."""
    x0, y0, x1, y1 = xyxy
    height = max((y1 - y0) * _CONTEXT, (x1 - x0) * _CONTEXT * 3 / 4, _LEAST_CROP_PX)
    low_x, high_x = _span((x0 + x1) / 2, height * 4 / 3, size_px[0])
    low_y, high_y = _span((y0 + y1) / 2, height, size_px[1])
    return low_x, low_y, high_x, high_y


def _span(middle: float, length: float, limit: int) -> tuple[int, int]:
    wanted = min(round(length), limit)
    low = min(max(round(middle - wanted / 2), 0), limit - wanted)
    return low, low + wanted


def _placed(xyxy: F32, window: Corners, scale: float) -> tuple[int, int, int, int]:
    x0, y0, x1, y1 = (round((float(side) - window[index % 2]) * scale) for index, side in enumerate(xyxy))
    return x0, y0, x1, y1


def _draw(view: Image, corners: Corners, box: _Box) -> None:
    x0, y0, x1, y1 = corners
    if x1 <= 0 or y1 <= 0 or x0 >= view.shape[1] or y0 >= view.shape[0]:
        return
    if box.is_stressed:
        cv2.rectangle(view, (x0, y0), (x1, y1), _BLACK, 6)
    cv2.rectangle(view, (x0, y0), (x1, y1), box.colour, 3 if box.is_stressed else 2)
    if not box.label:
        return
    (width, height), base = cv2.getTextSize(box.label, cv2.FONT_HERSHEY_SIMPLEX, _FONT_SCALE, 1)
    left = min(max(x0, 0), max(view.shape[1] - width - 4, 0))
    top = min(max(y0 - height - base - 3, 0), view.shape[0] - height - base - 3)
    cv2.rectangle(view, (left, top), (left + width + 4, top + height + base + 3), box.colour, -1)
    ink = _BLACK if box.colour == _WHITE else _WHITE
    place = (left + 2, top + height + 1)
    cv2.putText(view, box.label, place, cv2.FONT_HERSHEY_SIMPLEX, _FONT_SCALE, ink, 1, cv2.LINE_AA)
