"""The OpenVINO engine with the shipped model, on drawn streets whose truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import openvino as ov
import pytest
from openvino import opset13 as ops

from detectors import Detector, open_detector
from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.classes import load_classes
from detectors.errors import DeviceError, ModelError
from detectors.model_card import load_card
from detectors.nms import iou_matrix
from detectors.opening import DEFAULT_MODEL, card_path
from detectors.pixels import PixelForm, as_network_input
from sim.street.body import Body, BodyKind
from tests.detectors.small_networks import ANY_PICTURE, write_network, yolo_head
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
    assert len(frame.shown) == len(bodies)
    spilt = np.ones(len(found), bool)
    for item in frame.shown:
        is_own = found.class_id == load_classes().by_name[item.body.class_name].id
        is_own &= iou_matrix(found.xyxy, np.array([item.xyxy], np.float32))[:, 0] > 0.5
        assert is_own.sum() == 1, item.body.class_name
        spilt &= ~is_own
    if bodies[1] is BIN:
        assert not spilt.any()
    full_bin = frame.shown[1].xyxy  # bags that fell beside it are garbage too
    assert all(_lies_in(box, full_bin) > 0.8 for box in found.xyxy[spilt])
    assert set(found.class_id[spilt]) <= {load_classes().by_name["garbage"].id}


def _lies_in(box: npt.NDArray[np.float32], other: tuple[float, float, float, float]) -> float:
    """Which share of the box lies in the other."""
    sides = np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2])
    return float(np.clip(sides, 0, None).prod() / (box[2:] - box[:2]).prod())


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


def test_a_file_that_is_no_network_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"nothing")
    with pytest.raises(ModelError) as caught:
        OpenVinoBackend(path)
    assert "\n" not in str(caught.value)
    assert "broken.onnx: OpenVINO cannot read it" in str(caught.value)


HEAD = yolo_head((0, 0.5, (8, 8, 4, 4)), class_count=2)


def test_a_network_of_any_size_is_asked_at_a_probe_and_fixes_nothing(tmp_path: Path) -> None:
    facts = OpenVinoBackend(write_network(tmp_path / "m.xml", HEAD, input_shape=ANY_PICTURE)).facts
    assert (facts.fixed_px, facts.probe_px, facts.output_shape) == (None, (320, 320), (6, 2100))
    assert facts.class_names is None


def test_a_network_of_one_size_says_width_then_height(tmp_path: Path) -> None:
    facts = OpenVinoBackend(write_network(tmp_path / "m.xml", HEAD, input_shape=(1, 3, 384, 640))).facts
    assert facts.fixed_px == facts.probe_px == (640, 384)


def test_the_shipped_model_carries_the_names_of_its_card() -> None:
    card = load_card(card_path(DEFAULT_MODEL))
    assert OpenVinoBackend(card.weights, threads=1).facts.class_names == card.classes


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("{1: 'traffic light', 0: 'car'}", ("car", "traffic light")),
        ("['car', 'bus']", ("car", "bus")),
        ("car, bus", None),
        ("7", None),
    ],
)
def test_names_in_the_metadata_are_read_in_the_order_of_the_output(
    tmp_path: Path, written: str, read: tuple[str, ...] | None
) -> None:
    path = write_network(tmp_path / "m.xml", HEAD, input_shape=ANY_PICTURE, names=written)
    assert OpenVinoBackend(path).facts.class_names == read


def test_a_network_that_takes_one_picture_at_a_time_takes_a_batch_one_by_one(tmp_path: Path) -> None:
    backend = OpenVinoBackend(write_network(tmp_path / "m.xml", HEAD, input_shape=(1, 3, 64, 64)), threads=1)
    output = backend.forward(np.zeros((3, 64, 64, 3), np.uint8), PixelForm.RGB_UNIT)
    np.testing.assert_array_equal(output, np.repeat(HEAD, 3, axis=0))


def test_what_was_prepared_is_compiled_for_every_lane_and_batch_before_the_first_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[tuple[int, ...]] = []
    compile_model = ov.Core.compile_model

    def watched(core: ov.Core, model: ov.Model, *options: object) -> ov.CompiledModel:
        compiled.append(tuple(model.input(0).shape))
        return compile_model(core, model, *options)

    monkeypatch.setattr(ov.Core, "compile_model", watched)
    backend = OpenVinoBackend(write_network(tmp_path / "m.xml", HEAD, input_shape=ANY_PICTURE), threads=2)
    backend.prepare([(64, 32), (96, 64)], PixelForm.RGB_UNIT, most=2)
    expected = [(count, height, width, 3) for count in (1, 2) for width, height in ((64, 32), (96, 64))]
    assert sorted(compiled) == sorted(expected * 2)
    backend.forward(np.zeros((2, 32, 64, 3), np.uint8), PixelForm.RGB_UNIT, lane=1)
    assert len(compiled) == 8
    backend.forward(np.zeros((3, 32, 64, 3), np.uint8), PixelForm.RGB_UNIT, lane=1)
    assert len(compiled) == 9


def test_a_network_in_half_precision_is_fed_like_any_other(tmp_path: Path) -> None:
    path = write_network(tmp_path / "m.xml", HEAD, input_shape=(1, 3, 64, 64), element=np.float16)
    output = OpenVinoBackend(path, threads=1).forward(np.ones((1, 64, 64, 3), np.uint8), PixelForm.RGB_UNIT)
    assert output.dtype == np.float32
    np.testing.assert_array_equal(output, HEAD)


@pytest.mark.parametrize("form", list(PixelForm))
def test_bytes_become_what_the_network_wants_inside_the_graph(tmp_path: Path, form: PixelForm) -> None:
    picture = ops.parameter([-1, 3, -1, -1], np.float32, name="images")
    echo = ops.reshape(picture, ops.constant(np.array([0, 3, -1])), special_zero=True)
    ov.save_model(ov.Model([echo], [picture], "echo"), tmp_path / "m.xml", compress_to_fp16=False)
    backend = OpenVinoBackend(tmp_path / "m.xml", threads=1)
    pictures = np.random.default_rng(4).integers(0, 256, (2, 8, 6, 3), np.uint8)
    seen = backend.forward(pictures, form).reshape(2, 3, 8, 6)
    np.testing.assert_allclose(seen, as_network_input(pictures, form), rtol=1e-5)
    red = pictures[1, 5, 2, 2]
    expected = red / 255 if form is PixelForm.RGB_UNIT else red
    assert seen[1, 0 if form is PixelForm.RGB_UNIT else 2, 5, 2] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("head", "input_shape", "outputs", "said"),
    [
        (HEAD, ANY_PICTURE, 2, "has 1 inputs and 2 outputs; a detector with one of each is right"),
        (HEAD, (1, 640), 1, r"takes \[1,640\]; pictures \(N, 3, height, width\) are right"),
        (HEAD, (1, 1, 64, 64), 1, r"takes \[1,1,64,64\]; pictures"),
        (HEAD, (4, 3, 64, 64), 1, r"takes \[4,3,64,64\]; a batch of 1 or of any size is right"),
        (HEAD[0], ANY_PICTURE, 1, r"gives \[6,2100\]; a raw head with three fixed sides"),
    ],
)
def test_a_network_that_is_no_detector_of_pictures_is_one_line(
    tmp_path: Path, head: npt.NDArray[np.float32], input_shape: tuple[int, ...], outputs: int, said: str
) -> None:
    with pytest.raises(ModelError, match=said):
        OpenVinoBackend(write_network(tmp_path / "m.xml", head, input_shape=input_shape, outputs=outputs))
