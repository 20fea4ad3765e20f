"""Hot path: bodies to JPEG. It decides how many simulated cameras one processor core plays.

Reference: JPEG encoding of the same pictures alone, which no way of drawing can save. "All caches off" is the
same frame by a painter that keeps neither the empty street nor the sprites of standing bodies.
"""

from __future__ import annotations

import dataclasses

import cv2

from bench.pairs import interleave, report
from sim.drawing.painter import StreetPainter
from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.layout import CrossingPart, StreetPart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Weather

_REFERENCE = "JPEG encoding alone"
_FRAMES = 20
_ROUNDS = 5
_FRAME_S = 0.2
_QUALITY = 88

_STANDING = (
    (BodyKind.CAR, -1.2, 14.0), (BodyKind.CAR, -1.2, 20.5), (BodyKind.VAN, -1.2, 28.0), (BodyKind.CAR, -10.8, 24.0),
    (BodyKind.CAR, -10.8, 32.0), (BodyKind.BIN, 4.0, 13.0), (BodyKind.BIN, 4.0, 14.2), (BodyKind.GARBAGE, 3.9, 17.5),
    (BodyKind.BAG, 2.4, 11.0), (BodyKind.STALL, 1.5, 22.0), (BodyKind.GOODS, 2.0, 26.0),
    (BodyKind.MOTORCYCLE, 0.9, 18.0),
)  # fmt: skip
_MOVING = (
    (BodyKind.CAR, -4.2, 12.0, 9.0), (BodyKind.CAR, -4.2, 30.0, 9.0), (BodyKind.BUS, -7.7, 45.0, -8.0),
    (BodyKind.CAR, -7.7, 25.0, -8.0), (BodyKind.PEDESTRIAN, 1.2, 12.0, 1.3), (BodyKind.BICYCLE, -2.9, 12.0, 4.0),
)  # fmt: skip


def main() -> None:
    """Print frames per second of drawing and encoding, per weather, 640×360 pictures of 18 bodies."""
    cv2.setNumThreads(1)
    street = build_street(
        StreetPart(y_m=(-20, 170), crossings=(CrossingPart(y_m=(46, 50), green_s=30, red_s=20),)), seed=3
    )
    camera = PinholeCamera(size_px=(640, 360), focal_px=520.0, height_m=5.5, tilt_deg=20.0, x_m=-1.0)
    painter = StreetPainter(street, camera, seed=3)
    for weather in Weather:
        frame = painter.draw(_bodies(0), weather=weather).image
        ways = {
            _REFERENCE: lambda frame=frame: [_encode(frame) for _ in range(_FRAMES)],
            f"{weather}: draw and encode": lambda weather=weather: _play(painter, weather),
        }
        report(interleave(ways, rounds=_ROUNDS), per_call=_FRAMES, unit="frames", reference=_REFERENCE)

    def uncached() -> None:
        _encode(StreetPainter(street, camera, seed=3).draw(_bodies(0), weather=Weather.DAY).image)

    report(interleave({"all caches off": uncached}, rounds=3), per_call=1, unit="frames", reference="all caches off")


def _play(painter: StreetPainter, weather: Weather) -> None:
    for number in range(_FRAMES):
        frame = painter.draw(_bodies(number), weather=weather, second=number * _FRAME_S, grain=number)
        assert len(frame.shown) > 12
        _encode(frame.image)


def _encode(picture: cv2.typing.MatLike) -> int:
    return len(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1])


def _bodies(number: int) -> tuple[Body, ...]:
    """Twelve that stand and six that have moved since the frame before."""
    standing = [_body(kind, x_m, y_m) for kind, x_m, y_m in _STANDING]
    moving = [
        dataclasses.replace(
            _body(kind, x_m, y_m + speed * number * _FRAME_S * 0.3),
            speed_mps=abs(speed),
            heading_deg=0.0 if speed > 0 else 180.0,
            is_running=True,
            has_rider=True,
        )
        for kind, x_m, y_m, speed in _MOVING
    ]
    return (*standing, *moving)


def _body(kind: BodyKind, x_m: float, y_m: float) -> Body:
    length_m, width_m, height_m = SIZE_M[kind]
    return Body(
        id=f"{kind}@{x_m},{y_m}",
        kind=kind,
        x_m=x_m,
        y_m=y_m,
        length_m=length_m,
        width_m=width_m,
        height_m=height_m,
        look=round(abs(x_m * 10)),
    )
