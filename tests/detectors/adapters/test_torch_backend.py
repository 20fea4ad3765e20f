"""A checkpoint runs as it is where the extra is installed, and is refused in one line where it is not."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from detectors.adapters.torch_backend import TorchBackend, load_checkpoint, remembered
from detectors.adapters.torch_decoder import TorchDecoder
from detectors.classes import load_classes
from detectors.detector import BatchedDetector
from detectors.errors import DeviceError, ModelError
from detectors.layouts import Layout, layouts_that_fit
from detectors.model_card import load_card
from detectors.opening import DEFAULT_MODEL, card_path, open_detector
from detectors.pixels import PixelForm
from sim.street.body import BodyKind
from tests.drawn_street import DrawnStreet, standing

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


@pytest.fixture(scope="module")
def drawn() -> list[bytes]:
    street = DrawnStreet()
    return [street.jpeg(standing(BodyKind.CAR, x_m=-1.5, y_m=12.0 + 3 * look, look=look)) for look in range(4)]


def _held_upright(jpeg: bytes) -> bytes:
    """The picture, with EXIF data that say to turn it by a quarter."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def _shipped(*, decodes: bool) -> BatchedDetector:
    card = load_card(card_path(DEFAULT_MODEL))
    weights = next(file for file in card.also if file.suffix == ".pt")
    pytest.importorskip("ultralytics", reason="needs the extra: pip install street721[train]")
    return BatchedDetector(TorchBackend(weights, "cpu", decodes=decodes), card, load_classes())


def _refuse(*_: object) -> None:
    raise RuntimeError("nvJPEG does not take this one")


@pytest.mark.filterwarnings("ignore:The image decoding and encoding:DeprecationWarning")
@pytest.mark.parametrize("is_refused", [True, False], ids=["refused there", "to be turned"])
def test_a_batch_that_cannot_be_decoded_on_the_device_is_decoded_here(
    drawn: list[bytes], monkeypatch: pytest.MonkeyPatch, *, is_refused: bool
) -> None:
    there, here = _shipped(decodes=True), _shipped(decodes=False)
    if is_refused:
        monkeypatch.setattr(TorchDecoder, "batch", _refuse)
    jpegs = drawn[:3] if is_refused else [drawn[2], _held_upright(drawn[2])]
    found = there.detect(jpegs)
    assert sum(map(len, found)) > 0
    assert found[1].size_px == ((960, 540) if is_refused else (540, 960))
    for own, other in zip(found, here.detect(jpegs), strict=True):
        np.testing.assert_array_equal(own.glance, other.glance)
        np.testing.assert_array_equal(own.xyxy, other.xyxy)


@pytest.mark.filterwarnings("ignore:The image decoding and encoding:DeprecationWarning")
def test_a_picture_decoded_on_the_device_is_known_again(drawn: list[bytes]) -> None:
    detector = _shipped(decodes=True)
    first = detector.detect(drawn[:2])
    again = detector.detect(drawn[1:3], [first[1].glance, first[1].glance])
    assert len(first[0]) > 0
    assert [seen.is_repeat for seen in again] == [True, False]
    assert len(again[0]) == 0


def test_a_file_that_is_no_checkpoint_is_one_line(checkpoint: Path, tmp_path: Path) -> None:
    assert checkpoint.is_file()
    (tmp_path / "broken.pt").write_bytes(b"nothing")
    with pytest.raises(ModelError, match=r"broken\.pt: ultralytics cannot read it: ") as caught:
        TorchBackend(tmp_path / "broken.pt", "cpu")
    assert "\n" not in str(caught.value)


def test_a_device_that_is_not_there_is_named(checkpoint: Path) -> None:
    with pytest.raises(DeviceError, match="device 'tpu': not known here; right would be one of auto, cpu, gpu, cuda:0"):
        open_detector(str(checkpoint), "tpu")


def test_a_forward_over_pictures_that_lie_there_already_can_be_asked_for_again(checkpoint: Path) -> None:
    once = TorchBackend(checkpoint, "cpu", threads=1).resident((2, 64, 96, 3), PixelForm.RGB_UNIT)
    once()
    once()


def test_what_a_recorded_forward_reads_besides_its_weights_is_known(checkpoint: Path) -> None:
    """A head keeps its cell centres for the last shape only; a CUDA graph of another shape must hold on to its own."""
    torch = pytest.importorskip("torch")
    network, _ = load_checkpoint(checkpoint)
    with torch.inference_mode():
        network(torch.zeros(1, 3, 64, 96))
        centres, strides = remembered(network)
        network(torch.zeros(2, 3, 32, 64))
    assert centres.shape == (2, 126)
    assert strides.shape == (1, 126)
    assert remembered(network)[0].shape == (2, 42)
