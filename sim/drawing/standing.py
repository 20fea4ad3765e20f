"""What stands beside the street for ever: trees, lamp posts, signal posts; drawn once, and able to hide bodies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.drawing.lamplight import street_lamps_at
from sim.drawing.shading import lit
from sim.drawing.stencil import Stencil
from sim.street.pinhole import PinholeCamera
from sim.street.street import Crossing, Lamp, Street, Tree
from sim.street.weather import Light

Float64s = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

_BARK_BGR = (0.20, 0.24, 0.28)
_LEAF_BGR = (0.19, 0.40, 0.32)
_POST_BGR = (0.42, 0.42, 0.41)
_HOUSING_BGR = (0.06, 0.06, 0.06)
# Leaf clumps of a crown that is this wide in the picture, and of one far away.
_CLUMPS_PER_PX, _FEWEST_CLUMPS, _MOST_CLUMPS = 6.0, 60, 2600
_SIGNAL_HEIGHT_M = 3.6
_SIGNAL_BODY_M = (0.34, 1.0)
_NEAR_M = 0.5
_CUT_DOWN_M = 9.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standing:
    """One of them in the picture.

    stencil:   its colours and cover
    foot_m:    (4, 2) corners of the little square it stands on
    """

    stencil: Stencil
    foot_m: Float64s


def stand_all(street: Street, camera: PinholeCamera, light: Light, *, seed: int) -> tuple[Standing, ...]:
    """All of a street's trees and posts that the camera can see, far to near."""
    things: list[tuple[float, Standing | None]] = []
    for tree in trees_left(street, camera):
        things.append((tree.y_m, _tree(tree, camera, light, street.lamps, seed)))
    for lamp in street.lamps:
        things.append((lamp.y_m, _lamp(lamp, camera, light)))
    for x_m, y_m, front in signal_posts(street):
        things.append((y_m, _signal(x_m, y_m, front, camera, light)))
    forward = camera.axes()[2]
    seen = [thing for _, thing in things if thing is not None]
    return tuple(sorted(seen, key=lambda thing: -float(thing.foot_m.mean(axis=0) @ forward[:2])))


def trees_left(street: Street, camera: PinholeCamera) -> tuple[Tree, ...]:
    """The trees that stand; whoever puts up a camera has those right before it cut down."""
    eye = camera.position_m
    return tuple(
        tree for tree in street.trees if math.hypot(tree.x_m - eye[0], tree.y_m - eye[1]) - tree.crown_m > _CUT_DOWN_M
    )


def signal_posts(street: Street) -> list[tuple[float, float, float]]:
    """x, y and facing (-1: its lights look against +y) of every signal post."""
    posts = []
    for crossing in street.crossings:
        if crossing.signal is not None:
            posts.append((street.carriageway_x_m[1] + 0.5, crossing.y0_m - 0.6, -1.0))
            posts.append((street.carriageway_x_m[0] - 0.5, crossing.y1_m + 0.6, 1.0))
    return posts


def signal_lamp_m(crossing: Crossing, street: Street, *, is_green: bool) -> Float64s:
    """(3,) middle of the burning lamp that traffic along +y sees."""
    x_m, y_m = street.carriageway_x_m[1] + 0.5, crossing.y0_m - 0.6
    drop = 0.72 if is_green else 0.16
    return np.array([x_m, y_m - 0.16, _SIGNAL_HEIGHT_M + _SIGNAL_BODY_M[1] * (1 - drop)])


def crown_clumps(tree: Tree, *, seed: int, count: int) -> tuple[Float64s, Float64s, Floats]:
    """Leaf clumps of a crown: middles (N, 3), radii (N,), albedo (N, 3)."""
    rng = np.random.default_rng((seed, tree.look, 17))
    direction = rng.normal(0, 1, (count, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    shell = rng.uniform(0.25, 1.0, count) ** 0.5
    # Lumps: a crown is several balls, not one.
    lumps = rng.normal(0, 1, (5, 3))
    shell *= 0.80 + 0.30 * np.max(direction @ (lumps / np.linalg.norm(lumps, axis=1, keepdims=True)).T, axis=1)
    half_height = tree.height_m * 0.34
    radius = tree.crown_m
    middle = np.array([tree.x_m, tree.y_m, tree.height_m - half_height])
    middles = middle + direction * shell[:, None] * (radius, radius, half_height)
    sizes = radius * rng.uniform(0.7, 1.6, count) / math.sqrt(count) * 1.9
    tone = rng.uniform(0.7, 1.35, (count, 1)) * rng.uniform(0.85, 1.15)
    albedo = np.asarray(_LEAF_BGR) * tone * (1 + rng.normal(0, 0.06, (count, 3)))
    return middles, sizes, np.clip(albedo, 0.02, 0.7).astype(np.float32)


def _tree(tree: Tree, camera: PinholeCamera, light: Light, lamps: Sequence[Lamp], seed: int) -> Standing | None:
    trunk_top = tree.height_m * 0.55
    depth = camera.to_camera(np.array([[tree.x_m, tree.y_m, 2.0]]))[0, 2]
    if depth < tree.crown_m + _NEAR_M:
        return None
    wide_px = 2 * tree.crown_m * camera.focal_px / depth
    count = int(np.clip(wide_px * _CLUMPS_PER_PX, _FEWEST_CLUMPS, _MOST_CLUMPS))
    middles, sizes, albedo = crown_clumps(tree, seed=seed, count=count)
    px = camera.project(middles)
    per_metre = camera.focal_px / camera.to_camera(middles)[:, 2]
    trunk = camera.project(np.array([[tree.x_m, tree.y_m, 0.0], [tree.x_m, tree.y_m, trunk_top]]))
    reach = (sizes * per_metre)[:, None] * 1.3
    stencil = Stencil(camera.size_px, np.concatenate((px - reach, px + reach, trunk)))
    if stencil.is_empty:
        return None
    distance = np.linalg.norm(middles - camera.position_m, axis=1).astype(np.float32)
    width_px = 0.24 * camera.focal_px / depth
    stencil.stroke(trunk, width_px, _shade(_BARK_BGR, distance[:1], light))
    sunk = trunk + (width_px * 0.22, 0.0)
    stencil.stroke(sunk, width_px * 0.5, _shade(_BARK_BGR, distance[:1], light) * np.float32(0.7))
    outward = middles - (tree.x_m, tree.y_m, tree.height_m * 0.62)
    normal = (outward / np.linalg.norm(outward, axis=1, keepdims=True)).astype(np.float32)
    # The inside of the crown gets little sky.
    inner = np.linalg.norm(outward / (tree.crown_m, tree.crown_m, tree.height_m * 0.34), axis=1)
    depth_shade = np.clip(0.35 + 0.65 * inner**2, 0.3, 1) * np.clip(0.8 + 0.25 * normal[:, 2], 0.5, 1.05)
    albedo *= depth_shade[:, None].astype(np.float32)
    colour = lit(albedo, normal, distance, light)
    if light.has_lamps:
        colour += albedo * np.minimum(street_lamps_at(middles.astype(np.float32), lamps), np.float32(0.6))
    rng = np.random.default_rng((seed, tree.look, 19))
    outlines = _rags(px, sizes * per_metre, rng)
    for index in np.argsort(-distance):
        stencil.fill(outlines[index], colour[index])
    return Standing(stencil=stencil, foot_m=_foot(tree.x_m, tree.y_m, 0.15))


def _rags(middles: Float64s, radii: Float64s, rng: np.random.Generator) -> Float64s:
    """(N, 7, 2) ragged outlines around N pixels."""
    turn = rng.uniform(0, 1, (len(radii), 1)) + np.linspace(0, 2 * math.pi, 7, endpoint=False)
    spokes = radii[:, None] * rng.uniform(0.5, 1.3, turn.shape)
    return np.asarray(middles[:, None] + np.stack((np.cos(turn), np.sin(turn)), axis=-1) * spokes[..., None])


def _lamp(lamp: Lamp, camera: PinholeCamera, light: Light) -> Standing | None:
    points = np.array(
        [
            (lamp.x_m, lamp.y_m, 0.0),
            (lamp.x_m, lamp.y_m, lamp.height_m),
            (lamp.head_x_m, lamp.y_m, lamp.height_m + 0.3),
        ]
    )
    camera_m = camera.to_camera(points)
    if camera_m[:, 2].min() < _NEAR_M:
        return None
    px, per_metre = camera.to_pixel(camera_m), camera.focal_px / camera_m[:, 2]
    stencil = Stencil(camera.size_px, px)
    if stencil.is_empty:
        return None
    colour = _shade(_POST_BGR, camera_m[:1, 2].astype(np.float32), light)
    stencil.stroke(px[:2], 0.16 * per_metre[0], colour)
    stencil.stroke(px[1:], 0.09 * per_metre[1], colour)
    along = (px[2] - px[1]) / max(float(np.hypot(*(px[2] - px[1]))), 1e-6)
    head = np.array([px[2] - along * 0.35 * per_metre[2], px[2] + along * 0.25 * per_metre[2]])
    stencil.stroke(head, 0.2 * per_metre[2], colour * np.float32(0.8))
    return Standing(stencil=stencil, foot_m=_foot(lamp.x_m, lamp.y_m, 0.1))


def _signal(x_m: float, y_m: float, front: float, camera: PinholeCamera, light: Light) -> Standing | None:
    width, height = _SIGNAL_BODY_M
    low, high = _SIGNAL_HEIGHT_M, _SIGNAL_HEIGHT_M + height
    points = np.array(
        [
            (x_m, y_m, 0.0),
            (x_m, y_m, high),
            (x_m - width / 2, y_m + front * 0.15, low),
            (x_m + width / 2, y_m + front * 0.15, low),
            (x_m + width / 2, y_m + front * 0.15, high),
            (x_m - width / 2, y_m + front * 0.15, high),
        ]
    )
    camera_m = camera.to_camera(points)
    if camera_m[:, 2].min() < _NEAR_M:
        return None
    px, per_metre = camera.to_pixel(camera_m), camera.focal_px / camera_m[:, 2]
    stencil = Stencil(camera.size_px, px)
    if stencil.is_empty:
        return None
    away = camera_m[:1, 2].astype(np.float32)
    stencil.stroke(px[:2], 0.13 * per_metre[0], _shade(_POST_BGR, away, light))
    stencil.fill(px[2:], _shade(_HOUSING_BGR, away, light))
    return Standing(stencil=stencil, foot_m=_foot(x_m, y_m, 0.1))


def _shade(albedo: tuple[float, float, float], distance_m: Floats, light: Light) -> Floats:
    level = np.asarray([albedo], np.float32)
    upright = np.array([(0.0, -1.0, 0.0)], np.float32)
    return np.asarray(lit(level, upright, distance_m, light)[0], np.float32)


def _foot(x_m: float, y_m: float, half_m: float) -> Float64s:
    return np.array(
        [
            (x_m - half_m, y_m - half_m),
            (x_m + half_m, y_m - half_m),
            (x_m + half_m, y_m + half_m),
            (x_m - half_m, y_m + half_m),
        ]
    )
