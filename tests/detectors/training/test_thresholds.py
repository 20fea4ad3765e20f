"""Thresholds are chosen as the gateway applies them: all classes together, one box for each thing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from detectors.training.evaluate import Subject, score
from detectors.training.figures import Figures
from detectors.training.observing import Observation
from detectors.training.records import build_records
from detectors.training.thresholds import choose_thresholds
from tests.observed_pictures import BIN, GARBAGE, OVERFLOW, Box, observation

_NAMED = frozenset({GARBAGE, BIN, OVERFLOW})
_NAMES = {GARBAGE: "garbage", BIN: "garbage_bin", OVERFLOW: "overflow"}


def _choose(pictures: Sequence[Observation], given: Mapping[str, float] | None = None) -> dict[str, float]:
    return choose_thresholds(build_records(pictures, _NAMED, 0.5), pictures, given or {}, iou_limit=0.5)


def _figures(pictures: Sequence[Observation], thresholds: Mapping[str, float]) -> Mapping[str, Figures]:
    subject = Subject(name="m", input_px=416, named=_NAMED, thresholds=thresholds)
    return score(list(pictures), subject=subject, rounds=0).groups["all"]


def _worst_side(pictures: Sequence[Observation], thresholds: Mapping[str, float], name: str) -> float:
    row = _figures(pictures, thresholds).get(name)
    return min(row.precision, row.recall) if row else 0.0


def _place(number: int) -> Box:
    return (100.0 * number, 0.0, 100.0 * number + 80, 80.0)


def _random_pictures(seed: int) -> list[Observation]:
    """Bins of two kinds, each seen as either or both, and some things that are not there."""
    rng = np.random.default_rng(seed)
    pictures = []
    for _ in range(8):
        truth = [(int(rng.choice([GARBAGE, BIN, OVERFLOW])), _place(number)) for number in range(4)]
        seen = []
        for kind, box in [*truth, (BIN, _place(5)), (OVERFLOW, _place(6))]:
            for other in (kind, int(rng.choice([BIN, OVERFLOW]))):
                seen.append((other, float(rng.uniform(0.1, 0.9)), box))
        pictures.append(observation(truth, seen))
    return pictures


@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_of_a_class_beside_its_rivals_would_do_better(seed: int) -> None:
    pictures = _random_pictures(seed)
    chosen = _choose(pictures)
    for class_id, name in _NAMES.items():
        reached = _worst_side(pictures, chosen, name)
        confidences = {float(value) for one in pictures for value in one.confidence[one.class_id == class_id]}
        assert max(_worst_side(pictures, {**chosen, name: value}, name) for value in confidences) <= reached


def test_a_class_that_loses_boxes_to_a_rival_goes_lower_to_keep_its_recall() -> None:
    bins = [(BIN, _place(number)) for number in range(3)]
    seen = list(zip([BIN] * 5, [0.8, 0.7, 0.4, 0.6, 0.5], map(_place, range(5)), strict=True))  # two are false alarms
    assert _choose([observation(bins, seen)])["garbage_bin"] == pytest.approx((0.7 + 0.5) / 2)
    taken = observation(bins, [*seen, (OVERFLOW, 0.9, _place(0))])
    right = observation([(OVERFLOW, _place(0))], [(OVERFLOW, 0.85, _place(0))])
    assert _choose([taken, right])["garbage_bin"] == pytest.approx((0.4 + 0.1) / 2)


def test_given_thresholds_stay_and_count_for_their_rivals() -> None:
    picture = observation([(BIN, _place(0))], [(BIN, 0.4, _place(0)), (OVERFLOW, 0.6, _place(0))])
    for overflow, reached in ((0.5, 0.0), (0.7, 1.0)):
        chosen = _choose([picture], {"overflow": overflow, "garbage": 0.5})
        assert (chosen["overflow"], chosen["garbage"]) == (overflow, 0.5)
        assert _worst_side([picture], chosen, "garbage_bin") == reached
