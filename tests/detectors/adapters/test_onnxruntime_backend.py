"""The portable engine: what it says of a file, and that its input is what other engines get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.errors import ModelError
from detectors.model_card import load_card
from detectors.opening import DEFAULT_MODEL, card_path, open_detector
from detectors.pixels import PixelForm

onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra: pip install street721[onnxruntime]")


@pytest.fixture(scope="module")
def onnx() -> Path:
    return next(file for file in load_card(card_path(DEFAULT_MODEL)).also if file.suffix == ".onnx")


def test_it_says_what_the_file_says(onnx: Path) -> None:
    from detectors.adapters.onnxruntime_backend import OnnxRuntimeBackend  # noqa: PLC0415  skipped where it is absent

    card = load_card(card_path(DEFAULT_MODEL))
    backend = OnnxRuntimeBackend(onnx, threads=1)
    assert backend.facts.class_names == card.classes
    assert (backend.facts.fixed_px, backend.facts.output_shape) == (None, (4 + len(card.classes), 2100))
    assert (backend.lanes, backend.streams) == (1, 1)
    batch = np.random.default_rng(0).integers(0, 256, (3, 64, 96, 3), np.uint8)
    together = backend.forward(batch, PixelForm.RGB_UNIT)
    assert together.shape == (3, 4 + len(card.classes), 126)
    np.testing.assert_allclose(backend.forward(batch[1:2], PixelForm.RGB_UNIT)[0], together[1], atol=1e-3)


def test_it_is_opened_by_name_and_described() -> None:
    description = open_detector(DEFAULT_MODEL, engine="onnxruntime", threads=1).description
    assert f"on ONNX Runtime {onnxruntime.__version__} CPU f32, lanes: 1 (" in description


def test_a_file_that_is_no_network_is_one_line(tmp_path: Path) -> None:
    from detectors.adapters.onnxruntime_backend import OnnxRuntimeBackend  # noqa: PLC0415  skipped where it is absent

    (tmp_path / "broken.onnx").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"broken\.onnx: ONNX Runtime cannot run it: ") as caught:
        OnnxRuntimeBackend(tmp_path / "broken.onnx")
    assert "\n" not in str(caught.value)
