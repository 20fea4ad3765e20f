"""Where the sun reaches the ground, and how dark it is where it does not."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.canvas import FINE
from sim.drawing.houses import DEPTH_M
from sim.drawing.outline import fill, ground_outline_px
from sim.drawing.standing import crown_clumps, trees_left
from sim.street.pinhole import PinholeCamera
from sim.street.street import Building, Side, Street, Tree
from sim.street.weather import Light

Float64s = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Sun = tuple[float, float, float]

# The sun is half a degree wide: edges of shadows are soft.
_BLUR_PX = 1.2
_CLUMPS = 200


def shade_of(light: Light) -> Floats:
    """(3,) share of sunlit ground's colour that is left in a shadow; ones without a sun."""
    if light.sun is None:
        return np.ones(3, np.float32)
    sky = np.asarray(light.sky_bgr, np.float32)
    return np.asarray(sky / (sky + np.asarray(light.sun_bgr, np.float32) * np.float32(light.sun[2])), np.float32)


def sunlit_share(shape: tuple[int, ...], street: Street, camera: PinholeCamera, sun: Sun, *, seed: int) -> Floats:
    """(h, w) 0..1 of the fine picture: 0 in the shadow of houses, trees and posts."""
    shadow = np.zeros(shape[:2], np.uint8)
    for building in street.buildings:
        fill(shadow, ground_outline_px(camera, _house_shadow(building, sun)), (255,), scale=FINE)
    for tree in trees_left(street, camera):
        _tree_shadow(shadow, tree, camera, sun, seed)
    for lamp in street.lamps:
        _post_shadow(shadow, (lamp.x_m, lamp.y_m, lamp.height_m), 0.12, camera, sun)
    soft = cv2.GaussianBlur(shadow, (0, 0), _BLUR_PX)
    return np.asarray(1 - soft.astype(np.float32) / 255, np.float32)


def _fall(sun: Sun) -> Float64s:
    """(2,) metres by which the shadow of a point one metre up lies aside."""
    return np.array([-sun[0] / sun[2], -sun[1] / sun[2]])


def _house_shadow(building: Building, sun: Sun) -> Float64s:
    out = DEPTH_M if building.side is Side.RIGHT else -DEPTH_M
    x0, x1 = building.x_m, building.x_m + out
    base = np.array([(x0, building.y0_m), (x1, building.y0_m), (x1, building.y1_m), (x0, building.y1_m)])
    both = np.concatenate((base, base + _fall(sun) * building.height_m))
    return np.asarray(cv2.convexHull(both.astype(np.float32))[:, 0], np.float64)


def _tree_shadow(shadow: npt.NDArray[np.uint8], tree: Tree, camera: PinholeCamera, sun: Sun, seed: int) -> None:
    middles, sizes, _ = crown_clumps(tree, seed=seed, count=_CLUMPS)
    ground = middles[:, :2] + _fall(sun) * middles[:, 2:]
    nearest = np.hypot(*(ground - (camera.x_m, camera.y_m)).T).min()
    angles = np.linspace(0, 2 * np.pi, 7, endpoint=False)
    circle = np.column_stack((np.cos(angles), np.sin(angles)))
    if nearest > 120:
        return
    # One projection for all clumps; those behind the lens are left out.
    outlines = ground[:, None] + circle * sizes[:, None, None]
    flat = np.column_stack((outlines.reshape(-1, 2), np.zeros(outlines.shape[0] * len(circle))))
    px = camera.project(flat).reshape(len(ground), len(circle), 2)
    for outline in px[np.isfinite(px).all(axis=(1, 2))]:
        if np.abs(outline).max() < 8 * max(camera.size_px):
            fill(shadow, outline, (255,), scale=FINE)
    _post_shadow(shadow, (tree.x_m, tree.y_m, tree.height_m * 0.5), 0.24, camera, sun)


def _post_shadow(
    shadow: npt.NDArray[np.uint8], post: tuple[float, float, float], width_m: float, camera: PinholeCamera, sun: Sun
) -> None:
    foot = np.array(post[:2])
    fall = _fall(sun)
    side = np.array([-fall[1], fall[0]]) / max(float(np.hypot(*fall)), 1e-6) * width_m / 2
    tip = foot + fall * post[2]
    fill(
        shadow,
        ground_outline_px(camera, np.array([foot + side, tip + side, tip - side, foot - side])),
        (255,),
        scale=FINE,
    )
