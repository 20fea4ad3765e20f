"""What one thing has looked like through time, and whether it is still the same thing.

Boxes tell two things apart by their place and size. A car that comes to stand exactly where another one stood has its
own windows, wheels and lamps.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from detectors.appearance import to_text, unit, units_of
from geofence.boxes import SWAP_S, Sighting

F64 = npt.NDArray[np.float64]

# Means of two sets of looks less alike than this show two things, if the looks of each are alike by so much.
OTHER_BELOW = 0.45
ALIKE_ABOVE = 0.75
# So many looks of each, the later ones over so long or more of them: the lamps of who drives past are gone by then.
MIN_LOOKS = 3
LASTING_S, LASTING_LOOKS = 1.0, 10
# A look more changes the mean of the old ones by this share.
LEARNING = 0.125


def blended(usual: str | None, latest: str | None) -> str | None:
    """The mean of old looks after one more."""
    if usual is None or latest is None:
        return latest or usual
    before, after = units_of([usual, latest])
    return to_text(before + LEARNING * (after - before))


def first_unlike(usual: str | None, recent: Sequence[Sighting]) -> int | None:
    """The number in `recent` from which on the pictures show another thing than before, None for the same.

    usual: the mean of the looks before them. As with boxes, only after a time without sight can another stand there.
    """
    gaps = [number for number, sighting in enumerate(recent) if sighting.unseen.total_seconds() >= SWAP_S]
    if not gaps or recent[-1].appearance is None:
        return None
    looks = units_of([sighting.appearance for sighting in recent])
    known = np.linalg.norm(looks, axis=1) > 0
    settled = units_of([usual] if usual else [])
    found: list[tuple[float, int]] = []
    for number in gaps:
        before, after = looks[:number][known[:number]], looks[number:][known[number:]]
        has_enough = len(after) >= MIN_LOOKS and (len(settled) or len(before) >= MIN_LOOKS)
        if has_enough and _lasts(recent[number:]):
            found.append((_likeness(np.vstack((settled, before)), after), number))
    least, number = min(found, default=(1.0, -1))
    return number if least < OTHER_BELOW else None


def _lasts(later: Sequence[Sighting]) -> bool:
    return len(later) >= LASTING_LOOKS or (later[-1].at - later[0].at).total_seconds() >= LASTING_S


def _likeness(before: F64, after: F64) -> float:
    """Cosine of the means of two sets of unit vectors; 1 where one of the sets is not of one thing."""
    if min(_agreement(before), _agreement(after)) < ALIKE_ABOVE:
        return 1.0
    return float(unit(before.mean(axis=0)) @ unit(after.mean(axis=0)))


def _agreement(looks: F64) -> float:
    """Mean cosine of all pairs of a set of unit vectors; 1 for a single one."""
    count = len(looks)
    if count < 2:
        return 1.0
    total = looks.sum(axis=0)
    return float((total @ total - count) / (count * (count - 1)))
