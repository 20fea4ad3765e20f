"""Which operations keep their exact arithmetic when a network becomes int8."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.training.errors import ExtraMissingError, ModelFileError
from detectors.training.quantise import head_pattern, quantise

_NAMES = ["/model.0/conv/Conv", "/model.9/Add", "/model.24/cv2.0/Conv", "/model.24/Add_7", "/model.24/dfl/conv/Conv"]


@pytest.mark.parametrize("name", ["/model.24/Add_7", "/model.24/dfl/conv/Conv", "/model.24/Sigmoid", "/model.24/Sub_1"])
def test_the_arithmetic_of_the_last_layer_stays_exact(name: str) -> None:
    assert re.fullmatch(head_pattern(_NAMES), name)


@pytest.mark.parametrize("name", ["/model.9/Add", "/model.24/cv2.0/Conv", "/model.0/conv/Conv", "/model.2/Concat"])
def test_convolutions_and_earlier_layers_become_eight_bits(name: str) -> None:
    assert not re.fullmatch(head_pattern(_NAMES), name)


def test_a_network_of_another_make_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no operation is named /model\.N/"):
        head_pattern(["conv1", "relu"])


def test_without_the_extra_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    with pytest.raises(ExtraMissingError, match=r"^nncf is not installed: pip install street721\[train\]$"):
        quantise(tmp_path / "m.xml", tmp_path / "out.xml", [], input_px=640)


def test_unreadable_calibration_pictures_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nncf", type(sys)("nncf"))
    torn = tmp_path / "torn.jpg"
    torn.write_bytes(cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8))[1].tobytes()[:20])
    with pytest.raises(ModelFileError, match="none of 1 calibration pictures can be read"):
        quantise(tmp_path / "m.xml", tmp_path / "out.xml", [torn], input_px=640)
