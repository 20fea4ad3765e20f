"""The shapes that things are put together from; every function returns faces in body axes, metres."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from sim.drawing.mesh import Face, Floats
from sim.street.weather import Colour

Span = tuple[float, float]


def loft(rings: Floats, bgr: Colour, *, gloss: float = 0.0) -> tuple[Face, ...]:
    """The hull between rings (R, n, 3) of equally many corners, closed by its first and last ring."""
    sides = [
        Face(corners=np.stack((below[i], below[i - 1], above[i - 1], above[i])), bgr=bgr, gloss=gloss)
        for below, above in pairwise(rings)
        for i in range(len(below))
    ]
    return (*sides, Face(corners=rings[0], bgr=bgr, gloss=gloss), Face(corners=rings[-1], bgr=bgr, gloss=gloss))


def octagon(x: float, y: float, cut: float, *, z: float) -> list[tuple[float, float, float]]:
    """The corners of a level rectangle from (-x, -y) to (x, y) with its corners cut off."""
    return [
        (-x, y - cut, z),
        (-x + cut, y, z),
        (x - cut, y, z),
        (x, y - cut, z),
        (x, -y + cut, z),
        (x - cut, -y, z),
        (-x + cut, -y, z),
        (-x, -y + cut, z),
    ]


def box(x: Span, y: Span, z: Span, bgr: Colour, *, gloss: float = 0.0, taper: float = 1.0) -> tuple[Face, ...]:
    """An upright box between two limits on each axis; taper: size of its top over that of its foot."""
    foot = np.array([(x[0], y[0], z[0]), (x[1], y[0], z[0]), (x[1], y[1], z[0]), (x[0], y[1], z[0])])
    middle = foot.mean(axis=0)
    top = (foot - middle) * taper + middle
    top[:, 2] = z[1]
    return loft(np.stack((foot, top)), bgr, gloss=gloss)


def tube(a: Floats, b: Floats, radii: Span, bgr: Colour, *, sides: int = 6, gloss: float = 0.0) -> tuple[Face, ...]:
    """A round bar from a (3,) to b (3,) with its radius at both ends."""
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    across = np.cross(along, (0.0, 0.0, 1.0) if abs(along[2]) < 0.9 else (1.0, 0.0, 0.0))
    across /= np.linalg.norm(across)
    up = np.cross(along, across)
    angles = np.arange(sides) * 2 * np.pi / sides
    circle = np.cos(angles)[:, None] * across + np.sin(angles)[:, None] * up
    return loft(np.stack((a + circle * radii[0], b + circle * radii[1])), bgr, gloss=gloss)


def ball(
    middle: Floats, radii: Floats, bgr: Colour, *, sides: int = 8, gloss: float = 0.0, cut: Span = (-1.0, 1.0)
) -> tuple[Face, ...]:
    """An upright ellipsoid with half axes radii (3,); cut: the heights between which it is kept, -1 … 1."""
    heights = np.linspace(max(cut[0], -0.92), min(cut[1], 0.92), 4)
    angles = np.arange(sides) * 2 * np.pi / sides
    breadth = np.sqrt(1 - heights**2)
    rings = np.stack(
        [
            middle + radii * np.column_stack((np.cos(angles) * wide, np.sin(angles) * wide, np.full(sides, high)))
            for wide, high in zip(breadth, heights, strict=True)
        ]
    )
    return loft(rings, bgr, gloss=gloss)


def disc(  # noqa: PLR0917  a circle has this many numbers
    x: float, y: float, z: float, radius: float, bgr: Colour, level: int = 1, *, sides: int = 14, gloss: float = 0.0
) -> Face:
    """A circle in the plane x = constant."""
    angles = np.arange(sides) * 2 * np.pi / sides
    corners = np.column_stack((np.full(sides, x), y + radius * np.cos(angles), z + radius * np.sin(angles)))
    return Face(corners=corners, bgr=bgr, level=level, gloss=gloss)


def patch(face: Face, u: Span, v: Span) -> Floats:
    """(4, 3) part of a four-cornered face; u runs from corner 0 to corner 1, v from there to the other side."""
    a, b, c, d = face.corners
    return np.stack(
        [
            (a * (1 - s) + b * s) * (1 - t) + (d * (1 - s) + c * s) * t
            for s, t in ((u[0], v[0]), (u[1], v[0]), (u[1], v[1]), (u[0], v[1]))
        ]
    )


def upright_x(x: float, y: Span, z: Span) -> Floats:
    """(4, 3) rectangle in the plane x = constant, as on the side of a vehicle."""
    return np.array([(x, y[0], z[0]), (x, y[1], z[0]), (x, y[1], z[1]), (x, y[0], z[1])])


def upright_y(y: float, x: Span, z: Span) -> Floats:
    """(4, 3) rectangle in the plane y = constant, as on the front of a vehicle."""
    return np.array([(x[0], y, z[0]), (x[1], y, z[0]), (x[1], y, z[1]), (x[0], y, z[1])])


def flat_z(z: float, x: Span, y: Span) -> Floats:
    """(4, 3) rectangle in the plane z = constant."""
    return np.array([(x[0], y[0], z), (x[1], y[0], z), (x[1], y[1], z), (x[0], y[1], z)])


def shaded(bgr: Colour, share: float) -> Colour:
    """A lighter or darker colour of the same tone, at most white."""
    return (min(1.0, bgr[0] * share), min(1.0, bgr[1] * share), min(1.0, bgr[2] * share))
