"""Near-duplicates by perceptual hash."""

from __future__ import annotations

import cv2
import numpy as np

from detectors.training.boxes import Image
from detectors.training.fingerprint import Fingerprints, Twin, fingerprint


def _scene(seed: int) -> Image:
    coarse = np.random.default_rng(seed).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC), np.uint8)


def test_a_recompressed_and_resized_copy_is_found() -> None:
    known = Fingerprints(max_distance=8)
    known.add("original.jpg", fingerprint(_scene(1)))
    _, jpeg = cv2.imencode(".jpg", cv2.resize(_scene(1), (200, 150)), [cv2.IMWRITE_JPEG_QUALITY, 60])
    copy = np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR), np.uint8)
    twin = known.find(fingerprint(copy))
    assert twin is not None
    assert twin.name == "original.jpg"


def test_another_scene_is_not_found() -> None:
    known = Fingerprints(max_distance=8)
    known.add("original.jpg", fingerprint(_scene(1)))
    assert known.find(fingerprint(_scene(2))) is None


def test_the_distance_is_counted_in_bits_and_inclusive() -> None:
    known = Fingerprints(max_distance=2)
    known.add("zero", np.zeros(32, np.uint8))
    near, far = np.zeros(32, np.uint8), np.zeros(32, np.uint8)
    near[0], far[0] = 0b11, 0b111
    assert known.find(near) == Twin("zero", 2)
    assert known.find(far) is None


def test_nothing_is_found_among_nothing() -> None:
    assert Fingerprints(max_distance=256).find(np.zeros(32, np.uint8)) is None


def test_the_nearest_of_many_is_found_with_its_distance() -> None:
    """More pictures than the first block of memory holds."""
    rows = np.random.default_rng(0).integers(0, 256, (200, 32), dtype=np.uint8)
    known = Fingerprints(max_distance=8)
    for number, row in enumerate(rows):
        known.add(f"{number}.jpg", row)
    for number in (0, 63, 64, 199):
        bits = rows[number].copy()
        bits[5] ^= 0b101
        assert known.find(bits) == Twin(f"{number}.jpg", 2)
