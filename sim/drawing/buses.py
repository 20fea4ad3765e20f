"""City buses."""

from __future__ import annotations

import numpy as np

from sim.drawing.mesh import DETAIL, Burns, Face, Mesh, Part, build_mesh, fitted
from sim.drawing.solids import box, loft, octagon, shaded, upright_x, upright_y
from sim.drawing.vehicle_parts import DARK, GLASS, GLASS_GLOSS, LAMP_GLASS, RUBBER, TAIL, lamps, wheel
from sim.street.weather import Colour

Size = tuple[float, float, float]

_BUS_PAINTS: tuple[tuple[Colour, Colour], ...] = (
    ((0.36, 0.55, 0.12), (0.80, 0.82, 0.80)),
    ((0.58, 0.30, 0.08), (0.82, 0.82, 0.80)),
    ((0.10, 0.10, 0.58), (0.80, 0.82, 0.84)),
    ((0.08, 0.55, 0.78), (0.82, 0.84, 0.84)),
)
_PLATE: Colour = (0.05, 0.45, 0.55)
_SIGN: Colour = (0.05, 0.30, 0.55)


def bus(size_m: Size, rng: np.random.Generator) -> Mesh:
    """A city bus with doors on its right, a lit sign over the windscreen and a box on its roof."""
    length, width, height = size_m
    skirt, top = _BUS_PAINTS[int(rng.integers(len(_BUS_PAINTS)))]
    half, front = width / 2, length / 2
    shell = _bus_shell(size_m, top)
    roof = box((-half * 0.6, half * 0.6), (-0.3 * length, 0.12 * length), (height - 0.16, height), shaded(top, 0.85))
    parts = [
        Part(faces=box((-0.44 * width, 0.44 * width), (-0.44 * length, 0.44 * length), (0.0, 0.5), RUBBER), layer=0),
        Part(faces=(*shell, *_bus_sides(size_m, skirt), *_bus_ends(size_m, skirt)), layer=1),
        Part(faces=roof, layer=2),
    ]
    bulbs = lamps(length, 0.40 * width, 0.62, 0.95)
    return build_mesh(fitted(parts, length_m=2 * front, width_m=width, height_m=height), bulbs)


def _bus_shell(size_m: Size, bgr: Colour) -> tuple[Face, ...]:
    length, width, height = size_m
    half, front = width / 2, length / 2
    rings = []
    for z, inset in ((0.28, 0.0), (height - 0.42, 0.0), (height - 0.14, 0.16)):
        x, y, c = half - inset, front - inset * 0.6, 0.18
        rings.append(octagon(x, y, c, z=z))
    return loft(np.array(rings), bgr, gloss=0.12)


def _bus_sides(size_m: Size, skirt: Colour) -> tuple[Face, ...]:
    length, width, height = size_m
    window_z = (0.42 * height, height - 0.5)
    faces: list[Face] = []
    for x in (-width / 2, width / 2):
        faces.append(
            Face(
                corners=upright_x(x, (-length / 2 + 0.18, length / 2 - 0.18), (0.28, 0.40 * height)),
                bgr=skirt,
                gloss=0.1,
                level=1,
            )
        )
        faces.append(
            Face(corners=upright_x(x, (-length / 2 + 0.2, length / 2 - 0.2), window_z), bgr=DARK, gloss=0.2, level=1)
        )
        faces += [
            Face(
                corners=upright_x(x, (y + 0.05, y + 1.32), (window_z[0] + 0.06, window_z[1] - 0.05)),
                bgr=GLASS,
                gloss=GLASS_GLOSS,
                level=2,
                burns=Burns.INSIDE_LIGHT,
            )
            for y in np.linspace(-length / 2 + 0.3, length / 2 - 1.7, round(length / 1.45)).tolist()
        ]
        for share in (0.27, -0.24):
            faces += wheel(x, share * length, 0.48)
    for share in (0.37, -0.02):
        door = upright_x(width / 2, (share * length, share * length + 1.15), (0.34, height - 0.5))
        faces.append(Face(corners=door, bgr=shaded(DARK, 1.5), gloss=0.2, level=3))
        for offset in (0.06, 0.60):
            leaf = upright_x(width / 2, (share * length + offset, share * length + offset + 0.48), (0.5, height - 0.56))
            faces.append(Face(corners=leaf, bgr=GLASS, gloss=GLASS_GLOSS, level=4, burns=Burns.INSIDE_LIGHT))
    return tuple(faces)


def _bus_ends(size_m: Size, skirt: Colour) -> tuple[Face, ...]:
    return (*_bus_front(size_m, skirt), *_bus_back(size_m, skirt))


def _bus_front(size_m: Size, skirt: Colour) -> list[Face]:
    length, width, height = size_m
    wide, y = width / 2 - 0.18, length / 2
    pane, head = (0.40 * height, height - 0.72), (height - 0.72, height - 0.45)
    sign = upright_y(y, (-wide * 0.7, wide * 0.7), (height - 0.67, height - 0.50))
    lights = [upright_y(y, (x - 0.16, x + 0.16), (0.52, 0.74)) for x in (-wide * 0.85, wide * 0.85)]
    return [
        Face(corners=upright_y(y, (-wide, wide), pane), bgr=GLASS, gloss=GLASS_GLOSS, level=1),
        Face(corners=upright_y(y, (-wide, wide), head), bgr=DARK, level=1),
        Face(corners=sign, bgr=_SIGN, level=2, burns=Burns.INSIDE_LIGHT),
        Face(corners=upright_y(y, (-wide, wide), (0.28, 0.38 * height)), bgr=skirt, gloss=0.1, level=1),
        Face(corners=upright_y(y, (-wide, wide), (0.30, 0.42)), bgr=DARK, level=2),
        Face(corners=upright_y(y, (-0.22, 0.22), (0.46, 0.60)), bgr=_PLATE, level=DETAIL),
        *(Face(corners=lamp, bgr=LAMP_GLASS, gloss=0.3, level=2, burns=Burns.HEADLIGHT) for lamp in lights),
    ]


def _bus_back(size_m: Size, skirt: Colour) -> list[Face]:
    length, width, height = size_m
    wide, y = width / 2 - 0.18, -length / 2
    pane = upright_y(y, (-wide * 0.9, wide * 0.9), (0.55 * height, height - 0.6))
    lights = [upright_y(y, (x - 0.1, x + 0.1), (0.75, 1.15)) for x in (-wide * 0.85, wide * 0.85)]
    return [
        Face(corners=pane, bgr=GLASS, gloss=GLASS_GLOSS, level=1),
        Face(corners=upright_y(y, (-wide, wide), (0.28, 0.40 * height)), bgr=skirt, gloss=0.1, level=1),
        Face(corners=upright_y(y, (-wide * 0.6, wide * 0.6), (0.55, 0.38 * height)), bgr=DARK, level=2),
        *(Face(corners=lamp, bgr=TAIL, gloss=0.1, level=2, burns=Burns.TAIL_LIGHT) for lamp in lights),
    ]
