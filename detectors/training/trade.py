"""Which export ships: what each form costs in accuracy, megabytes and milliseconds."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.training.evaluate import Evaluation
from detectors.training.export import Form, files_of

MAX_LOSS = 0.01
"""A faster form may lose this much mean AP50 to the best one and still be the one that ships."""

_INPUT_PX = (640, 384)
_BATCH = 4
_ROUNDS = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One exported form.

    ap50:           mean over the labelled classes at IoU 0.5
    ms_per_picture: bare forward at 640x384 px and batch 4; compare it only with the others of the same run
    """

    file: Path
    size_mb: float
    ap50: float
    ms_per_picture: float


def compare(
    models: Mapping[Form, Path], evaluations: Mapping[Form, Evaluation], *, threads: int
) -> dict[Form, Variant]:
    """Every form's accuracy, size and speed, the speeds measured in turns so that a noisy machine is fair to all."""
    speeds = _speeds(models, threads)
    return {
        form: Variant(
            file=model,
            size_mb=sum(path.stat().st_size for path in files_of(model)) / 1e6,
            ap50=evaluations[form].mean_ap()[0],
            ms_per_picture=speeds[form],
        )
        for form, model in models.items()
    }


def best(variants: Mapping[Form, Variant]) -> Form:
    """The fastest form whose accuracy is within MAX_LOSS of the most accurate one."""
    least = max(variant.ap50 for variant in variants.values()) - MAX_LOSS
    good = {form: variant for form, variant in variants.items() if variant.ap50 >= least}
    return min(good, key=lambda form: good[form].ms_per_picture)


def _speeds(models: Mapping[Form, Path], threads: int) -> dict[Form, float]:
    width, height = _INPUT_PX
    batch = np.random.default_rng(0).random((_BATCH, 3, height, width), dtype=np.float32)
    backends = {form: OpenVinoBackend(model, "cpu", threads=threads) for form, model in models.items()}
    for backend in backends.values():
        backend.forward(batch)
    spent_ms: dict[Form, list[float]] = {form: [] for form in models}
    for _ in range(_ROUNDS):
        for form, backend in backends.items():
            began = time.perf_counter()
            backend.forward(batch)
            spent_ms[form].append((time.perf_counter() - began) * 1000 / _BATCH)
    return {form: median(values) for form, values in spent_ms.items()}
