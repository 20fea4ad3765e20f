"""How long the bare forward of a few networks takes, measured in turns so that a noisy machine is fair to all."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import TypeVar

import numpy as np

from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.pixels import PixelForm

_INPUT_PX = (640, 384)
_BATCH = 4
_ROUNDS = 9

Key = TypeVar("Key")


def ms_per_picture(models: Mapping[Key, Path], *, threads: int) -> dict[Key, float]:
    """Median milliseconds per picture of 640x384 px at batch 4; comparable within one call only."""
    width, height = _INPUT_PX
    batch = np.random.default_rng(0).integers(0, 256, (_BATCH, height, width, 3), np.uint8)
    backends = {key: OpenVinoBackend(model, "cpu", threads=threads) for key, model in models.items()}
    for backend in backends.values():
        backend.forward(batch, PixelForm.RGB_UNIT)
    spent_ms: dict[Key, list[float]] = {key: [] for key in models}
    for _ in range(_ROUNDS):
        for key, backend in backends.items():
            began = time.perf_counter()
            backend.forward(batch, PixelForm.RGB_UNIT)
            spent_ms[key].append((time.perf_counter() - began) * 1000 / _BATCH)
    return {key: median(values) for key, values in spent_ms.items()}
