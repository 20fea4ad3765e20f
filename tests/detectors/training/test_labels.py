"""YOLO label files: what is read, what is refused, and that writing is the inverse of reading."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from detectors.training.labels import Labels, format_labels, parse_labels

_FRACTION = st.integers(0, 999_999).map(lambda n: n / 1_000_000)


def test_a_line_becomes_corners() -> None:
    parsed = parse_labels("7 0.5 0.5 0.2 0.4\n", 9)
    assert parsed.labels.class_id.tolist() == [7]
    np.testing.assert_allclose(parsed.labels.xyxy, [[0.4, 0.3, 0.6, 0.7]], atol=1e-6)
    assert (parsed.problems, parsed.outlines) == ((), 0)


def test_a_box_over_the_edge_is_clipped_to_the_picture() -> None:
    labels = parse_labels("0 0.05 0.5 0.2 0.2", 9).labels
    np.testing.assert_allclose(labels.xyxy, [[0.0, 0.4, 0.15, 0.6]], atol=1e-6)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("7 0.5 0.5 0.2", "4 fields; expected 5"),
        ("9 0.5 0.5 0.2 0.2", "class 9; expected 0..8"),
        ("-1 0.5 0.5 0.2 0.2", "class -1; expected 0..8"),
        ("car 0.5 0.5 0.2 0.2", "class 'car'; expected a whole number 0..8"),
        ("1 0.5 0.5 0.2 wide", "could not convert string to float: 'wide'"),
        ("1 0.1 0.1 0.2 0.2 0.3", "6 fields; expected 5"),
        ("1 0.1 0.1 0.2 0.2 0.3 0.3 0.4", "8 fields; expected 5"),
        ("1 0.1 0.1 0.2 0.1 1.9 0.1", "expected fractions of the picture"),
        ("2 0.5 0.5 0.1 0.1", "the same box as in line 1"),
        ("1 0.5 0.5 0 0.2", "w and h above 0"),
        ("1 1.5 0.5 0.2 0.2", "expected fractions of the picture"),
        ("1 nan 0.5 0.2 0.2", "expected fractions of the picture"),
    ],
)
def test_a_broken_line_is_reported_and_the_others_stay(line: str, said: str) -> None:
    parsed = parse_labels(f"2 0.5 0.5 0.1 0.1\n{line}\n\n3 0.2 0.2 0.1 0.1\n", 9)
    assert parsed.labels.class_id.tolist() == [2, 3]
    ((number, why),) = parsed.problems
    assert number == 2
    assert said in why


def test_an_empty_file_means_no_boxes() -> None:
    parsed = parse_labels("\n", 9)
    assert len(parsed.labels) == 0
    assert parsed.labels.xyxy.shape == (0, 4)
    assert parsed.problems == ()


def test_a_byte_order_mark_does_not_hide_the_first_class() -> None:
    assert parse_labels("\ufeff2 0.5 0.5 0.1 0.1", 9).labels.class_id.tolist() == [2]


def test_an_outline_becomes_its_bounding_box() -> None:
    parsed = parse_labels("2 0.2 0.3 0.6 0.1 0.4 0.5\n3 0.5 0.5 0.1 0.1", 9)
    np.testing.assert_allclose(parsed.labels.xyxy[0], [0.2, 0.1, 0.6, 0.5], atol=1e-6)
    assert parsed.outlines == 1


def test_class_ids_are_written_as_the_numbers_of_the_file() -> None:
    labels = Labels(np.array([12, 2], np.int32), np.array([[0.4, 0.3, 0.6, 0.7], [0, 0, 1, 1]], np.float32))
    assert format_labels(labels, {2: 0, 12: 1}).splitlines() == [
        "1 0.500000 0.500000 0.200000 0.400000",
        "0 0.500000 0.500000 1.000000 1.000000",
    ]


@given(st.lists(st.tuples(st.integers(0, 8), _FRACTION, _FRACTION, _FRACTION, _FRACTION), max_size=20))
def test_written_labels_read_back(rows: list[tuple[int, float, float, float, float]]) -> None:
    kept = [row for row in rows if abs(row[1] - row[3]) > 1e-4 and abs(row[2] - row[4]) > 1e-4]
    corners = [[min(a, c), min(b, d), max(a, c), max(b, d)] for _, a, b, c, d in kept]
    labels = Labels(np.array([row[0] for row in kept], np.int32), np.array(corners, np.float32).reshape(-1, 4))
    text = format_labels(labels)
    assume(len(set(text.splitlines())) == len(labels))
    parsed = parse_labels(text, 9)
    assert parsed.problems == ()
    again = parsed.labels
    assert again.class_id.tolist() == labels.class_id.tolist()
    np.testing.assert_allclose(again.xyxy, labels.xyxy, atol=2e-6)
