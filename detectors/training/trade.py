"""Which export ships: what each form costs in accuracy, megabytes and milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from detectors.adapters.forward_speed import ms_per_picture
from detectors.training.evaluate import ALL_GROUPS, Evaluation
from detectors.training.export import Form, files_of

MAX_LOSS = 0.01
"""A faster form may lose this much AP50 per box to the best one and still be the one that ships."""


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
    speeds = ms_per_picture(models, threads=threads)
    return {
        form: Variant(
            file=model,
            size_mb=sum(path.stat().st_size for path in files_of(model)) / 1e6,
            ap50=evaluations[form].mean_ap()[0],
            ms_per_picture=speeds[form],
        )
        for form, model in models.items()
    }


def best(variants: Mapping[Form, Variant], judges: Mapping[Form, Evaluation]) -> Form:
    """The fastest form whose accuracy is within MAX_LOSS of the most accurate one.

    judges: of each form on the pictures that decide, better not those that its published figures are of
    """
    ap50 = {form: ap50_per_box(judges[form]) for form in variants}
    good = [form for form in variants if ap50[form] >= max(ap50.values()) - MAX_LOSS]
    return min(good, key=lambda form: variants[form].ms_per_picture)


def ap50_per_box(evaluation: Evaluation) -> float:
    """AP50 averaged over classes by their boxes: in a plain mean, five buses would outweigh two hundred bins."""
    rows = [evaluation.groups[ALL_GROUPS][name] for name in evaluation.averaged()]
    return sum(row.ap50 * row.n for row in rows) / max(sum(row.n for row in rows), 1)
