"""The families of networks: which one an output is, and what its numbers mean."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detectors.layouts import Layout, NetworkFacts, cell_count, class_count_of, decode, layouts_that_fit, yolox_to_yolo
from detectors.nms import F32

_SIDE = 64
_CELLS = 8 * 8 + 4 * 4 + 2 * 2
_LEAST = np.array([0.5, np.inf, 0.2], np.float32)


def _facts(first: int, second: int, probe_px: tuple[int, int] = (640, 640)) -> NetworkFacts:
    return NetworkFacts(fixed_px=None, probe_px=probe_px, output_shape=(first, second))


@pytest.mark.parametrize(
    ("facts", "class_count", "layout"),
    [
        (_facts(84, 8400), 80, Layout.YOLO_V8_HEAD),
        (_facts(13, 2100, (320, 320)), 9, Layout.YOLO_V8_HEAD),
        (_facts(3549, 85, (416, 416)), 80, Layout.YOLOX),
        (_facts(300, 6), 80, Layout.YOLO_END2END),
        (_facts(5, 8400), 1, Layout.YOLO_V8_HEAD),
        (_facts(8400, 6), 1, Layout.YOLOX),
        (_facts(300, 6), 1, Layout.YOLO_END2END),
    ],
)
def test_a_layout_is_recognised_by_the_shape_of_the_output(
    facts: NetworkFacts, class_count: int, layout: Layout
) -> None:
    assert layouts_that_fit(facts, class_count) == (layout,)


@pytest.mark.parametrize(
    ("facts", "class_count"),
    [
        (_facts(25200, 85), 80),  # anchors of an older family: no grid of three cells has so many
        (_facts(8400, 84), 80),  # turned about
        (_facts(84, 8400), 9),
        (_facts(3549, 85, (416, 416)), 9),
        (_facts(116, 8400), 80),  # 32 more rows: masks
    ],
)
def test_an_output_that_means_something_else_fits_no_layout(facts: NetworkFacts, class_count: int) -> None:
    assert layouts_that_fit(facts, class_count) == ()


def test_the_number_of_classes_shows_in_the_output_itself() -> None:
    assert class_count_of(_facts(84, 8400)) == 80
    assert class_count_of(_facts(3549, 14, (416, 416))) == 9
    assert class_count_of(_facts(300, 6)) is None


def test_three_grids_cover_the_input() -> None:
    assert cell_count((416, 416)) == 3549
    assert cell_count((640, 384)) == 80 * 48 + 40 * 24 + 20 * 12


def test_yolox_cells_are_counted_row_by_row_and_stride_by_stride() -> None:
    output = np.zeros((_CELLS, 85), np.float32)
    row = 64 + 1 * 4 + 2  # second grid, second row, third column
    output[row, :4] = (0.5, 0.25, math.log(2.0), math.log(3.0))
    output[row, 4:7] = (0.5, 0.0, 0.8)
    (rows,) = yolox_to_yolo(output[None], (_SIDE, _SIDE))
    np.testing.assert_allclose(rows[:4, row], [(2 + 0.5) * 16, (1 + 0.25) * 16, 32, 48], rtol=1e-6)
    assert rows[5, row] == pytest.approx(0.4)
    assert rows.shape == (84, _CELLS)


def test_yolox_rectangles_agree_with_a_loop_over_the_cells() -> None:
    width, height = 96, 64
    output = np.random.default_rng(5).normal(0, 1, (cell_count((width, height)), 7)).astype(np.float32)
    expected: list[list[float]] = []
    for stride in (8, 16, 32):
        for y in range(height // stride):
            for x in range(width // stride):
                dx, dy, log_w, log_h, objectness, *scores = output[len(expected)].tolist()
                box = [(x + dx) * stride, (y + dy) * stride, math.exp(log_w) * stride, math.exp(log_h) * stride]
                expected.append(box + [objectness * score for score in scores])
    np.testing.assert_allclose(yolox_to_yolo(output[None], (width, height))[0].T, expected, rtol=1e-4, atol=1e-5)


def test_an_end_to_end_row_is_a_box_with_confidence_and_class() -> None:
    rows = np.array([[1, 2, 30, 40, 0.9, 2], [5, 5, 9, 9, 0.49, 0], [0, 0, 0, 0, 0, 0]], np.float32)
    picture, found = decode(Layout.YOLO_END2END, rows[None], _LEAST, input_px=(_SIDE, _SIDE))
    assert picture.tolist() == [0]
    np.testing.assert_array_equal(found.xyxy, [[1, 2, 30, 40]])
    assert (found.class_id.tolist(), found.confidence.tolist()) == ([2], [pytest.approx(0.9)])


def test_an_end_to_end_row_of_a_class_that_does_not_exist_is_left_out() -> None:
    rows = np.array([[1, 2, 3, 4, 0.9, 3], [1, 2, 3, 4, 0.9, -1]], np.float32)
    _, found = decode(Layout.YOLO_END2END, rows[None], _LEAST, input_px=(_SIDE, _SIDE))
    assert len(found.confidence) == 0


def _one_box(layout: Layout, scores: tuple[float, float, float]) -> F32:
    """A box of 16 px around (16, 16) with three class scores, in a given layout."""
    if layout is Layout.YOLO_V8_HEAD:
        return np.array([[16, 16, 16, 16, *scores]], np.float32).T
    output = np.zeros((_CELLS, 8), np.float32)
    output[0] = (2, 2, math.log(2), math.log(2), 1, *scores)
    return output


@pytest.mark.parametrize("layout", [Layout.YOLO_V8_HEAD, Layout.YOLOX])
def test_what_looks_most_like_an_unwanted_class_is_not_taken_for_a_wanted_one(layout: Layout) -> None:
    _, wanted = decode(layout, _one_box(layout, (0.6, 0.5, 0.1))[None], _LEAST, input_px=(_SIDE, _SIDE))
    np.testing.assert_allclose(wanted.xyxy, [[8, 8, 24, 24]], atol=1e-5)
    _, unwanted = decode(layout, _one_box(layout, (0.6, 0.7, 0.1))[None], _LEAST, input_px=(_SIDE, _SIDE))
    assert (wanted.class_id.tolist(), unwanted.class_id.tolist()) == ([0], [])


@pytest.mark.parametrize("layout", list(Layout))
def test_a_batch_decodes_as_its_pictures_do_one_by_one(layout: Layout) -> None:
    rng = np.random.default_rng(11)
    shape = {Layout.YOLO_V8_HEAD: (7, _CELLS), Layout.YOLOX: (_CELLS, 8), Layout.YOLO_END2END: (30, 6)}[layout]
    output = rng.uniform(0, 1, (5, *shape)).astype(np.float32)
    if layout is Layout.YOLO_END2END:
        output[..., 5] = rng.integers(0, 3, (5, 30))
    output[2] = 0
    thresholds = np.array([0.7, np.inf, 0.8], np.float32)
    picture, together = decode(layout, output, thresholds, input_px=(_SIDE, _SIDE))
    assert set(picture) == {0, 1, 3, 4}
    for number in range(5):
        _, alone = decode(layout, output[number : number + 1], thresholds, input_px=(_SIDE, _SIDE))
        mine = together.rows(np.flatnonzero(picture == number))
        np.testing.assert_array_equal(mine.xyxy, alone.xyxy)
        np.testing.assert_array_equal(mine.confidence, alone.confidence)
        np.testing.assert_array_equal(mine.class_id, alone.class_id)


def test_decoding_applies_the_threshold_of_the_winning_class() -> None:
    output = np.zeros((6, 3), np.float32)
    output[:4] = np.array([[50, 50, 20, 10], [80, 40, 10, 10], [10, 10, 4, 4]], np.float32).T
    output[4:, 0], output[4:, 1], output[4:, 2] = (0.6, 0.1), (0.2, 0.45), (0.5, 0.4)
    _, boxes = decode(Layout.YOLO_V8_HEAD, output[None], np.array([0.5, 0.5], np.float32), input_px=(_SIDE, _SIDE))
    np.testing.assert_allclose(boxes.xyxy, [[40, 45, 60, 55], [8, 8, 12, 12]])
    assert boxes.class_id.tolist() == [0, 0]
    assert boxes.confidence == pytest.approx([0.6, 0.5])
