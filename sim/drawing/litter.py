"""What is thrown away: tied bags, and heaps of bags, boxes and rags."""

from __future__ import annotations

import numpy as np

from sim.drawing.mesh import DETAIL, Face, Floats, Mesh, Part, build_mesh, fitted, moved
from sim.drawing.solids import box, loft, shaded, tube
from sim.street.weather import Colour

Size = tuple[float, float, float]

_RAGS: tuple[Colour, ...] = (
    (0.94, 0.95, 0.96), (0.90, 0.92, 0.94), (0.82, 0.86, 0.90), (0.92, 0.93, 0.94), (0.88, 0.78, 0.66),
    (0.80, 0.52, 0.25), (0.18, 0.17, 0.17), (0.10, 0.10, 0.11), (0.30, 0.50, 0.72), (0.40, 0.60, 0.78),
    (0.24, 0.24, 0.84), (0.36, 0.78, 0.94), (0.40, 0.64, 0.40),
)  # fmt: skip
_BAGS: tuple[Colour, ...] = (
    (0.05, 0.05, 0.055), (0.06, 0.06, 0.06), (0.86, 0.88, 0.89), (0.90, 0.91, 0.92), (0.22, 0.20, 0.70),
)  # fmt: skip
_CARTON: Colour = (0.38, 0.55, 0.72)


def bag(size_m: Size, rng: np.random.Generator) -> Mesh:
    """One tied bin bag."""
    length, width, height = size_m
    bgr = _BAGS[int(rng.integers(len(_BAGS)))]
    return build_mesh(fitted(_bag_parts(bgr, rng), length_m=length, width_m=width, height_m=height))


def heap(size_m: Size, rng: np.random.Generator) -> Mesh:
    """A mound of litter."""
    length, width, height = size_m
    count = int(np.clip(55 * (length * width) ** 0.5, 45, 120))
    parts = mound((length, width, height), rng, count=count)
    return build_mesh(fitted(parts, length_m=length, width_m=width, height_m=height))


def mound(size_m: Size, rng: np.random.Generator, *, count: int) -> list[Part]:
    """Rags, bags and boxes strewn over a mound that stands on the ground at the origin."""
    length, width, height = size_m
    parts: list[Part] = []
    for _ in range(count):
        radius, angle = np.sqrt(rng.random()), rng.uniform(0, 2 * np.pi)
        x, y = radius * np.cos(angle), radius * np.sin(angle)
        surface = 1 - radius**1.6
        at = np.array([x * width * 0.46, y * length * 0.46, height * surface * rng.uniform(0.55, 0.95) + 0.03])
        outward = np.array([x / width, y / length, 0.35 + 0.5 * surface])
        size = float(rng.uniform(0.05, 0.17)) * max(0.7, min(1.3, (length * width) ** 0.5 / 1.6))
        parts.append(_piece(at, outward / np.linalg.norm(outward), size, rng))
    return parts


def _piece(at: Floats, outward: Floats, size: float, rng: np.random.Generator) -> Part:
    chance = rng.random()
    if chance < 0.14:
        bgr = _BAGS[int(rng.integers(len(_BAGS)))]
        part = Part(faces=tuple(face for piece in _bag_parts(bgr, rng, sides=6) for face in piece.faces))
        scaled = tuple(
            Face(corners=face.corners * size * 3.2, bgr=face.bgr, gloss=face.gloss, level=face.level)
            for face in part.faces
        )
        return moved(
            Part(faces=scaled), (at[0], at[1], max(0.0, at[2] - size * 1.4)), turn_rad=float(rng.uniform(0, 6.3))
        )
    if chance < 0.24:
        half = size * rng.uniform(0.7, 1.3, 2)
        carton = box(
            (-half[0], half[0]),
            (-half[1], half[1]),
            (-size * 0.5, size * 0.7),
            shaded(_CARTON, float(rng.uniform(0.7, 1.25))),
        )
        return moved(Part(faces=carton), (at[0], at[1], max(size * 0.5, at[2])), turn_rad=float(rng.uniform(0, 6.3)))
    return _rag(at, outward, size, rng)


def _rag(at: Floats, outward: Floats, size: float, rng: np.random.Generator) -> Part:
    """A crumpled sheet: a darker rim, a lighter middle, two folds."""
    normal = outward + rng.normal(0, 0.45, 3)
    normal /= np.linalg.norm(normal)
    across = np.cross(normal, (0.31, 0.71, 0.63))
    across /= np.linalg.norm(across)
    along = np.cross(normal, across)
    angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
    spokes = size * rng.uniform(0.6, 1.15, 9)
    rim = at + (np.cos(angles) * spokes)[:, None] * across + (np.sin(angles) * spokes * 0.85)[:, None] * along
    rim[:, 2] = np.maximum(rim[:, 2], 0.0)
    middle = rim.mean(axis=0)
    bgr = _RAGS[int(rng.integers(len(_RAGS)))]
    inner = middle + (rim - middle) * 0.72 + normal * size * 0.1
    faces = [
        Face(corners=rim, bgr=shaded(bgr, 0.6), is_two_sided=True),
        Face(corners=inner, bgr=bgr, level=1, is_two_sided=True),
    ]
    for _ in range(2):
        a, b = rng.uniform(-0.6, 0.6, (2, 2)) * size
        start, end = (middle + p[0] * across + p[1] * along + normal * size * 0.12 for p in (a, b))
        wide = np.cross(end - start, normal)
        wide *= size * 0.05 / max(float(np.linalg.norm(wide)), 1e-9)
        fold = np.stack((start - wide, start + wide, end + wide, end - wide))
        faces.append(Face(corners=fold, bgr=shaded(bgr, 0.5), level=DETAIL, is_two_sided=True))
    return Part(faces=tuple(faces))


def _bag_parts(bgr: Colour, rng: np.random.Generator, *, sides: int = 9) -> list[Part]:
    """A bag one metre wide and high: creased body, gathered neck, two ears."""
    angles = np.arange(sides) * 2 * np.pi / sides
    rings = []
    for z, wide in ((0.0, 0.36), (0.18, 0.49), (0.42, 0.46), (0.62, 0.30), (0.76, 0.09)):
        reach = wide * rng.uniform(0.88, 1.08, sides)
        rings.append(np.column_stack((reach * np.cos(angles), reach * np.sin(angles), np.full(sides, z))))
    body = loft(np.array(rings), bgr, gloss=0.22)
    creased = tuple(
        Face(
            corners=face.corners,
            bgr=shaded(face.bgr, float(rng.uniform(0.75, 1.3))),
            gloss=float(rng.uniform(0.08, 0.34)),
        )
        for face in body
    )
    top = np.array([0.0, 0.0, 0.74])
    ears = [tube(top, top + (x, 0.05, 0.24), (0.05, 0.1), shaded(bgr, 1.15), sides=5, gloss=0.2) for x in (-0.14, 0.14)]
    return [Part(faces=creased, layer=0), *(Part(faces=ear, layer=1) for ear in ears)]
