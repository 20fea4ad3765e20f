"""Reading and suppression in torch, on CPU tensors: the same boxes as in numpy, which is tested on its own."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from detectors.adapters.torch_boxes import kept_boxes
from detectors.layouts import Layout
from detectors.reading import HeadReading

torch = pytest.importorskip("torch", reason="needs the extra: pip install street721[train]")

F32 = npt.NDArray[np.float32]
CLASSES = 4


def _reading(*, has_doubles: bool = True, any_group_limit: float = 0.85) -> HeadReading:
    return HeadReading(
        layout=Layout.YOLO_V8_HEAD,
        thresholds=np.array([0.3, 0.5, np.inf, 0.2], np.float32),
        groups=np.array([0, 0, 1, 2], np.int32),
        iou_limit=0.5,
        any_group_limit=any_group_limit,
        has_doubles=has_doubles,
    )


def _head(seed: int, *, pictures: int, anchors: int, clusters: int) -> F32:
    """Boxes in clusters that cover each other more or less; a tenth of the scores is high."""
    chance = np.random.default_rng(seed)
    centre = chance.uniform(50, 600, (pictures, clusters, 2))[:, chance.integers(0, clusters, anchors)]
    centre = centre + chance.normal(0, 12, centre.shape)
    size = chance.uniform(30, 90, (pictures, anchors, 2))
    scores = chance.uniform(0, 1, (pictures, anchors, CLASSES)) ** 4
    return np.concatenate((centre, size, scores), axis=2).astype(np.float32).transpose(0, 2, 1)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("has_doubles", [True, False])
def test_the_boxes_are_those_of_numpy(seed: int, *, has_doubles: bool) -> None:
    head = _head(seed, pictures=5, anchors=400, clusters=2 + 3 * seed)
    reading = _reading(has_doubles=has_doubles, any_group_limit=1.0 if seed % 2 else 0.7)
    picture, boxes = reading.kept(head, input_px=(640, 640))
    own_picture, own = kept_boxes(torch, torch.from_numpy(np.ascontiguousarray(head)), reading)
    assert len(picture) > 20
    np.testing.assert_array_equal(own_picture, picture)
    np.testing.assert_array_equal(own.class_id, boxes.class_id)
    np.testing.assert_array_equal(own.confidence, boxes.confidence)
    np.testing.assert_allclose(own.xyxy, boxes.xyxy, rtol=1e-6, atol=1e-4)


def test_a_long_chain_of_boxes_falls_as_in_the_greedy_loop() -> None:
    """Each covers the next: the first falls upon the second, so the third stays, so the fourth falls …"""
    links = 200
    head = np.zeros((1, 4 + CLASSES, links), np.float32)
    head[0, 0] = np.arange(links) * 10 + 50
    head[0, 1], head[0, 2], head[0, 3] = 100, 40, 40
    head[0, 4] = np.linspace(0.9, 0.4, links)
    picture, boxes = _reading().kept(head, input_px=(2400, 640))
    _, own = kept_boxes(torch, torch.from_numpy(head), _reading())
    assert len(picture) == links // 2
    np.testing.assert_array_equal(own.xyxy, boxes.xyxy)


def test_of_a_picture_without_anything_comes_nothing() -> None:
    head = _head(1, pictures=3, anchors=50, clusters=5)
    head[1, 4:] = 0
    assert set(kept_boxes(torch, torch.from_numpy(head), _reading())[0].tolist()) == {0, 2}
    head[:, 4:] = 0
    picture, boxes = kept_boxes(torch, torch.from_numpy(head), _reading())
    assert len(picture) == len(boxes.confidence) == 0
    assert boxes.xyxy.shape == (0, 4)


def test_a_class_that_nobody_asks_for_hides_what_looks_less_like_another() -> None:
    head = np.zeros((1, 4 + CLASSES, 2), np.float32)
    head[0, :4] = np.array([[100, 100, 40, 40], [300, 100, 40, 40]]).T
    head[0, 4:, 0] = (0.6, 0, 0.7, 0)
    head[0, 4:, 1] = (0.6, 0, 0.1, 0)
    _, boxes = kept_boxes(torch, torch.from_numpy(head), _reading())
    assert boxes.xyxy.tolist() == [[280, 80, 320, 120]]
