"""Street pictures for benchmarks that were given none: drawn, each with another heap of garbage."""

from __future__ import annotations

import cv2

from sim.drawing.painter import StreetPainter
from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.layout import StreetPart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Weather

_QUALITY = 88


def drawn_jpegs(count: int, *, size_px: tuple[int, int]) -> list[bytes]:
    """So many JPEGs of one street, (width, height)."""
    camera = PinholeCamera(size_px=size_px, focal_px=size_px[0] / 1.2, height_m=5.5, tilt_deg=20.0)
    painter = StreetPainter(build_street(StreetPart(y_m=(-15.0, 100.0)), seed=1), camera, seed=1)
    frames = [
        painter.draw([_heap(y_m=11.0 + number % 16, look=number)], weather=Weather.DAY, grain=number).image
        for number in range(count)
    ]
    return [cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes() for frame in frames]


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
