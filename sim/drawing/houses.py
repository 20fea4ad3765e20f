"""House fronts: rows of windows, shops with signs at the foot, plinths, air conditioners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sim.drawing.canvas import AHEAD, BACK, FINE, LEFT, RIGHT, UP, Canvas
from sim.drawing.outline import outline_px
from sim.drawing.stripes import band, mix, pulse
from sim.drawing.texture import texture_of
from sim.street.street import Building, Side

Floats = npt.NDArray[np.float32]

DEPTH_M = 11.0
_TEXTURES = 4
_FLOOR_M = 3.0
_WINDOW_LOW_M, _WINDOW_HIGH_M = 0.95, 2.45
_WALLS_BGR = (
    (0.55, 0.63, 0.68), (0.60, 0.62, 0.63), (0.46, 0.52, 0.58), (0.40, 0.47, 0.56), (0.62, 0.68, 0.70),
    (0.50, 0.50, 0.49), (0.42, 0.50, 0.60), (0.56, 0.58, 0.62),
)  # fmt: skip
_SIGNS_BGR = (
    (0.16, 0.15, 0.55), (0.45, 0.24, 0.10), (0.18, 0.36, 0.14), (0.12, 0.42, 0.62), (0.62, 0.63, 0.64),
    (0.14, 0.14, 0.15), (0.20, 0.20, 0.48), (0.40, 0.34, 0.18),
)  # fmt: skip
_GLASS_BGR = (0.17, 0.16, 0.15)
_FRAME_BGR = (0.62, 0.63, 0.63)
_PLINTH_BGR = (0.36, 0.37, 0.38)
_METAL_BGR = (0.60, 0.60, 0.60)
_WARM_BGR = (0.42, 0.66, 0.86)
_COOL_BGR = (0.80, 0.82, 0.78)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Wall:
    """N points of one wall: metres along it and above the ground, and how many metres a pixel covers there."""

    along_m: Floats
    z_m: Floats
    footprint_m: Floats


def paint_house(canvas: Canvas, building: Building, *, seed: int) -> None:
    """Paint the walls of a house that the camera can see, where nothing painted so far is nearer."""
    eye_x, eye_y, eye_z = canvas.camera.position_m
    out = 1.0 if building.side is Side.RIGHT else -1.0
    back_x = building.x_m + out * DEPTH_M
    look = np.random.default_rng((seed, building.look, 3))
    colour = np.asarray(_WALLS_BGR[look.integers(len(_WALLS_BGR))], np.float32)
    colour = np.clip(colour * np.float32(look.uniform(0.85, 1.08)), 0, 0.85)
    if (eye_x - building.x_m) * out < 0:
        _paint_front(canvas, building, colour, seed)
    x_limits = (min(building.x_m, back_x), max(building.x_m, back_x))
    if eye_y < building.y0_m:
        _paint_plain(canvas, 1, (building.y0_m, x_limits, (0.0, building.height_m)), BACK, colour * 0.92)
    if eye_y > building.y1_m:
        _paint_plain(canvas, 1, (building.y1_m, x_limits, (0.0, building.height_m)), AHEAD, colour * 0.92)
    if eye_z > building.height_m:
        _paint_plain(canvas, 2, (building.height_m, x_limits, (building.y0_m, building.y1_m)), UP, colour * 0.6)


def _paint_front(canvas: Canvas, building: Building, colour: Floats, seed: int) -> None:
    limits = ((building.y0_m, building.y1_m), (0.0, building.height_m))
    rows, columns, reach, along, z = _meet(canvas, 0, building.x_m, limits)
    if len(rows) == 0:
        return
    grazing = np.abs(canvas.ray[rows, columns, 0])
    footprint = reach / (FINE * canvas.camera.focal_px) / np.maximum(grazing, 0.05)
    wall = _Wall(along_m=along - np.float32(building.y0_m), z_m=z, footprint_m=np.asarray(footprint, np.float32))
    albedo, emission = _front(building, wall, colour, seed)
    canvas.albedo[rows, columns] = albedo
    canvas.emission[rows, columns] = emission
    canvas.reach[rows, columns] = reach
    canvas.facing[rows, columns] = LEFT if building.side is Side.RIGHT else RIGHT


def _paint_plain(
    canvas: Canvas,
    axis: int,
    plane: tuple[float, tuple[float, float], tuple[float, float]],
    facing: int,
    colour: Floats,
) -> None:
    rows, columns, reach, first, second = _meet(canvas, axis, plane[0], (plane[1], plane[2]))
    stain = 1 + 0.04 * np.sin(first * 1.3) + 0.04 * np.sin(second * 2.1 + first)
    canvas.albedo[rows, columns] = colour * stain[:, None]
    canvas.emission[rows, columns] = 0
    canvas.reach[rows, columns] = reach
    canvas.facing[rows, columns] = facing


def _meet(
    canvas: Canvas, axis: int, at_m: float, limits: tuple[tuple[float, float], tuple[float, float]]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Floats, Floats, Floats]:
    """Fine pixels whose ray meets a rectangle across `axis` first: rows, columns, reach, and both places on it."""
    others = [other for other in range(3) if other != axis]
    corners = np.zeros((4, 3))
    corners[:, axis] = at_m
    corners[:, others[0]] = [limits[0][index] for index in (0, 1, 1, 0)]
    corners[:, others[1]] = [limits[1][index] for index in (0, 0, 1, 1)]
    top, bottom, left, right = _bounds(canvas, corners)
    ray = canvas.ray[top:bottom, left:right]
    eye = canvas.camera.position_m.astype(np.float32)
    with np.errstate(divide="ignore", invalid="ignore"):
        reach = (np.float32(at_m) - eye[axis]) / ray[..., axis]
        first, second = (eye[other] + reach * ray[..., other] for other in others)
        is_met = (reach > 0) & (reach < canvas.reach[top:bottom, left:right])
        is_met &= (first >= limits[0][0]) & (first <= limits[0][1])
        is_met &= (second >= limits[1][0]) & (second <= limits[1][1])
    rows, columns = np.nonzero(is_met)
    return rows + top, columns + left, reach[is_met], first[is_met], second[is_met]


def _bounds(canvas: Canvas, corners_m: npt.NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Rows from, to, columns from, to of the fine picture around a flat polygon."""
    height, width = canvas.reach.shape
    px = outline_px(canvas.camera, corners_m) * FINE
    if len(px) == 0:
        return 0, 0, 0, 0
    left, top = np.clip(np.floor(px.min(axis=0)) - 2, 0, (width, height)).astype(int)
    right, bottom = np.clip(np.ceil(px.max(axis=0)) + 2, 0, (width, height)).astype(int)
    return int(top), int(bottom), int(left), int(right)


def _front(building: Building, wall: _Wall, colour: Floats, seed: int) -> tuple[Floats, Floats]:
    """Albedo and emission (N, 3)."""
    look = np.random.default_rng((seed, building.look, 5))
    texture = texture_of(building.look % _TEXTURES)
    albedo = np.empty((len(wall.z_m), 3), np.float32)
    albedo[:] = colour
    stains = 0.05 * texture.blobs(wall.along_m, wall.z_m * np.float32(0.33), wall.footprint_m, cell_m=1.6)
    albedo *= (1 + stains + 0.03 * texture.grain(wall.along_m, wall.z_m, wall.footprint_m, cell_m=0.1))[:, None]
    emission = np.zeros_like(albedo)
    foot_m = 3.9 if building.is_shop else 0.0
    _windows(albedo, emission, wall, look, foot_m)
    if building.is_shop:
        _shops(albedo, emission, wall, look)
    else:
        mix(albedo, band(wall.z_m, wall.footprint_m, 0.0, 0.7), _PLINTH_BGR)
    mix(albedo, band(wall.z_m, wall.footprint_m, building.height_m - 0.4, building.height_m), colour * 0.7)
    return np.clip(albedo, 0.02, 0.9), emission


def _windows(albedo: Floats, emission: Floats, wall: _Wall, look: np.random.Generator, foot_m: float) -> None:
    bay = float(look.choice([2.6, 3.2, 3.8]))
    width = float(look.uniform(1.2, bay - 0.8))
    left = (bay - width) / 2
    above = np.asarray(wall.z_m - np.float32(foot_m), np.float32)
    upper = band(above, wall.footprint_m, 0.0, 1e3)

    def grid(margin: float) -> Floats:
        across = pulse(wall.along_m, wall.footprint_m, period=bay, low=left - margin, high=left + width + margin)
        low, high = _WINDOW_LOW_M - margin, _WINDOW_HIGH_M + margin
        storeys = pulse(above, wall.footprint_m, period=_FLOOR_M, low=low, high=high)
        return np.asarray(across * storeys * upper, np.float32)

    mix(albedo, grid(0.09), _FRAME_BGR)
    column, row = _cells(wall.along_m, bay), _cells(above, _FLOOR_M)
    tint = look.uniform(0.6, 1.9, (64, 64)).astype(np.float32)[row, column]
    # Glass mirrors more of the sky towards its upper edge.
    height = np.clip((np.mod(above, np.float32(_FLOOR_M)) - _WINDOW_LOW_M) / 1.5, 0, 1)
    glass = np.asarray(_GLASS_BGR, np.float32) * (tint * (0.7 + 0.6 * height))[:, None]
    panes = grid(0.0)
    mix(albedo, panes, np.asarray(glass, np.float32))
    mullion = pulse(wall.along_m, wall.footprint_m, period=bay, low=bay / 2 - 0.03, high=bay / 2 + 0.03)
    mix(albedo, np.asarray(mullion * panes, np.float32), _FRAME_BGR)
    burning = (look.random((64, 64)) < 0.32).astype(np.float32)[row, column] * panes
    hue = np.where(look.random((64, 64, 1)) < 0.7, _WARM_BGR, _COOL_BGR).astype(np.float32)
    level = look.uniform(0.25, 0.7, (64, 64)).astype(np.float32)[row, column] * burning
    emission += hue[row, column] * level[:, None]
    has_box = (look.random((64, 64)) < 0.4).astype(np.float32)[row, column]
    box = pulse(wall.along_m, wall.footprint_m, period=bay, low=left + 0.1, high=left + 0.95)
    box = box * pulse(above, wall.footprint_m, period=_FLOOR_M, low=0.25, high=0.8) * has_box * upper
    mix(albedo, np.asarray(box, np.float32), _METAL_BGR)


def _shops(albedo: Floats, emission: Floats, wall: _Wall, look: np.random.Generator) -> None:
    """A door and a window per shop, and a sign board as wide as the shop."""
    unit = float(look.uniform(4.2, 6.5))
    cell = _cells(wall.along_m, unit)
    foot = band(wall.z_m, wall.footprint_m, 0.0, 3.9)
    mix(albedo, foot, _PLINTH_BGR)
    window = band(wall.z_m, wall.footprint_m, 0.5, 2.7)
    window = window * pulse(wall.along_m, wall.footprint_m, period=unit, low=0.25, high=unit - 1.6)
    door = band(wall.z_m, wall.footprint_m, 0.05, 2.5)
    door = door * pulse(wall.along_m, wall.footprint_m, period=unit, low=unit - 1.35, high=unit - 0.3)
    goods = look.uniform(0.22, 0.42, (64, 32, 1)) * look.uniform(0.75, 1.2, (64, 32, 3))
    shelf = _cells(wall.z_m, 0.45) % 8 * 4 + _cells(wall.along_m, 0.6) % 4
    inside = np.asarray(0.5 * goods[cell, shelf] + 0.5 * np.asarray(_GLASS_BGR), np.float32)
    open_front = np.asarray(np.clip(window + door, 0, 1), np.float32)
    mix(albedo, open_front, inside)
    is_open = (look.random(64) < 0.75).astype(np.float32)[cell]
    glow = np.where(look.random((64, 1)) < 0.5, _WARM_BGR, _COOL_BGR).astype(np.float32)[cell]
    emission += glow * (open_front * is_open * (0.35 + inside.mean(axis=1)))[:, None]
    _signs(albedo, emission, wall, look, unit)


def _signs(albedo: Floats, emission: Floats, wall: _Wall, look: np.random.Generator, unit: float) -> None:
    cell = _cells(wall.along_m, unit)
    colours = np.asarray(_SIGNS_BGR, np.float32)[look.integers(0, len(_SIGNS_BGR), 64)]
    board = band(wall.z_m, wall.footprint_m, 2.85, 3.75)
    board = board * pulse(wall.along_m, wall.footprint_m, period=unit, low=0.06, high=unit - 0.06)
    mix(albedo, np.asarray(board, np.float32), colours[cell])
    # Strokes instead of characters: dark or light blocks that no reader takes for a word.
    strokes = (look.random((64, 64)) < 0.62).astype(np.float32)
    column = _cells(wall.along_m, 0.13)
    text = strokes[_cells(wall.z_m, 0.11), column] * band(wall.z_m, wall.footprint_m, 3.05, 3.55)
    text = text * pulse(wall.along_m, wall.footprint_m, period=unit, low=unit * 0.2, high=unit * 0.8)
    text = text * pulse(wall.along_m, wall.footprint_m, period=0.65, low=0.0, high=0.5)
    fine = np.clip(0.35 / wall.footprint_m, 0.2, 1).astype(np.float32)
    ink = np.where(colours[cell].mean(axis=1, keepdims=True) > 0.45, 0.15, 0.82).astype(np.float32)
    mix(albedo, np.asarray(text * fine, np.float32), np.repeat(ink, 3, axis=1))
    emission += colours[cell] * (board * (look.random(64) < 0.7)[cell] * (0.7 + 0.8 * text))[:, None]


def _cells(at_m: Floats, size_m: float) -> npt.NDArray[np.int32]:
    return np.asarray(np.floor(at_m / np.float32(size_m)).astype(np.int32) & 63, np.int32)
