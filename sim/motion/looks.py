"""How one of a kind differs from the next: seeds of shape and colour, and sizes."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from sim.street.body import SIZE_M, BodyKind

_SIZE_SPREAD = 0.06


def look_of(seed: int, actor_id: str) -> int:
    """Seed of shape and colour of an actor, the same in every run."""
    return int.from_bytes(blake2b(f"{seed}:{actor_id}".encode(), digest_size=4).digest())


def size_of(kind: BodyKind, look: int) -> tuple[float, float, float]:
    """Length, width, height of one of a kind, metres: the usual ones ± 6 %."""
    spread = np.random.default_rng((look, 1)).uniform(1 - _SIZE_SPREAD, 1 + _SIZE_SPREAD, 3)
    length, width, height = (float(size * share) for size, share in zip(SIZE_M[kind], spread, strict=True))
    return length, width, height
