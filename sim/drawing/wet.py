"""Wet ground: darker, and a dull mirror of what stands behind it."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.canvas import FINE, Canvas
from sim.drawing.standing import Standing
from sim.drawing.texture import texture_of
from sim.street.weather import Light

Floats = npt.NDArray[np.float32]

_DARKER = 0.42
_FAR_M = 1e4
_PUDDLE_CELL_M = 2.4


def reflect(
    colour: Floats,
    canvas: Canvas,
    is_ground: npt.NDArray[np.bool_],
    light: Light,
    standing: Sequence[Standing],
) -> None:
    """Darken wet ground in colour (h, w, 3) and lay the mirrored scene on it, in place."""
    scene = colour.copy()
    for thing in standing:
        thing.stencil.lay_over(scene)
    mirrored = _mirror(scene, canvas, light)
    ray = canvas.ray
    steepness = -ray[..., 2] / np.linalg.norm(ray, axis=2)
    share = np.clip(0.05 + 0.75 * (1 - np.clip(steepness, 0, 1)) ** 4, 0, 0.6)
    share = share * light.wetness * (0.55 + 0.45 * _puddles(canvas)) * is_ground
    colour *= (1 - _DARKER * light.wetness * is_ground)[..., None].astype(np.float32)
    colour += (mirrored - colour) * share[..., None].astype(np.float32)


def _mirror(scene: Floats, canvas: Canvas, light: Light) -> Floats:
    """What each ray meets after the ground threw it up, taking the scene as far away."""
    height, width = scene.shape[:2]
    small = cv2.resize(scene, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
    # Rough asphalt draws every light out towards the eye.
    small = cv2.GaussianBlur(small, (0, 0), sigmaX=1.5, sigmaY=max(3.0, height / 60))
    coarse = canvas.ray[FINE::4, FINE::4]
    up = coarse * np.array([1, 1, -1], np.float32)
    far = canvas.camera.position_m + up.reshape(-1, 3).astype(np.float64) * _FAR_M
    px = np.nan_to_num(canvas.camera.project(far), nan=-1e4).clip(-1e4, 1e4) * FINE / 4
    map_px = px.reshape(*coarse.shape[:2], 2).astype(np.float32)
    sky = tuple(float(level) for level in light.horizon_bgr)
    across, down = map_px[..., 0], map_px[..., 1]
    met = cv2.remap(small, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=sky)
    return np.asarray(cv2.resize(met, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _puddles(canvas: Canvas) -> Floats:
    """(h, w) -1..1: where water stands."""
    reach = np.minimum(canvas.reach, np.float32(1e3))
    x, y = canvas.ray[..., 0] * reach, canvas.ray[..., 1] * reach
    blobs = texture_of(5).blobs(x, y, np.maximum(reach * 0.06, 0.2).astype(np.float32), cell_m=_PUDDLE_CELL_M)
    return np.asarray(np.clip(blobs, -1, 1), np.float32)
