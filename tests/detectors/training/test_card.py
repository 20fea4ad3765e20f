"""The card that training writes is the card that the gateway reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from detectors.model_card import load_card
from detectors.training.card import write_card
from detectors.training.errors import ModelFileError
from detectors.training.evaluate import Evaluation
from detectors.training.labels import STREET_CLASSES
from detectors.training.scoring import Figures

_REST = {name: 0.35 for name in STREET_CLASSES if name != "garbage"}


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    """An exported model of two files in a folder of its own, beside which the card lies."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "m.bin").write_bytes(b"bin")
    (tmp_path / "m" / "m.xml").write_bytes(b"xml")
    return tmp_path / "m" / "m.xml"


def _evaluation(threshold: float) -> Evaluation:
    row = Figures(threshold=threshold, precision=0.8, recall=0.7, f1=0.75, ap50=0.77, n=12, found=11)
    return Evaluation(model="m", input_px=416, min_iou=0.5, pictures=3, groups={"all": {"garbage": row}})


def test_the_gateway_reads_what_was_written(tmp_path: Path, weights: Path) -> None:
    write_card(tmp_path / "m.toml", weights, _evaluation(0.30001), unmeasured=_REST, measured_by="street721 eval")
    card = load_card(tmp_path / "m.toml")
    assert (card.name, card.weights, card.classes) == ("m", weights, STREET_CLASSES)
    assert (card.input_px, card.stride, card.nms_iou) == (416, 32, 0.5)
    assert card.thresholds == {**_REST, "garbage": 0.3}


def test_a_threshold_is_rounded_down_so_that_its_own_box_still_passes(tmp_path: Path, weights: Path) -> None:
    write_card(tmp_path / "m.toml", weights, _evaluation(0.29996), unmeasured=_REST, measured_by="x")
    assert load_card(tmp_path / "m.toml").thresholds["garbage"] == 0.299


def test_a_class_without_figures_needs_a_threshold_by_hand(tmp_path: Path, weights: Path) -> None:
    with pytest.raises(ModelFileError, match="class 'person' has no figures; give its threshold by hand"):
        write_card(tmp_path / "m.toml", weights, _evaluation(0.3), unmeasured={}, measured_by="x")
