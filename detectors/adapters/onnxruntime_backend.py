"""ONNX Runtime, the portable third engine: any .onnx, on any processor that it has a wheel for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from detectors.adapters.exporters_names import names_in_metadata
from detectors.adapters.lanes import MOST_LANES, usable_cores
from detectors.errors import ModelError
from detectors.layouts import NetworkFacts
from detectors.letterbox import SizePx
from detectors.pixels import PixelForm, as_network_input

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
_PROBE_PX = (320, 320)
UNREADABLE = (
    errors.EPFail,
    errors.Fail,
    errors.InvalidArgument,
    errors.InvalidGraph,
    errors.InvalidProtobuf,
    errors.NoModel,
    errors.NoSuchFile,
    errors.NotImplemented,
    errors.RuntimeException,
)
"""What ONNX Runtime raises over a file that it cannot run; they have no common class of their own."""


class OnnxRuntimeBackend:
    """One session for all lanes; each runs in its lane's own thread."""

    best_batch = 4

    def __init__(self, weights: Path, *, threads: int = 0) -> None:
        """weights: an .onnx of one input and one output; threads: 0 = all cores. Raises ModelError."""
        self._threads = threads or usable_cores()
        self.lanes = self.streams = min(self._threads, MOST_LANES)
        options = ort.SessionOptions()
        options.intra_op_num_threads = max(1, self._threads // self.lanes)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = ort.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
            self.facts = self._find_facts(weights)
        except UNREADABLE as error:
            reason = str(error).strip().splitlines()[-1]
            raise ModelError(str(weights), f"ONNX Runtime cannot run it: {reason}") from error

    @property
    def description(self) -> str:
        """Engine, device, precision and lanes."""
        return f"ONNX Runtime {ort.__version__} CPU f32, lanes: {self.lanes}"

    def prepare(self, sizes_px: Sequence[SizePx], form: PixelForm, most: int) -> None:
        """See `detectors.backend.Backend.prepare`; the session takes any size as it comes."""

    def forward(self, pictures: U8, form: PixelForm, lane: int = 0) -> F32:  # noqa: ARG002  lanes share the session
        """See `detectors.backend.Backend.forward`."""
        if self._is_one_by_one and len(pictures) > 1:
            return np.concatenate([self._infer(pictures[row : row + 1], form) for row in range(len(pictures))])
        return self._infer(pictures, form)

    def _infer(self, pictures: U8, form: PixelForm) -> F32:
        (output,) = self._session.run(None, {self._input: as_network_input(pictures, form).astype(self._element)})
        return np.asarray(output, np.float32)

    def _find_facts(self, weights: Path) -> NetworkFacts:
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            counts = f"{len(inputs)} inputs and {len(outputs)} outputs"
            raise ModelError(str(weights), f"has {counts}; a detector with one of each is right")
        shape = inputs[0].shape
        if len(shape) != 4 or (isinstance(shape[1], int) and shape[1] != 3):
            raise ModelError(str(weights), f"takes {shape}; pictures (N, 3, height, width) are right")
        self._input = inputs[0].name
        self._element = np.float16 if inputs[0].type == "tensor(float16)" else np.float32
        self._is_one_by_one = shape[0] == 1
        is_fixed = isinstance(shape[2], int) and isinstance(shape[3], int)
        width, height = probe_px = (shape[3], shape[2]) if is_fixed else _PROBE_PX
        output = self._infer(np.zeros((1, height, width, 3), np.uint8), PixelForm.RGB_UNIT)
        if output.ndim != 3:
            raise ModelError(
                str(weights), f"gives {list(output.shape)}; a raw head with three sides, exported without NMS, is right"
            )
        return NetworkFacts(
            fixed_px=probe_px if is_fixed else None,
            probe_px=probe_px,
            output_shape=(output.shape[1], output.shape[2]),
            class_names=names_in_metadata(self._session.get_modelmeta().custom_metadata_map.get("names", "")),
        )
