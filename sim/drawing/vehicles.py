"""Cars and vans: a lofted body, a glass house on it, and all that is painted on their sides."""

from __future__ import annotations

import numpy as np

from sim.drawing.car_shapes import HATCH, SEDAN, SUV, VAN, CarShape
from sim.drawing.mesh import DETAIL, Bulb, Burns, Face, Mesh, Part, build_mesh, fitted
from sim.drawing.solids import box, loft, patch, shaded, upright_x, upright_y
from sim.drawing.vehicle_parts import CHROME, DARK, GLASS, GLASS_GLOSS, LAMP_GLASS, RUBBER, TAIL, lamps, wheel
from sim.street.weather import Colour

Size = tuple[float, float, float]

# (share among Chinese cars, BGR)
_PAINTS: tuple[tuple[float, Colour], ...] = (
    (0.38, (0.84, 0.85, 0.85)),
    (0.19, (0.035, 0.033, 0.032)),
    (0.15, (0.56, 0.55, 0.54)),
    (0.12, (0.24, 0.23, 0.22)),
    (0.06, (0.10, 0.08, 0.48)),
    (0.05, (0.36, 0.17, 0.07)),
    (0.05, (0.14, 0.20, 0.30)),
)  # fmt: skip
_TAXI_PAINTS: tuple[tuple[Colour, Colour], ...] = (
    ((0.08, 0.62, 0.80), (0.40, 0.20, 0.05)),
    ((0.45, 0.42, 0.12), (0.80, 0.82, 0.83)),
    ((0.10, 0.50, 0.86), (0.10, 0.50, 0.86)),
)
_PLATE: Colour = (0.42, 0.14, 0.03)
_GREEN_PLATE: Colour = (0.55, 0.75, 0.45)
_PAINT_GLOSS = 0.16


def car(size_m: Size, rng: np.random.Generator) -> Mesh:
    """A saloon, an off-roader or a hatchback, now and then a taxi; (length, width, height) in metres."""
    shape = (SEDAN, SUV, HATCH)[int(rng.choice(3, p=(0.5, 0.34, 0.16)))]
    if shape is SEDAN and rng.random() < 0.16:
        low, high = _TAXI_PAINTS[int(rng.integers(len(_TAXI_PAINTS)))]
        return _vehicle(size_m, shape, low, rng, roof=high, extra=_taxi_sign(size_m))
    return _vehicle(size_m, shape, paint(rng), rng)


def van(size_m: Size, rng: np.random.Generator) -> Mesh:
    """A minibus or panel van, mostly white or silver."""
    bgr: Colour = ((0.84, 0.85, 0.85), (0.56, 0.55, 0.54), (0.20, 0.19, 0.19))[int(rng.choice(3, p=(0.5, 0.35, 0.15)))]
    return _vehicle(size_m, VAN, bgr, rng, has_rear_windows=bool(rng.random() < 0.75))


def paint(rng: np.random.Generator) -> Colour:
    """A car's colour, as common as on the street."""
    shares = np.array([share for share, _ in _PAINTS])
    bgr = _PAINTS[int(rng.choice(len(_PAINTS), p=shares / shares.sum()))][1]
    return shaded(bgr, float(rng.uniform(0.88, 1.1)))


def _vehicle(
    size_m: Size,
    shape: CarShape,
    bgr: Colour,
    rng: np.random.Generator,
    *,
    roof: Colour | None = None,
    extra: tuple[Part, ...] = (),
    has_rear_windows: bool = True,
) -> Mesh:
    length, width, height = size_m
    is_electric = bool(rng.random() < 0.35)
    plate = _GREEN_PLATE if is_electric else _PLATE
    lower = _lower_body(size_m, shape, bgr)
    parts = [
        Part(faces=_underside(size_m, shape), layer=0),
        Part(faces=(*lower, *_side_details(size_m, shape, bgr), *_ends(size_m, shape, lower, plate)), layer=1),
        *(
            Part(
                faces=box(x, _back_to_front(length, (0.255, 0.30)), (0.62 * height, 0.70 * height), shaded(bgr, 0.9)),
                layer=2,
            )
            for x in _mirrors(width)
        ),
        Part(faces=_glass_house(size_m, shape, roof or bgr, has_rear_windows=has_rear_windows), layer=3),
        *extra,
    ]
    return build_mesh(fitted(parts, length_m=length, width_m=width, height_m=height), _bulbs(size_m, shape))


def _mirrors(width: float) -> tuple[tuple[float, float], tuple[float, float]]:
    return (-0.52 * width, -0.44 * width), (0.44 * width, 0.52 * width)


def _along(length: float, share: float) -> float:
    return length * (0.5 - share)


def _back_to_front(length: float, shares: tuple[float, float]) -> tuple[float, float]:
    return _along(length, shares[1]), _along(length, shares[0])


def _lower_body(size_m: Size, shape: CarShape, bgr: Colour) -> tuple[Face, ...]:
    """Loft along the length; a ring goes round from the left sill over the bonnet to the right sill."""
    length, width, height = size_m
    rings = []
    for along, wide, high in shape.profile:
        half, top = width / 2 * wide, height * high
        foot = height * (shape.sill + 0.05 * (1 - wide))
        waist = foot + 0.55 * (top - foot)
        outline = (
            (0.90 * half, foot),
            (0.985 * half, foot + 0.18 * (top - foot)),
            (half, waist),
            (0.965 * half, top - 0.05 * height),
            (0.84 * half, top),
        )
        y = _along(length, along)
        ring = [(-x, y, z) for x, z in outline] + [(x, y, z) for x, z in reversed(outline)]
        rings.append(ring)
    return loft(np.array(rings), bgr, gloss=_PAINT_GLOSS)


def _underside(size_m: Size, shape: CarShape) -> tuple[Face, ...]:
    """Axles, tyres seen from the front and the shade between them: one dark block."""
    length, width, height = size_m
    return box(
        (-0.45 * width, 0.45 * width),
        _back_to_front(length, (shape.wheels[0] - 0.055, shape.wheels[1] + 0.055)),
        (0.0, height * shape.sill + 0.1),
        RUBBER,
    )


def _glass_house(size_m: Size, shape: CarShape, bgr: Colour, *, has_rear_windows: bool) -> tuple[Face, ...]:
    length, width, height = size_m
    belt = height * (shape.profile[4][2] - 0.02)
    front, back = shape.windscreen, shape.rear_window
    bow = 0.025
    rings = np.array(
        [
            _plan(length, width * 0.46, (front[0], back[0]), bow, belt),
            _plan(length, width * 0.5 * shape.roof_half, (front[1], back[1]), bow, height * 0.965),
            _plan(length, width * 0.5 * shape.roof_half * 0.84, (front[1] + 0.05, back[1] - 0.05), bow, height),
        ]
    )
    faces = loft(rings, bgr, gloss=_PAINT_GLOSS)
    glass: list[Face] = []
    for face, (is_side, is_front) in zip(faces[:8], _WALLS, strict=True):
        if is_side:
            glass += _side_windows(face, has_rear_windows=has_rear_windows)
        elif is_front or has_rear_windows:
            glass += _end_window(face)
    return (*faces, *glass)


# The eight walls of the glass house, as the ring goes: (is a side, is at the front).
_WALLS = (
    (True, False),
    (False, True),
    (False, True),
    (False, True),
    (True, False),
    (False, False),
    (False, False),
    (False, False),
)


def _plan(
    length: float, half: float, ends: tuple[float, float], bow: float, z: float
) -> list[tuple[float, float, float]]:
    """Ring of eight corners seen from above, clockwise from the left front one; the ends bow out by a share."""
    y0, y1, out = _along(length, ends[0] + bow), _along(length, ends[1] - bow), bow * length
    return [
        (-half, y0, z), (-half * 0.6, y0 + out, z), (half * 0.6, y0 + out, z), (half, y0, z),
        (half, y1, z), (half * 0.6, y1 - out, z), (-half * 0.6, y1 - out, z), (-half, y1, z),
    ]  # fmt: skip


def _end_window(face: Face) -> list[Face]:
    return [
        Face(corners=patch(face, (0.0, 1.0), (0.06, 0.94)), bgr=GLASS, gloss=GLASS_GLOSS, level=1),
    ]


def _side_windows(face: Face, *, has_rear_windows: bool) -> list[Face]:
    spans = ((0.06, 0.47), (0.50, 0.80), (0.825, 0.95)) if has_rear_windows else ((0.66, 0.95),)
    if not has_rear_windows and face.corners[0][0] > 0:
        spans = ((0.05, 0.34),)
    return [Face(corners=patch(face, span, (0.10, 0.90)), bgr=GLASS, gloss=GLASS_GLOSS, level=1) for span in spans]


def _side_details(size_m: Size, shape: CarShape, bgr: Colour) -> tuple[Face, ...]:
    length, width, height = size_m
    faces: list[Face] = []
    for x in (-width / 2 * 0.995, width / 2 * 0.995):
        for share in shape.wheels:
            faces += wheel(x, _along(length, share), shape.wheel_radius_m)
        sill = upright_x(x, _back_to_front(length, (0.28, 0.70)), (0.13 * height, 0.20 * height))
        faces.append(Face(corners=sill, bgr=shaded(bgr, 0.35), level=1))
        for share in (0.29, 0.49, 0.68):
            seam = upright_x(x, _back_to_front(length, (share, share + 0.004)), (0.2 * height, 0.60 * height))
            faces.append(Face(corners=seam, bgr=shaded(bgr, 0.4), level=DETAIL))
        for share in (0.44, 0.635):
            handle = upright_x(x, _back_to_front(length, (share, share + 0.035)), (0.505 * height, 0.525 * height))
            faces.append(Face(corners=handle, bgr=shaded(bgr, 0.55), level=DETAIL))
    return tuple(faces)


def _ends(size_m: Size, shape: CarShape, lower: tuple[Face, ...], plate: Colour) -> tuple[Face, ...]:
    """Grille, plates, bumpers, and the lamps on the corners of the lower body."""
    last = len(shape.profile) - 2
    # Faces of the loft: ten to a ring; 3 to 7 go over the top, 4 and 6 beside its middle.
    corners = [(ring, side) for ring in (0, 1, last, last - 1) for side in (3, 7)]
    corners += [(ring, side) for ring in (0, last) for side in (4, 6)]
    lamp_faces = [_corner_lamp(lower[ring * 10 + side], is_front=ring < 2) for ring, side in corners]
    return (*_front(size_m, shape, plate), *_back(size_m, shape, plate), *lamp_faces)


def _front(size_m: Size, shape: CarShape, plate: Colour) -> list[Face]:
    length, width, height = size_m
    wide, y = shape.profile[0][1] * width / 2, length / 2
    low, high = shape.sill * height + 0.05, shape.profile[0][2] * height
    bumper = low + 0.22 * (high - low)
    grille = upright_y(y, (-0.62 * wide, 0.62 * wide), (low + 0.42 * (high - low), high - 0.02))
    trim = upright_y(y, (-0.62 * wide, 0.62 * wide), (high - 0.05, high - 0.02))
    return [
        Face(corners=grille, bgr=DARK, gloss=0.1, level=1),
        Face(corners=upright_y(y, (-0.85 * wide, 0.85 * wide), (low, bumper)), bgr=DARK, level=1),
        Face(corners=upright_y(y, (-0.22, 0.22), (bumper, bumper + 0.13)), bgr=plate, level=DETAIL),
        Face(corners=trim, bgr=CHROME, gloss=0.3, level=DETAIL),
    ]


def _back(size_m: Size, shape: CarShape, plate: Colour) -> list[Face]:
    length, width, height = size_m
    wide, y = shape.profile[0][1] * width / 2, -length / 2
    low, high = shape.sill * height + 0.05, shape.profile[-1][2] * height
    middle = (low + high) / 2
    bumper = upright_y(y, (-0.85 * wide, 0.85 * wide), (low, low + 0.25 * (high - low)))
    return [
        Face(corners=bumper, bgr=DARK, level=1),
        Face(corners=upright_y(y, (-0.22, 0.22), (middle, middle + 0.13)), bgr=plate, level=DETAIL),
    ]


def _corner_lamp(face: Face, *, is_front: bool) -> Face:
    if is_front:
        return Face(
            corners=patch(face, (0.05, 0.95), (0.05, 0.95)), bgr=LAMP_GLASS, gloss=0.3, level=1, burns=Burns.HEADLIGHT
        )
    return Face(corners=patch(face, (0.05, 0.95), (0.05, 0.95)), bgr=TAIL, gloss=0.12, level=1, burns=Burns.TAIL_LIGHT)


def _bulbs(size_m: Size, shape: CarShape) -> tuple[Bulb, ...]:
    length, width, height = size_m
    return lamps(length, 0.36 * width, shape.profile[0][2] * height + 0.03, shape.profile[-1][2] * height + 0.06)


def _taxi_sign(size_m: Size) -> tuple[Part, ...]:
    length, _, height = size_m
    y = _along(length, 0.52)
    sign = box((-0.28, 0.28), (y - 0.07, y + 0.07), (height, height + 0.11), (0.75, 0.85, 0.9))
    return (Part(faces=sign, layer=4),)
