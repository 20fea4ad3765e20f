"""The OpenVINO engine with the shipped model, on drawn streets whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors import Detector, open_detector
from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.classes import load_classes
from detectors.errors import DeviceError, ModelError
from detectors.model_card import load_card
from detectors.nms import iou_matrix
from detectors.opening import DEFAULT_MODEL, card_path
from sim.street.body import Body, BodyKind
from tests.drawn_street import DrawnStreet, jpeg_of, standing

GARBAGE = standing(BodyKind.GARBAGE, x_m=1.5, y_m=13.5, look=6)
BIN = standing(BodyKind.BIN, x_m=3.8, y_m=12.8, look=1)
FULL_BIN = standing(BodyKind.BIN, x_m=3.8, y_m=12.8, fill=1.4, look=2)


@pytest.fixture(scope="module")
def detector() -> Detector:
    return open_detector()


@pytest.fixture(scope="module")
def street() -> DrawnStreet:
    return DrawnStreet()


@pytest.mark.parametrize("bodies", [(GARBAGE, BIN), (GARBAGE, FULL_BIN)], ids=["bin", "overflow"])
def test_what_was_drawn_is_found_where_it_is(detector: Detector, street: DrawnStreet, bodies: tuple[Body, ...]) -> None:
    frame = street.frame(*bodies)
    (found,) = detector.detect([jpeg_of(frame)])
    assert len(found) == len(frame.shown) == len(bodies)
    for item in frame.shown:
        own = found.xyxy[found.class_id == load_classes().by_name[item.body.class_name].id]
        assert len(own) == 1, item.body.class_name
        assert iou_matrix(own, np.array([item.xyxy], np.float32))[0, 0] > 0.5


def test_the_empty_street_is_empty(detector: Detector, street: DrawnStreet) -> None:
    (found,) = detector.detect([street.jpeg(grain=3)])
    assert len(found) == 0


def test_a_picture_gives_the_same_boxes_alone_and_in_a_batch(detector: Detector, street: DrawnStreet) -> None:
    heaps = [standing(BodyKind.GARBAGE, x_m=1.5, y_m=12.0 + number, look=number) for number in range(5)]
    frames = [street.jpeg(heap, grain=number) for number, heap in enumerate(heaps)]
    together = detector.detect(frames)
    for frame, batched in zip(frames, together, strict=True):
        (alone,) = detector.detect([frame])
        np.testing.assert_array_equal(alone.class_id, batched.class_id)
        np.testing.assert_allclose(alone.xyxy, batched.xyxy, atol=1.0)
        np.testing.assert_allclose(alone.confidence, batched.confidence, atol=0.02)


def test_a_device_that_is_not_there_is_named() -> None:
    card = load_card(card_path(DEFAULT_MODEL))
    with pytest.raises(DeviceError, match="device 'gpu': OpenVINO finds only CPU"):
        OpenVinoBackend(card.weights, "gpu")
    with pytest.raises(DeviceError, match="right would be one of auto, cpu, gpu"):
        OpenVinoBackend(card.weights, "tpu")


def test_a_file_that_is_no_network_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError) as caught:
        OpenVinoBackend(path)
    assert "\n" not in str(caught.value)
    assert "broken.onnx: OpenVINO cannot read it" in str(caught.value)
