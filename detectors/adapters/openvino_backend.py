"""OpenVINO on Intel, AMD and ARM processors (and Intel GPUs)."""

from __future__ import annotations

import ast
import functools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov

from detectors.errors import DeviceError, ModelError
from detectors.layouts import NetworkFacts
from detectors.letterbox import SizePx

F32 = npt.NDArray[np.float32]
_DEVICES = {"auto": "CPU", "cpu": "CPU", "gpu": "GPU"}
_PROBE_PX = (320, 320)


class OpenVinoBackend:
    """A network compiled once per input shape; shapes are few, as cameras are.

    Not thread-safe: it owns one inference request per shape.
    """

    def __init__(self, weights: Path, device: str = "auto", *, threads: int = 0) -> None:
        """weights: OpenVINO IR (.xml) or .onnx; device: auto | cpu | gpu; threads: 0 = all cores.

        Raises ModelError when the file cannot be used, DeviceError when the device is not there.
        """
        if device not in _DEVICES:
            raise DeviceError(device, f"not known here; right would be one of {', '.join(_DEVICES)}")
        self._core = ov.Core()
        self._device = _DEVICES[device]
        if self._device not in {name.split(".")[0] for name in self._core.available_devices}:
            raise DeviceError(device, f"OpenVINO finds only {', '.join(self._core.available_devices)}")
        self._threads = threads
        try:
            model = self._core.read_model(weights)
            self.facts = _facts(weights, model)
            self._model = _speak_float32(model)
        except RuntimeError as error:
            raise ModelError(str(weights), f"OpenVINO cannot read it: {str(error).strip().splitlines()[-1]}") from error
        self._is_one_by_one = model.input(0).partial_shape[0].is_static
        self._request = functools.lru_cache(maxsize=16)(self._compile)

    @property
    def description(self) -> str:
        """Engine, device and precision."""
        precision = self._core.get_property(self._device, "INFERENCE_PRECISION_HINT").to_string()
        return f"OpenVINO {ov.get_version().split('-')[0]} {self._device} {precision}"

    def forward(self, batch: F32) -> F32:
        """See `detectors.detector.Backend.forward`."""
        if self._is_one_by_one and len(batch) > 1:
            return np.concatenate([self._infer(batch[row : row + 1]) for row in range(len(batch))])
        return self._infer(batch)

    def _infer(self, batch: F32) -> F32:
        request = self._request(batch.shape)
        request.infer({0: ov.Tensor(batch, shared_memory=True)})
        return np.asarray(request.get_output_tensor(0).data, np.float32).copy()

    def _compile(self, shape: tuple[int, ...]) -> ov.InferRequest:
        model = self._model.clone()
        if model.is_dynamic():
            model.reshape({model.input(0): ov.PartialShape(list(shape))})
        options: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY"}
        if self._threads:
            options["INFERENCE_NUM_THREADS"] = self._threads
        return self._core.compile_model(model, self._device, options).create_infer_request()


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


def _speak_float32(model: ov.Model) -> ov.Model:
    """The model with float32 at both ends, whatever precision it has inside."""
    ends = ov.preprocess.PrePostProcessor(model)
    ends.input().tensor().set_element_type(ov.Type.f32)
    ends.output().tensor().set_element_type(ov.Type.f32)
    return ends.build()


def _class_names(model: ov.Model) -> tuple[str, ...] | None:
    """Names that an exporter left in the file: a Python mapping in ONNX, words in OpenVINO IR; None without."""
    if model.has_rt_info(["model_info", "labels"]):
        return tuple(str(model.get_rt_info(["model_info", "labels"]).value).split())
    if not model.has_rt_info(["framework", "names"]):
        return None
    try:
        names = ast.literal_eval(str(model.get_rt_info(["framework", "names"]).value))
    except (ValueError, SyntaxError):
        return None
    if isinstance(names, dict):
        names = [names[key] for key in sorted(names)]
    return tuple(str(name) for name in names) if isinstance(names, list | tuple) else None
