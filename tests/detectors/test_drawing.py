"""Drawn detections: the box's edge carries the class's colour, the rest of the picture stays."""

from __future__ import annotations

import numpy as np

from detectors.classes import load_classes
from detectors.drawing import draw_detections
from detectors.messages import FrameDetections


def test_a_box_is_drawn_at_its_edge_and_nowhere_else() -> None:
    picture = np.zeros((540, 960, 3), np.uint8)
    found = FrameDetections(
        xyxy=np.array([[300, 200, 420, 320]], np.float32),
        confidence=np.array([0.87], np.float32),
        class_id=np.array([6], np.int32),
        size_px=(960, 540),
    )
    drawn = draw_detections(picture, found, load_classes())
    assert drawn[260, 300].any()
    assert drawn[320, 360].any()
    assert not drawn[260, 360].any()
    assert not drawn[400:].any()
    assert not picture.any()


def test_every_class_has_a_colour_of_its_own() -> None:
    edges = []
    for row in load_classes().classes:
        found = FrameDetections(
            xyxy=np.array([[10, 40, 50, 80]], np.float32),
            confidence=np.array([0.5], np.float32),
            class_id=np.array([row.id], np.int32),
            size_px=(96, 96),
        )
        edges.append(tuple(draw_detections(np.zeros((96, 96, 3), np.uint8), found, load_classes())[80, 30].tolist()))
    assert len(set(edges)) == len(edges)
