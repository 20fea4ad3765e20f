"""Which picture goes into which batch, before a pixel of any is decoded."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from detectors.letterbox import Letterbox, SizePx


@dataclass(frozen=True, slots=True)
class Placed:
    """A picture whose header was read: row of the caller, (width, height) by the header, place in the input.

    is_turned: it has to be turned or mirrored to stand upright
    """

    row: int
    size_px: SizePx
    letterbox: Letterbox
    is_turned: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a picture goes: a batch by number, a place in it."""

    batch: int
    place: int
    picture: Placed


def plan_batches(pictures: Iterable[Placed], *, streams: int, most: int) -> list[list[Slot]]:
    """Batches of pictures that share an input shape, none empty, each at most `most`; see `batch_sizes`."""
    shapes: dict[SizePx, list[Placed]] = defaultdict(list)
    for picture in pictures:
        shapes[picture.letterbox.input_px].append(picture)
    batches: list[list[Slot]] = []
    for alike in shapes.values():
        rest = iter(alike)
        for size in batch_sizes(len(alike), streams, most):
            number = len(batches)
            batches.append([Slot(number, place, picture) for place, picture in enumerate(islice(rest, size))])
    return batches


def batch_sizes(pictures: int, streams: int, most: int) -> list[int]:
    """How many of so many pictures go into each batch: at most `most`, all about alike, and enough batches that
    every stream gets as many as the others."""
    rounds = -(-pictures // (streams * most))
    batches = min(pictures, rounds * streams)
    return [pictures // batches + (number < pictures % batches) for number in range(batches)]
