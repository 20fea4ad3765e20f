"""OpenVINO on Intel, AMD and ARM processors (and Intel GPUs)."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov

from detectors.adapters.exporters_names import names_in_metadata
from detectors.adapters.lanes import MOST_LANES, usable_cores
from detectors.errors import DeviceError, ModelError
from detectors.layouts import NetworkFacts
from detectors.letterbox import SizePx
from detectors.pixels import PixelForm

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
_Key = tuple[tuple[int, ...], PixelForm]
_PROBE_PX = (320, 320)
_MOST_SHAPES = 16


class OpenVinoBackend:
    """A network compiled once per lane and input shape; shapes are few, as cameras are.

    A lane's own pictures run in the lane's own thread: no core waits for another, as it must when one picture is
    shared out among the cores. Streams of one compiled network would do the same, but those of two networks (two
    sizes of pictures) are pinned to the same core: measured, half of the machine stood idle.
    """

    best_batch = 4

    def __init__(self, weights: Path, device: str = "cpu", *, threads: int = 0) -> None:
        """weights: OpenVINO IR (.xml) or .onnx; device: cpu | gpu; threads: 0 = all cores.

        Raises ModelError when the file cannot be used, DeviceError when the device is not there.
        """
        self._core = ov.Core()
        self._device = device.upper()
        if self._device not in {name.split(".")[0] for name in self._core.available_devices}:
            raise DeviceError(device, f"OpenVINO finds only {', '.join(self._core.available_devices)}")
        self._threads = threads or usable_cores()
        self.lanes = self.streams = min(self._threads, MOST_LANES)
        try:
            self._model = self._core.read_model(weights)
            self.facts = _facts(weights, self._model)
        except RuntimeError as error:
            raise ModelError(str(weights), f"OpenVINO cannot read it: {str(error).strip().splitlines()[-1]}") from error
        self._precision = _precision(self._model, self._core.get_property(self._device, "OPTIMIZATION_CAPABILITIES"))
        self._is_one_by_one = self._model.input(0).partial_shape[0].is_static
        self._cloning = threading.Lock()
        self._requests: list[OrderedDict[_Key, ov.InferRequest]] = [OrderedDict() for _ in range(self.lanes)]

    @property
    def description(self) -> str:
        """Engine, device, precision and lanes."""
        return f"OpenVINO {ov.get_version().split('-')[0]} {self._device} {self._precision}, lanes: {self.lanes}"

    def prepare(self, sizes_px: Sequence[SizePx], form: PixelForm, most: int) -> None:
        """See `detectors.backend.Backend.prepare`; lanes compile side by side."""
        counts = range(1, 2 if self._is_one_by_one else most + 1)
        keys = [((count, height, width, 3), form) for width, height in sizes_px for count in counts]
        with ThreadPoolExecutor(self.lanes, thread_name_prefix="compiling") as pool:
            list(pool.map(lambda lane: [self._request(key, lane) for key in keys], range(self.lanes)))

    def forward(self, pictures: U8, form: PixelForm, lane: int = 0) -> F32:
        """See `detectors.backend.Backend.forward`."""
        if self._is_one_by_one and len(pictures) > 1:
            each = (self._infer(pictures[row : row + 1], form, lane).copy() for row in range(len(pictures)))
            return np.concatenate(list(each))
        return self._infer(pictures, form, lane)

    def _infer(self, pictures: U8, form: PixelForm, lane: int) -> F32:
        request = self._request((pictures.shape, form), lane)
        request.infer({0: ov.Tensor(pictures, shared_memory=True)})
        return np.asarray(request.get_output_tensor(0).data, np.float32)

    def _request(self, key: _Key, lane: int) -> ov.InferRequest:
        requests = self._requests[lane]
        if key not in requests:
            requests[key] = self._compile(key).create_infer_request()
            if len(requests) > _MOST_SHAPES:
                requests.popitem(last=False)
        requests.move_to_end(key)
        return requests[key]

    def _compile(self, key: _Key) -> ov.CompiledModel:
        (count, height, width, channels), form = key
        with self._cloning:
            model = self._model.clone()
        if model.is_dynamic():
            model.reshape({model.input(0): ov.PartialShape([count, channels, height, width])})
        options: dict[str, object] = {"NUM_STREAMS": 1}
        if self._device == "CPU":  # a GPU refuses what it does not know
            options["INFERENCE_NUM_THREADS"] = max(1, self._threads // self.lanes)
            options["ENABLE_CPU_PINNING"] = False
        if not self._precision.is_quantised:
            options["INFERENCE_PRECISION_HINT"] = "f32"
        return self._core.compile_model(_speak_bytes(model, form), self._device, options)


@dataclass(frozen=True, slots=True)
class _Precision:
    """What the network is computed in. Only a quantised one may use bf16 between its int8 layers: it costs that network
    nothing, while it moves confidences of an fp32 network by up to 0.034 (measured on 60 real pictures)."""

    is_quantised: bool
    capabilities: tuple[str, ...]

    def __str__(self) -> str:
        if not self.is_quantised:
            return "f32"
        return f"int8 and {'bf16' if 'BF16' in self.capabilities else 'f32'}"


def _precision(model: ov.Model, capabilities: Sequence[str]) -> _Precision:
    is_quantised = any(operation.get_type_name() == "FakeQuantize" for operation in model.get_ops())
    return _Precision(is_quantised, tuple(capabilities))


def _facts(weights: Path, model: ov.Model) -> NetworkFacts:
    """What the file says, without running it; raises ModelError when it is no detector of pictures."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        counts = f"{len(model.inputs)} inputs and {len(model.outputs)} outputs"
        raise ModelError(str(weights), f"has {counts}; a detector with one of each is right")
    given = model.input(0).partial_shape
    if given.rank.is_dynamic or len(given) != 4 or (given[1].is_static and given[1].get_length() != 3):
        raise ModelError(str(weights), f"takes {given}; pictures (N, 3, height, width) are right")
    if given[0].is_static and given[0].get_length() != 1:
        raise ModelError(str(weights), f"takes {given}; a batch of 1 or of any size is right")
    fixed_px = (given[3].get_length(), given[2].get_length()) if given[2].is_static and given[3].is_static else None
    probe_px = fixed_px or _PROBE_PX
    return NetworkFacts(
        fixed_px=fixed_px,
        probe_px=probe_px,
        output_shape=_output_shape(weights, model, probe_px),
        class_names=_class_names(model),
    )


def _output_shape(weights: Path, model: ov.Model, probe_px: SizePx) -> tuple[int, int]:
    """Shape of one picture's output for an input of probe_px (width, height), by shape inference alone."""
    probe = model.clone()
    if probe.is_dynamic():
        probe.reshape({probe.input(0): ov.PartialShape([1, 3, probe_px[1], probe_px[0]])})
    given = probe.output(0).partial_shape
    if given.is_dynamic or len(given) != 3:
        raise ModelError(
            str(weights), f"gives {given}; a raw head with three fixed sides, exported without NMS, is right"
        )
    _, first, second = given.to_shape()
    return int(first), int(second)


def _speak_bytes(model: ov.Model, form: PixelForm) -> ov.Model:
    """The model with (N, h, w, 3) BGR bytes at one end and float32 at the other, whatever it has inside.

    Order, range and layout change inside the graph, together with the first layer's own conversion.
    """
    ends = ov.preprocess.PrePostProcessor(model)
    ends.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    ends.input().model().set_layout(ov.Layout("NCHW"))
    steps = ends.input().preprocess().convert_element_type(ov.Type.f32)
    if form is PixelForm.RGB_UNIT:
        ends.input().tensor().set_color_format(ov.preprocess.ColorFormat.BGR)
        steps.convert_color(ov.preprocess.ColorFormat.RGB).scale(255.0)
    ends.output().tensor().set_element_type(ov.Type.f32)
    return ends.build()


def _class_names(model: ov.Model) -> tuple[str, ...] | None:
    """Names that an exporter left in the file: a Python mapping in ONNX, words in OpenVINO IR; None without."""
    if model.has_rt_info(["model_info", "labels"]):
        return tuple(str(model.get_rt_info(["model_info", "labels"]).value).split())
    if not model.has_rt_info(["framework", "names"]):
        return None
    return names_in_metadata(str(model.get_rt_info(["framework", "names"]).value))
