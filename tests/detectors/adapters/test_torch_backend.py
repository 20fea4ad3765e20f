"""A checkpoint runs as it is where the extra is installed, and is refused in one line where it is not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from detectors.adapters.torch_backend import TorchBackend
from detectors.errors import DeviceError, ModelError
from detectors.layouts import Layout, layouts_that_fit
from detectors.opening import open_detector
from detectors.pixels import PixelForm

NAMES = ("car", "bus", "garbage")
CARD = """
name = "m"
file = "m.pt"
licence = "AGPL-3.0"
classes = ["car", "bus", "garbage"]
input_px = 320
"""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained detector of three classes."""
    os.environ.setdefault("YOLO_OFFLINE", "true")
    ultralytics = pytest.importorskip("ultralytics", reason="needs the extra: pip install street721[train]")
    model = ultralytics.YOLO("yolov8n.yaml", verbose=False)
    network = type(model.model)("yolov8n.yaml", nc=len(NAMES), verbose=False)
    network.names = dict(enumerate(NAMES))
    model.model = network
    path = tmp_path_factory.mktemp("checkpoint") / "m.pt"
    model.save(path)
    path.with_suffix(".toml").write_text(CARD)
    return path


def test_without_the_extra_one_line_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    (tmp_path / "m.pt").write_bytes(b"x")
    (tmp_path / "m.toml").write_text(CARD)
    with pytest.raises(ModelError) as caught:
        open_detector(str(tmp_path / "m.pt"))
    assert str(caught.value) == (
        f"{tmp_path / 'm.pt'}: needs torch, which is not installed: pip install 'street721[train]', or give its .onnx"
    )


def test_a_checkpoint_gives_its_raw_head_at_any_size(checkpoint: Path) -> None:
    backend = TorchBackend(checkpoint, "cpu", threads=1)
    assert backend.facts.class_names == NAMES
    assert layouts_that_fit(backend.facts, len(NAMES)) == (Layout.YOLO_V8_HEAD,)
    output = backend.forward(np.full((2, 64, 96, 3), 127, np.uint8), PixelForm.RGB_UNIT)
    assert output.shape == (2, 7, 126)
    assert output.dtype == np.float32
    assert ((output[:, 4:] >= 0) & (output[:, 4:] <= 1)).all()


def test_a_checkpoint_opens_like_any_model_and_its_classes_must_be_the_cards(checkpoint: Path) -> None:
    assert open_detector(str(checkpoint), "cpu", threads=1).description.startswith("m (320 px, unverified) on torch ")
    checkpoint.with_suffix(".toml").write_text(CARD.replace('"bus", "garbage"', '"garbage", "bus"'))
    with pytest.raises(ModelError, match="class 1 is 'bus' in the file and 'garbage' on the card 'm'"):
        open_detector(str(checkpoint), "cpu", threads=1)


def test_a_file_that_is_no_checkpoint_is_one_line(checkpoint: Path, tmp_path: Path) -> None:
    assert checkpoint.is_file()
    (tmp_path / "broken.pt").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"broken\.pt: ultralytics cannot read it: ") as caught:
        TorchBackend(tmp_path / "broken.pt", "cpu")
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there_is_named(checkpoint: Path) -> None:
    with pytest.raises(DeviceError, match="device 'tpu': not known here; right would be one of auto, cpu, gpu, cuda:0"):
        open_detector(str(checkpoint), "tpu")
