"""Evaluations made by hand, for tests of what is done with them."""

from __future__ import annotations

from collections.abc import Mapping

from detectors.training.evaluate import ALL_GROUPS, Evaluation
from detectors.training.figures import Figures


def evaluation_of(
    thresholds: Mapping[str, float],
    *,
    ap50: Mapping[str, float] | None = None,
    n: Mapping[str, int] | None = None,
    input_px: int = 416,
) -> Evaluation:
    """One group with these classes at these thresholds; everything else is the same for all."""
    rows = {
        name: Figures(
            threshold=value,
            precision=0.8,
            recall=0.7,
            f1=0.75,
            ap50=(ap50 or {}).get(name, 0.77),
            n=(n or {}).get(name, 12),
            found=11,
        )
        for name, value in thresholds.items()
    }
    return Evaluation(model="m", input_px=input_px, min_iou=0.5, pictures=3, groups={ALL_GROUPS: rows})
