"""Chance that is the same in every run and on every machine: a hash of a seed and a few words."""

from __future__ import annotations

import hashlib
import math


def share_of(seed: int, *words: object) -> float:
    """A number in [0, 1) that belongs to these words; equal words give equal numbers."""
    text = ":".join((str(seed), *map(str, words)))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    # 53 bits are all that a float below 1 can hold: with 64 the largest would be rounded up to 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def bell_of(seed: int, *words: object) -> float:
    """A number from the standard normal distribution that belongs to these words."""
    radius = math.sqrt(-2 * math.log(1 - share_of(seed, *words, "radius")))
    return radius * math.cos(2 * math.pi * share_of(seed, *words, "angle"))
