"""The light of street lamps and shop windows on the street, and the lamp heads themselves."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.canvas import FINE, Canvas
from sim.street.pinhole import PinholeCamera
from sim.street.street import Lamp, Side, Street
from sim.street.weather import Light

Float64s = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_LAMP_BGR = (0.42, 0.62, 0.78)
_SHOP_BGR = (0.16, 0.19, 0.21)
_SHOP_EVERY_M = 5.0
# Light fields are smooth: computed on every eighth pixel.
_COARSE = 8
_FAR_M = 120.0


def lamp_light(canvas: Canvas, street: Street) -> Floats:
    """(h, w, 3) light that falls on every surface, BGR, in the measure of `Light.sky_bgr`."""
    sparse = slice(_COARSE // 2, None, _COARSE)
    points = canvas.positions_m(sparse, sparse)
    total = street_lamps_at(points, street.lamps)
    for place in _shop_lights(street):
        total += _falling(points, place, 2.0)[..., None] * np.asarray(_SHOP_BGR, np.float32)
    height, width = canvas.reach.shape
    return np.asarray(cv2.resize(total, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def street_lamps_at(points_m: Floats, lamps: Sequence[Lamp]) -> Floats:
    """(…, 3) light of street lamps at points (…, 3)."""
    total = np.zeros_like(points_m)
    for lamp in lamps:
        place = np.array([lamp.head_x_m, lamp.y_m, lamp.height_m], np.float32)
        total += _falling(points_m, place, lamp.height_m)[..., None] * np.asarray(_LAMP_BGR, np.float32)
    return total


def paint_lamp_heads(colour: Floats, street: Street, camera: PinholeCamera, light: Light) -> None:
    """Add the burning lamps and their bloom to the fine picture (h, w, 3), in place."""
    heads = np.array([(lamp.head_x_m, lamp.y_m, lamp.height_m + 0.2) for lamp in street.lamps]).reshape(-1, 3)
    if len(heads) == 0:
        return
    camera_m = camera.to_camera(heads)
    px = camera.to_pixel(camera_m)
    strength = 1.0 if sum(light.sky_bgr) < 0.5 else 0.6
    for place, depth in zip(px, camera_m[:, 2], strict=True):
        if np.isfinite(place).all():
            radius = max(1.0, 0.22 * camera.focal_px / depth) * FINE
            add_glow(colour, place * FINE, radius, np.asarray((0.75, 0.95, 1.1), np.float32) * np.float32(strength))


def add_glow(colour: Floats, px: Float64s, radius_px: float, bgr: Floats) -> None:
    """Add a lamp with a bloom eight times as wide to a picture (h, w, 3), 0..1, in place."""
    height, width = colour.shape[:2]
    reach = radius_px * 8
    x0, x1 = int(np.clip(px[0] - reach, 0, width)), int(np.clip(px[0] + reach + 1, 0, width))
    y0, y1 = int(np.clip(px[1] - reach, 0, height)), int(np.clip(px[1] + reach + 1, 0, height))
    if x0 >= x1 or y0 >= y1:
        return
    columns = np.arange(x0, x1)[None, :] + 0.5 - px[0]
    rows = np.arange(y0, y1)[:, None] + 0.5 - px[1]
    away = np.hypot(columns, rows) / radius_px
    level = np.clip(1.3 - away, 0, 1) + 0.35 * np.clip(1 - away / 8, 0, 1) ** 3
    colour[y0:y1, x0:x1] += level[..., None].astype(np.float32) * bgr


def _falling(points_m: Floats, lamp_m: Floats, reach_m: float) -> Floats:
    """Light of a lamp at points (…, 3): 1 right below it at reach_m, less with the square of the distance."""
    away = points_m - lamp_m
    squared = np.sum(away**2, axis=-1) + 0.5
    # Heads are shaded upwards and spread the light along the street.
    down = np.clip(-away[..., 2] / np.sqrt(squared), 0.0, 1) ** np.float32(1.2)
    return np.asarray(np.float32(reach_m**2) / squared * (0.1 + 0.9 * down), np.float32)


def _shop_lights(street: Street) -> list[Floats]:
    places = []
    for building in street.buildings:
        if building.is_shop and abs(building.y0_m) < _FAR_M:
            out = -0.8 if building.side is Side.RIGHT else 0.8
            for y_m in np.arange(building.y0_m + 2, building.y1_m, _SHOP_EVERY_M):
                places.append(np.array([building.x_m + out, y_m, 2.2], np.float32))
    return places
