"""OpenVINO on Intel, AMD and ARM processors (and Intel GPUs)."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov

from detectors.errors import DeviceError, ModelError

F32 = npt.NDArray[np.float32]
_DEVICES = {"auto": "CPU", "cpu": "CPU", "gpu": "GPU"}


class OpenVinoBackend:
    """A network compiled once per input shape; shapes are few, as cameras are.

    Not thread-safe: it owns one inference request per shape.
    """

    def __init__(self, weights: Path, device: str = "auto", *, threads: int = 0) -> None:
        """weights: OpenVINO IR (.xml) or .onnx; device: auto | cpu | gpu; threads: 0 = all cores.

        Raises ModelError when the file cannot be read, DeviceError when the device is not there.
        """
        if device not in _DEVICES:
            raise DeviceError(device, f"not known here; right would be one of {', '.join(_DEVICES)}")
        self._core = ov.Core()
        self._device = _DEVICES[device]
        if self._device not in {name.split(".")[0] for name in self._core.available_devices}:
            raise DeviceError(device, f"OpenVINO finds only {', '.join(self._core.available_devices)}")
        self._threads = threads
        try:
            self._model = self._core.read_model(weights)
        except RuntimeError as error:
            raise ModelError(str(weights), f"OpenVINO cannot read it: {str(error).splitlines()[-1]}") from error
        self._request = functools.lru_cache(maxsize=16)(self._compile)

    @property
    def description(self) -> str:
        """Engine, device and precision."""
        precision = self._core.get_property(self._device, "INFERENCE_PRECISION_HINT").to_string()
        return f"OpenVINO {ov.get_version().split('-')[0]} {self._device} {precision}"

    def forward(self, batch: F32) -> F32:
        """See `detectors.detector.Backend.forward`."""
        request = self._request(batch.shape)
        request.infer({0: ov.Tensor(batch, shared_memory=True)})
        return np.asarray(request.get_output_tensor(0).data, np.float32).copy()

    def _compile(self, shape: tuple[int, ...]) -> ov.InferRequest:
        model = self._model.clone()
        model.reshape({model.input(0): ov.PartialShape(list(shape))})
        options: dict[str, object] = {"PERFORMANCE_HINT": "LATENCY"}
        if self._threads:
            options["INFERENCE_NUM_THREADS"] = self._threads
        return self._core.compile_model(model, self._device, options).create_infer_request()
