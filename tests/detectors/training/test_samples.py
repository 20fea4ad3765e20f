"""The drawn samples: which pictures they are, and which colour a label's origin has."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from detectors.training.labels import NO_LABELS, Labels
from detectors.training.pseudo import NO_OPINION, Opinion
from detectors.training.samples import COUNT, Sample, SampleBox, draw_sample
from tests.labelled_pictures import write_picture

_NAMES = {2: "car", 7: "garbage_bin"}


def _label(class_id: int, box: tuple[float, float, float, float]) -> Labels:
    return Labels(np.array([class_id], np.int32), np.array([box], np.float32))


def _opinion() -> Opinion:
    doubt = np.array([[0.7, 0.7, 0.9, 0.9]], np.float32)
    return Opinion(_label(2, (0.4, 0.4, 0.6, 0.6)), np.array([[0.9, 0.3]], np.float32), doubt)


def test_human_boxes_are_white_pseudo_labels_coloured_and_doubts_grey() -> None:
    drawn = draw_sample(np.zeros((400, 400, 3), np.uint8), _label(7, (0.1, 0.1, 0.3, 0.3)), _opinion(), _NAMES)
    assert drawn[120, 80].tolist() == [255, 255, 255]
    blue, green, red = drawn[240, 200].tolist()
    assert max(blue, green, red) - min(blue, green, red) > 100
    assert drawn[360, 320].tolist() == [150, 150, 150]
    assert drawn[320, 320].tolist() == [75, 75, 75]
    assert drawn[200, 200].tolist() == [0, 0, 0]


def test_a_large_picture_is_drawn_at_most_960_px_long() -> None:
    assert draw_sample(np.zeros((500, 2000, 3), np.uint8), NO_LABELS, NO_OPINION, _NAMES).shape == (240, 960, 3)


def test_pictures_with_an_opinion_come_first_and_there_are_at_most_24(tmp_path: Path) -> None:
    kept = SampleBox()
    plain = [write_picture(tmp_path / f"plain{number}.jpg", number) for number in range(COUNT + 5)]
    seen = [write_picture(tmp_path / f"seen{number}.jpg", number) for number in range(3)]
    for path in plain:
        kept.offer(path.name, Sample(path, NO_LABELS, NO_OPINION))
    for path in seen:
        kept.offer(path.name, Sample(path, NO_LABELS, _opinion()))
    kept.draw_into(tmp_path / "samples", _NAMES)
    names = sorted(path.name for path in (tmp_path / "samples").iterdir())
    assert len(names) == COUNT
    assert sorted(name.split("_")[1] for name in names[:3]) == ["seen0.jpg", "seen1.jpg", "seen2.jpg"]
    assert all("plain" in name for name in names[3:])
