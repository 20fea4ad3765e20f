"""People: on foot, or sitting on a two-wheeler."""

from __future__ import annotations

import math

import numpy as np

from sim.drawing.mesh import Face, Floats, Mesh, Part, build_mesh
from sim.drawing.solids import ball, loft, shaded, tube
from sim.street.weather import Colour

Size = tuple[float, float, float]

SKIN: Colour = (0.46, 0.57, 0.76)
HAIR: Colour = (0.035, 0.035, 0.04)
_SHOE: Colour = (0.08, 0.08, 0.09)
_TOPS: tuple[Colour, ...] = (
    (0.88, 0.89, 0.90), (0.07, 0.07, 0.07), (0.58, 0.34, 0.16), (0.18, 0.18, 0.68), (0.42, 0.42, 0.42),
    (0.22, 0.52, 0.74), (0.38, 0.55, 0.28), (0.62, 0.48, 0.74), (0.30, 0.20, 0.12), (0.70, 0.66, 0.60),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = (
    (0.07, 0.07, 0.07), (0.30, 0.18, 0.11), (0.44, 0.31, 0.22), (0.44, 0.50, 0.56), (0.22, 0.22, 0.22),
)  # fmt: skip


def clothes(rng: np.random.Generator) -> tuple[Colour, Colour]:
    """Colours of what somebody wears above and below."""
    return _TOPS[int(rng.integers(len(_TOPS)))], _TROUSERS[int(rng.integers(len(_TROUSERS)))]


def pedestrian(size_m: Size, rng: np.random.Generator, *, stride: float | None) -> Mesh:
    """Somebody on foot; stride: 0..1 within two steps, None for standing still."""
    _, width, height = size_m
    top, trousers = clothes(rng)
    has_bag = bool(rng.random() < 0.35)
    swing = 0.0 if stride is None else math.sin(2 * math.pi * stride)
    parts: list[Part] = []
    for side, reach in ((-1.0, swing), (1.0, -swing)):
        parts += _leg(side, reach, height, trousers)
        parts += _arm(side, -reach, height, width, top)
    parts += [Part(faces=_torso(height, width, top)), *head(np.array([0.0, 0.0, height * 0.925]), height)]
    if has_bag:
        pack = ball(np.array([0.0, -0.17, height * 0.70]), np.array([0.15, 0.10, 0.2]), shaded(top[::-1], 0.5))
        parts.append(Part(faces=pack))
    return build_mesh(parts)


def head(middle: Floats, height: float) -> list[Part]:
    """Head with hair, its middle at a point (3,)."""
    size = np.array([0.050, 0.060, 0.072]) * height
    face = ball(middle, size, SKIN)
    hair = ball(middle + (0.0, -0.016, 0.022), size * 1.06, HAIR, cut=(-0.15, 1.0))
    return [Part(faces=face, layer=1), Part(faces=hair, layer=1)]


def _torso(height: float, width: float, bgr: Colour) -> tuple[Face, ...]:
    shoulder = width * 0.36
    rings = []
    for z, half, deep in (
        (0.47, 0.15, 0.105),
        (0.58, 0.145, 0.10),
        (0.74, shoulder * 0.95, 0.12),
        (0.81, shoulder, 0.10),
        (0.855, 0.07, 0.06),
    ):
        angles = np.arange(8) * np.pi / 4 + np.pi / 8
        rings.append(np.column_stack((half * np.cos(angles), deep * np.sin(angles), np.full(8, z * height))))
    return loft(np.array(rings), bgr)


def _leg(side: float, reach: float, height: float, bgr: Colour) -> list[Part]:
    hip = np.array([0.085 * side, 0.0, 0.50 * height])
    knee = np.array([0.085 * side, 0.17 * reach + 0.04 * abs(reach), 0.27 * height])
    lift = 0.05 * max(0.0, -reach)
    foot = np.array([0.085 * side, 0.30 * reach, 0.05 * height + lift])
    toe = foot + (0.0, 0.17, -0.035)
    return [
        Part(faces=tube(hip, knee, (0.085, 0.06), bgr)),
        Part(faces=tube(knee, foot, (0.06, 0.045), shaded(bgr, 0.92))),
        Part(faces=tube(foot + (0.0, -0.04, -0.03), toe, (0.045, 0.035), _SHOE)),
    ]


def _arm(side: float, reach: float, height: float, width: float, bgr: Colour) -> list[Part]:
    shoulder = np.array([0.36 * width * side, 0.0, 0.80 * height])
    elbow = np.array([0.41 * width * side, 0.10 * reach - 0.02, 0.63 * height])
    hand = np.array([0.40 * width * side, 0.26 * reach + 0.06, 0.48 * height])
    return [
        Part(faces=tube(shoulder, elbow, (0.055, 0.045), shaded(bgr, 0.95))),
        Part(faces=tube(elbow, hand, (0.042, 0.032), SKIN if side > 0 else shaded(bgr, 0.9))),
    ]


def rider(
    seat: Floats, grips: Floats, pedals: Floats, rng: np.random.Generator, *, helmet: Colour | None
) -> list[Part]:
    """Somebody who sits at `seat` (3,), hands at `grips` (2, 3), feet at `pedals` (2, 3)."""
    top, trousers = clothes(rng)
    lean = 0.16
    shoulders = seat + (0.0, lean, 0.52)
    parts = [Part(faces=_leaning_torso(seat, shoulders, top))]
    for side, grip, pedal in zip((-1.0, 1.0), grips, pedals, strict=True):
        hip = seat + (0.09 * side, 0.02, 0.02)
        knee = (hip + pedal) / 2 + (0.05 * side, 0.20, 0.14)
        shoulder = shoulders + (0.19 * side, 0.0, -0.03)
        elbow = (shoulder + grip) / 2 + (0.07 * side, -0.03, -0.05)
        parts += [
            Part(faces=tube(hip, knee, (0.085, 0.065), trousers)),
            Part(faces=tube(knee, pedal, (0.062, 0.045), shaded(trousers, 0.92))),
            Part(faces=tube(pedal, pedal + (0.0, 0.16, 0.0), (0.045, 0.035), _SHOE)),
            Part(faces=tube(shoulder, elbow, (0.055, 0.045), shaded(top, 0.95))),
            Part(faces=tube(elbow, grip, (0.045, 0.035), SKIN)),
        ]
    crown = shoulders + (0.0, 0.04, 0.22)
    parts += head(crown, 1.7)
    if helmet is not None:
        parts.append(
            Part(
                faces=ball(
                    crown + (0.0, -0.01, 0.03), np.array([0.12, 0.14, 0.13]), helmet, gloss=0.2, cut=(-0.25, 1.0)
                ),
                layer=2,
            )
        )
    return parts


def _leaning_torso(seat: Floats, shoulders: Floats, bgr: Colour) -> tuple[Face, ...]:
    rings = []
    angles = np.arange(8) * np.pi / 4 + np.pi / 8
    for share, half, deep in (
        (-0.05, 0.16, 0.12),
        (0.3, 0.155, 0.11),
        (0.8, 0.21, 0.12),
        (1.0, 0.2, 0.1),
        (1.12, 0.07, 0.06),
    ):
        middle = seat + (shoulders - seat) * share
        rings.append(middle + np.column_stack((half * np.cos(angles), deep * np.sin(angles), np.zeros(8))))
    return loft(np.array(rings), bgr)
