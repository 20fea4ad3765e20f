"""The batched inference path: JPEGs → pictures → one batch per input shape → forward → detections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from detectors.classes import ClassTable
from detectors.errors import ModelError
from detectors.letterbox import Letterbox, fit, write_into
from detectors.messages import FrameDetections
from detectors.model_card import ModelCard
from detectors.nms import decode_yolo, suppress
from ingest.errors import PayloadError
from ingest.jpeg import check_jpeg
from ingest.reasons import Reason

F32 = npt.NDArray[np.float32]


class Backend(Protocol):
    """A loaded network on some device."""

    @property
    def description(self) -> str:
        """One line for a person: engine, device, precision."""

    def forward(self, batch: F32) -> F32:
        """(N, 3, h, w) RGB in 0..1 → (N, 4 + classes, anchors), before suppression."""


class Detector(Protocol):
    """What the rest of the product sees of inference."""

    @property
    def description(self) -> str:
        """One line for a person: model, engine, device."""

    def detect(self, jpegs: Sequence[bytes]) -> list[FrameDetections]:
        """One result per picture, in order; a picture that cannot be decoded says so in `failure`."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A picture that is ready for the batch: row of the caller, pixels (H, W, 3) BGR, place in the input."""

    row: int
    pixels: npt.NDArray[np.uint8]
    letterbox: Letterbox


class BatchedDetector:
    """`Detector` over any backend. Not thread-safe: one caller at a time."""

    def __init__(
        self,
        backend: Backend,
        card: ModelCard,
        classes: ClassTable,
        *,
        confidence: float | None = None,
        max_batch: int = 8,
    ) -> None:
        """confidence: one threshold for every class in place of the card's; max_batch bounds memory."""
        self._backend = backend
        self._card = card
        self._max_batch = max_batch
        self._class_ids = np.array([_class_id(classes, name, card) for name in card.classes], np.int32)
        per_class = [card.thresholds[name] if confidence is None else confidence for name in card.classes]
        self._thresholds = np.array(per_class, np.float32)

    @property
    def description(self) -> str:
        """Model and backend in one line."""
        return f"{self._card.name} ({self._card.input_px} px) on {self._backend.description}"

    def detect(self, jpegs: Sequence[bytes]) -> list[FrameDetections]:
        """See `Detector.detect`."""
        results: list[FrameDetections | None] = [None] * len(jpegs)
        for start in range(0, len(jpegs), self._max_batch):
            self._detect_part(jpegs, range(start, min(start + self._max_batch, len(jpegs))), results)
        return [result for result in results if result is not None]

    def _detect_part(self, jpegs: Sequence[bytes], rows: range, results: list[FrameDetections | None]) -> None:
        shapes: dict[tuple[int, int], list[_Decoded]] = defaultdict(list)
        for row in rows:
            try:
                decoded = self._decode(row, jpegs[row])
            except PayloadError as error:
                results[row] = FrameDetections.empty((0, 0), failure=str(error))
            else:
                shapes[decoded.letterbox.input_px].append(decoded)
        for pictures in shapes.values():
            for chunk in _power_of_two_chunks(pictures):
                for picture, output in zip(chunk, self._backend.forward(_fill_batch(chunk)), strict=True):
                    results[picture.row] = self._finish(output, picture.letterbox)

    def _decode(self, row: int, jpeg: bytes) -> _Decoded:
        size_px = check_jpeg(jpeg).size_px
        placed = fit(size_px, long_side_px=self._card.input_px, stride=self._card.stride).placed_px
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), _reduction(size_px, placed))
        if pixels is None:
            raise PayloadError(Reason.UNDECODABLE_JPEG, "the header is right, the picture data is not")
        if (pixels.shape[1] > pixels.shape[0]) != (size_px[0] > size_px[1]):
            size_px = (size_px[1], size_px[0])  # EXIF says that the camera was held upright
        letterbox = fit(size_px, long_side_px=self._card.input_px, stride=self._card.stride)
        return _Decoded(row, np.asarray(pixels, np.uint8), letterbox)

    def _finish(self, output: F32, letterbox: Letterbox) -> FrameDetections:
        boxes = suppress(decode_yolo(output, self._thresholds), iou_limit=self._card.nms_iou)
        return FrameDetections(
            xyxy=letterbox.to_picture(boxes.xyxy),
            confidence=boxes.confidence,
            class_id=self._class_ids[boxes.class_id],
            size_px=letterbox.picture_px,
        )


def _power_of_two_chunks(pictures: list[_Decoded]) -> Iterator[list[_Decoded]]:
    """Cut 7 pictures into 4 + 2 + 1: a backend compiles per batch size, so sizes must be few."""
    start = 0
    while start < len(pictures):
        size = 1 << ((len(pictures) - start).bit_length() - 1)
        yield pictures[start : start + size]
        start += size


def _fill_batch(pictures: list[_Decoded]) -> F32:
    width, height = pictures[0].letterbox.input_px
    batch = np.empty((len(pictures), 3, height, width), np.float32)
    for slot, picture in zip(batch, pictures, strict=True):
        write_into(slot, picture.pixels, picture.letterbox)
    return batch


def _reduction(size_px: tuple[int, int], placed_px: tuple[int, int]) -> int:
    """The DCT-scaled decode (1/8, 1/4, 1/2 or whole) that still covers what the network needs."""
    for factor, flag in (
        (8, cv2.IMREAD_REDUCED_COLOR_8),
        (4, cv2.IMREAD_REDUCED_COLOR_4),
        (2, cv2.IMREAD_REDUCED_COLOR_2),
    ):
        if size_px[0] // factor >= placed_px[0] and size_px[1] // factor >= placed_px[1]:
            return int(flag)
    return int(cv2.IMREAD_COLOR)


def _class_id(classes: ClassTable, name: str, card: ModelCard) -> int:
    found = classes.by_name.get(name)
    if found is None:
        known = ", ".join(classes.by_name)
        raise ModelError(card.name, f"class {name!r} is not in configs/classes.toml; known are {known}")
    return found.id
