"""Electric scooters, motorcycles and bicycles, with or without a rider."""

from __future__ import annotations

import math

import numpy as np

from sim.drawing.mesh import DETAIL, Bulb, Burns, Face, Floats, Mesh, Part, build_mesh, fitted
from sim.drawing.people import rider
from sim.drawing.solids import box, disc, loft, shaded, tube, upright_y
from sim.drawing.vehicle_parts import LAMP_GLASS, RUBBER, TAIL
from sim.street.weather import Colour

Size = tuple[float, float, float]
Sections = tuple[tuple[float, float, float, float], ...]

_PAINTS: tuple[Colour, ...] = (
    (0.80, 0.81, 0.82), (0.05, 0.05, 0.05), (0.10, 0.08, 0.58), (0.55, 0.28, 0.08), (0.36, 0.36, 0.36),
    (0.70, 0.62, 0.35), (0.45, 0.45, 0.72), (0.30, 0.48, 0.28),
)  # fmt: skip
_SHARED_PAINTS: tuple[Colour, ...] = ((0.62, 0.42, 0.06), (0.06, 0.62, 0.80), (0.30, 0.50, 0.12), (0.10, 0.10, 0.12))
_HELMETS: tuple[Colour, ...] = ((0.06, 0.60, 0.82), (0.05, 0.05, 0.05), (0.75, 0.76, 0.77), (0.45, 0.22, 0.06))
_BOXES: tuple[Colour, ...] = ((0.65, 0.45, 0.08), (0.06, 0.65, 0.85), (0.06, 0.06, 0.06), (0.12, 0.12, 0.14))
_SEAT: Colour = (0.05, 0.05, 0.055)
_STEEL: Colour = (0.35, 0.35, 0.35)
_ALLOY: Colour = (0.55, 0.55, 0.55)
_PLATE: Colour = (0.70, 0.78, 0.72)
_WHEEL_SIDES = 14

# (y, half width, foot, top) from a scooter's back or, for the fender, front; metres.
_ENGINE: Sections = ((0.16, 0.08, 0.16, 0.40), (0.72, 0.12, 0.16, 0.42))
_REAR: Sections = (
    (0.02, 0.09, 0.58, 0.70), (0.30, 0.16, 0.42, 0.71), (0.74, 0.16, 0.34, 0.70), (0.84, 0.12, 0.32, 0.66),
)  # fmt: skip
_SADDLE: Sections = (
    (0.06, 0.11, 0.70, 0.79), (0.42, 0.15, 0.70, 0.80), (0.60, 0.15, 0.69, 0.76), (0.88, 0.09, 0.67, 0.73),
)  # fmt: skip
_FENDER: Sections = ((-0.40, 0.06, 0.40, 0.47), (-0.24, 0.075, 0.44, 0.52), (-0.06, 0.05, 0.36, 0.43))
# (z, half width, y of its back from the front, depth)
_SHIELD: Sections = (
    (0.26, 0.16, -0.56, 0.12), (0.50, 0.21, -0.50, 0.12), (0.74, 0.19, -0.47, 0.14), (0.88, 0.12, -0.46, 0.14),
)  # fmt: skip


def motorcycle(size_m: Size, rng: np.random.Generator, *, has_rider: bool) -> Mesh:
    """A scooter as it is common in Chinese streets: fairing, floor board, seat, often a box behind."""
    length, width, height = size_m
    bgr = _PAINTS[int(rng.integers(len(_PAINTS)))]
    box_paint = _BOXES[int(rng.integers(len(_BOXES)))] if rng.random() < 0.55 else None
    helmet = _HELMETS[int(rng.integers(len(_HELMETS)))] if rng.random() < 0.7 else None
    front, back = length / 2 - 0.24, -length / 2 + 0.24
    parts = [
        *_alloy_wheel(front, 0.24, 0.05),
        *_alloy_wheel(back, 0.24, 0.06),
        *_scooter_body(length, height, bgr),
        *_handlebar(front - 0.24, height * 0.86, width / 2),
    ]
    if box_paint is not None:
        case = box((-0.19, 0.19), (back - 0.22, back + 0.16), (0.74, 1.06), box_paint, gloss=0.1)
        parts.append(Part(faces=case, layer=2))
    parts = fitted(parts, length_m=length, width_m=width, height_m=height)
    if has_rider:
        seat = np.array([0.0, -0.18, 0.80])
        grips = np.array([(-width * 0.42, front - 0.30, height * 0.90), (width * 0.42, front - 0.30, height * 0.90)])
        feet = np.array([(-0.13, 0.26, 0.34), (0.13, 0.26, 0.34)])
        parts += _upwards(rider(seat, grips, feet, rng, helmet=helmet))
    ahead = np.array([0.0, 1.0, 0.0])
    bulbs = (
        Bulb(at=np.array([0.0, front - 0.08, 0.82]), normal=ahead, burns=Burns.HEADLIGHT, radius_m=0.16),
        Bulb(at=np.array([0.0, -length / 2, 0.68]), normal=-ahead, burns=Burns.TAIL_LIGHT, radius_m=0.09),
    )
    return build_mesh(parts, bulbs)


def bicycle(size_m: Size, rng: np.random.Generator, *, has_rider: bool) -> Mesh:
    """A bicycle, often one of the brightly painted shared ones with a basket."""
    length, width, height = size_m
    bgr = _SHARED_PAINTS[int(rng.integers(len(_SHARED_PAINTS)))]
    radius = 0.33
    front, back = length / 2 - radius, -length / 2 + radius
    crank, saddle = np.array([0.0, -0.08, 0.30]), np.array([0.0, -0.25, 0.88])
    neck = np.array([0.0, front - 0.14, 0.84])
    parts = [
        *_spoked_wheel(front, radius, 0.02),
        *_spoked_wheel(back, radius, 0.02),
        *(
            Part(faces=tube(a, b, (0.024, 0.024), bgr, sides=5, gloss=0.1), layer=1)
            for a, b in (
                (crank, neck), (crank, saddle), (saddle - (0, -0.03, 0.14), neck - (0, 0.0, 0.08)),
                (crank, np.array([0.0, back, radius])), (saddle - (0, 0, 0.2), np.array([0.0, back, radius])),
                (neck, np.array([0.0, front, radius])), (neck, neck + (0, -0.05, 0.22)),
            )
        ),
        Part(faces=box((-0.07, 0.07), (saddle[1] - 0.13, saddle[1] + 0.12), (0.88, 0.94), _SEAT), layer=2),
        *_handlebar(neck[1] - 0.06, height, width / 2),
    ]  # fmt: skip
    if rng.random() < 0.6:
        basket = box((-0.15, 0.15), (neck[1] + 0.08, neck[1] + 0.34), (0.72, 0.95), shaded(_STEEL, 0.5), taper=1.15)
        parts.append(Part(faces=basket, layer=2))
    parts = fitted(parts, length_m=length, width_m=width, height_m=height)
    if has_rider:
        grips = np.array([(-width * 0.42, neck[1] - 0.1, height), (width * 0.42, neck[1] - 0.1, height)])
        feet = np.array([(-0.12, -0.05, 0.16), (0.12, -0.10, 0.44)])
        parts += _upwards(rider(saddle + (0.0, 0.0, 0.1), grips, feet, rng, helmet=None))
    return build_mesh(parts)


def _upwards(parts: list[Part]) -> list[Part]:
    """Riders are painted after what they sit on."""
    return [Part(faces=part.faces, layer=part.layer + 4) for part in parts]


def _spoked_wheel(y: float, radius: float, half_width: float) -> list[Part]:
    """A thin tyre and rim through which the ground shows."""
    tyre = _ring(y, radius, (0.90, 1.0), half_width, RUBBER)
    rim = _ring(y, radius, (0.85, 0.90), half_width * 0.8, _STEEL)
    spokes = [
        Face(corners=_bar(y, radius, angle, radius * 0.86), bgr=_STEEL, level=DETAIL, is_two_sided=True)
        for angle in np.arange(5) * math.pi / 5
    ]
    hub = disc(0.0, y, radius, radius * 0.12, _STEEL, 1, sides=8)
    return [Part(faces=(*_tread(y, radius, half_width), *tyre, *rim, *spokes, hub), layer=0)]


def _alloy_wheel(y: float, radius: float, half_width: float) -> list[Part]:
    """A fat small tyre with a bright disc inside."""
    discs = [
        disc(x, y, radius, radius * share, bgr, level, sides=12, gloss=gloss)
        for x in (-half_width, half_width)
        for share, bgr, level, gloss in (
            (1.0, RUBBER, 0, 0.0),
            (0.62, _ALLOY, 1, 0.15),
            (0.48, shaded(_ALLOY, 0.3), DETAIL, 0.0),
            (0.22, _ALLOY, DETAIL + 1, 0.15),
        )
    ]
    return [Part(faces=(*_tread(y, radius, half_width), *discs), layer=0)]


def _tread(y: float, radius: float, half_width: float) -> list[Face]:
    circle = _circle(y, radius, radius)
    left, right = circle + (-half_width, 0.0, 0.0), circle + (half_width, 0.0, 0.0)
    return [
        Face(corners=np.stack((left[i], left[i - 1], right[i - 1], right[i])), bgr=RUBBER) for i in range(len(circle))
    ]


def _ring(y: float, radius: float, shares: tuple[float, float], half_width: float, bgr: Colour) -> list[Face]:
    inner, outer = (_circle(y, radius, radius * share) for share in shares)
    return [
        Face(
            corners=np.stack((inner[i - 1], outer[i - 1], outer[i], inner[i])) + (x, 0.0, 0.0),
            bgr=bgr,
            is_two_sided=True,
        )
        for x in (-half_width, half_width)
        for i in range(len(inner))
    ]


def _circle(y: float, z: float, radius: float) -> Floats:
    angles = np.arange(_WHEEL_SIDES) * 2 * math.pi / _WHEEL_SIDES
    return np.column_stack((np.zeros(_WHEEL_SIDES), y + radius * np.cos(angles), z + radius * np.sin(angles)))


def _bar(y: float, z: float, angle: float, half_length: float) -> Floats:
    along = np.array([0.0, math.cos(angle), math.sin(angle)]) * half_length
    across = np.array([0.0, -math.sin(angle), math.cos(angle)]) * 0.008
    middle = np.array([0.0, y, z])
    return np.stack(
        (middle - along - across, middle + along - across, middle + along + across, middle - along + across)
    )


def _scooter_body(length: float, height: float, bgr: Colour) -> list[Part]:
    front, back = length / 2, -length / 2
    head = ((-0.58, 0.10, 0.84, height * 0.92), (-0.44, 0.13, 0.78, height * 0.92), (-0.32, 0.09, 0.76, 0.90))
    fork = tube(np.array([0.0, front - 0.22, 0.22]), np.array([0.0, front - 0.44, 0.62]), (0.05, 0.06), _STEEL)
    floor = ((back + 0.62, 0.14, 0.22, 0.32), (front - 0.52, 0.15, 0.20, 0.30))
    headlight = upright_y(front - 0.32, (-0.08, 0.08), (0.77, 0.89))
    tail_light = upright_y(back + 0.02, (-0.08, 0.08), (0.60, 0.69))
    plate = upright_y(back + 0.01, (-0.10, 0.10), (0.42, 0.56))
    lamp = Face(corners=headlight, bgr=LAMP_GLASS, gloss=0.3, level=1, burns=Burns.HEADLIGHT)
    tail = Face(corners=tail_light, bgr=TAIL, level=1, burns=Burns.TAIL_LIGHT)
    return [
        Part(faces=_slabs(_shifted(_ENGINE, back), _SEAT), layer=1),
        Part(faces=fork, layer=1),
        Part(faces=(Face(corners=plate, bgr=_PLATE, is_two_sided=True),), layer=1),
        Part(faces=_slabs(floor, shaded(bgr, 0.45)), layer=1),
        Part(faces=_slabs(_shifted(_FENDER, front), bgr), layer=1),
        Part(faces=_columns(front, bgr), layer=2),
        Part(faces=(*_slabs(_shifted(_REAR, back), bgr), tail), layer=2),
        Part(faces=_slabs(_shifted(_SADDLE, back), _SEAT, gloss=0.06), layer=3),
        Part(faces=(*_slabs(_shifted(head, front), bgr), lamp), layer=3),
    ]


def _shifted(sections: Sections, y: float) -> Sections:
    return tuple((along + y, half, foot, top) for along, half, foot, top in sections)


def _slabs(sections: Sections, bgr: Colour, *, gloss: float = 0.14) -> tuple[Face, ...]:
    """A hull along y through sections (y, half width, foot, top); its upper edges are rounded off."""
    rings = [
        [
            (-h * 0.85, y, z0),
            (-h, y, (z0 + z1) / 2),
            (-h * 0.7, y, z1),
            (h * 0.7, y, z1),
            (h, y, (z0 + z1) / 2),
            (h * 0.85, y, z0),
        ]
        for y, h, z0, z1 in sections
    ]
    return loft(np.array(rings), bgr, gloss=gloss)


def _columns(front: float, bgr: Colour) -> tuple[Face, ...]:
    """The leg shield, bowed out to the front."""
    rings = [
        [(-h, y, z), (-h, y + d * 0.4, z), (-h * 0.5, y + d, z), (h * 0.5, y + d, z), (h, y + d * 0.4, z), (h, y, z)]
        for z, h, y, d in ((z, h, front + y, d) for z, h, y, d in _SHIELD)
    ]
    return loft(np.array(rings), bgr, gloss=0.14)


def _handlebar(y: float, z: float, half: float) -> list[Part]:
    parts = [
        Part(
            faces=tube(np.array([-half, y - 0.08, z]), np.array([half, y - 0.08, z]), (0.022, 0.022), _SEAT, sides=5),
            layer=3,
        )
    ]
    for side in (-1.0, 1.0):
        stalk = np.array([side * half * 0.62, y - 0.05, z])
        glass = stalk + (side * 0.06, 0.0, 0.19)
        parts.append(Part(faces=tube(stalk, glass, (0.01, 0.01), _SEAT, sides=4), layer=3))
        parts.append(
            Part(
                faces=box(
                    (glass[0] - 0.07, glass[0] + 0.07),
                    (glass[1] - 0.015, glass[1] + 0.015),
                    (glass[2] - 0.03, glass[2] + 0.05),
                    _SEAT,
                    gloss=0.2,
                ),
                layer=3,
            )
        )
    return parts
