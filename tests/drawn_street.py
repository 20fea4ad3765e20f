"""The street of the one-camera test site as pictures: its README's camera, sidewalk and collection point."""

from __future__ import annotations

import cv2

from sim.drawing.painter import DrawnFrame, StreetPainter
from sim.street.body import SIZE_M, Body, BodyKind
from sim.street.layout import StreetPart, ZonePart, build_street
from sim.street.pinhole import PinholeCamera
from sim.street.street import ZoneKind
from sim.street.weather import Weather

CAMERA = PinholeCamera(size_px=(960, 540), focal_px=800.0, height_m=5.5, tilt_deg=20.0)
"""Of `tests/one_camera_site`; its local metres are those of the street."""

_RECESS = ZonePart(id="collection-1", kind=ZoneKind.COLLECTION_POINT, x_m=(3.0, 5.0), y_m=(11.0, 14.0))
_STREET = StreetPart(y_m=(-15.0, 100.0), zones=(_RECESS,))


class DrawnStreet:
    """The site's street by day; the empty street is painted once."""

    def __init__(self, camera: PinholeCamera = CAMERA) -> None:
        self._painter = StreetPainter(build_street(_STREET, seed=7), camera, seed=7)

    def frame(self, *bodies: Body, grain: int = 0) -> DrawnFrame:
        """The street with these bodies on it, and the truth about them."""
        return self._painter.draw(bodies, weather=Weather.DAY, grain=grain)

    def jpeg(self, *bodies: Body, grain: int = 0) -> bytes:
        """The picture as a camera would send it."""
        return jpeg_of(self.frame(*bodies, grain=grain))


def jpeg_of(frame: DrawnFrame) -> bytes:
    """A drawn picture as JPEG."""
    return cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def standing(kind: BodyKind, *, x_m: float, y_m: float, fill: float = 0.0, look: int = 0) -> Body:
    """A thing of usual size, its front towards the camera."""
    length_m, width_m, height_m = SIZE_M[kind]
    return Body(
        id=f"{kind}-{look}",
        kind=kind,
        x_m=x_m,
        y_m=y_m,
        heading_deg=180.0,
        length_m=length_m,
        width_m=width_m,
        height_m=height_m,
        fill=fill,
        look=look,
    )
