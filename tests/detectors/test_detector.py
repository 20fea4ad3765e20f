"""The batched path over a network that answers with the colour it sees, so that every step can be checked."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.classes import load_classes
from detectors.detector import BatchedDetector
from detectors.errors import ModelError
from detectors.layouts import NetworkFacts, cell_count
from detectors.letterbox import FILL
from detectors.model_card import ModelCard
from detectors.pixels import PixelForm, as_network_input
from detectors.planning import batch_sizes

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]


def _card(classes: tuple[str, ...] = ("garbage", "car")) -> ModelCard:
    return ModelCard(
        name="fake",
        weights=Path("fake.onnx"),
        classes=classes,
        input_px=320,
        stride=32,
        nms_iou=0.5,
        thresholds=dict.fromkeys(classes, 0.5),
    )


class ColourNetwork:
    """Reports, as class 0, the box of what is pure red, and as class 1 the box of what is pure blue."""

    lanes = streams = 1
    best_batch = 8

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.prepared: tuple[tuple[tuple[int, int], ...], int] = ((), 0)

    @property
    def description(self) -> str:
        return "colours"

    @property
    def facts(self) -> NetworkFacts:
        return NetworkFacts(fixed_px=None, probe_px=(320, 320), output_shape=(6, 4))

    def prepare(self, sizes_px: Sequence[tuple[int, int]], form: PixelForm, most: int) -> None:
        self.prepared = (tuple(sizes_px), most)

    def forward(self, pictures: U8, form: PixelForm, lane: int = 0) -> F32:
        batch = as_network_input(pictures, form)
        self.shapes.append(batch.shape)
        output = np.zeros((len(batch), 6, 4), np.float32)
        for row, picture in enumerate(batch):
            for class_row, channel in ((0, 0), (1, 2)):
                others = picture[[other for other in range(3) if other != channel]].max(axis=0)
                mask = (picture[channel] > 0.8) & (others < 0.35)
                if mask.any():
                    ys, xs = np.nonzero(mask)
                    x0, y0, x1, y1 = xs.min(), ys.min(), xs.max() + 1, ys.max() + 1
                    output[row, :4, class_row] = ((x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0)
                    output[row, 4 + class_row, class_row] = 0.9
        return output


def _jpeg(size_px: tuple[int, int], *, red: tuple[int, int, int, int] | None = None) -> bytes:
    picture = np.full((size_px[1], size_px[0], 3), 90, np.uint8)
    if red is not None:
        cv2.rectangle(picture, red[:2], (red[2] - 1, red[3] - 1), (0, 0, 255), -1)
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes()


class FixedAnswer:
    """Gives one head for every picture, and keeps the batches that it saw, as the network gets them."""

    lanes = streams = 1
    best_batch = 8

    def __init__(self, head: F32, *, fixed_px: tuple[int, int] | None = None) -> None:
        self.head = head
        self.seen: list[F32] = []
        self.facts = NetworkFacts(
            fixed_px=fixed_px, probe_px=fixed_px or (320, 320), output_shape=(head.shape[0], head.shape[1])
        )

    @property
    def description(self) -> str:
        return "fixed"

    def prepare(self, sizes_px: Sequence[tuple[int, int]], form: PixelForm, most: int) -> None:
        pass

    def forward(self, pictures: U8, form: PixelForm, lane: int = 0) -> F32:
        self.seen.append(as_network_input(pictures, form))
        return np.repeat(self.head[None], len(pictures), axis=0)


def _head(*columns: tuple[float, ...]) -> F32:
    """(4 + classes, anchors) of (centre x, y, width, height, *scores) per anchor."""
    return np.array(columns, np.float32).T


@pytest.fixture
def network() -> ColourNetwork:
    return ColourNetwork()


@pytest.fixture
def detector(network: ColourNetwork) -> BatchedDetector:
    return BatchedDetector(network, _card(), load_classes())


@pytest.mark.parametrize("size_px", [(320, 180), (640, 360), (1920, 1080), (300, 900), (416, 416)])
def test_boxes_come_back_in_original_pixels(detector: BatchedDetector, size_px: tuple[int, int]) -> None:
    width, height = size_px
    red = (width // 4, height // 4, width // 2, height // 2)
    (found,) = detector.detect([_jpeg(size_px, red=red)])
    assert found.size_px == size_px
    assert [load_classes().by_id[int(row)].name for row in found.class_id] == ["garbage"]
    np.testing.assert_allclose(found.xyxy, [red], atol=1.5 * max(size_px) / 320 + 1)


def test_results_keep_the_order_of_the_pictures(detector: BatchedDetector) -> None:
    sizes = [(640, 360), (416, 416), (640, 360), (300, 900), (640, 360)]
    red = (40, 40, 200, 200)
    found = detector.detect([_jpeg(size, red=red if row % 2 else None) for row, size in enumerate(sizes)])
    assert [result.size_px for result in found] == sizes
    assert [len(result) for result in found] == [0, 1, 0, 1, 0]


def test_batches_are_bounded_and_about_alike(detector: BatchedDetector, network: ColourNetwork) -> None:
    assert len(detector.detect([_jpeg((320, 180))] * 15)) == 15
    assert [shape[0] for shape in network.shapes] == [8, 7]


@given(pictures=st.integers(1, 300), streams=st.integers(1, 9), most=st.integers(1, 64))
def test_every_stream_gets_as_many_batches_as_the_others(pictures: int, streams: int, most: int) -> None:
    sizes = batch_sizes(pictures, streams, most)
    assert sum(sizes) == pictures
    assert 1 <= min(sizes) <= max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(sizes) % streams == 0 or len(sizes) == pictures


def test_the_input_sizes_of_most_cameras_are_prepared(detector: BatchedDetector, network: ColourNetwork) -> None:
    rare = [(100 + 32 * step, 100) for step in range(4)]
    detector.prepare([*rare, *[(1920, 1080)] * 3, *[(1280, 720)] * 2, *[(300, 900)] * 2])
    sizes_px, most = network.prepared
    assert sizes_px[:2] == ((320, 192), (128, 320))
    assert (len(sizes_px), most) == (4, 8)


def test_no_pictures_give_no_results(detector: BatchedDetector, network: ColourNetwork) -> None:
    assert detector.detect([]) == []
    assert network.shapes == []


def test_a_bad_picture_fails_alone(detector: BatchedDetector) -> None:
    good = _jpeg((320, 180), red=(100, 60, 200, 120))
    found = detector.detect([good, good[:300], b"", b"no picture", good])
    assert [result.failure is None for result in found] == [True, False, False, False, True]
    assert [len(result) for result in found] == [1, 0, 0, 0, 1]
    assert found[1].failure is not None
    assert found[1].failure.startswith("truncated_jpeg: ")


def test_a_picture_held_upright_by_exif_is_turned(detector: BatchedDetector) -> None:
    jpeg = _jpeg((640, 320), red=(0, 0, 100, 320))
    exif = (
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x01\x00\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00\x00\x00\x00\x00\x00\x00"
    )
    turned = jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]
    (found,) = detector.detect([turned])
    assert found.size_px == (320, 640)
    np.testing.assert_allclose(found.xyxy, [[0, 0, 320, 100]], atol=4)


def test_one_threshold_may_replace_the_cards(network: ColourNetwork) -> None:
    strict = BatchedDetector(network, _card(), load_classes(), confidence=0.95)
    assert len(strict.detect([_jpeg((320, 180), red=(100, 60, 200, 120))])[0]) == 0


def test_a_picture_that_has_not_changed_is_not_inferred_again(
    detector: BatchedDetector, network: ColourNetwork
) -> None:
    red, empty = _jpeg((320, 180), red=(100, 60, 200, 120)), _jpeg((320, 180))
    first = detector.detect([red, empty, red])
    assert [len(found) for found in first] == [1, 0, 1]
    network.shapes.clear()
    again = detector.detect([red, red, red, b"none"], [first[0].glance, first[1].glance, None, None])
    assert [found.is_repeat for found in again] == [True, False, False, False]
    assert [len(found) for found in again] == [0, 1, 1, 0]
    np.testing.assert_allclose(again[1].xyxy, first[0].xyxy)
    assert [shape[0] for shape in network.shapes] == [2]
    assert (again[0].size_px, again[3].glance) == ((320, 180), None)
    network.shapes.clear()
    assert all(found.is_repeat for found in detector.detect([red, empty], [found.glance for found in first[:2]]))
    assert network.shapes == []


def test_a_small_picture_is_seen_as_it_is(detector: BatchedDetector, network: ColourNetwork) -> None:
    detector.detect([_jpeg((160, 96)), _jpeg((160, 90))])
    assert network.shapes == [(2, 3, 96, 160)]


def test_a_class_that_nobody_asks_for_is_not_reported_and_hides_nothing_else() -> None:
    network = FixedAnswer(_head((50, 50, 20, 20, 0.9, 0.8), (150, 50, 20, 20, 0.1, 0.6)))
    detector = BatchedDetector(network, _card(("dog", "car")), load_classes())
    found = detector.see(np.zeros((100, 300, 3), np.uint8))
    assert found.class_id.tolist() == [2]
    assert detector.description == "fake (320 px, 1 of 2 classes, without dog, unverified) on fixed"


def test_one_vehicle_gets_one_box_and_the_pile_beside_the_bin_its_own() -> None:
    vehicle, bin_, pile = (50, 50, 40, 40), (150, 50, 20, 40), (155, 62, 24, 16)
    network = FixedAnswer(_head(
        (*vehicle, 0.7, 0, 0, 0), (*vehicle, 0, 0.8, 0, 0), (*bin_, 0, 0, 0.6, 0), (*pile, 0, 0, 0, 0.55)
    ))  # fmt: skip
    card = _card(("car", "truck", "overflow", "garbage"))
    picture = np.zeros((100, 300, 3), np.uint8)
    one = BatchedDetector(network, card, load_classes()).see(picture)
    assert [load_classes().by_id[int(row)].name for row in one.class_id] == ["truck", "overflow", "garbage"]
    each = BatchedDetector(network, card, load_classes(), one_box=False).see(picture)
    assert len(each) == 4


def test_what_stands_in_the_same_place_is_one_thing_whatever_its_classes() -> None:
    network = FixedAnswer(_head((60, 50, 40, 60, 0.55, 0), (60, 51, 40, 60, 0, 0.6), (160, 50, 40, 60, 0.55, 0),
                                (160, 62, 40, 60, 0, 0.6)))  # fmt: skip
    card = _card(("motorcycle", "person"))
    picture = np.zeros((100, 300, 3), np.uint8)
    one = BatchedDetector(network, card, load_classes()).see(picture)
    # The rider and what he sits on, a fifth apart, are two.
    assert [load_classes().by_id[int(row)].name for row in one.class_id] == ["person", "person", "motorcycle"]
    assert len(BatchedDetector(network, card, load_classes(), one_box=False).see(picture)) == 4


def test_a_fixed_input_gets_every_picture_at_its_own_size() -> None:
    network = FixedAnswer(_head((160, 80, 320, 160, 0.9, 0)), fixed_px=(320, 320))
    detector = BatchedDetector(network, _card(), load_classes())
    small, large = detector.detect([_jpeg((160, 160)), _jpeg((640, 640))])
    assert [batch.shape for batch in network.seen] == [(2, 3, 320, 320)]
    np.testing.assert_allclose(small.xyxy, [[0, 0, 160, 80]])
    np.testing.assert_allclose(large.xyxy, [[0, 0, 640, 320]])


def test_a_yolox_network_gets_raw_bgr_at_the_corner_and_gives_boxes_back_from_there() -> None:
    head = np.zeros((cell_count((320, 320)), 7), np.float32)
    head[1, :4] = (1, 2, np.log(2), np.log(4))  # second cell of the finest grid: centre (16, 16), 16 × 32 px
    head[1, 4:] = (0.9, 0.0, 1.0)
    network = FixedAnswer(head, fixed_px=(320, 320))
    picture = np.full((160, 640, 3), (200, 100, 50), np.uint8)
    found = BatchedDetector(network, _card(), load_classes()).see(picture)
    np.testing.assert_array_equal(network.seen[0][0, :, 0, 0], [200, 100, 50])
    np.testing.assert_array_equal(network.seen[0][0, :, 80, 319], [FILL] * 3)
    np.testing.assert_allclose(found.xyxy, [[16, 0, 48, 64]], atol=1e-4)
    assert (found.class_id.tolist(), found.confidence.tolist()) == ([2], [pytest.approx(0.9)])


def test_a_network_of_another_shape_than_its_card_is_refused(network: ColourNetwork) -> None:
    with pytest.raises(ModelError, match="its output is 6 × 4 at 320×320 px; for 3 classes right would be 7 × boxes"):
        BatchedDetector(network, _card(("garbage", "car", "bus")), load_classes())


def test_a_model_without_a_single_class_of_the_table_is_refused(network: ColourNetwork) -> None:
    with pytest.raises(ModelError, match=r"none of its classes \['ufo', 'yeti'\] is in configs/classes.toml"):
        BatchedDetector(network, _card(("ufo", "yeti")), load_classes())
