"""Simple drawn frames of one street: textured ground, a wall, garbage and bins, with exact boxes.

The pictures are plain on purpose (a shaded sprite per thing), yet drawn so that a detector trained on real
streets recognises them. Same layout, things and seed give the same picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import numpy.typing as npt

from sim.pinhole import PinholeCamera

Image = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]

_RAG_COLOURS_BGR = (
    (236, 238, 240), (225, 230, 234), (206, 214, 222), (214, 190, 160), (190, 120, 60),
    (46, 44, 44), (30, 30, 32), (70, 120, 170), (96, 140, 186), (60, 60, 200), (90, 190, 225), (96, 150, 90),
)  # fmt: skip


class ThingKind(StrEnum):
    """What can stand on the drawn street; values are detector class names."""

    GARBAGE = "garbage"
    GARBAGE_BIN = "garbage_bin"
    OVERFLOW = "overflow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Thing:
    """One thing on the ground: x right of the camera, y ahead of it, width across, all in metres."""

    kind: ThingKind
    x_m: float
    y_m: float
    width_m: float
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StreetLayout:
    """Where the surfaces lie, in metres right of the camera: carriageway | kerb | sidewalk | planting | wall.

    sidewalk_x_m: left and right edge; the carriageway lies left of it
    recess_m:     (x0, x1, y0, y1) of a paved recess behind the sidewalk where bins may stand
    """

    sidewalk_x_m: tuple[float, float] = (0.0, 3.0)
    recess_m: tuple[float, float, float, float] = (3.0, 5.0, 11.0, 14.0)
    kerb_width_m: float = 0.15
    lane_width_m: float = 3.3
    wall_x_m: float = 5.2
    wall_height_m: float = 2.6


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnFrame:
    """A picture and the truth about it.

    image: (H, W, 3) uint8 BGR; boxes: (class name, (x0, y0, x1, y1) in pixels) per thing, far to near
    """

    image: Image
    boxes: tuple[tuple[str, Box], ...]


class StreetPainter:
    """Draws one street; the empty street is painted once and reused for every frame."""

    def __init__(self, camera: PinholeCamera, layout: StreetLayout, seed: int = 0) -> None:
        self._camera = camera
        self._empty = _paint_empty_street(camera, layout, np.random.default_rng(seed))

    def draw(self, things: tuple[Thing, ...], *, noise_seed: int = 0, light: float = 1.0) -> DrawnFrame:
        """The street with these things on it; `light` 1.0 is a bright day, 0.4 dusk."""
        canvas = self._empty.copy()
        boxes: list[tuple[str, Box]] = []
        for thing in sorted(things, key=lambda item: -item.y_m):
            boxes.append((thing.kind.value, _paint_thing(canvas, self._camera, thing)))
        return DrawnFrame(image=_expose(canvas, light, noise_seed), boxes=tuple(boxes))


def _paint_empty_street(camera: PinholeCamera, layout: StreetLayout, rng: np.random.Generator) -> Image:
    width, height = camera.size_px
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1).reshape(-1, 2).astype(np.float64)
    ground = camera.ground_under(grid).reshape(height, width, 2)
    x, y = ground[..., 0], ground[..., 1]
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = np.linspace(232, 205, height)[:, None, None] * np.array([1.0, 0.98, 0.94], np.float32)
    left, right = layout.sidewalk_x_m
    kerb = left - layout.kerb_width_m
    on_ground = np.isfinite(y) & (y < 120)
    picture[on_ground & (x < kerb)] = (98, 98, 100)
    picture[on_ground & (x >= kerb) & (x < left)] = (176, 178, 180)
    picture[on_ground & (x > right)] = (72, 118, 96)
    x0, x1, y0, y1 = layout.recess_m
    recess = on_ground & (x >= x0) & (x <= x1) & (y >= y0) & (y <= y1)
    tiles = on_ground & (x >= left) & (x <= right)
    seams = ((np.abs(x / 0.5 - np.round(x / 0.5)) < 0.03) | (np.abs(y / 0.5 - np.round(y / 0.5)) < 0.03)) & (y < 25)
    picture[tiles] = (146, 152, 162)
    picture[recess] = (128, 132, 138)
    picture[(tiles | recess) & seams] = (118, 122, 130)
    lane_x = kerb - layout.lane_width_m
    picture[on_ground & (np.abs(x - lane_x) < 0.07) & (np.mod(y, 6.0) < 3.0)] = (215, 218, 220)
    picture[on_ground & (np.abs(x - kerb + 0.25) < 0.06)] = (70, 190, 215)
    _paint_wall(picture, camera, layout.wall_x_m, layout.wall_height_m)
    picture += _soft_noise(rng, height, width, 9.0)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _paint_wall(picture: npt.NDArray[np.float32], camera: PinholeCamera, x_m: float, height_m: float) -> None:
    near, far = 1.5, 90.0
    corners = np.array([[x_m, near, 0], [x_m, far, 0], [x_m, far, height_m], [x_m, near, height_m]])
    cv2.fillPoly(picture, [np.round(camera.project(corners)).astype(np.int32)], (126, 150, 172))
    plinth = np.array([[x_m, near, 0], [x_m, far, 0], [x_m, far, 0.5], [x_m, near, 0.5]])
    cv2.fillPoly(picture, [np.round(camera.project(plinth)).astype(np.int32)], (104, 112, 120))
    for y_m in range(3, 60, 3):
        seam = camera.project(np.array([[x_m, y_m, 0.5], [x_m, y_m, height_m]]))
        cv2.line(picture, _point(seam[0]), _point(seam[1]), (108, 130, 150), 1, cv2.LINE_AA)


def _paint_thing(canvas: Image, camera: PinholeCamera, thing: Thing) -> Box:
    scale = camera.pixels_per_metre(thing.y_m)
    foot = camera.project(np.array([[thing.x_m, thing.y_m, 0.0]]))[0]
    sprite, alpha = _SPRITES[thing.kind](max(8, round(thing.width_m * scale)), np.random.default_rng(thing.seed))
    height, width = alpha.shape
    x0, y0 = round(foot[0] - width / 2), round(foot[1] - height)
    _shade_ground(canvas, (foot[0], foot[1]), width)
    return _blend(canvas, sprite, alpha, (x0, y0))


def _pile_sprite(width_px: int, rng: np.random.Generator) -> tuple[Image, Image]:
    """A heap of bags, boxes and loose litter, about half as high as wide."""
    height_px = max(6, round(width_px * 0.55))
    sprite, alpha = np.zeros((height_px, width_px, 3), np.uint8), np.zeros((height_px, width_px), np.uint8)
    for index in range(90):
        level = index / 90
        reach = 0.48 * (1 - 0.75 * level)
        centre = (
            width_px * (0.5 + rng.uniform(-reach, reach)),
            height_px * (0.88 - 0.72 * level * rng.uniform(0.5, 1)),
        )
        radius = width_px * rng.uniform(0.035, 0.12)
        _paint_rag(sprite, alpha, centre, radius, rng)
    return sprite, alpha


def _paint_rag(
    sprite: Image, alpha: Image, centre: tuple[float, float], radius: float, rng: np.random.Generator
) -> None:
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    spokes = radius * rng.uniform(0.55, 1.1, 9)
    outline = np.column_stack((centre[0] + np.cos(angles) * spokes, centre[1] + np.sin(angles) * spokes * 0.8))
    colour = np.array(_RAG_COLOURS_BGR[rng.integers(len(_RAG_COLOURS_BGR))], np.float64)
    polygon = np.round(outline).astype(np.int32)
    cv2.fillPoly(sprite, [polygon], tuple(colour * 0.62), cv2.LINE_AA)
    cv2.fillPoly(alpha, [polygon], 255, cv2.LINE_AA)
    lit = np.round((outline - centre) * 0.72 + centre - (radius * 0.12, radius * 0.2)).astype(np.int32)
    cv2.fillPoly(sprite, [lit], tuple(colour), cv2.LINE_AA)
    for _ in range(3):
        fold = np.round(np.array(centre) + rng.uniform(-0.6, 0.6, (2, 2)) * radius).astype(np.int32)
        cv2.line(sprite, _point(fold[0]), _point(fold[1]), tuple(colour * 0.5), 1, cv2.LINE_AA)


def _bin_sprite(width_px: int, rng: np.random.Generator) -> tuple[Image, Image]:
    """A green wheeled bin with a lid, 1.65 times as high as wide."""
    height_px = round(width_px * 1.65)
    sprite, alpha = np.zeros((height_px, width_px, 3), np.uint8), np.zeros((height_px, width_px), np.uint8)
    base = np.array((52, 96, 30)) * rng.uniform(0.8, 1.15)
    body = _scaled([(0.06, 0.14), (0.94, 0.14), (0.84, 0.97), (0.16, 0.97)], width_px, height_px)
    side = _scaled([(0.72, 0.14), (0.94, 0.14), (0.84, 0.97), (0.68, 0.97)], width_px, height_px)
    lid = _scaled([(0.0, 0.08), (0.12, 0.0), (0.88, 0.0), (1.0, 0.08), (0.98, 0.15), (0.02, 0.15)], width_px, height_px)
    for polygon, colour in ((body, base), (side, base * 0.7), (lid, base * 0.55)):
        cv2.fillPoly(sprite, [polygon], tuple(colour), cv2.LINE_AA)
        cv2.fillPoly(alpha, [polygon], 255, cv2.LINE_AA)
    for x in (0.28, 0.42, 0.56):
        ridge = _scaled([(x, 0.2), (x + 0.01, 0.9)], width_px, height_px)
        cv2.line(sprite, _point(ridge[0]), _point(ridge[1]), tuple(base * 0.8), max(1, width_px // 40), cv2.LINE_AA)
    mark = (round(width_px * 0.42), round(height_px * 0.45))
    cv2.circle(sprite, mark, max(2, width_px // 7), (220, 225, 220), max(1, width_px // 45), cv2.LINE_AA)
    for x in (0.24, 0.76):
        wheel, radius = (round(width_px * x), round(height_px * 0.955)), max(1, round(width_px * 0.075))
        cv2.circle(sprite, wheel, radius, (24, 24, 24), -1, cv2.LINE_AA)
        cv2.circle(alpha, wheel, radius, (255,), -1, cv2.LINE_AA)
    return sprite, alpha


def _overflow_sprite(width_px: int, rng: np.random.Generator) -> tuple[Image, Image]:
    """A bin whose litter stands above the rim."""
    body, body_alpha = _bin_sprite(width_px, rng)
    heap, heap_alpha = _pile_sprite(width_px, rng)
    rise, sink = heap_alpha.shape[0], round(body_alpha.shape[0] * 0.14)
    sprite = np.zeros((body_alpha.shape[0] + rise - sink, width_px, 3), np.uint8)
    alpha = np.zeros(sprite.shape[:2], np.uint8)
    _blend(sprite, body, body_alpha, (0, rise - sink), alpha)
    _blend(sprite, heap, heap_alpha, (0, 0), alpha)
    return sprite, alpha


_SPRITES = {
    ThingKind.GARBAGE: _pile_sprite,
    ThingKind.GARBAGE_BIN: _bin_sprite,
    ThingKind.OVERFLOW: _overflow_sprite,
}


def _blend(
    canvas: Image, sprite: Image, alpha: Image, corner: tuple[int, int], canvas_alpha: Image | None = None
) -> Box:
    """Lay a sprite on the canvas with its top left at `corner`; returns the visible box in pixels."""
    height, width = alpha.shape
    x0, y0 = max(0, corner[0]), max(0, corner[1])
    x1, y1 = min(canvas.shape[1], corner[0] + width), min(canvas.shape[0], corner[1] + height)
    if x0 >= x1 or y0 >= y1:
        raise ValueError(f"sprite at {corner} of {width}x{height} px lies outside the picture")
    part = (slice(y0 - corner[1], y1 - corner[1]), slice(x0 - corner[0], x1 - corner[0]))
    opacity = alpha[part].astype(np.float32)[..., None] / 255
    under = canvas[y0:y1, x0:x1]
    canvas[y0:y1, x0:x1] = (sprite[part] * opacity + under * (1 - opacity)).astype(np.uint8)
    if canvas_alpha is not None:
        canvas_alpha[y0:y1, x0:x1] = np.maximum(canvas_alpha[y0:y1, x0:x1], alpha[part])
    rows, columns = np.nonzero(alpha[part] > 127)
    return (
        float(x0 + columns.min()),
        float(y0 + rows.min()),
        float(x0 + columns.max() + 1),
        float(y0 + rows.max() + 1),
    )


def _shade_ground(canvas: Image, foot_px: tuple[float, float], width_px: int) -> None:
    shade = np.zeros(canvas.shape[:2], np.uint8)
    axes = (max(2, round(width_px * 0.58)), max(1, round(width_px * 0.1)))
    cv2.ellipse(shade, (round(foot_px[0]), round(foot_px[1]) - axes[1] // 3), axes, 0, 0, 360, 120, -1, cv2.LINE_AA)
    shade = cv2.GaussianBlur(shade, (0, 0), max(1.0, width_px * 0.05)).astype(np.uint8)
    canvas[:] = (canvas * (1 - shade[..., None] / 255.0 * 0.8)).astype(np.uint8)


def _expose(canvas: Image, light: float, noise_seed: int) -> Image:
    rng = np.random.default_rng(noise_seed)
    grain = rng.normal(0, 2.5, canvas.shape[:2]).astype(np.float32)[..., None]
    return np.asarray(np.clip(canvas.astype(np.float32) * light + grain, 0, 255), np.uint8)


def _soft_noise(rng: np.random.Generator, height: int, width: int, strength: float) -> npt.NDArray[np.float32]:
    coarse = rng.normal(0, 1, (height // 8 + 1, width // 8 + 1)).astype(np.float32)
    blurred = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
    fine = rng.normal(0, 0.5, (height, width)).astype(np.float32)
    return np.asarray(((blurred + fine) * strength)[..., None], np.float32)


def _scaled(corners: list[tuple[float, float]], width_px: int, height_px: int) -> npt.NDArray[np.int32]:
    return np.round(np.array(corners) * (width_px - 1, height_px - 1)).astype(np.int32)


def _point(pixel: npt.NDArray[np.float64] | npt.NDArray[np.int32]) -> tuple[int, int]:
    return round(float(pixel[0])), round(float(pixel[1]))
