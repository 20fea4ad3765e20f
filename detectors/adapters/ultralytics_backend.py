"""A checkpoint (.pt) run by ultralytics and torch, for trying a model before it is exported; needs the extra `train`.

A checkpoint is a pickle: loading it can run code. Open only files that you trust; a hash in the card pins them.
"""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from detectors.errors import DeviceError, ModelError
from detectors.layouts import NetworkFacts
from detectors.pixels import PixelForm, as_network_input

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]
_DEVICES = ("auto", "cpu", "gpu")
_PROBE_PX = (320, 320)
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


class UltralyticsBackend:
    """The raw head of an ultralytics detector, at any input size."""

    lanes = streams = 1
    best_batch = 8

    def __init__(self, weights: Path, device: str = "auto", *, threads: int = 0) -> None:
        """weights: a detection checkpoint (.pt); device: auto | cpu | gpu; threads: of torch, 0 = as it is.

        Raises ModelError when the extra is missing or the file cannot be used, DeviceError without the device.
        """
        self._network, class_names = _load(weights)
        import torch  # noqa: PLC0415  comes with the extra

        self._torch = torch
        self._device = _torch_device(device, has_cuda=torch.cuda.is_available())
        if threads and self._device == "cpu":
            torch.set_num_threads(threads)
        self._network.to(self._device)
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
        """Engine and device."""
        return f"ultralytics on torch {self._torch.__version__} {self._device}"

    def forward(self, pictures: U8, form: PixelForm, lane: int = 0) -> F32:  # noqa: ARG002  there is one lane
        """See `detectors.detector.Backend.forward`."""
        with self._torch.inference_mode():
            output = self._network(self._torch.from_numpy(as_network_input(pictures, form)).to(self._device))
        head = output[0] if isinstance(output, list | tuple) else output
        return np.asarray(head.float().cpu().numpy(), np.float32)


def _load(weights: Path) -> tuple[Any, tuple[str, ...]]:
    """The network in float32, ready to run, and its class names; never reaches for the network."""
    os.environ.setdefault("YOLO_OFFLINE", "true")  # no font, weight or usage-statistics traffic
    os.environ.setdefault("YOLO_AUTOINSTALL", "false")
    try:
        from ultralytics import YOLO  # noqa: PLC0415  an extra of some gigabytes, absent from gateways
    except ImportError as error:
        problem = "a .pt needs ultralytics, which is not installed: pip install street721[train], or give its .onnx"
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


def _torch_device(device: str, *, has_cuda: bool) -> str:
    if device not in _DEVICES:
        raise DeviceError(device, f"not known here; right would be one of {', '.join(_DEVICES)}")
    if device == "gpu" and not has_cuda:
        raise DeviceError(device, "torch finds no NVIDIA GPU; cpu or auto is right here")
    return "cuda" if has_cuda and device != "cpu" else "cpu"
