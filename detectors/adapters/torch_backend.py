"""A checkpoint (.pt) run by torch: on NVIDIA GPUs, and on a processor to try a model before it is exported.

Needs the extra `train`. A checkpoint is a pickle: loading it can run code. Open only files that you trust; a hash in
the card pins them.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.adapters.lanes import MOST_LANES, usable_cores
from detectors.adapters.torch_boxes import kept_boxes
from detectors.adapters.torch_crops import torch_crops
from detectors.adapters.torch_decoder import TorchDecoder
from detectors.backend import DevicePictures
from detectors.errors import ModelError
from detectors.layouts import Layout, NetworkFacts
from detectors.letterbox import Letterbox, SizePx
from detectors.nms import Boxes, Rows
from detectors.pixels import PixelForm
from detectors.reading import HeadReading

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
_PROBE_PX = (320, 320)
_MOST_GRAPHS = 32
_WARM_UPS = 3
UNREADABLE = (
    OSError,
    RuntimeError,
    EOFError,
    pickle.UnpicklingError,
    AttributeError,
    KeyError,
    TypeError,
    ImportError,
)
"""What torch and ultralytics raise over a file that is no checkpoint."""


class TorchBackend:
    """The raw head of an ultralytics detector, at any input size; `detectors.backend.DeviceBackend`.

    On a GPU: half precision, channels last, and one captured CUDA graph per batch shape, so that a forward is one
    launch. Batches are padded to powers of two, so that graphs are few. JPEGs are decoded there where torchvision can,
    else bytes travel there out of pinned memory; suppression is done there too, and only boxes come back.
    """

    def __init__(self, weights: Path, device: str = "cpu", *, threads: int = 0, decodes: bool | None = None) -> None:
        """weights: a detection checkpoint (.pt); device: cpu | cuda:N; threads: of torch on a CPU, 0 = as it is;
        decodes: whether JPEGs are decoded by torch too; None: on a GPU.

        Raises ModelError when the extra is missing or the file cannot be used.
        """
        network, class_names = load_checkpoint(weights)
        import torch  # noqa: PLC0415  comes with the extra

        self._torch = torch
        self._device = torch.device(device)
        self._is_cuda = self._device.type == "cuda"
        self.streams = 1
        self.lanes = min(usable_cores(), MOST_LANES) if self._is_cuda else 1
        self.best_batch = 64 if self._is_cuda else 8
        self._element = torch.float16 if self._is_cuda else torch.float32
        if threads and not self._is_cuda:
            torch.set_num_threads(threads)
        is_decoding = self._is_cuda if decodes is None else decodes
        self._decoder = _decoder(torch, self._device) if is_decoding else None
        self._network = network.to(self._device, self._element, memory_format=torch.channels_last)
        self._one_at_a_time = threading.Lock()
        self._graphs: OrderedDict[tuple[tuple[int, ...], PixelForm], _Graph] = OrderedDict()
        width, height = _PROBE_PX
        output = self.forward(np.zeros((1, height, width, 3), np.uint8), PixelForm.RGB_UNIT)
        if output.ndim != 3:
            raise ModelError(str(weights), f"gives {output.shape}; a raw detection head with three sides is right")
        self.facts = NetworkFacts(
            fixed_px=None,
            probe_px=_PROBE_PX,
            output_shape=(output.shape[1], output.shape[2]),
            class_names=class_names,
        )

    @property
    def description(self) -> str:
        """Engine, device and precision."""
        decoding = "decoding there" if self._decoder else "decoding on the processor"
        precision = f"half precision, CUDA graphs, {decoding}" if self._is_cuda else "f32"
        return f"torch {self._torch.__version__} {self._device} {precision}"

    @property
    def decodes(self) -> bool:
        """Whether JPEGs are decoded on the device; a processor does it better with `detectors.decoding`."""
        return self._decoder is not None

    def prepare(self, sizes_px: Sequence[SizePx], form: PixelForm, most: int) -> None:
        """See `detectors.backend.Backend.prepare`; on a processor nothing is compiled."""
        if self._is_cuda:
            for width, height in sizes_px:
                for power in range((most - 1).bit_length() + 1):
                    self.forward(np.zeros((1 << power, height, width, 3), np.uint8), form)

    def empty(self, shape: tuple[int, ...]) -> U8:
        """Memory for a batch; a GPU fetches it by itself, while the processor does something else."""
        pictures = self._torch.empty(shape, dtype=self._torch.uint8, pin_memory=self._is_cuda)
        return np.asarray(pictures.numpy(), np.uint8)

    def decode(self, jpegs: Sequence[bytes], letterboxes: Sequence[Letterbox]) -> DevicePictures | None:
        """See `detectors.backend.DeviceBackend.decode`."""
        if self._decoder is None:
            return None
        try:
            batch, glances = self._decoder.batch(jpegs, letterboxes)
        except RuntimeError:  # what it raises over a picture that the decoder there does not take
            return None
        return DevicePictures(batch, np.asarray(glances.cpu().numpy(), np.uint8))

    def forward(self, pictures: U8, form: PixelForm, lane: int = 0) -> F32:  # noqa: ARG002  one forward at a time
        """See `detectors.backend.Backend.forward`."""
        with self._one_at_a_time, self._torch.inference_mode():
            return np.asarray(self._head(pictures, form).float().cpu().numpy(), np.float32)

    def find(self, pictures: U8 | DevicePictures, reading: HeadReading, lane: int = 0) -> tuple[Rows, Boxes]:
        """See `detectors.backend.DeviceBackend.find`; heads of other layouts are read on the processor."""
        memory = pictures.memory if isinstance(pictures, DevicePictures) else pictures
        if reading.layout is not Layout.YOLO_V8_HEAD:
            output = self.forward(memory, reading.layout.pixel_form, lane)
            return reading.kept(output, input_px=(memory.shape[2], memory.shape[1]))
        with self._one_at_a_time, self._torch.inference_mode():
            return kept_boxes(self._torch, self._head(memory, reading.layout.pixel_form), reading)

    def crops(self, pictures: DevicePictures, owner: Rows, xyxy: F32) -> U8:
        """See `detectors.backend.DeviceBackend.crops`."""
        with self._torch.inference_mode():
            return torch_crops(self._torch, pictures.memory, owner, xyxy)

    def resident(self, shape: tuple[int, ...], form: PixelForm) -> Callable[[], None]:
        """See `detectors.backend.DeviceBackend.resident`; on a GPU a captured graph."""
        pictures = self._torch.zeros(shape, dtype=self._torch.uint8, device=self._device)

        def once() -> None:
            with self._one_at_a_time, self._torch.inference_mode():
                self._head(pictures, form)
                if self._is_cuda:
                    self._torch.cuda.synchronize(self._device)

        return once

    def _head(self, pictures: Any, form: PixelForm) -> Any:
        """Bytes (N, h, w, 3), here or on the device → the raw head there; valid until the next call."""
        there = self._torch.from_numpy(pictures) if isinstance(pictures, np.ndarray) else pictures
        if self._is_cuda:
            return self._replay(there, form)
        return self._run(there, form)

    def _run(self, pictures: Any, form: PixelForm) -> Any:
        """Bytes (N, h, w, 3) on the device → the raw head; the channels-last memory is the one the bytes have."""
        planes = pictures.permute(0, 3, 1, 2)
        is_unit = form is PixelForm.RGB_UNIT
        planes = planes.flip(1).to(self._element).div_(255) if is_unit else planes.to(self._element)
        output = self._network(planes.contiguous(memory_format=self._torch.channels_last))
        return output[0] if isinstance(output, list | tuple) else output

    def _replay(self, pictures: Any, form: PixelForm) -> Any:
        padded = (1 << (len(pictures) - 1).bit_length(), *pictures.shape[1:])
        key = (padded, form)
        if key not in self._graphs:
            self._graphs[key] = self._capture(padded, form)
            if len(self._graphs) > _MOST_GRAPHS:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(key)
        return self._graphs[key].replay(pictures)

    def _capture(self, shape: tuple[int, ...], form: PixelForm) -> _Graph:
        """Record one forward of a batch shape."""
        torch = self._torch
        bytes_in = torch.zeros(shape, dtype=torch.uint8, device=self._device)
        side = torch.cuda.Stream(self._device)
        side.wait_stream(torch.cuda.current_stream(self._device))
        with torch.cuda.stream(side):
            for _ in range(_WARM_UPS):
                self._run(bytes_in, form)
        torch.cuda.current_stream(self._device).wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):  # other lanes may be decoding
            head = self._run(bytes_in, form)
        return _Graph(graph, bytes_in, head, remembered(self._network))


@dataclass(frozen=True, slots=True, eq=False)
class _Graph:
    """A recorded forward: what it reads, what it writes, and what else lies in the memory that it reads."""

    graph: Any
    bytes_in: Any
    head: Any
    remembered: Sequence[Any]

    def replay(self, pictures: Any) -> Any:
        """Bytes (n, h, w, 3), n no more than were recorded → the raw head; valid until the next call."""
        self.bytes_in[: len(pictures)].copy_(pictures, non_blocking=True)
        self.graph.replay()
        return self.head[: len(pictures)]


def remembered(network: Any) -> list[Any]:
    """The cell centres that a head computes for one input shape and lets go at the next; a recorded forward still reads
    them."""
    heads = [module for module in network.modules() if hasattr(module, "anchors")]
    return [tensor for head in heads for tensor in (head.anchors, head.strides)]


def _decoder(torch: Any, device: Any) -> TorchDecoder | None:
    """A decoder on the GPU, None where this torchvision has none."""
    try:
        return TorchDecoder(torch, device)
    except (ImportError, RuntimeError):
        return None


def load_checkpoint(weights: Path) -> tuple[Any, tuple[str, ...]]:
    """The network in float32, ready to run, and its class names; never reaches for the network."""
    os.environ.setdefault("YOLO_OFFLINE", "true")  # no font, weight or usage-statistics traffic
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    try:
        from ultralytics import YOLO  # noqa: PLC0415  an extra of some gigabytes, absent from gateways
    except ImportError as error:
        problem = "needs ultralytics, which is not installed: pip install 'street721[train]', or give its .onnx"
        raise ModelError(str(weights), problem) from error
    try:
        model = YOLO(str(weights))
        task, names = model.task, model.names
        network = model.model.float().fuse(verbose=False).eval()
    except UNREADABLE as error:
        reason = str(error).strip().splitlines()[-1:] or [type(error).__name__]
        raise ModelError(str(weights), f"ultralytics cannot read it: {reason[0]}") from error
    if task != "detect":
        raise ModelError(str(weights), f"is for the task {task!r}; a model for 'detect' is right")
    return network, tuple(str(names[index]) for index in sorted(names))
