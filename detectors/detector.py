"""The batched inference path: JPEGs → pictures → one batch per input shape → forward → detections."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import cv2
import numpy as np
import numpy.typing as npt

from detectors.card_check import layout_of
from detectors.classes import ClassTable
from detectors.layouts import Layout, NetworkFacts, decode
from detectors.letterbox import Letterbox, SizePx, fit, fit_fixed, write_into
from detectors.messages import FrameDetections
from detectors.model_card import ModelCard
from detectors.nms import SAME_PLACE_IOU, suppress
from detectors.outputs import class_outputs
from ingest.errors import PayloadError
from ingest.jpeg import check_jpeg
from ingest.reasons import Reason

F32 = npt.NDArray[np.float32]


class Backend(Protocol):
    """A loaded network on some device."""

    @property
    def description(self) -> str:
        """One line for a person: engine, device, precision."""

    @property
    def facts(self) -> NetworkFacts:
        """Size, output and class names, as the weights file has them."""

    def forward(self, batch: F32) -> F32:
        """(N, 3, h, w) as the network's layout wants it → (N, …) its raw output, before suppression."""


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
        one_box: bool = True,
    ) -> None:
        """confidence: one threshold for every class in place of the card's; max_batch bounds memory; one_box: see
        `class_outputs`.

        Raises ModelError when the network's output does not suit the card, or no class of it is in `classes`.
        """
        self._backend = backend
        self._card = card
        self._max_batch = max_batch
        self._outputs = class_outputs(card, classes, confidence=confidence, one_box=one_box)
        self._any_group_limit = SAME_PLACE_IOU if one_box else 1.0
        self._layout = layout_of(card, backend.facts)
        self._fixed_px = backend.facts.fixed_px

    @property
    def description(self) -> str:
        """Model and backend in one line, with what a person should know of the model."""
        remarks = [f"{max(self._fixed_px or (self._card.input_px,))} px"]
        if self._outputs.remark:
            remarks.append(self._outputs.remark)
        if not self._card.is_verified:
            remarks.append("unverified")
        return f"{self._card.name} ({', '.join(remarks)}) on {self._backend.description}"

    def detect(self, jpegs: Sequence[bytes]) -> list[FrameDetections]:
        """See `Detector.detect`."""
        results: list[FrameDetections | None] = [None] * len(jpegs)
        for start in range(0, len(jpegs), self._max_batch):
            self._detect_part(jpegs, range(start, min(start + self._max_batch, len(jpegs))), results)
        return [result for result in results if result is not None]

    def see(self, picture_bgr: npt.NDArray[np.uint8]) -> FrameDetections:
        """The detections of one decoded picture (H, W, 3) BGR."""
        height, width = picture_bgr.shape[:2]
        picture = _Decoded(0, picture_bgr, self._place((width, height)))
        return self._finish(self._backend.forward(self._fill_batch([picture]))[0], picture.letterbox)

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
                for picture, output in zip(chunk, self._backend.forward(self._fill_batch(chunk)), strict=True):
                    results[picture.row] = self._finish(output, picture.letterbox)

    def _decode(self, row: int, jpeg: bytes) -> _Decoded:
        size_px = check_jpeg(jpeg).size_px
        reduction = _reduction(size_px, self._place(size_px).placed_px)
        pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), reduction)
        if pixels is None:
            raise PayloadError(Reason.UNDECODABLE_JPEG, "the header is right, the picture data is not")
        if (pixels.shape[1] > pixels.shape[0]) != (size_px[0] > size_px[1]):
            size_px = (size_px[1], size_px[0])  # EXIF says that the camera was held upright
        return _Decoded(row, np.asarray(pixels, np.uint8), self._place(size_px))

    def _place(self, size_px: SizePx) -> Letterbox:
        is_centred = self._layout is not Layout.YOLOX
        if self._fixed_px is not None:
            return fit_fixed(size_px, input_px=self._fixed_px, is_centred=is_centred)
        return fit(size_px, long_side_px=self._card.input_px, stride=self._card.stride, is_centred=is_centred)

    def _fill_batch(self, pictures: list[_Decoded]) -> F32:
        width, height = pictures[0].letterbox.input_px
        batch = np.empty((len(pictures), 3, height, width), np.float32)
        for slot, picture in zip(batch, pictures, strict=True):
            write_into(slot, picture.pixels, picture.letterbox, is_raw_bgr=self._layout is Layout.YOLOX)
        return batch

    def _finish(self, output: F32, letterbox: Letterbox) -> FrameDetections:
        candidates = decode(self._layout, output, self._outputs.thresholds, input_px=letterbox.input_px)
        boxes = suppress(
            candidates,
            iou_limit=self._card.nms_iou,
            groups=self._outputs.groups,
            any_group_limit=self._any_group_limit,
        )
        return FrameDetections(
            xyxy=letterbox.to_picture(boxes.xyxy),
            confidence=boxes.confidence,
            class_id=self._outputs.class_id[boxes.class_id],
            size_px=letterbox.picture_px,
        )


def _power_of_two_chunks(pictures: list[_Decoded]) -> Iterator[list[_Decoded]]:
    """Cut 7 pictures into 4 + 2 + 1: a backend compiles per batch size, so sizes must be few."""
    start = 0
    while start < len(pictures):
        size = 1 << ((len(pictures) - start).bit_length() - 1)
        yield pictures[start : start + size]
        start += size


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
