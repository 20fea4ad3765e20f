"""One body as a small picture with transparency: projected, shaded, painted, blurred by its motion."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sim.drawing.face_colours import burning_lamps, face_colours
from sim.drawing.fill import Box, Bytes, Extent, Fill, blurred, outline_area, paint
from sim.drawing.looks import mesh_of
from sim.drawing.mesh import DETAIL, Bulb, Burns, Floats, Mesh
from sim.street.body import Body
from sim.street.pinhole import PinholeCamera
from sim.street.weather import Colour, Light

Ints = npt.NDArray[np.intp]

# Nearer than this a face is cut off; painting nearer ones would make pixels without end.
_NEAR_M = 0.3
_DETAIL_FROM_PX = 25.0
_SMALLEST_PX = 2.0

_BEAM_M = ((-0.8, 1.0), (0.8, 1.0), (2.6, 17.0), (-2.6, 17.0))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Glow:
    """A burning lamp, added to the picture: where, how wide, and how bright, 0..1."""

    px: tuple[float, float]
    radius_px: float
    bgr: Colour


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sprite:
    """One body, cut to the picture.

    x0, y0:   its top left pixel
    bgr:      (h, w, 3) uint8, multiplied by alpha; alpha: (h, w) uint8
    area_px:  its whole silhouette in square pixels, also what lies outside the picture
    depth_m:  of its middle, along the view
    glows:    its burning lamps; beams: (4, 2) ground polygons in street metres that its headlights reach
    """

    x0: int
    y0: int
    bgr: Bytes
    alpha: Bytes
    area_px: float
    depth_m: float
    glows: tuple[Glow, ...] = ()
    beams: tuple[Floats, ...] = ()


def draw_body(body: Body, camera: PinholeCamera, light: Light) -> Sprite | None:
    """The body as the camera sees it; None behind the camera, outside the picture or too small to see."""
    place = _Place(body)
    depth_m = float(camera.to_camera(place.to_street(np.array([[0.0, 0.0, body.height_m / 2]])))[0, 2])
    reach_m = math.hypot(body.length_m, body.width_m, body.height_m) / 2
    if depth_m + reach_m < _NEAR_M or camera.focal_px * 2 * reach_m < _SMALLEST_PX * depth_m:
        return None
    mesh = mesh_of(body)
    eye = place.to_body(camera.position_m)
    is_small = depth_m > 0 and camera.focal_px * body.height_m < _DETAIL_FROM_PX * depth_m
    faces = _faces_in_paint_order(mesh, eye, is_small=is_small)
    polygons = _project(mesh, faces, place, camera)
    extent = _extent(polygons)
    if extent is None:
        return None
    colours = face_colours(mesh, faces, place.turn, eye, burning=burning_lamps(body, light), light=light)
    raster = _raster(polygons, colours, extent, size_px=camera.size_px, blur_px=_motion_px(body, camera, light))
    if raster is None:
        return None
    return Sprite(
        x0=raster.x0,
        y0=raster.y0,
        bgr=np.ascontiguousarray(raster.bgra[..., :3]),
        alpha=np.ascontiguousarray(raster.bgra[..., 3]),
        area_px=raster.area_px,
        depth_m=depth_m,
        glows=_glows(mesh.bulbs, eye, place, camera, burning=burning_lamps(body, light), is_dark=light.has_lamps),
        beams=_beams(place, body, light),
    )


def cast_shadow(body: Body, light: Light) -> tuple[Floats, ...]:
    """Convex (N, 2) ground polygons in street metres of its shadow in the sun; () without sun."""
    if light.sun is None:
        return ()
    place, mesh = _Place(body), mesh_of(body)
    sun = np.asarray(light.sun)
    polygons = []
    for index in range(len(mesh.part_layer)):
        of_part = np.repeat(mesh.part == index, np.diff(mesh.starts))
        street = place.to_street(mesh.corners[of_part])
        ground = street[:, :2] - sun[:2] / sun[2] * street[:, 2:]
        hull = cv2.convexHull(ground.astype(np.float32))[:, 0]
        if len(hull) >= 3:
            polygons.append(hull.astype(np.float64))
    return tuple(polygons)


class _Place:
    """Where a body stands: between body axes and street axes."""

    def __init__(self, body: Body) -> None:
        ahead, right = body.axes()
        self.turn = np.array([(*right, 0.0), (*ahead, 0.0), (0.0, 0.0, 1.0)])
        self.origin = np.array([body.x_m, body.y_m, 0.0])

    def to_street(self, points: Floats) -> Floats:
        return np.asarray(points @ self.turn + self.origin, np.float64)

    def to_body(self, point: Floats) -> Floats:
        return np.asarray(self.turn @ (point - self.origin), np.float64)


def _faces_in_paint_order(mesh: Mesh, eye: Floats, *, is_small: bool) -> Ints:
    facing = np.einsum("ij,ij->i", mesh.normals, eye - mesh.middles)
    seen = (facing > 1e-9) | mesh.is_two_sided
    if is_small:
        seen &= mesh.level < DETAIL
    distance = np.linalg.norm(mesh.part_middles - eye, axis=1)
    rank = np.empty(len(distance), np.intp)
    rank[np.lexsort((-distance, mesh.part_layer))] = np.arange(len(distance))
    faces = np.flatnonzero(seen)
    return faces[np.argsort(rank[mesh.part[faces]] * 16 + mesh.level[faces], kind="stable")]


def _project(mesh: Mesh, faces: Ints, place: _Place, camera: PinholeCamera) -> list[Floats]:
    """One (n, 2) polygon of pixels per face; empty where nothing of it is before the camera."""
    at_camera = camera.to_camera(place.to_street(mesh.corners))
    starts = mesh.starts.tolist()
    if at_camera[:, 2].min() >= _NEAR_M:
        pixels = camera.to_pixel(at_camera)
        if np.isfinite(pixels).all():
            return [pixels[starts[face] : starts[face + 1]] for face in faces.tolist()]
    clipped = [_clip_near(at_camera[starts[face] : starts[face + 1]]) for face in faces.tolist()]
    bent = [camera.to_pixel(polygon) if len(polygon) else np.empty((0, 2)) for polygon in clipped]
    return [pixels if np.isfinite(pixels).all() else np.empty((0, 2)) for pixels in bent]


def _clip_near(polygon: Floats) -> Floats:
    """The part of a polygon (n, 3) in camera axes that lies beyond the near plane."""
    kept: list[Floats] = []
    for here, following in zip(polygon, np.roll(polygon, -1, axis=0), strict=True):
        if here[2] >= _NEAR_M:
            kept.append(here)
        if (here[2] >= _NEAR_M) != (following[2] >= _NEAR_M):
            kept.append(here + (following - here) * (_NEAR_M - here[2]) / (following[2] - here[2]))
    return np.array(kept) if len(kept) >= 3 else np.empty((0, 3))


def _extent(polygons: Sequence[Floats]) -> Extent | None:
    filled = [polygon for polygon in polygons if len(polygon)]
    if not filled:
        return None
    pixels = np.concatenate(filled)
    (x0, y0), (x1, y1) = pixels.min(axis=0).tolist(), pixels.max(axis=0).tolist()
    return None if max(x1 - x0, y1 - y0) < _SMALLEST_PX else (x0, y0, x1, y1)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Raster:
    """A painted body inside the picture: top left pixel, (h, w, 4) BGR with alpha, area also outside."""

    x0: int
    y0: int
    bgra: Bytes
    area_px: float


def _raster(
    polygons: Sequence[Floats],
    colours: Sequence[Fill],
    extent: Extent,
    *,
    size_px: tuple[int, int],
    blur_px: tuple[float, float],
) -> _Raster | None:
    margin = math.ceil(max(abs(blur_px[0]), abs(blur_px[1])) / 2) + 1
    whole = (
        math.floor(extent[0]) - margin,
        math.floor(extent[1]) - margin,
        math.ceil(extent[2]) + margin,
        math.ceil(extent[3]) + margin,
    )
    shown = _common(whole, (0, 0, *size_px))
    # What lies just outside is blurred into the picture.
    painted = _common(whole, (-margin, -margin, size_px[0] + margin, size_px[1] + margin))
    if shown is None or painted is None:
        return None
    bgra = blurred(paint(polygons, colours, painted), blur_px)
    bgra = bgra[shown[1] - painted[1] : shown[3] - painted[1], shown[0] - painted[0] : shown[2] - painted[0]]
    area_px = float(bgra[..., 3].sum()) / 255 if shown == whole else outline_area(polygons, extent)
    return _Raster(x0=shown[0], y0=shown[1], bgra=bgra, area_px=area_px)


def _common(a: Box, b: Box) -> Box | None:
    """What two rectangles (x0, y0, x1, y1) share."""
    both = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    return both if both[0] < both[2] and both[1] < both[3] else None


def _motion_px(body: Body, camera: PinholeCamera, light: Light) -> tuple[float, float]:
    """How far its middle moves in the picture while the shutter is open."""
    if body.speed_mps == 0:
        return (0.0, 0.0)
    ahead, _ = body.axes()
    middle = np.array([body.x_m, body.y_m, body.height_m / 2])
    moved = middle + np.array([*(ahead * body.speed_mps * light.exposure_s), 0.0])
    at_camera = camera.to_camera(np.stack((middle, moved)))
    if at_camera[:, 2].min() < _NEAR_M:
        return (0.0, 0.0)
    step = np.diff(camera.to_pixel(at_camera), axis=0)[0]
    return (float(step[0]), float(step[1])) if np.isfinite(step).all() else (0.0, 0.0)


def _glows(
    bulbs: tuple[Bulb, ...],
    eye: Floats,
    place: _Place,
    camera: PinholeCamera,
    *,
    burning: dict[Burns, Colour],
    is_dark: bool,
) -> tuple[Glow, ...]:
    glows = []
    for bulb in bulbs:
        facing = float(bulb.normal @ (eye - bulb.at)) / float(np.linalg.norm(eye - bulb.at))
        if bulb.burns not in burning or facing <= 0.05:
            continue
        at_camera = camera.to_camera(place.to_street(bulb.at[None]))
        px = camera.to_pixel(at_camera)[0]
        if not np.isfinite(px).all():
            continue
        strength = min(1.0, 0.35 + facing) * (1.0 if is_dark else 0.4)
        bgr = burning[bulb.burns]
        glows.append(
            Glow(
                px=(float(px[0]), float(px[1])),
                radius_px=camera.focal_px * bulb.radius_m / float(at_camera[0, 2]),
                bgr=(bgr[0] * strength, bgr[1] * strength, bgr[2] * strength),
            )
        )
    return tuple(glows)


def _beams(place: _Place, body: Body, light: Light) -> tuple[Floats, ...]:
    has_headlights = any(bulb.burns is Burns.HEADLIGHT for bulb in mesh_of(body).bulbs)
    if not (light.has_lamps and body.is_running and has_headlights):
        return ()
    corners = np.array([(x, y + body.length_m / 2, 0.0) for x, y in _BEAM_M])
    return (place.to_street(corners)[:, :2],)
