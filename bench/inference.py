"""Hot path: JPEG to boxes. It decides how many cameras one processor carries.

Reference: the same network fed one picture at a time, whole decode, square input. The bare forward of the
same batches, without decode, is the limit that no path can pass.
"""

from __future__ import annotations

import cv2
import numpy as np

from bench.pairs import interleave, report
from detectors import open_detector
from detectors.adapters.openvino_backend import OpenVinoBackend
from detectors.letterbox import FILL, fit
from detectors.model_card import ModelCard, load_card
from detectors.nms import Boxes, decode_yolo, suppress
from detectors.opening import DEFAULT_MODEL, card_path
from sim.pinhole import PinholeCamera
from sim.street_frames import StreetLayout, StreetPainter, Thing, ThingKind

_REFERENCE = "one by one, square"
_FRAMES = 16
_ROUNDS = 5


def main() -> None:
    """Print frames per second of the product's path and of the reference, 1920×1080 pictures."""
    cv2.setNumThreads(2)
    jpegs = _drawn_jpegs()
    card = load_card(card_path(DEFAULT_MODEL))
    detector = open_detector()
    backend = OpenVinoBackend(card.weights)
    width, height = fit((1920, 1080), long_side_px=card.input_px, stride=card.stride).input_px
    batch = np.zeros((8, 3, height, width), np.float32)
    ways = {
        _REFERENCE: lambda: [_one_by_one(backend, card, jpeg) for jpeg in jpegs],
        "street721": lambda: detector.detect(jpegs),
        "bare forward, batch 8": lambda: [backend.forward(batch) for _ in range(_FRAMES // 8)],
        "decode alone": lambda: [cv2.imdecode(np.frombuffer(j, np.uint8), cv2.IMREAD_COLOR) for j in jpegs],
    }
    report(interleave(ways, rounds=_ROUNDS), per_call=_FRAMES, unit="frames", reference=_REFERENCE)


def _drawn_jpegs() -> list[bytes]:
    camera = PinholeCamera(size_px=(1920, 1080), focal_px=1600.0, height_m=5.5, tilt_deg=20.0)
    painter = StreetPainter(camera, StreetLayout(), seed=1)
    things = [(Thing(kind=ThingKind.GARBAGE, x_m=1.5, y_m=11.0 + n, width_m=1.7, seed=n),) for n in range(_FRAMES)]
    frames = [painter.draw(thing, noise_seed=n).image for n, thing in enumerate(things)]
    return [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]


def _one_by_one(backend: OpenVinoBackend, card: ModelCard, jpeg: bytes) -> Boxes:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    scale = card.input_px / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale)
    square = np.full((card.input_px, card.input_px, 3), FILL, np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    batch = np.ascontiguousarray(square[..., ::-1].transpose(2, 0, 1)[None]).astype(np.float32) / np.float32(255)
    thresholds = np.array([card.thresholds[name] for name in card.classes], np.float32)
    return suppress(decode_yolo(backend.forward(batch)[0], thresholds), iou_limit=card.nms_iou)
