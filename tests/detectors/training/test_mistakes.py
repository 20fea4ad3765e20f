"""What is taken for what, and which mistakes are shown: the surest false alarms, the largest things missed."""

from __future__ import annotations

from detectors.training.mistakes import Mistake, Wrong, confuse, pair, worst_mistakes
from detectors.training.observing import Observation
from tests.observed_pictures import BIN, CAR, GARBAGE, OVERFLOW, observation

_NAMED = frozenset({CAR, GARBAGE, BIN, OVERFLOW})
_AT = {"car": 0.3, "garbage": 0.3, "garbage_bin": 0.3, "overflow": 0.3}
_BOX = (100.0, 100.0, 200.0, 200.0)
_BESIDE = (140.0, 100.0, 240.0, 200.0)
_ELSEWHERE = (400.0, 300.0, 440.0, 340.0)


def _confusion(*observations: Observation) -> dict[tuple[str, str], int]:
    confusion = confuse([pair(one, _AT, _NAMED, 0.5) for one in observations], _NAMED)
    names = confusion.names
    return {
        (names[row], names[column]): int(count)
        for (row, column), count in zip(
            ((r, c) for r in range(len(names)) for c in range(len(names))), confusion.counts.ravel(), strict=True
        )
        if count
    }


def _worst(*observations: Observation, per_class: int = 8) -> list[Mistake]:
    return worst_mistakes([pair(one, _AT, _NAMED, 0.5) for one in observations], _AT, min_iou=0.5, per_class=per_class)


def test_a_detection_of_another_class_is_confused_with_the_thing_that_it_covers() -> None:
    assert _confusion(observation([(BIN, _BOX)], [(OVERFLOW, 0.8, _BOX)])) == {("garbage_bin", "overflow"): 1}


def test_a_thing_goes_to_its_own_class_first_however_sure_another_is() -> None:
    seen = [(OVERFLOW, 0.9, _BOX), (BIN, 0.4, _BOX)]
    assert _confusion(observation([(BIN, _BOX)], seen)) == {
        ("garbage_bin", "garbage_bin"): 1,
        ("background", "overflow"): 1,
    }


def test_what_is_missed_and_what_is_not_there_meet_the_background() -> None:
    assert _confusion(observation([(BIN, _BOX)], [(BIN, 0.8, _ELSEWHERE)])) == {
        ("garbage_bin", "background"): 1,
        ("background", "garbage_bin"): 1,
    }


def test_below_the_threshold_nothing_is_confused() -> None:
    assert _confusion(observation([], [(BIN, 0.29, _BOX)])) == {}


def test_a_lone_detection_of_a_class_that_nobody_labels_there_is_no_false_alarm() -> None:
    assert _confusion(observation([], [(CAR, 0.9, _BOX)])) == {}
    assert _worst(observation([], [(CAR, 0.9, _BOX)])) == []


def test_things_of_classes_that_the_model_does_not_name_are_not_missed() -> None:
    pairs = pair(observation([(GARBAGE, _BOX)], []), _AT, frozenset({BIN}), 0.5)
    assert confuse([pairs], frozenset({BIN})).counts.sum() == 0


def test_every_kind_of_mistake_has_its_reason() -> None:
    reasons = {
        "nothing of its class is labelled here": observation([], [(BIN, 0.9, _BOX)]),
        "a second box on one thing": observation([(BIN, _BOX)], [(BIN, 0.9, _BOX), (BIN, 0.8, _BOX)]),
        "labelled overflow": observation([(OVERFLOW, _BOX)], [(BIN, 0.9, _BOX)]),
        "overlaps a labelled one by only 0.43": observation([(BIN, _BOX)], [(BIN, 0.9, _BESIDE)]),
        "not seen": observation([(GARBAGE, _BOX)], []),
        "seen at 0.20, below the threshold 0.30": observation([(GARBAGE, _BOX)], [(GARBAGE, 0.2, _BOX)]),
        "called garbage_bin (0.90)": observation([(OVERFLOW, _BOX)], [(BIN, 0.9, _BOX)]),
        "a box overlaps it by only 0.43": observation([(BIN, _BOX)], [(BIN, 0.9, _BESIDE)]),
        "one box for several things": observation([(GARBAGE, _BOX), (GARBAGE, _BOX)], [(GARBAGE, 0.9, _BOX)]),
    }
    for reason, one in reasons.items():
        assert reason in [mistake.reason for mistake in _worst(one)]


def test_a_right_detection_is_no_mistake() -> None:
    assert _worst(observation([(BIN, _BOX)], [(BIN, 0.9, _BOX)])) == []


def test_the_surest_false_alarms_and_the_largest_misses_come_first() -> None:
    alarms = [observation([], [(BIN, confidence, _BOX)]) for confidence in (0.5, 0.9, 0.7)]
    missed = [observation([(GARBAGE, (0, 0, side, side))]) for side in (20, 60, 40)]
    worst = _worst(*alarms, *missed, per_class=2)
    assert [one.confidence for one in worst if one.wrong is Wrong.FALSE_ALARM] == [
        float(alarms[1].confidence[0]),
        float(alarms[2].confidence[0]),
    ]
    assert [one.xyxy[2] for one in worst if one.wrong is Wrong.MISSED] == [60, 40]


def test_one_picture_shows_at_most_two_mistakes_of_a_kind() -> None:
    crowded = observation([], [(BIN, 0.9 - step / 10, (step * 60, 0, step * 60 + 40, 40)) for step in range(5)])
    assert len(_worst(crowded)) == 2
