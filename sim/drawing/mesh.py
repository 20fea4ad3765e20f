"""Low-poly things: convex parts of flat faces in body axes (x right, y ahead, z up, metres)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from sim.street.weather import Colour

Floats = npt.NDArray[np.float64]

# Faces of this level and above are dropped when the body is small in the picture.
DETAIL = 2


class Burns(IntEnum):
    """What makes a face or a bulb shine by itself."""

    NEVER = 0
    HEADLIGHT = 1
    TAIL_LIGHT = 2
    INSIDE_LIGHT = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Face:
    """A flat convex polygon.

    corners:      (n, 3), in order around it; bgr: share of the light that it throws back
    gloss:        share of the mirrored surroundings that is added, 0 cloth … 1 mirror
    level:        0 surface, above that painted on the surfaces of its part; `DETAIL` and above only when near
    is_two_sided: seen from behind as well
    """

    corners: Floats
    bgr: Colour
    gloss: float = 0.0
    level: int = 0
    burns: Burns = Burns.NEVER
    is_two_sided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Part:
    """Faces of one convex solid; parts of a higher layer are painted later, in a layer the nearer ones."""

    faces: tuple[Face, ...]
    layer: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bulb:
    """A lamp at a point (3,), seen from the side that its normal (3,) shows."""

    at: Floats
    normal: Floats
    burns: Burns
    radius_m: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Mesh:
    """All faces of a thing in flat arrays: F faces, C corners, P parts.

    corners: (C, 3); starts: (F + 1,) where each face's corners begin
    normals, middles, albedo: (F, 3); gloss, level, burns, part: (F,); is_two_sided: (F,) bool
    part_middles: (P, 3); part_layer: (P,)
    """

    corners: Floats
    starts: npt.NDArray[np.intp]
    normals: Floats
    middles: Floats
    albedo: npt.NDArray[np.float32]
    gloss: npt.NDArray[np.float32]
    level: npt.NDArray[np.intp]
    burns: npt.NDArray[np.intp]
    part: npt.NDArray[np.intp]
    is_two_sided: npt.NDArray[np.bool_]
    part_middles: Floats
    part_layer: npt.NDArray[np.intp]
    bulbs: tuple[Bulb, ...] = ()


def build_mesh(parts: Sequence[Part], bulbs: tuple[Bulb, ...] = ()) -> Mesh:
    """Flatten parts; faces are turned so that their normals point away from the middle of their part."""
    outward = [(_outward(face, _middle(part)), index) for index, part in enumerate(parts) for face in part.faces]
    faces = [face for face, _ in outward]
    return Mesh(
        corners=np.concatenate([face.corners for face in faces]),
        starts=np.concatenate(([0], np.cumsum([len(face.corners) for face in faces]))),
        normals=np.array([normal_of(face.corners) for face in faces]),
        middles=np.array([face.corners.mean(axis=0) for face in faces]),
        albedo=np.array([face.bgr for face in faces], np.float32),
        gloss=np.array([face.gloss for face in faces], np.float32),
        level=np.array([face.level for face in faces]),
        burns=np.array([face.burns.value for face in faces]),
        part=np.array([index for _, index in outward]),
        is_two_sided=np.array([face.is_two_sided for face in faces]),
        part_middles=np.array([_middle(part) for part in parts]),
        part_layer=np.array([part.layer for part in parts]),
        bulbs=bulbs,
    )


def fitted(parts: Iterable[Part], *, length_m: float, width_m: float, height_m: float) -> list[Part]:
    """The same parts stretched along the axes until they fill the box of a body exactly."""
    parts = list(parts)
    corners = np.concatenate([face.corners for part in parts for face in part.faces])
    low, high = corners.min(axis=0), corners.max(axis=0)
    size = np.array([width_m, length_m, height_m])
    scale, origin = size / (high - low), np.array([-width_m / 2, -length_m / 2, 0.0])
    return [
        replace(
            part,
            faces=tuple(replace(face, corners=(face.corners - low) * scale + origin) for face in part.faces),
        )
        for part in parts
    ]


def moved(part: Part, offset: tuple[float, float, float], *, turn_rad: float = 0.0) -> Part:
    """A part turned about the upright axis, then shifted by an offset in metres."""
    cos, sin = np.cos(turn_rad), np.sin(turn_rad)
    turn = np.array([[cos, sin, 0], [-sin, cos, 0], [0, 0, 1]])
    return replace(part, faces=tuple(replace(face, corners=face.corners @ turn + offset) for face in part.faces))


def normal_of(corners: Floats) -> Floats:
    """Unit normal (3,) of a polygon (n, 3), by Newell's sum; the upright for one without area."""
    ahead = np.roll(corners, -1, axis=0)
    normal = np.cross(corners, ahead).sum(axis=0)
    length = float(np.linalg.norm(normal))
    return normal / length if length > 1e-12 else np.array([0.0, 0.0, 1.0])


def _middle(part: Part) -> Floats:
    corners = np.concatenate([face.corners for face in part.faces if face.level == 0] or [part.faces[0].corners])
    return np.asarray((corners.min(axis=0) + corners.max(axis=0)) / 2, np.float64)


def _outward(face: Face, middle: Floats) -> Face:
    if normal_of(face.corners) @ (face.corners.mean(axis=0) - middle) < 0:
        return replace(face, corners=face.corners[::-1])
    return face
