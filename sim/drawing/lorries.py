"""Light lorries."""

from __future__ import annotations

import numpy as np

from sim.drawing.mesh import DETAIL, Burns, Face, Mesh, Part, build_mesh, fitted
from sim.drawing.solids import box, loft, patch, shaded, upright_x, upright_y
from sim.drawing.vehicle_parts import DARK, GLASS, GLASS_GLOSS, LAMP_GLASS, RUBBER, TAIL, lamps, wheel
from sim.street.weather import Colour

Size = tuple[float, float, float]

_CAB_PAINTS: tuple[Colour, ...] = ((0.82, 0.83, 0.83), (0.50, 0.24, 0.08), (0.10, 0.08, 0.52), (0.55, 0.55, 0.5))
_CARGO_PAINTS: tuple[Colour, ...] = ((0.86, 0.87, 0.87), (0.80, 0.80, 0.77), (0.66, 0.66, 0.65), (0.62, 0.44, 0.24))
_STRIPS: tuple[Colour, Colour] = ((0.12, 0.12, 0.72), (0.82, 0.82, 0.82))
_PLATE: Colour = (0.05, 0.45, 0.55)


def truck(size_m: Size, rng: np.random.Generator) -> Mesh:
    """A light lorry: a cab over the engine, and a closed box, or now and then a flat bed with boards."""
    length, width, height = size_m
    cab_paint = _CAB_PAINTS[int(rng.integers(len(_CAB_PAINTS)))]
    cargo_paint = _CARGO_PAINTS[int(rng.integers(len(_CARGO_PAINTS)))]
    is_box = bool(rng.random() < 0.75)
    cab_length = 1.65
    behind_cab = length / 2 - cab_length
    cab_height = min(2.15, height * 0.82) if is_box else height
    parts = [
        *_tyres(size_m),
        Part(faces=(*_chassis(size_m), *_truck_wheels(size_m)), layer=1),
        _cab(size_m, cab_length, cab_height, cab_paint),
        _cargo_box(size_m, behind_cab, cargo_paint)
        if is_box
        else _flat_bed(size_m, behind_cab, shaded(cab_paint, 0.9)),
    ]
    return build_mesh(
        fitted(parts, length_m=length, width_m=width, height_m=height), lamps(length, 0.38 * width, 0.75, 0.72)
    )


def _tyres(size_m: Size) -> list[Part]:
    """Tyres as they show below the frame from before and behind, and the dark between them."""
    length, width, _ = size_m
    rear, front = (-0.28 * length - 0.4, -0.28 * length + 0.4), (0.5 * length - 1.3, 0.5 * length - 0.55)
    spans = [
        (side * 0.36 * width - 0.12 * width, side * 0.36 * width + 0.12 * width, along)
        for side in (-1, 1)
        for along in (rear, front)
    ]
    axles = Part(faces=box((-0.3 * width, 0.3 * width), (-0.42 * length, 0.40 * length), (0.28, 0.62), RUBBER), layer=0)
    return [axles, *(Part(faces=box((x0, x1), along, (0.0, 0.7), RUBBER), layer=0) for x0, x1, along in spans)]


def _chassis(size_m: Size) -> tuple[Face, ...]:
    length, width, _ = size_m
    frame = box((-0.495 * width, 0.495 * width), (-length / 2, length / 2 - 1.75), (0.55, 0.9), DARK)
    tail = [
        Face(
            corners=upright_y(-length / 2, (x - 0.14, x + 0.14), (0.64, 0.80)),
            bgr=TAIL,
            level=1,
            burns=Burns.TAIL_LIGHT,
        )
        for x in (-0.38 * width, 0.38 * width)
    ]
    plate = Face(corners=upright_y(-length / 2, (-0.22, 0.22), (0.62, 0.78)), bgr=_PLATE, level=DETAIL)
    return (*frame, *tail, plate)


def _truck_wheels(size_m: Size) -> tuple[Face, ...]:
    length, width, _ = size_m
    return tuple(
        face
        for x in (-0.497 * width, 0.497 * width)
        for y in (0.5 * length - 0.95, -0.28 * length)
        for face in wheel(x, y, 0.40)
    )


def _cab(size_m: Size, cab_length: float, cab_height: float, bgr: Colour) -> Part:
    length, width, _ = size_m
    front, back = length / 2, length / 2 - cab_length
    half = width * 0.46
    outline = [(0.45, 0.0), (1.15, 0.0), (cab_height - 0.12, 0.30), (cab_height, 0.45)]
    rings = np.array(
        [
            [
                (-half * 0.98, front - lean - 0.08, z), (-half * 0.85, front - lean, z), (half * 0.85, front - lean, z),
                (half * 0.98, front - lean - 0.08, z), (half * 0.98, back, z), (-half * 0.98, back, z),
            ]
            for z, lean in outline
        ]
    )  # fmt: skip
    faces = loft(rings, bgr, gloss=0.14)
    windscreen = [
        Face(corners=patch(faces[6 + side], (0.0, 1.0), (0.10, 0.92)), bgr=GLASS, gloss=GLASS_GLOSS, level=1)
        for side in (1, 2, 3)
    ]
    doors = [
        Face(corners=patch(faces[6 + side], (0.25, 0.88), (0.12, 0.88)), bgr=GLASS, gloss=GLASS_GLOSS, level=1)
        for side in (4, 0)
    ]
    nose = [
        Face(corners=upright_y(front, (-half * 0.6, half * 0.6), (0.78, 1.0)), bgr=DARK, level=1),
        Face(corners=upright_y(front, (-half * 0.85, half * 0.85), (0.45, 0.60)), bgr=DARK, level=1),
        Face(corners=upright_y(front, (-0.22, 0.22), (0.5, 0.64)), bgr=_PLATE, level=DETAIL),
        *(
            Face(
                corners=upright_y(front, (x - 0.13, x + 0.13), (0.64, 0.80)),
                bgr=LAMP_GLASS,
                gloss=0.3,
                level=1,
                burns=Burns.HEADLIGHT,
            )
            for x in (-half * 0.7, half * 0.7)
        ),
    ]
    return Part(faces=(*faces, *windscreen, *doors, *nose), layer=3)


def _cargo_box(size_m: Size, front: float, bgr: Colour) -> Part:
    length, width, height = size_m
    half, back = width / 2, -length / 2
    faces = box((-half, half), (back, front - 0.1), (0.88, height), bgr, gloss=0.05)
    seams = [
        Face(corners=upright_x(x, (y, y + 0.03), (0.95, height - 0.06)), bgr=shaded(bgr, 0.75), level=DETAIL)
        for x in (-half, half)
        for y in np.arange(back + 0.6, front - 0.4, 0.62).tolist()
    ]
    rear = _cargo_doors(half, back, height, bgr)
    rails = [
        Face(corners=upright_x(x, (back, front - 0.1), (0.88, 0.97)), bgr=shaded(bgr, 0.5), level=1)
        for x in (-half, half)
    ]
    return Part(faces=(*faces, *seams, *rear, *rails), layer=3)


def _cargo_doors(half: float, back: float, height: float, bgr: Colour) -> list[Face]:
    """The rear of the box: frame, two doors with their bars, red and white strips that shine back."""
    bars = [
        Face(corners=upright_y(back, (x, x + wide), (0.95, height - 0.06)), bgr=shaded(bgr, share), level=DETAIL)
        for x, wide, share in ((-half * 0.5, 0.05, 0.5), (-0.015, 0.03, 0.3), (half * 0.5 - 0.05, 0.05, 0.5))
    ]
    strips = [
        Face(corners=upright_y(back, (x, x + half * 0.2), (z, z + 0.07)), bgr=_STRIPS[i % 2], level=DETAIL)
        for z in (0.97, 1.55)
        for i, x in enumerate(np.linspace(-half * 0.95, half * 0.75, 7).tolist())
    ]
    edges = (
        ((-half, 0.06 - half), (0.88, height)),
        ((half - 0.06, half), (0.88, height)),
        ((-half, half), (height - 0.07, height)),
        ((-half, half), (0.88, 0.95)),
    )
    frame = [Face(corners=upright_y(back, x, z), bgr=shaded(bgr, 0.6), level=1) for x, z in edges]
    return [*frame, *bars, *strips]


def _flat_bed(size_m: Size, front: float, bgr: Colour) -> Part:
    length, width, _ = size_m
    half, back, rim = width / 2, -length / 2, 1.35
    faces = box((-half, half), (back, front - 0.1), (0.85, rim), bgr)
    load = Face(
        corners=np.array(
            [
                (-half * 0.93, back + 0.08, rim),
                (half * 0.93, back + 0.08, rim),
                (half * 0.93, front - 0.2, rim),
                (-half * 0.93, front - 0.2, rim),
            ]
        ),
        bgr=(0.16, 0.20, 0.24),
        level=1,
    )
    posts = [
        Face(corners=upright_x(x, (y, y + 0.06), (0.86, rim)), bgr=shaded(bgr, 0.5), level=DETAIL)
        for x in (-half, half)
        for y in np.linspace(back + 0.1, front - 0.3, 5).tolist()
    ]
    return Part(faces=(*faces, load, *posts), layer=2)
