"""What all motor vehicles share: materials, wheels, lamps."""

from __future__ import annotations

import numpy as np

from sim.drawing.mesh import DETAIL, Bulb, Burns, Face, Floats
from sim.drawing.solids import disc, shaded
from sim.street.weather import Colour

GLASS: Colour = (0.045, 0.042, 0.038)
RUBBER: Colour = (0.030, 0.030, 0.030)
DARK: Colour = (0.045, 0.044, 0.043)
CHROME: Colour = (0.62, 0.62, 0.62)
LAMP_GLASS: Colour = (0.72, 0.72, 0.70)
TAIL: Colour = (0.06, 0.05, 0.50)
GLASS_GLOSS = 0.55
_RIM: Colour = (0.46, 0.46, 0.46)


def wheel(x: float, y: float, radius: float) -> tuple[Face, ...]:
    """A wheel with its arch, painted on the side at x."""
    spokes = tuple(
        Face(
            corners=_spoke(x, y, radius * 0.95, angle, radius * 0.58),
            bgr=shaded(_RIM, 0.28),
            level=DETAIL + 2,
        )
        for angle in np.arange(5) * 2 * np.pi / 5
    )
    return (
        disc(x, y, radius * 1.02, radius * 1.17, shaded(DARK, 0.5), 1),
        disc(x, y, radius, radius, RUBBER, 2),
        disc(x, y, radius, radius * 0.66, _RIM, 3, gloss=0.15),
        *spokes,
        disc(x, y, radius, radius * 0.16, CHROME, DETAIL + 3, sides=6),
    )


def _spoke(x: float, y: float, z: float, angle: float, length: float) -> Floats:
    tips = [(length * np.cos(angle + turn), length * np.sin(angle + turn)) for turn in (0.28, 0.98)]
    hub = (length * 0.3 * np.cos(angle + 0.63), length * 0.3 * np.sin(angle + 0.63))
    return np.array([(x, y + a, z + b) for a, b in (hub, *tips)])


def lamps(length: float, x: float, front_z: float, back_z: float) -> tuple[Bulb, ...]:
    """Two headlights and two tail lights x metres from the middle line."""
    ahead = np.array([0.0, 1.0, 0.0])
    bulbs: list[Bulb] = []
    for side in (-x, x):
        bulbs.append(Bulb(at=np.array([side, length / 2, front_z]), normal=ahead, burns=Burns.HEADLIGHT, radius_m=0.22))
        bulbs.append(
            Bulb(at=np.array([side, -length / 2, back_z]), normal=-ahead, burns=Burns.TAIL_LIGHT, radius_m=0.14)
        )
    return tuple(bulbs)
