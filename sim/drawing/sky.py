"""The sky and what lies beyond the end of the street."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sim.drawing.canvas import Canvas
from sim.street.weather import Light

Floats = npt.NDArray[np.float32]

_HAZE_START_M, _HAZE_REACH_M = 90.0, 420.0
_SKYLINE_STEPS = 360


def paint_sky(colour: Floats, canvas: Canvas, light: Light, *, seed: int) -> None:
    """Paint the sky and a far skyline into colour (h, w, 3), and haze over everything far, in place."""
    horizon = np.asarray(light.horizon_bgr, np.float32)
    distance = canvas.distance_m()
    if not light.is_infrared:
        hazy = 0.55 * (1 - np.exp(-np.clip(distance - _HAZE_START_M, 0, 1e5) / _HAZE_REACH_M))
        colour += (horizon * np.float32(0.92) - colour) * hazy[..., None].astype(np.float32)
    sky = canvas.is_sky
    if not sky.any():
        return
    ray = canvas.ray[sky]
    rise = ray[:, 2] / np.linalg.norm(ray, axis=1)
    blend = np.clip(rise / 0.5, 0, 1)[:, None] ** np.float32(0.6)
    above = horizon + (np.asarray(light.zenith_bgr, np.float32) - horizon) * blend
    skyline = _skyline_rise(ray, seed)
    is_town = rise < skyline
    above[is_town] = above[is_town] * np.float32(0.80)
    colour[sky] = above


def _skyline_rise(ray: Floats, seed: int) -> Floats:
    """(N,) sine of the height of the far houses in each direction."""
    rng = np.random.default_rng((seed, 23))
    heights = np.repeat(rng.uniform(0.01, 0.055, _SKYLINE_STEPS // 2), 2) * rng.choice([0.5, 1.0], _SKYLINE_STEPS)
    turn = np.arctan2(ray[:, 0], ray[:, 1]) / (2 * np.pi) * _SKYLINE_STEPS * 2
    return np.asarray(heights[np.floor(turn).astype(np.int32) % _SKYLINE_STEPS], np.float32)
