"""The empty street in one condition of light: painted once, then the paper that every frame is drawn on."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.canvas import FINE, UP, Canvas
from sim.drawing.ground import ground_albedo
from sim.drawing.houses import paint_house
from sim.drawing.lamplight import lamp_light, paint_lamp_heads
from sim.drawing.sky import paint_sky
from sim.drawing.spots import GroundSpots
from sim.drawing.standing import Standing, stand_all
from sim.drawing.sunlight import shade_of, sunlit_share
from sim.drawing.wet import reflect
from sim.street.pinhole import PinholeCamera
from sim.street.street import Street
from sim.street.weather import Light

Float64s = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

# Grazing rays see ground kilometres away; its pattern there is one colour.
_FAR_M = 400.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cover:
    """A standing thing as a mask: cover (h, w) uint8 at x0, y0; foot_m (4, 2)."""

    x0: int
    y0: int
    cover: Image
    foot_m: Float64s


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Backdrop:
    """The empty street as one camera sees it; all pictures (H, W).

    image:     (H, W, 3) uint8 BGR
    in_beam:   (H, W, 3) uint8, what full headlight adds to the ground; empty of lamps: None
    ground:    uint8, 255 where bare ground is seen, so that shadows fall on nothing else
    sunlit:    uint8, the part of it that the sun reaches; None without sun
    shade:     (3,) how much of the ground's colour is left in a shadow, per channel
    covers:    what stands in the street, far to near
    """

    image: Image
    in_beam: Image | None
    ground: Image
    sunlit: Image | None
    shade: Floats
    covers: tuple[Cover, ...]


def paint_backdrop(street: Street, camera: PinholeCamera, light: Light, *, seed: int) -> Backdrop:
    """Paint it; takes about as long as a hundred frames."""
    canvas = _unlit(street, camera, seed)
    is_ground = np.isfinite(canvas.reach) & (canvas.facing == UP)
    colour = canvas.seen_in(light)
    sunlit = None
    if light.sun is not None:
        sunlit = sunlit_share(canvas.reach.shape, street, camera, light.sun, seed=seed)
        sunlit[~is_ground] = 0
        lost = np.where(is_ground, 1 - sunlit, 0)[..., None]
        colour *= 1 - lost * (1 - shade_of(light))
    if light.has_lamps:
        colour += canvas.albedo * lamp_light(canvas, street) + canvas.emission * _lamp_share(light)
    paint_sky(colour, canvas, light, seed=seed)
    standing = stand_all(street, camera, light, seed=seed)
    if light.wetness > 0:
        reflect(colour, canvas, is_ground, light, standing)
    for thing in standing:
        thing.stencil.lay_over(colour)
    if light.has_lamps:
        paint_lamp_heads(colour, street, camera, light)
    covers = tuple(_cover(thing) for thing in standing)
    bare = _bare(is_ground, covers)
    return Backdrop(
        image=_to_picture(colour),
        in_beam=_in_beam(canvas, is_ground, light) if light.has_lamps else None,
        ground=bare,
        sunlit=None if sunlit is None else np.asarray(cv2.multiply(_small(sunlit), bare, scale=1 / 255), np.uint8),
        shade=shade_of(light),
        covers=covers,
    )


@lru_cache(maxsize=1)
def _unlit(street: Street, camera: PinholeCamera, seed: int) -> Canvas:
    """Ground and houses, the same in every light; the last one is kept for the next weather. Not to be written to."""
    canvas = Canvas.blank(camera)
    _lay_ground(canvas, street, seed)
    for building in street.buildings:
        paint_house(canvas, building, seed=seed)
    return canvas


def _lay_ground(canvas: Canvas, street: Street, seed: int) -> None:
    ray = canvas.ray
    below = ray[..., 2] < -1e-4
    reach = np.where(below, canvas.camera.height_m / np.where(below, -ray[..., 2], 1), np.inf).astype(np.float32)
    x = np.where(below, ray[..., 0] * reach, 0) + np.float32(canvas.camera.x_m)
    y = np.where(below, ray[..., 1] * reach, 0) + np.float32(canvas.camera.y_m)
    across, along = _footprints(x), _footprints(y)
    spots = GroundSpots(x_m=x[below], y_m=y[below], across_m=across[below], along_m=along[below])
    canvas.albedo[below] = ground_albedo(street, spots, seed=seed)
    canvas.reach[below] = reach[below]
    canvas.facing[below] = UP


def _footprints(at_m: Floats) -> Floats:
    """How many metres a fine pixel spans, from its neighbours."""
    down, right = np.gradient(at_m)
    return np.asarray(np.clip(np.hypot(down, right), 1e-3, _FAR_M), np.float32)


def _lamp_share(light: Light) -> np.float32:
    """Lit windows are dim beside what is left of the day."""
    return np.float32(1.0 if sum(light.sky_bgr) < 0.5 else 0.75)


def _in_beam(canvas: Canvas, is_ground: npt.NDArray[np.bool_], light: Light) -> Image:
    near = dataclasses.replace(light, sky_bgr=(0.42, 0.50, 0.54), has_lamps=False)
    colour = canvas.seen_in(near) * is_ground[..., None]
    return _to_picture(colour)


def _bare(is_ground: npt.NDArray[np.bool_], covers: tuple[Cover, ...]) -> Image:
    bare = _small(is_ground.astype(np.float32))
    for thing in covers:
        part = bare[thing.y0 : thing.y0 + thing.cover.shape[0], thing.x0 : thing.x0 + thing.cover.shape[1]]
        cv2.multiply(part, 255 - thing.cover, dst=part, scale=1 / 255)
    return bare


def _cover(thing: Standing) -> Cover:
    return Cover(x0=thing.stencil.x0, y0=thing.stencil.y0, cover=thing.stencil.cover(), foot_m=thing.foot_m)


def _small(share: Floats) -> Image:
    """Fine (h, w) 0..1 → picture uint8."""
    height, width = share.shape
    small = cv2.resize(share, (width // FINE, height // FINE), interpolation=cv2.INTER_AREA)
    return np.round(small * 255).astype(np.uint8)


def _to_picture(colour: Floats) -> Image:
    height, width = colour.shape[:2]
    small = cv2.resize(np.clip(colour, 0, 1), (width // FINE, height // FINE), interpolation=cv2.INTER_AREA)
    return np.round(small * 255).astype(np.uint8)
