"""Stalls, stacked goods and wheeled bins."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from sim.drawing.litter import mound
from sim.drawing.mesh import DETAIL, Face, Floats, Mesh, Part, build_mesh, fitted, moved
from sim.drawing.solids import ball, box, disc, loft, octagon, patch, shaded, tube, upright_x, upright_y
from sim.drawing.vehicle_parts import RUBBER
from sim.street.weather import Colour

Size = tuple[float, float, float]

_BIN_PAINTS: tuple[tuple[float, Colour], ...] = (
    (0.50, (0.26, 0.52, 0.15)), (0.18, (0.62, 0.32, 0.08)), (0.14, (0.30, 0.30, 0.29)),
    (0.08, (0.12, 0.12, 0.66)), (0.04, (0.10, 0.10, 0.10)), (0.06, (0.08, 0.66, 0.86)),
)  # fmt: skip
_AWNINGS: tuple[tuple[Colour, Colour], ...] = (
    ((0.12, 0.12, 0.66), (0.80, 0.82, 0.83)), ((0.55, 0.28, 0.08), (0.80, 0.82, 0.83)),
    ((0.20, 0.48, 0.16), (0.20, 0.48, 0.16)), ((0.08, 0.40, 0.80), (0.12, 0.14, 0.68)),
)  # fmt: skip
_FRUIT: tuple[Colour, ...] = (
    (0.08, 0.35, 0.80),
    (0.10, 0.10, 0.60),
    (0.18, 0.55, 0.30),
    (0.10, 0.62, 0.75),
    (0.30, 0.20, 0.38),
)
_CARTON: Colour = (0.28, 0.42, 0.58)
_STEEL: Colour = (0.38, 0.38, 0.38)


def wheeled_bin(size_m: Size, rng: np.random.Generator, *, is_overfull: bool) -> Mesh:
    """A bin of 240 litres; overfull: its lid hangs open and litter stands above the rim and around the foot."""
    length, width, height = size_m
    shares = np.array([share for share, _ in _BIN_PAINTS])
    bgr = shaded(_BIN_PAINTS[int(rng.choice(len(_BIN_PAINTS), p=shares))][1], float(rng.uniform(0.85, 1.15)))
    rim = height * 0.90
    parts = [Part(faces=_bin_body(size_m, rim, bgr), layer=1), *_bin_rim(size_m, rim, bgr, is_open=is_overfull)]
    parts = fitted(parts, length_m=length, width_m=width, height_m=height if not is_overfull else height * 0.94)
    if is_overfull:
        litter = mound((length * 1.15, width * 1.2, height * 0.55), rng, count=34)
        parts += [replace(moved(part, (0.0, 0.03, rim * 0.96)), layer=3) for part in litter]
        parts += _bags_around(size_m, rng)
    return build_mesh(parts)


def _bin_body(size_m: Size, rim: float, bgr: Colour) -> tuple[Face, ...]:
    length, width, _ = size_m
    rings = []
    for z, wide in ((0.04, 0.76), (rim * 0.93, 0.97), (rim, 1.0)):
        x, y, c = width / 2 * wide, length / 2 * wide * 0.93, 0.05
        rings.append(octagon(x, y, c, z=z))
    faces = loft(np.array(rings), bgr, gloss=0.06)
    front, back = faces[2], faces[6]
    marks = [
        Face(corners=patch(front, (0.34, 0.66), (0.40, 0.62)), bgr=(0.80, 0.82, 0.80), level=1),
        Face(corners=patch(front, (0.40, 0.60), (0.45, 0.57)), bgr=bgr, level=DETAIL),
        Face(corners=patch(front, (0.26, 0.74), (0.68, 0.74)), bgr=(0.80, 0.82, 0.80), level=DETAIL),
        *(
            Face(corners=patch(side, (u, u + 0.035), (0.08, 0.9)), bgr=shaded(bgr, 0.78), level=1)
            for side in (front, back, faces[0], faces[4])
            for u in (0.12, 0.86)
        ),
        *(Face(corners=patch(side, (0.0, 1.0), (0.95, 1.0)), bgr=shaded(bgr, 0.7), level=1) for side in faces[:8]),
    ]
    wheels = [disc(x, -length * 0.40, 0.11, 0.11, RUBBER, 2, sides=10) for x in (-width / 2 * 0.80, width / 2 * 0.80)]
    tyres = [
        Face(corners=upright_y(-length / 2 * 0.80, (x - 0.04, x + 0.04), (0.0, 0.2)), bgr=RUBBER, level=2)
        for x in (-width / 2 * 0.75, width / 2 * 0.75)
    ]
    return (*faces, *marks, *wheels, *tyres)


def _bin_rim(size_m: Size, rim: float, bgr: Colour, *, is_open: bool) -> list[Part]:
    length, width, height = size_m
    lid_paint = shaded(bgr, 0.82)
    grip = tube(
        np.array([-width * 0.4, -length * 0.5, rim]),
        np.array([width * 0.4, -length * 0.5, rim]),
        (0.025, 0.025),
        shaded(bgr, 0.6),
        sides=5,
    )
    if is_open:
        lid = box((-width / 2, width / 2), (-length / 2, -length / 2 + 0.04), (rim * 0.35, rim), lid_paint)
        return [Part(faces=grip, layer=1), Part(faces=lid, layer=0)]
    lid = box(
        (-width / 2, width / 2), (-length / 2 * 0.98, length / 2), (rim, height), lid_paint, gloss=0.08, taper=0.86
    )
    return [Part(faces=grip, layer=1), Part(faces=lid, layer=2)]


def _bags_around(size_m: Size, rng: np.random.Generator) -> list[Part]:
    length, width, _ = size_m
    parts: list[Part] = []
    for _ in range(int(rng.integers(0, 3))):
        side = float(rng.choice((-1.0, 1.0)))
        at = (side * (width / 2 + rng.uniform(0.1, 0.2)), float(rng.uniform(-0.2, 0.4)) * length, 0.0)
        parts += [moved(part, at) for part in mound((0.5, 0.45, 0.35), rng, count=9)]
    return parts


def goods(size_m: Size, rng: np.random.Generator) -> Mesh:
    """Cartons and crates stacked up."""
    length, width, height = size_m
    across, along, up = max(1, round(width / 0.5)), max(1, round(length / 0.5)), max(1, round(height / 0.36))
    parts: list[Part] = []
    for layer in range(up):
        for i in range(across):
            for j in range(along):
                if layer == up - 1 and rng.random() < 0.25 and i + j > 0:
                    continue
                parts.append(
                    _carton(
                        (i / across - 0.5, j / along - 0.5, layer),
                        (width / across, length / along, height / up),
                        size_m,
                        rng,
                    )
                )
    return build_mesh(fitted(parts, length_m=length, width_m=width, height_m=height))


def _carton(
    at: tuple[float, float, int], step: tuple[float, float, float], size_m: Size, rng: np.random.Generator
) -> Part:
    length, width, _ = size_m
    x, y, z = at[0] * width, at[1] * length, at[2] * step[2]
    slack = rng.uniform(0.0, 0.07, 2)
    plain = rng.random() < 0.7
    bgr = shaded(_CARTON, float(rng.uniform(0.75, 1.2))) if plain else _FRUIT[int(rng.integers(len(_FRUIT)))]
    x0, x1, y0, y1 = x + slack[0], x + step[0] - 0.02, y + slack[1], y + step[1] - 0.02
    faces = box((x0, x1), (y0, y1), (z, z + step[2] - 0.01), bgr)
    middle = (y0 + y1) / 2
    tape = [
        Face(
            corners=upright_x(side, (middle - 0.03, middle + 0.03), (z, z + step[2] - 0.01)),
            bgr=shaded(bgr, 1.3),
            level=DETAIL,
        )
        for side in (x0, x1)
    ]
    label = [
        Face(corners=upright_y(side, (x0 + 0.08, x0 + 0.2), (z + 0.1, z + 0.2)), bgr=(0.75, 0.75, 0.75), level=DETAIL)
        for side in (y0, y1)
    ]
    return Part(faces=(*faces, *tape, *label), layer=at[2])


def stall(size_m: Size, rng: np.random.Generator) -> Mesh:
    """A street vendor's table full of goods under a big umbrella."""
    length, width, height = size_m
    cloth, stripe = _AWNINGS[int(rng.integers(len(_AWNINGS)))]
    table_z = 0.78
    half_x, half_y = width * 0.42, length * 0.44
    table = box((-half_x, half_x), (-half_y, half_y), (0.12, table_z), shaded(cloth, 0.8))
    parts = [
        Part(faces=box((-half_x * 0.8, half_x * 0.8), (-half_y * 0.8, half_y * 0.8), (0.0, 0.15), RUBBER), layer=0),
        Part(faces=table, layer=1),
        *_wares(half_x, half_y, table_z, rng),
        Part(
            faces=tube(np.array([0.0, 0.0, table_z]), np.array([0.0, 0.0, height]), (0.025, 0.025), _STEEL, sides=5),
            layer=3,
        ),
        *_umbrella(width / 2, length / 2, height, (cloth, stripe)),
    ]
    return build_mesh(fitted(parts, length_m=length, width_m=width, height_m=height))


def _wares(half_x: float, half_y: float, z: float, rng: np.random.Generator) -> list[Part]:
    parts = []
    for x in np.linspace(-half_x * 0.75, half_x * 0.75, 3).tolist():
        for y in np.linspace(-half_y * 0.8, half_y * 0.8, 5).tolist():
            bgr = _FRUIT[int(rng.integers(len(_FRUIT)))]
            size = rng.uniform(0.10, 0.16, 3) * (1.0, 1.0, 0.9)
            parts.append(Part(faces=ball(np.array([x, y, z + 0.06]), size, bgr, sides=6), layer=2))
    return parts


def _umbrella(half_x: float, half_y: float, height: float, colours: tuple[Colour, Colour]) -> list[Part]:
    rim_z, sides = height - 0.42, 8
    angles = (np.arange(sides) + 0.5) * 2 * math.pi / sides
    rim: Floats = np.column_stack((half_x * np.cos(angles), half_y * np.sin(angles), np.full(sides, rim_z)))
    top = np.array([0.0, 0.0, height])
    faces = [
        Face(corners=np.stack((rim[i - 1], rim[i], top)), bgr=colours[i % 2], is_two_sided=True) for i in range(sides)
    ]
    edge = [
        Face(
            corners=np.stack((rim[i - 1], rim[i], rim[i] - (0, 0, 0.14), rim[i - 1] - (0, 0, 0.14))),
            bgr=shaded(colours[(i + 1) % 2], 0.9),
            is_two_sided=True,
        )
        for i in range(sides)
    ]
    return [Part(faces=(*edge, *faces), layer=4)]
