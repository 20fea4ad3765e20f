"""The gate: every engine sees what the fp32 network sees; the int8 form that ships is judged by its accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from detectors import Detector, FrameDetections, open_detector
from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.adapters.torch_backend import TorchBackend
from detectors.classes import load_classes
from detectors.detector import BatchedDetector
from detectors.model_card import ModelCard, load_card
from detectors.nms import iou_matrix
from detectors.opening import DEFAULT_MODEL, card_path
from detectors.training.evaluate import evaluate
from sim.street.body import BodyKind
from tests.drawn_street import DrawnStreet, jpeg_of, standing
from tests.sites import STREET_OBJECTS

_LEAST_IOU = 0.98
_MOST_CONFIDENCE_APART = 0.02
_MOST_AP50_APART = 0.01


@pytest.fixture(scope="module")
def card() -> ModelCard:
    return load_card(card_path(DEFAULT_MODEL))


@pytest.fixture(scope="module")
def jpegs() -> list[bytes]:
    """A drawn street with things of many kinds at many distances, and whatever real pictures are at hand."""
    street = DrawnStreet()
    kinds = [BodyKind.CAR, BodyKind.BIN, BodyKind.GARBAGE, BodyKind.BICYCLE, BodyKind.PEDESTRIAN, BodyKind.BUS]
    frames = [
        jpeg_of(street.frame(*[standing(kind, x_m=1.0 + 0.8 * (look % 4), y_m=9.0 + 3.5 * place + look, look=look)
                               for place, kind in enumerate(kinds)]))
        for look in range(6)
    ]  # fmt: skip
    return [*frames, *(path.read_bytes() for path in sorted(STREET_OBJECTS.rglob("*.jpg"))[::100])]


@pytest.fixture(scope="module")
def in_fp32(card: ModelCard, jpegs: list[bytes]) -> list[FrameDetections]:
    """What OpenVINO sees in float32 arithmetic, one picture at a time."""
    onnx = next(file for file in card.also if file.suffix == ".onnx")
    detector = BatchedDetector(OpenVinoBackend(onnx, threads=1), card, load_classes(), max_batch=1)
    assert "CPU f32" in detector.description
    return detector.detect(jpegs)


def _onnxruntime() -> Detector:
    return open_detector(DEFAULT_MODEL, "cpu", engine="onnxruntime")


def _openvino_of_onnx() -> Detector:
    return open_detector(str(next(file for file in load_card(card_path(DEFAULT_MODEL)).also if file.suffix == ".onnx")))


def _torch() -> Detector:
    pytest.importorskip("ultralytics", reason="needs the extra: pip install street721[train]")
    return open_detector(DEFAULT_MODEL, "cpu", engine="torch")


def _torch_that_decodes() -> Detector:
    """The path that an NVIDIA GPU takes, from JPEG to boxes, on CPU tensors."""
    pytest.importorskip("ultralytics", reason="needs the extra: pip install street721[train]")
    card = load_card(card_path(DEFAULT_MODEL))
    weights = next(file for file in card.also if file.suffix == ".pt")
    return BatchedDetector(TorchBackend(weights, "cpu", decodes=True), card, load_classes())


@pytest.mark.filterwarnings("ignore:The image decoding and encoding:DeprecationWarning")
@pytest.mark.parametrize("opened", [_onnxruntime, _openvino_of_onnx, _torch, _torch_that_decodes])
def test_every_engine_sees_what_the_fp32_network_sees(
    opened: Callable[[], Detector], jpegs: list[bytes], in_fp32: Sequence[FrameDetections]
) -> None:
    found = opened().detect(jpegs)
    assert sum(map(len, in_fp32)) > 20
    for mine, reference in zip(found, in_fp32, strict=True):
        # A box at its threshold may come or go; all others must be there.
        assert abs(len(mine) - len(reference)) <= 1
        if not len(mine) or not len(reference):
            continue
        iou = iou_matrix(reference.xyxy, mine.xyxy)
        iou[reference.class_id[:, None] != mine.class_id[None]] = 0
        partner = iou.argmax(axis=1)
        is_matched = iou.max(axis=1) > 0.5
        assert is_matched.sum() >= len(reference) - 1
        assert iou.max(axis=1)[is_matched].min(initial=1) >= _LEAST_IOU
        apart = np.abs(mine.confidence[partner] - reference.confidence)[is_matched]
        assert apart.max(initial=0) <= _MOST_CONFIDENCE_APART


@pytest.mark.skipif(not STREET_OBJECTS.is_dir(), reason="needs labelled street pictures beside the checkout")
def test_the_int8_form_is_within_a_point_of_the_fp32_one(card: ModelCard) -> None:
    onnx = next(file for file in card.also if file.suffix == ".onnx")
    exact, shipped = (evaluate(str(model), STREET_OBJECTS, rounds=0) for model in (onnx, DEFAULT_MODEL))
    assert shipped.mean_ap()[0] == pytest.approx(exact.mean_ap()[0], abs=_MOST_AP50_APART)
