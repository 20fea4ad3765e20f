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
from sim.drawing.painter import StreetPainter
from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.layout import StreetPart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Weather

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
    painter = StreetPainter(build_street(StreetPart(y_m=(-15.0, 100.0)), seed=1), camera, seed=1)
    heaps = [_heap(y_m=11.0 + number, look=number) for number in range(_FRAMES)]
    frames = [painter.draw([heap], weather=Weather.DAY, grain=heap.look).image for heap in heaps]
    return [cv2.imencode(".jpg", frame)[1].tobytes() for frame in frames]


def _heap(*, y_m: float, look: int) -> Body:
    length_m, width_m, height_m = SIZE_M[BodyKind.GARBAGE]
    return Body(
        id="heap",
        kind=BodyKind.GARBAGE,
        x_m=1.5,
        y_m=y_m,
        length_m=length_m,
        width_m=width_m,
        height_m=height_m,
        look=look,
    )


def _one_by_one(backend: OpenVinoBackend, card: ModelCard, jpeg: bytes) -> Boxes:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    scale = card.input_px / max(picture.shape[:2])
    small = cv2.resize(picture, None, fx=scale, fy=scale)
    square = np.full((card.input_px, card.input_px, 3), FILL, np.uint8)
    square[: small.shape[0], : small.shape[1]] = small
    batch = np.ascontiguousarray(square[..., ::-1].transpose(2, 0, 1)[None]).astype(np.float32) / np.float32(255)
    thresholds = np.array([card.threshold_of(name) for name in card.classes], np.float32)
    return suppress(decode_yolo(backend.forward(batch)[0], thresholds), iou_limit=card.nms_iou)
