"""YOLO label files: what is read, what is refused, and that writing is the inverse of reading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detectors.training.labels import Labels, format_labels, label_path, parse_labels

_FRACTION = st.integers(0, 999_999).map(lambda n: n / 1_000_000)


def test_a_line_becomes_corners() -> None:
    labels, problems = parse_labels("7 0.5 0.5 0.2 0.4\n", 9)
    assert labels.class_id.tolist() == [7]
    np.testing.assert_allclose(labels.xyxy, [[0.4, 0.3, 0.6, 0.7]], atol=1e-6)
    assert problems == []


def test_a_box_over_the_edge_is_clipped_to_the_picture() -> None:
    labels, _ = parse_labels("0 0.05 0.5 0.2 0.2", 9)
    np.testing.assert_allclose(labels.xyxy, [[0.0, 0.4, 0.15, 0.6]], atol=1e-6)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7 0.5 0.5 0.2", "4 fields; expected 5"),
        ("9 0.5 0.5 0.2 0.2", "class 9; expected 0..8"),
        ("-1 0.5 0.5 0.2 0.2", "class -1; expected 0..8"),
        ("car 0.5 0.5 0.2 0.2", "invalid literal for int() with base 10: 'car'"),
        ("1 0.5 0.5 0 0.2", "w and h above 0"),
        ("1 1.5 0.5 0.2 0.2", "expected fractions of the picture"),
        ("1 nan 0.5 0.2 0.2", "expected fractions of the picture"),
    ],
)
def test_a_broken_line_is_reported_and_the_others_stay(line: str, said: str) -> None:
    labels, problems = parse_labels(f"2 0.5 0.5 0.1 0.1\n{line}\n\n3 0.2 0.2 0.1 0.1\n", 9)
    assert labels.class_id.tolist() == [2, 3]
    assert len(problems) == 1
    assert problems[0].startswith("line 2: ")
    assert said in problems[0]


def test_an_empty_file_means_no_boxes() -> None:
    labels, problems = parse_labels("\n", 9)
    assert len(labels) == 0
    assert labels.xyxy.shape == (0, 4)
    assert problems == []


@given(st.lists(st.tuples(st.integers(0, 8), _FRACTION, _FRACTION, _FRACTION, _FRACTION), max_size=20))
def test_written_labels_read_back(rows: list[tuple[int, float, float, float, float]]) -> None:
    kept = [row for row in rows if abs(row[1] - row[3]) > 1e-4 and abs(row[2] - row[4]) > 1e-4]
    corners = [[min(a, c), min(b, d), max(a, c), max(b, d)] for _, a, b, c, d in kept]
    labels = Labels(np.array([row[0] for row in kept], np.int32), np.array(corners, np.float32).reshape(-1, 4))
    again, problems = parse_labels(format_labels(labels), 9)
    assert problems == []
    assert again.class_id.tolist() == labels.class_id.tolist()
    np.testing.assert_allclose(again.xyxy, labels.xyxy, atol=2e-6)


def test_labels_lie_beside_the_images_folder() -> None:
    assert label_path(Path("a/train/images/x.y.jpg")) == Path("a/train/labels/x.y.txt")
