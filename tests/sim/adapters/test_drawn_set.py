"""Drawn training frames: reproducible, with labels that lie inside the picture and name what is there."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from sim.adapters.drawn_set import write_drawn_set
from sim.random_streets import draw_random_street

_CLASSES = ("car", "garbage", "garbage_bin", "overflow")


def test_the_same_seed_gives_the_same_pictures() -> None:
    first = draw_random_street(np.random.default_rng((3, 1)))
    again = draw_random_street(np.random.default_rng((3, 1)))
    other = draw_random_street(np.random.default_rng((4, 1)))
    np.testing.assert_array_equal(first.image, again.image)
    assert first.boxes == again.boxes
    assert other.boxes != first.boxes


def test_every_label_lies_inside_its_picture_and_is_large_enough() -> None:
    for index in range(12):
        frame = draw_random_street(np.random.default_rng((0, index)))
        height, width = frame.image.shape[:2]
        for name, (x0, y0, x1, y1) in frame.boxes:
            assert name in _CLASSES
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            assert min(x1 - x0, y1 - y0) >= 10


def test_the_label_file_says_what_was_drawn(tmp_path: Path) -> None:
    boxes = write_drawn_set(tmp_path, _CLASSES, count=3, seed=5)
    lines = [line for path in sorted((tmp_path / "labels").iterdir()) for line in path.read_text().splitlines()]
    drawn = [box for index in range(3) for box in draw_random_street(np.random.default_rng((5, index))).boxes]
    assert len(lines) == boxes == len(drawn)
    assert [_CLASSES[int(line.split()[0])] for line in lines] == [name for name, _ in drawn]
    assert len(list((tmp_path / "images").iterdir())) == 3


def test_a_label_is_the_centre_and_the_size_in_fractions(tmp_path: Path) -> None:
    write_drawn_set(tmp_path, _CLASSES, count=4, seed=5)
    for index in range(4):
        frame = draw_random_street(np.random.default_rng((5, index)))
        picture = cv2.imread(str(tmp_path / "images" / f"drawn_{index:04d}.jpg"))
        assert picture is not None
        size = np.array([picture.shape[1], picture.shape[0]] * 2)
        lines = (tmp_path / "labels" / f"drawn_{index:04d}.txt").read_text().splitlines()
        for line, (_, box) in zip(lines, frame.boxes, strict=True):
            cx, cy, w, h = (float(field) for field in line.split()[1:])
            corners = np.array([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2]) * size
            np.testing.assert_allclose(corners, box, atol=0.01)
