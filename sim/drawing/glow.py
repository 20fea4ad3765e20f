"""Burning lamps in a frame: a hot core and a bloom around it, added to the picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.placed import Placed
from sim.drawing.sprites import Glow
from sim.drawing.standing import signal_lamp_m
from sim.street.pinhole import PinholeCamera
from sim.street.street import Street
from sim.street.weather import Light

Image = npt.NDArray[np.uint8]

_BLOOM_RADII = 6.0
_LARGEST_PX = 90
_GREEN_BGR, _RED_BGR = (0.62, 0.95, 0.15), (0.12, 0.12, 1.0)
_SIGNAL_RADIUS_M = 0.13


class Glows:
    """Adds lamps to pictures of one light; bloom is wide in the dark and hardly seen by day."""

    def __init__(self, light: Light) -> None:
        self._bloom = 0.38 if light.has_lamps else 0.06
        self._is_grey = light.is_infrared

    def add_signals(self, picture: Image, signals: Sequence[Glow]) -> None:
        """Add traffic lights; bodies laid down later hide them."""
        for glow in signals:
            self._add(picture, glow)

    def add_lamps(self, picture: Image, items: Sequence[Placed], alphas: Sequence[Image]) -> None:
        """Add the lamps of bodies whose own pixels there are to be seen; `alphas` are those left visible."""
        for item, alpha in zip(items, alphas, strict=True):
            for glow in item.sprite.glows:
                if _is_seen(glow, item, alpha):
                    self._add(picture, glow)

    def _add(self, picture: Image, glow: Glow) -> None:
        radius = max(0.7, glow.radius_px)
        kernel = _kernel(min(_LARGEST_PX, round(radius * _BLOOM_RADII)), self._bloom)
        half = kernel.shape[0] // 2
        x, y = round(glow.px[0] - 0.5), round(glow.px[1] - 0.5)
        height, width = picture.shape[:2]
        x0, x1, y0, y1 = max(0, x - half), min(width, x + half + 1), max(0, y - half), min(height, y + half + 1)
        if x0 >= x1 or y0 >= y1:
            return
        bgr = (sum(glow.bgr) / 3,) * 3 if self._is_grey else glow.bgr
        part = picture[y0:y1, x0:x1]
        inside = kernel[y0 - y + half : y1 - y + half, x0 - x + half : x1 - x + half]
        tinted = cv2.multiply(inside, np.array((*bgr, 0.0)))
        cv2.add(part, tinted, dst=part)


def signal_glows(street: Street, camera: PinholeCamera, second: float) -> tuple[Glow, ...]:
    """The traffic lights that face the camera, as they burn at `second`."""
    glows: list[Glow] = []
    for crossing in street.crossings:
        if crossing.signal is None:
            continue
        is_green = crossing.signal.is_green(second)
        place = signal_lamp_m(crossing, street, is_green=is_green)
        camera_m = camera.to_camera(place)[0]
        faces_us = place[1] > camera.y_m
        px = camera.to_pixel(camera_m[None])[0]
        if faces_us and np.isfinite(px).all():
            radius = _SIGNAL_RADIUS_M * camera.focal_px / float(camera_m[2])
            bgr = _GREEN_BGR if is_green else _RED_BGR
            glows.append(Glow(px=(float(px[0]), float(px[1])), radius_px=radius, bgr=bgr))
    return tuple(glows)


def _is_seen(glow: Glow, item: Placed, alpha: Image) -> bool:
    """Whether the body's pixels around the lamp are not hidden; lamps sit at its edges."""
    x, y = int(glow.px[0]) - item.sprite.x0, int(glow.px[1]) - item.sprite.y0
    around = (slice(max(0, y - 1), max(0, y + 2)), slice(max(0, x - 1), max(0, x + 2)))
    own = item.sprite.alpha[around]
    return own.size > 0 and int(alpha[around].max()) * 2 >= int(own.max())


@lru_cache(maxsize=256)
def _kernel(half_px: int, bloom: float) -> Image:
    """(2 half + 1, same, 3) uint8: 255 in the middle."""
    side = np.arange(-half_px, half_px + 1, dtype=np.float32)
    away = np.hypot(side[None, :], side[:, None]) / max(1.0, half_px)
    core = np.clip(1.5 - away * _BLOOM_RADII, 0, 1)
    level = core + bloom * np.clip(1 - away, 0, 1) ** 3
    return np.repeat(np.round(np.clip(level, 0, 1) * 255).astype(np.uint8)[..., None], 3, axis=2)
