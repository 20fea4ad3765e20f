"""The batched inference path: JPEGs → one batch per input shape → forward → detections.

Headers are checked first, so that every picture's place is known before a pixel is decoded. Lanes (threads) then
decode straight into the batches; whoever writes the last picture of a batch runs the network over it while the
others decode the next one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from detectors.appearance import appearances, crops
from detectors.backend import Backend, DeviceBackend, DevicePictures, Lanes, OneLane
from detectors.buffers import BatchBuffers, empty
from detectors.card_check import layout_of
from detectors.classes import ClassTable
from detectors.decoding import decode_jpeg, is_turned
from detectors.glance import Glance, glance_of
from detectors.layouts import Layout
from detectors.letterbox import Letterbox, SizePx, fit, fit_fixed, write_into
from detectors.messages import FrameDetections
from detectors.model_card import ModelCard
from detectors.nms import SAME_PLACE_IOU, Boxes, Rows
from detectors.outputs import class_outputs
from detectors.planning import Placed, Slot, plan_batches
from detectors.reading import HeadReading
from ingest.errors import PayloadError
from ingest.jpeg import check_jpeg

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
I8 = npt.NDArray[np.int8]
_PREPARED_SIZES = 4
"""Engines keep 16 networks a lane: four sizes of pictures, in batches of one to four."""


class Detector(Protocol):
    """What the rest of the product sees of inference."""

    @property
    def description(self) -> str:
        """One line for a person: model, engine, device."""

    def prepare(self, sizes_px: Iterable[SizePx]) -> None:
        """Get ready for pictures of these sizes (width, height), one entry per camera, before the first one comes."""

    def detect(self, jpegs: Sequence[bytes], before: Sequence[Glance | None] = ()) -> list[FrameDetections]:
        """One result per picture, in order; a picture that cannot be decoded says so in `failure`.

        before: for every picture the glance of the one before it, None where there was none; a picture that has not
        changed by a bit since is not inferred again, and says so in `is_repeat`
        """


class BatchedDetector:
    """`Detector` over any backend. One caller at a time: its lanes are busy with one call."""

    def __init__(
        self,
        backend: Backend,
        card: ModelCard,
        classes: ClassTable,
        *,
        lanes: Lanes | None = None,
        confidence: float | None = None,
        max_batch: int | None = None,
        one_box: bool = True,
        reason: str = "",
    ) -> None:
        """lanes: threads, as many as the backend wants (none: the caller's own); confidence: one threshold for every
        class in place of the card's; max_batch: most pictures per forward, the backend's best if not given;
        one_box: see `class_outputs`; reason: why this engine, for the description.

        Raises ModelError when the network's output does not suit the card, or no class of it is in `classes`.
        """
        self._backend = backend
        self._card = card
        self._lanes = lanes or OneLane()
        self._batch_size = min(max_batch or backend.best_batch, backend.best_batch)
        self._outputs = class_outputs(card, classes, confidence=confidence, one_box=one_box)
        self._layout = layout_of(card, backend.facts)
        self._reading = HeadReading(
            layout=self._layout,
            thresholds=self._outputs.thresholds,
            groups=self._outputs.groups,
            iou_limit=card.nms_iou,
            any_group_limit=SAME_PLACE_IOU if one_box else 1.0,
            has_doubles=one_box or self._layout is not Layout.YOLO_END2END,
        )
        self._fixed_px = backend.facts.fixed_px
        self._device = backend if isinstance(backend, DeviceBackend) else None
        self.buffers = BatchBuffers(self._device.empty if self._device else empty)
        self._reason = f" ({reason})" if reason else ""

    @property
    def description(self) -> str:
        """Model and backend in one line, with what a person should know of the model."""
        remarks = [f"{max(self._fixed_px or (self._card.input_px,))} px"]
        if self._outputs.remark:
            remarks.append(self._outputs.remark)
        if not self._card.is_verified:
            remarks.append("unverified")
        return f"{self._card.name} ({', '.join(remarks)}) on {self._backend.description}{self._reason}"

    def prepare(self, sizes_px: Iterable[SizePx]) -> None:
        """See `Detector.prepare`; the few input sizes that most pictures have."""
        inputs = Counter(self.letterbox(size_px).input_px for size_px in sizes_px)
        common = [input_px for input_px, _ in inputs.most_common(_PREPARED_SIZES)]
        self._backend.prepare(common, self._layout.pixel_form, self._batch_size)

    def detect(self, jpegs: Sequence[bytes], before: Sequence[Glance | None] = ()) -> list[FrameDetections]:
        """See `Detector.detect`."""
        call = _Call(self, jpegs, before)
        self._lanes.run(call.batches, call.decode, call.infer)
        return [replace(call.results[row], glance=call.glances.get(row)) for row in range(len(jpegs))]

    def see(self, picture_bgr: U8, size_px: SizePx | None = None, lane: int = 0) -> FrameDetections:
        """The detections of one decoded picture (H, W, 3) BGR; size_px: of the original, where it is larger."""
        size_px = size_px or (picture_bgr.shape[1], picture_bgr.shape[0])
        placed = Placed(0, size_px, self.letterbox(size_px))
        width, height = placed.letterbox.input_px
        batch = np.empty((1, height, width, 3), np.uint8)
        write_into(batch[0], picture_bgr, placed.letterbox)
        return self.infer(batch, [placed], lane)[0]

    def plan(self, pictures: Sequence[Placed]) -> list[list[Slot]]:
        """Batches that keep all of the engine's streams busy."""
        return plan_batches(pictures, streams=self._backend.streams, most=self._batch_size)

    def letterbox(self, size_px: SizePx) -> Letterbox:
        """Where a picture of (width, height) lies in the network's input."""
        is_centred = self._layout is not Layout.YOLOX
        if self._fixed_px is not None:
            return fit_fixed(size_px, input_px=self._fixed_px, is_centred=is_centred)
        return fit(size_px, long_side_px=self._card.input_px, stride=self._card.stride, is_centred=is_centred)

    def decodes_there(self, pictures: Sequence[Placed]) -> bool:
        """Whether a batch of pictures is to be decoded on the backend's device."""
        return self._device is not None and self._device.decodes and not any(one.is_turned for one in pictures)

    def decode_there(self, jpegs: Sequence[bytes], pictures: Sequence[Placed]) -> DevicePictures | None:
        """The batch, decoded on the backend's device; None where that did not work out for all."""
        if self._device is None:
            return None
        return self._device.decode(jpegs, [picture.letterbox for picture in pictures])

    def infer(self, batch: U8 | DevicePictures, pictures: Sequence[Placed], lane: int) -> list[FrameDetections]:
        """The detections of every picture of a batch (N, h, w, 3)."""
        owner, boxes = self._find(batch, lane)
        appearance = appearances(self._crops(batch, owner, boxes.xyxy))
        found = []
        for place, placed in enumerate(pictures):
            rows = np.flatnonzero(owner == place)
            found.append(self._detections(boxes.rows(rows), appearance[rows], placed.letterbox))
        return found

    def _crops(self, batch: U8 | DevicePictures, owner: Rows, xyxy: F32) -> U8:
        if self._device is not None and isinstance(batch, DevicePictures):
            return self._device.crops(batch, owner, xyxy)
        assert not isinstance(batch, DevicePictures), "only a device backend decodes on its device"
        return crops(batch, owner, xyxy)

    def _find(self, batch: U8 | DevicePictures, lane: int) -> tuple[Rows, Boxes]:
        if self._device is not None:
            return self._device.find(batch, self._reading, lane)
        assert not isinstance(batch, DevicePictures), "only a device backend decodes on its device"
        output = self._backend.forward(batch, self._layout.pixel_form, lane)
        return self._reading.kept(output, input_px=(batch.shape[2], batch.shape[1]))

    def _detections(self, boxes: Boxes, appearance: I8, letterbox: Letterbox) -> FrameDetections:
        return FrameDetections(
            xyxy=letterbox.to_picture(boxes.xyxy),
            confidence=boxes.confidence,
            class_id=self._outputs.class_id[boxes.class_id],
            size_px=letterbox.picture_px,
            appearance=appearance,
        )


class _Call:
    """One call of `detect`: what it has found so far, shared by the lanes. Every slot is written by one of them."""

    def __init__(self, detector: BatchedDetector, jpegs: Sequence[bytes], before: Sequence[Glance | None]) -> None:
        self._detector = detector
        self._jpegs = jpegs
        self._before = before
        self._memory: dict[int, U8] = {}
        self.results: dict[int, FrameDetections] = {}
        self.glances: dict[int, Glance] = {}
        self.batches = detector.plan(list(self._placed()))
        self._decoded_there = {
            number
            for number, batch in enumerate(self.batches)
            if detector.decodes_there([slot.picture for slot in batch])
        }

    def decode(self, slot: Slot, lane: int) -> None:
        """Write a picture into its place, or its result where there is nothing to infer."""
        if slot.batch not in self._decoded_there:
            self._decode_here(slot, lane)

    def infer(self, number: int, lane: int) -> None:
        """The results of a batch."""
        if number in self._decoded_there:
            if self._infer_there(number, lane):
                return
            for slot in self.batches[number]:
                self._decode_here(slot, lane)
        self._infer_here(number, lane)

    def _infer_there(self, number: int, lane: int) -> bool:
        """Decode and infer a batch on the backend's device; False where a picture of it has to be decoded here."""
        pictures = [slot.picture for slot in self.batches[number]]
        decoded = self._detector.decode_there([self._jpegs[picture.row] for picture in pictures], pictures)
        if decoded is None:
            return False
        found = self._detector.infer(decoded, pictures, lane)
        for picture, glance, seen in zip(pictures, decoded.glances, found, strict=True):
            self.glances[picture.row] = glance
            self.results[picture.row] = _repeat(picture.size_px) if self._is_repeat(picture.row) else seen
        return True

    def _decode_here(self, slot: Slot, lane: int) -> None:
        picture = slot.picture
        try:
            pixels = decode_jpeg(self._jpegs[picture.row], picture.size_px, picture.letterbox.placed_px)
        except PayloadError as error:
            self.results[picture.row] = FrameDetections.empty((0, 0), failure=str(error))
            return
        self.glances[picture.row] = glance_of(pixels)
        if self._is_repeat(picture.row):
            self.results[picture.row] = _repeat(picture.size_px)
        elif is_turned(pixels, picture.size_px):
            self.results[picture.row] = self._detector.see(pixels, picture.size_px[::-1], lane)
        else:
            write_into(self._memory_of(slot)[slot.place], pixels, picture.letterbox)

    def _infer_here(self, number: int, lane: int) -> None:
        """Run the network over what is left of a batch, moved together."""
        left = [slot for slot in self.batches[number] if slot.picture.row not in self.results]
        if not left:
            return
        memory = self._memory.pop(number)
        for place, slot in enumerate(left):
            if place < slot.place:
                memory[place] = memory[slot.place]
        found = self._detector.infer(memory[: len(left)], [slot.picture for slot in left], lane)
        for slot, seen in zip(left, found, strict=True):
            self.results[slot.picture.row] = seen
        self._detector.buffers.give_back(memory)

    def _placed(self) -> Iterator[Placed]:
        """Every picture whose header is right; the others have failed."""
        for row, jpeg in enumerate(self._jpegs):
            try:
                info = check_jpeg(jpeg)
            except PayloadError as error:
                self.results[row] = FrameDetections.empty((0, 0), failure=str(error))
            else:
                yield Placed(row, info.size_px, self._detector.letterbox(info.size_px), info.is_turned)

    def _is_repeat(self, row: int) -> bool:
        known = self._before[row] if self._before else None
        return known is not None and np.array_equal(self.glances[row], known)

    def _memory_of(self, slot: Slot) -> U8:
        """The batch's memory; of two lanes that ask for it at once one gets the other's."""
        if slot.batch not in self._memory:
            width, height = slot.picture.letterbox.input_px
            shape = (len(self.batches[slot.batch]), height, width, 3)
            self._memory.setdefault(slot.batch, self._detector.buffers.take(shape))
        return self._memory[slot.batch]


def _repeat(size_px: SizePx) -> FrameDetections:
    return replace(FrameDetections.empty(size_px), is_repeat=True)
