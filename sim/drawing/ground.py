"""The ground of a street as paint: what colour it has at any point, before light falls on it."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt

from sim.drawing import markings
from sim.drawing.spots import GroundSpots
from sim.drawing.stripes import band, mix, pulse
from sim.drawing.texture import Texture, texture_of
from sim.street.street import Street, ZoneKind

Floats = npt.NDArray[np.float32]

KERB_WIDTH_M = 0.15
_ASPHALT_BGR = (0.56, 0.555, 0.55)
_KERB_BGR = (0.60, 0.61, 0.62)
_GUTTER_BGR = (0.30, 0.30, 0.30)
_PAVING_BGR = (0.50, 0.515, 0.53)
_SEAM_BGR = (0.36, 0.37, 0.38)
_TACTILE_BGR = (0.22, 0.50, 0.58)
_YARD_BGR = (0.44, 0.45, 0.46)
_SOIL_BGR = (0.27, 0.35, 0.40)
_GRASS_BGR = (0.17, 0.36, 0.27)
_POINT_BGR = (0.52, 0.53, 0.53)
_POINT_FRAME_BGR = (0.20, 0.46, 0.18)


def ground_albedo(street: Street, spots: GroundSpots, *, seed: int) -> Floats:
    """(N, 3) BGR albedo of the street's ground."""
    texture = texture_of(seed)
    albedo = _asphalt(street, spots, texture, seed)
    for inner, outer in ((0.0, street.sidewalk_right_x_m[1]), (street.carriageway_x_m[0], street.sidewalk_left_x_m[0])):
        _roadside(albedo, street, spots, texture, inner=inner, outer=outer)
    # After the kerbs: the no-parking line runs on them.
    markings.paint_markings(albedo, street, spots, texture)
    _collection_points(albedo, street, spots)
    return np.asarray(np.clip(albedo, 0.02, 0.95), np.float32)


def _asphalt(street: Street, spots: GroundSpots, texture: Texture, seed: int) -> Floats:
    rng = np.random.default_rng((seed, 11))
    x, y, coarse = spots.x_m, spots.y_m, spots.coarse_m
    albedo = np.empty((len(x), 3), np.float32)
    albedo[:] = np.asarray(_ASPHALT_BGR, np.float32) * np.float32(rng.uniform(0.88, 1.08))
    wear = (
        1
        + 0.050 * texture.blobs(x, y * np.float32(0.33), coarse, cell_m=2.2)
        + 0.030 * texture.blobs(y, x, coarse, cell_m=0.5)
    )
    wear += 0.085 * texture.grain(x, y, coarse, cell_m=0.012) + 0.03 * texture.blobs(x + 40, y, coarse, cell_m=9.0)
    for lane in street.lanes:
        for wheel in (-0.8, 0.8):
            wear -= 0.055 * np.exp(-(((x - np.float32(lane.x_m + wheel)) / 0.34) ** 2))
        # Oil drips between the wheels, where engines stand and go.
        drip = np.clip(texture.blobs(x * 2, y, coarse, cell_m=1.4) - 0.6, 0, 2)
        wear -= 0.05 * drip * np.exp(-(((x - np.float32(lane.x_m)) / 0.4) ** 2))
    for edge, sign in ((0.0, -1.0), (street.carriageway_x_m[0], 1.0)):
        # Dust and leaves gather along the kerb; parked cars drip a little further in.
        wear += 0.10 * np.exp(-(((x - np.float32(edge)) / 0.22) ** 2)) * texture.blobs(x, y, coarse, cell_m=0.9)
        parked = np.exp(-(((x - np.float32(edge + sign * 1.2)) / 0.5) ** 2))
        wear -= 0.06 * parked * np.clip(texture.blobs(y, x, coarse, cell_m=1.8) - 0.4, 0, 2)
    albedo *= wear[:, None].astype(np.float32)
    _patches(albedo, street, spots, rng)
    return albedo


def _patches(albedo: Floats, street: Street, spots: GroundSpots, rng: np.random.Generator) -> None:
    """Where somebody dug: newer, darker asphalt with a dark joint."""
    left, right = street.carriageway_x_m
    for _ in range(max(1, round((street.y_m[1] - street.y_m[0]) / 22))):
        x0 = rng.uniform(left, right - 2.0)
        y0 = rng.uniform(*street.y_m)
        size = (rng.uniform(0.8, 2.6), rng.uniform(1.2, 6.0))
        sides = (x0, y0, min(right, x0 + size[0]), y0 + size[1])
        near = spots.within(sides)
        here = spots.only(near)
        cover, inner = _box(here, sides), _box(here, _shrunk(sides, 0.05))
        shade = np.float32(rng.uniform(0.84, 1.06))
        albedo[near] *= (1 - (1 - shade) * inner - 0.25 * (cover - inner))[:, None]


def _roadside(
    albedo: Floats, street: Street, spots: GroundSpots, texture: Texture, *, inner: float, outer: float
) -> None:
    """Kerb, sidewalk, planting and the yard before the houses; outwards from the kerb line at `inner`."""
    out = 1.0 if outer > inner else -1.0
    # `away` grows from the kerb line towards the houses on either side.
    away = np.asarray((spots.x_m - np.float32(inner)) * np.float32(out), np.float32)
    walk = abs(outer - inner)
    _kerb(albedo, spots, away)
    near = np.flatnonzero(away > KERB_WIDTH_M - 0.6)
    here = dataclasses.replace(spots.only(near), x_m=away[near])
    part = albedo[near]
    mix(part, band(here.x_m, here.across_m, KERB_WIDTH_M, walk), _paving(here, texture, walk))
    mix(part, band(here.x_m, here.across_m, walk, walk + street.planting_m), _planting(here, texture))
    mix(part, band(here.x_m, here.across_m, walk + street.planting_m, 1e3), _yard(here, texture))
    mix(part, band(here.x_m, here.across_m, walk - 0.06, walk + 0.06), _KERB_BGR)
    albedo[near] = part


def _kerb(albedo: Floats, spots: GroundSpots, away: Floats) -> None:
    mix(albedo, 0.7 * band(away, spots.across_m, -0.30, 0.0), _GUTTER_BGR)
    stones = band(away, spots.across_m, 0.0, KERB_WIDTH_M)
    mix(albedo, stones, _KERB_BGR)
    joints = pulse(spots.y_m, spots.along_m, period=1.0, low=0.0, high=0.03)
    mix(albedo, np.asarray(stones * joints, np.float32), _GUTTER_BGR)


def _paving(spots: GroundSpots, texture: Texture, width_m: float) -> Floats:
    """Square slabs, each of its own shade, with the yellow guiding strip for the blind in the middle."""
    x, y, coarse = spots.x_m, spots.y_m, spots.coarse_m
    colour = np.empty((len(x), 3), np.float32)
    colour[:] = _PAVING_BGR
    tone = 0.035 * texture.grain(x, y, coarse, cell_m=0.4) + 0.05 * texture.blobs(x, y, coarse, cell_m=1.6)
    tone += 0.03 * texture.grain(x, y, coarse, cell_m=0.02)
    colour *= (1 + tone)[:, None]
    mix(colour, pulse(x, spots.across_m, period=0.4, low=0.0, high=0.018), _SEAM_BGR)
    mix(colour, pulse(y, spots.along_m, period=0.4, low=0.0, high=0.018), _SEAM_BGR)
    strip = band(x, spots.across_m, width_m * 0.5 - 0.2, width_m * 0.5 + 0.2)
    ridges = pulse(x, spots.across_m, period=0.1, low=0.0, high=0.05)
    mix(colour, strip, np.asarray(_TACTILE_BGR, np.float32) * (0.9 + 0.16 * ridges + tone)[:, None])
    return colour


def _planting(spots: GroundSpots, texture: Texture) -> Floats:
    """Grass with bare places."""
    x, y, coarse = spots.x_m, spots.y_m, spots.coarse_m
    colour = np.empty((len(x), 3), np.float32)
    colour[:] = _GRASS_BGR
    bare = np.clip(texture.blobs(x, y, coarse, cell_m=1.7) - 0.5, 0, 1)
    mix(colour, np.asarray(bare, np.float32), _SOIL_BGR)
    leaves = 0.22 * texture.grain(x, y, coarse, cell_m=0.035) + 0.16 * texture.blobs(x, y, coarse, cell_m=0.35)
    colour *= np.clip(1 + leaves, 0.3, 1.8)[:, None]
    return colour


def _yard(spots: GroundSpots, texture: Texture) -> Floats:
    colour = np.empty((len(spots.x_m), 3), np.float32)
    colour[:] = _YARD_BGR
    colour *= (1 + 0.07 * texture.blobs(spots.x_m, spots.y_m, spots.coarse_m, cell_m=2.0))[:, None]
    mix(colour, pulse(spots.y_m, spots.along_m, period=0.8, low=0.0, high=0.02), _SEAM_BGR)
    mix(colour, pulse(spots.x_m, spots.across_m, period=0.8, low=0.0, high=0.02), _SEAM_BGR)
    return colour


def _collection_points(albedo: Floats, street: Street, spots: GroundSpots) -> None:
    for zone in street.zones_of(ZoneKind.COLLECTION_POINT):
        sides = (zone.area.x0, zone.area.y0, zone.area.x1, zone.area.y1)
        mix(albedo, _box(spots, sides), _POINT_FRAME_BGR)
        mix(albedo, _box(spots, _shrunk(sides, 0.1)), _POINT_BGR)


def _shrunk(sides: tuple[float, float, float, float], by_m: float) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = sides
    return x0 + by_m, y0 + by_m, x1 - by_m, y1 - by_m


def _box(spots: GroundSpots, sides: tuple[float, float, float, float]) -> Floats:
    x0, y0, x1, y1 = sides
    cover = band(spots.x_m, spots.across_m, x0, x1) * band(spots.y_m, spots.along_m, y0, y1)
    return np.asarray(cover, np.float32)
