"""The OpenVINO engine with the shipped model, on drawn streets whose truth is known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors import Detector, open_detector
from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.classes import load_classes
from detectors.errors import DeviceError, ModelError
from detectors.model_card import load_card
from detectors.nms import iou_matrix
from detectors.opening import DEFAULT_MODEL, card_path
from sim.pinhole import PinholeCamera
from sim.street_frames import DrawnFrame, StreetLayout, StreetPainter, Thing, ThingKind


@pytest.fixture(scope="module")
def detector() -> Detector:
    return open_detector()


@pytest.fixture(scope="module")
def painter() -> StreetPainter:
    return StreetPainter(
        PinholeCamera(size_px=(960, 540), focal_px=800.0, height_m=5.5, tilt_deg=20.0), StreetLayout(), seed=7
    )


def _jpeg(frame: DrawnFrame) -> bytes:
    return cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()


def test_garbage_and_bin_are_found_where_they_were_drawn(detector: Detector, painter: StreetPainter) -> None:
    frame = painter.draw(
        (
            Thing(kind=ThingKind.GARBAGE, x_m=1.5, y_m=13.5, width_m=1.7, seed=9),
            Thing(kind=ThingKind.GARBAGE_BIN, x_m=3.7, y_m=12.8, width_m=0.7, seed=7),
        )
    )
    (found,) = detector.detect([_jpeg(frame)])
    for name, box in frame.boxes:
        own = found.xyxy[found.class_id == load_classes().by_name[name].id]
        assert len(own) == 1, name
        assert iou_matrix(own, np.array([box], np.float32))[0, 0] > 0.5


def test_the_empty_street_is_empty(detector: Detector, painter: StreetPainter) -> None:
    (found,) = detector.detect([_jpeg(painter.draw((), noise_seed=3))])
    assert len(found) == 0


def test_a_picture_gives_the_same_boxes_alone_and_in_a_batch(detector: Detector, painter: StreetPainter) -> None:
    frames = [
        _jpeg(painter.draw((Thing(kind=ThingKind.GARBAGE, x_m=1.5, y_m=12.0 + n, width_m=1.8, seed=n),), noise_seed=n))
        for n in range(5)
    ]
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
