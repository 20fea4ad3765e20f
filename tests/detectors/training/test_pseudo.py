"""What two teachers say of a picture: labels, doubts, and what is left to the people who labelled it."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.nms import Boxes
from detectors.training.boxes import F32
from detectors.training.labels import NO_LABELS, Labels
from detectors.training.pseudo import Agreement, weigh

_CAR, _TRUCK, _BIN = 2, 5, 7
_BOX = (0.2, 0.2, 0.6, 0.6)
_ELSEWHERE = (0.7, 0.7, 0.9, 0.9)
_RULE = Agreement(
    min_confidence=0.5,
    min_second_confidence=0.2,
    min_iou=0.5,
    max_label_iou=0.5,
    min_doubt_confidence=0.35,
    max_doubt_share=0.5,
)

Box = tuple[float, float, float, float]
Row = tuple[int, float, Box]


def _boxes(*rows: Row) -> Boxes:
    return Boxes(
        class_id=np.array([row[0] for row in rows], np.int32),
        confidence=np.array([row[1] for row in rows], np.float32),
        xyxy=np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
    )


def _label(class_id: int, box: Box) -> Labels:
    return Labels(np.array([class_id], np.int32), np.array([box], np.float32))


def _rounded(boxes: F32) -> list[list[float]]:
    return [[round(side, 3) for side in box] for box in boxes.tolist()]


def _weigh(
    first: list[Row], second: list[Row], *, human: Labels = NO_LABELS, missing: frozenset[int] = frozenset({_CAR})
) -> tuple[list[int], list[list[float]]]:
    """(classes that become labels, doubtful boxes)"""
    opinion = weigh(human, _boxes(*first), _boxes(*second), missing=missing, rule=_RULE)
    assert opinion.confidence.shape == (len(opinion.labels), 2)
    assert opinion.doubtful.shape[1:] == (4,)
    return opinion.labels.class_id.tolist(), _rounded(opinion.doubtful)


def test_what_both_teachers_see_becomes_a_label_with_both_confidences() -> None:
    second = _boxes((_CAR, 0.2, _BOX), (_CAR, 0.9, _ELSEWHERE), (_TRUCK, 0.9, _BOX))
    opinion = weigh(NO_LABELS, _boxes((_CAR, 0.5, _BOX)), second, missing={_CAR}, rule=_RULE)
    assert opinion.labels.class_id.tolist() == [_CAR]
    np.testing.assert_allclose(opinion.labels.xyxy, [_BOX])
    np.testing.assert_allclose(opinion.confidence, [[0.5, 0.2]])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ((_CAR, 0.49, _BOX), (_CAR, 0.9, _BOX)),  # the first is not sure
        ((_CAR, 0.9, _BOX), (_CAR, 0.19, _BOX)),  # the second hardly sees it
        ((_CAR, 0.9, _BOX), (_TRUCK, 0.9, _BOX)),  # they name it differently
        ((_CAR, 0.9, _BOX), (_CAR, 0.9, (0.5, 0.5, 0.9, 0.9))),  # they mean different places
    ],
)
def test_without_agreement_there_is_a_doubt_and_no_label(first: Row, second: Row) -> None:
    labels, doubts = _weigh([first], [second], missing=frozenset({_CAR, _TRUCK}))
    assert labels == []
    assert list(first[2]) in doubts


def test_what_one_alone_sees_weakly_is_nothing() -> None:
    assert _weigh([(_CAR, 0.34, _BOX)], []) == ([], [])
    assert _weigh([], [(_CAR, 0.34, _BOX)]) == ([], [])


def test_what_one_alone_sees_well_enough_is_a_doubt() -> None:
    assert _weigh([(_CAR, 0.36, _BOX)], []) == ([], [list(_BOX)])
    assert _weigh([], [(_CAR, 0.36, _BOX)]) == ([], [list(_BOX)])


def test_a_label_leaves_no_doubt_of_the_second_teacher_behind() -> None:
    assert _weigh([(_CAR, 0.9, _BOX)], [(_CAR, 0.9, (0.22, 0.2, 0.6, 0.6))]) == ([_CAR], [])


def test_a_class_that_the_folder_labels_is_doubted_where_both_see_it_and_nobody_drew_it() -> None:
    both = [(_CAR, 0.9, _BOX)]
    assert _weigh(both, both, missing=frozenset({0})) == ([], [list(_BOX)])
    assert _weigh(both, [], missing=frozenset({0})) == ([], [])


def test_a_human_box_of_any_class_at_the_place_wins() -> None:
    both = [(_CAR, 0.9, _BOX)]
    assert _weigh(both, both, human=_label(_BIN, _BOX)) == ([], [])
    assert _weigh(both, both, human=_label(_CAR, _BOX), missing=frozenset()) == ([], [])


def test_a_human_box_elsewhere_does_not_matter() -> None:
    both = [(_CAR, 0.9, _BOX)]
    assert _weigh(both, both, human=_label(_BIN, _ELSEWHERE)) == ([_CAR], [])


def test_a_doubt_that_fills_most_of_the_picture_is_dropped() -> None:
    assert _weigh([(_CAR, 0.4, (0.0, 0.0, 1.0, 0.5))], [])[1] == [[0.0, 0.0, 1.0, 0.5]]
    assert _weigh([(_CAR, 0.4, (0.0, 0.0, 1.0, 0.51))], []) == ([], [])


def test_teachers_that_see_nothing_give_nothing() -> None:
    assert _weigh([], [], human=_label(_BIN, _BOX)) == ([], [])
