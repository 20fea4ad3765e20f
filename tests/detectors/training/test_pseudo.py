"""Which teacher boxes become labels."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.nms import Boxes
from detectors.training.labels import NO_LABELS, Labels
from detectors.training.pseudo import Agreement, pseudo_labels

_CAR, _BIN = 2, 7
_BOX = (0.2, 0.2, 0.6, 0.6)
_RULE = Agreement(min_confidence=0.5, min_second_confidence=0.2, min_iou=0.5, max_label_iou=0.5)

Row = tuple[int, float, tuple[float, float, float, float]]


def _boxes(*rows: Row) -> Boxes:
    return Boxes(
        class_id=np.array([row[0] for row in rows], np.int32),
        confidence=np.array([row[1] for row in rows], np.float32),
        xyxy=np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
    )


def _label(class_id: int, box: tuple[float, float, float, float]) -> Labels:
    return Labels(np.array([class_id], np.int32), np.array([box], np.float32))


def test_what_both_teachers_see_becomes_a_label() -> None:
    found = pseudo_labels(NO_LABELS, _boxes((_CAR, 0.5, _BOX)), _boxes((_CAR, 0.2, _BOX)), missing={_CAR}, rule=_RULE)
    assert found.class_id.tolist() == [_CAR]
    np.testing.assert_allclose(found.xyxy, [_BOX])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((_CAR, 0.49, _BOX), (_CAR, 0.9, _BOX)),  # the first is not sure
        ((_CAR, 0.9, _BOX), (_CAR, 0.19, _BOX)),  # the second hardly sees it
        ((_CAR, 0.9, _BOX), (5, 0.9, _BOX)),  # they name it differently
        ((_CAR, 0.9, _BOX), (_CAR, 0.9, (0.5, 0.5, 0.9, 0.9))),  # they mean different places
    ],
)
def test_without_agreement_there_is_no_label(first: Row, second: Row) -> None:
    assert len(pseudo_labels(NO_LABELS, _boxes(first), _boxes(second), missing={_CAR}, rule=_RULE)) == 0


def test_a_class_that_the_folder_labels_is_left_alone() -> None:
    seen = _boxes((_CAR, 0.9, _BOX))
    assert len(pseudo_labels(NO_LABELS, seen, seen, missing={0, 1}, rule=_RULE)) == 0


def test_a_human_box_of_any_class_at_the_place_wins() -> None:
    seen = _boxes((_CAR, 0.9, _BOX))
    assert len(pseudo_labels(_label(_BIN, _BOX), seen, seen, missing={_CAR}, rule=_RULE)) == 0


def test_a_human_box_elsewhere_does_not_matter() -> None:
    seen = _boxes((_CAR, 0.9, _BOX))
    assert len(pseudo_labels(_label(_BIN, (0.7, 0.7, 0.9, 0.9)), seen, seen, missing={_CAR}, rule=_RULE)) == 1


def test_teachers_that_see_nothing_give_nothing() -> None:
    assert len(pseudo_labels(_label(_BIN, _BOX), _boxes(), _boxes(), missing={_CAR}, rule=_RULE)) == 0
