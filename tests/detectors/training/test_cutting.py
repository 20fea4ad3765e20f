"""Tiles and painted doubts, checked against the plain geometry of the picture that they came from."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from detectors.letterbox import FILL
from detectors.training.boxes import F32, Image
from detectors.training.cutting import MIN_VISIBLE, Tile, blank, tiles
from detectors.training.labels import NO_LABELS, Labels

_TILE = 64
_SEEN = 160
_SAFE_OVERLAP = 8
"""15 % of 64 px, less what rounding of a start may take."""

Box = tuple[int, int, int, int]


def _coded(width: int, height: int) -> Image:
    """A picture whose every pixel says where it is: (x, y, 7)."""
    picture = np.full((height, width, 3), 7, np.uint8)
    picture[..., 0] = np.arange(width)
    picture[..., 1] = np.arange(height)[:, None]
    return picture


def _labels(boxes: list[Box], width: int, height: int) -> Labels:
    pixels: F32 = np.array(boxes, np.float32).reshape(-1, 4)
    size = np.array([width, height] * 2, np.float32)
    return Labels(np.arange(len(boxes), dtype=np.int32), np.asarray(pixels / size, np.float32))


def _place(tile: Tile) -> tuple[int, int]:
    """(left, top) of a tile of a coded picture, read from a pixel that nobody painted."""
    row, column = np.argwhere(tile.image[..., 2] == 7)[0]
    x, y = tile.image[row, column, :2].tolist()
    return x - int(column), y - int(row)


def _part(whole: Image, tile: Tile) -> Image:
    """What the whole picture shows where the tile lies."""
    left, top = _place(tile)
    return whole[top : top + tile.image.shape[0], left : left + tile.image.shape[1]]


def _pixels(tile: Tile) -> F32:
    """The tile's boxes in pixels of the whole picture."""
    left, top = _place(tile)
    height, width = tile.image.shape[:2]
    return tile.labels.xyxy * np.array([width, height] * 2, np.float32) + np.array([left, top] * 2, np.float32)


@st.composite
def _pictures(draw: st.DrawFn) -> tuple[int, int, list[Box]]:
    width, height = draw(st.integers(20, 160)), draw(st.integers(20, 160))
    boxes = []
    for _ in range(draw(st.integers(0, 6))):
        x0, y0 = draw(st.integers(0, width - 2)), draw(st.integers(0, height - 2))
        boxes.append((x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))))
    return width, height, boxes


@settings(max_examples=200, deadline=None)
@given(_pictures())
def test_a_kept_box_lies_where_it_lay_and_shows_enough_of_itself(picture: tuple[int, int, list[Box]]) -> None:
    width, height, boxes = picture
    for tile in tiles(_coded(width, height), _labels(boxes, width, height), seen_px=_SEEN, tile_px=_TILE):
        assert tile.labels.class_id.tolist() == tile.rows.tolist()
        for row, found in zip(tile.rows.tolist(), _pixels(tile).tolist() if len(tile.rows) else [], strict=True):
            x0, y0, x1, y1 = boxes[row]
            assert x0 - 0.01 <= found[0] < found[2] <= x1 + 0.01
            assert y0 - 0.01 <= found[1] < found[3] <= y1 + 0.01
            seen = (found[2] - found[0]) * (found[3] - found[1])
            assert seen >= MIN_VISIBLE * (x1 - x0) * (y1 - y0) - 0.1


@settings(max_examples=200, deadline=None)
@given(_pictures())
def test_a_box_smaller_than_the_overlap_is_whole_in_some_tile(picture: tuple[int, int, list[Box]]) -> None:
    width, height, boxes = picture
    whole: set[int] = set()
    for tile in tiles(_coded(width, height), _labels(boxes, width, height), seen_px=_SEEN, tile_px=_TILE):
        for row, found in zip(tile.rows.tolist(), _pixels(tile).tolist() if len(tile.rows) else [], strict=True):
            if np.abs(np.array(found) - np.array(boxes[row])).max() < 0.01:
                whole.add(row)
    small = {row for row, (x0, y0, x1, y1) in enumerate(boxes) if max(x1 - x0, y1 - y0) <= _SAFE_OVERLAP}
    assert small <= whole


@settings(max_examples=100, deadline=None)
@given(_pictures())
def test_every_pixel_that_is_not_painted_is_the_pictures_own(picture: tuple[int, int, list[Box]]) -> None:
    width, height, boxes = picture
    whole = _coded(width, height)
    for tile in tiles(whole, _labels(boxes, width, height), seen_px=_SEEN, tile_px=_TILE):
        is_painted = (tile.image == FILL).all(axis=2)
        if not is_painted.all():
            assert ((tile.image == _part(whole, tile)).all(axis=2) | is_painted).all()


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 160), st.integers(1, 160))
def test_the_tiles_cover_the_picture(width: int, height: int) -> None:
    whole = _coded(width, height)
    covered = np.zeros((height, width), bool)
    for tile in tiles(whole, NO_LABELS, seen_px=_SEEN, tile_px=_TILE):
        np.testing.assert_array_equal(tile.image, _part(whole, tile))
        left, top = _place(tile)
        covered[top : top + tile.image.shape[0], left : left + tile.image.shape[1]] = True
    assert covered.all()


def test_a_box_of_which_too_little_is_left_is_painted_over() -> None:
    picture = _coded(100, 60)
    first, second = tiles(picture, _labels([(60, 10, 80, 30)], 100, 60), seen_px=_SEEN, tile_px=_TILE)
    assert (first.labels.class_id.tolist(), second.labels.class_id.tolist()) == ([], [0])
    assert (first.image[10:30, 60:64] == FILL).all()
    assert (first.image[10:30, :60] == picture[10:30, :60]).all()


def test_a_sliver_under_a_kept_box_leaves_the_kept_box_as_it_is() -> None:
    boxes = [(60, 10, 80, 30), (40, 0, 64, 40)]
    first, _ = tiles(_coded(100, 60), _labels(boxes, 100, 60), seen_px=_SEEN, tile_px=_TILE)
    assert first.rows.tolist() == [1]
    assert (first.image[:40, 40:64] == _coded(100, 60)[:40, 40:64]).all()


@pytest.mark.parametrize(("size", "pieces"), [((70, 70), 1), ((71, 40), 2), ((160, 160), 9), ((64, 160), 3)])
def test_a_picture_hardly_larger_than_a_tile_stays_whole(size: tuple[int, int], pieces: int) -> None:
    picture = _coded(*size)
    found = list(tiles(picture, NO_LABELS, seen_px=_SEEN, tile_px=_TILE))
    assert len(found) == pieces
    assert all(max(tile.image.shape[:2]) <= _TILE for tile in found) or found[0].image is picture


def test_a_large_picture_is_shrunk_to_the_size_that_the_network_will_see() -> None:
    picture = np.full((240, 320, 3), 50, np.uint8)
    cv2.rectangle(picture, (160, 120), (239, 179), (250, 250, 250), -1)
    labels = Labels(np.array([2], np.int32), np.array([[0.5, 0.5, 0.75, 0.75]], np.float32))
    found = list(tiles(picture, labels, seen_px=_SEEN, tile_px=_TILE))
    assert len(found) == 3 * 3  # of 160 x 120 px; two of 64 px would not overlap enough
    bright = [tile for tile in found if len(tile.labels)]
    for tile in bright:
        x0, y0, x1, y1 = (round(side) for side in (tile.labels.xyxy[0] * _TILE).tolist())
        assert tile.image[y0 + 1 : y1 - 1, x0 + 1 : x1 - 1].min() == 250
    assert bright


def test_a_small_picture_is_never_enlarged() -> None:
    (tile,) = tiles(_coded(40, 30), NO_LABELS, seen_px=_SEEN, tile_px=_TILE)
    assert tile.image.shape == (30, 40, 3)


def test_a_ribbon_keeps_a_row_of_pixels() -> None:
    found = list(tiles(np.zeros((1, 2000, 3), np.uint8), NO_LABELS, seen_px=_SEEN, tile_px=_TILE))
    assert {tile.image.shape[0] for tile in found} == {1}


def test_doubts_are_grey_and_labels_in_them_are_not() -> None:
    picture = _coded(100, 60)
    doubts = np.array([[0.1, 0.1, 0.5, 0.5]], np.float32)
    painted = blank(picture, doubts, _labels([(20, 12, 30, 24)], 100, 60))
    grey = (painted == FILL).all(axis=2)
    expected = np.zeros((60, 100), bool)
    expected[6:30, 10:50] = True
    expected[12:24, 20:30] = False
    np.testing.assert_array_equal(grey, expected)
    np.testing.assert_array_equal(painted[~expected], picture[~expected])
    assert picture[..., 2].min() == 7  # the picture itself is left alone


def test_without_doubts_nothing_is_painted() -> None:
    picture = _coded(50, 50)
    np.testing.assert_array_equal(blank(picture, np.empty((0, 4), np.float32), NO_LABELS), picture)
