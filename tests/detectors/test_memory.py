"""Memory of the inference path does not grow with the pictures that went through it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from detectors import open_detector
from detectors.adapters.lanes import ThreadLanes
from detectors.classes import load_classes
from detectors.detector import BatchedDetector
from detectors.layouts import NetworkFacts, cell_count
from detectors.model_card import ModelCard
from detectors.pixels import PixelForm
from tests.drawn_street import DrawnStreet


class _Nothing:
    """A network that costs nothing and sees nothing, so that everything around it can be run for long."""

    lanes = streams = 2
    best_batch = 4
    description = "nothing"
    facts = NetworkFacts(fixed_px=None, probe_px=(320, 320), output_shape=(6, cell_count((320, 320))))

    def prepare(self, sizes_px: Sequence[tuple[int, int]], form: PixelForm, most: int) -> None:
        pass

    def forward(self, pictures: np.ndarray, form: PixelForm, lane: int = 0) -> np.ndarray:
        return np.zeros((len(pictures), 6, 50), np.float32)


def _resident_mb() -> float:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found.group(1)) / 1024


def test_a_hundred_thousand_pictures_leave_nothing_behind() -> None:
    card = ModelCard(
        name="n", weights=Path("n.onnx"), classes=("car", "bus"), input_px=320, stride=32, nms_iou=0.5, thresholds={}
    )
    detector = BatchedDetector(_Nothing(), card, load_classes(), lanes=ThreadLanes(2))
    small = [*(_tiny(width, 40 + width % 50) for width in range(48, 111)), b"\xff\xd8 torn"]
    for _ in range(20):
        detector.detect(small)
    before_mb = _resident_mb()
    for _ in range(1_563):
        detector.detect(small)
    assert _resident_mb() - before_mb < 20


def _tiny(width: int, height: int) -> bytes:
    picture = np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.imencode(".jpg", picture)[1].tobytes()


def test_the_real_network_keeps_its_memory_too() -> None:
    street = DrawnStreet()
    jpegs = [street.jpeg(grain=number) for number in range(8)]
    detector = open_detector()
    for _ in range(3):
        detector.detect(jpegs)
    before_mb = _resident_mb()
    for _ in range(15):
        detector.detect(jpegs)
    assert _resident_mb() - before_mb < 20
