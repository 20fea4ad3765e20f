"""Boxes of one thing through time: where it stands on average, and whether it is still the same thing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

Box = tuple[float, float, float, float]

MAX_RECENT = 12
# Older boxes weigh no more than so many, so that the mean follows what slowly changes.
MAX_SETTLED = 60
# A thing that was away for less cannot have left and been followed by another: both have to drive.
SWAP_S = 2.5
# So many looks, at most SWAP_S long, at a thing that has come back, before it is taken for the same.
SETTLING_LOOKS = 2
# Another thing differs by so many standard deviations of the mean, and by this share of its size.
OTHER_DEVIATIONS = 4.5
OTHER_SHARE = 0.03
# By a single edge; more, because what hides the rest moves it too.
OTHER_IN_PART = 0.05
EDGES = "LTRB"
# A box lies beside its place when it is off by so many standard deviations and by this share of its size; a thing of
# which so many boxes are known.
OFF_DEVIATIONS = 4.0
OFF_SHARE = 0.06
KNOWN_BOXES = 4
GROWS_BY = 1.3
# A thing that lies beside its place so often has been moved there, or is boxed otherwise now.
MAX_OFF = 6
# A thing moves when so many boxes or more drift by so many times what they tremble, which is this share at least.
DRIFT_BOXES = 6
DRIFT_DEVIATIONS = 6.5
DRIFT_TREMBLE = 0.015
# What detectors' edges tremble by at least: a share of the size and a part of a pixel.
TREMBLE_SHARE = 0.01
TREMBLE_PX = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One thing in one frame, as far as it is remembered.

    before: time of the look before; unseen: how long it had not been seen, zero when the look before showed it
    age:    of the visit at this look; appearance: see `detectors.appearance`, as text
    """

    at: datetime
    before: datetime
    unseen: timedelta
    age: timedelta
    xyxy: Box
    name: str
    confidence: float
    plate_sha256: str | None = None
    appearance: str | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """Mean and squared deviations of boxes: centre, lower edge, width, height."""

    count: float = 0.0
    mean: Box = (0.0, 0.0, 0.0, 0.0)
    squares: Box = (0.0, 0.0, 0.0, 0.0)

    def with_box(self, xyxy: Box) -> Settled:
        """One box more; the oldest fade."""
        count = min(self.count, MAX_SETTLED - 1) + 1
        fade = (count - 1) / self.count if self.count else 0.0
        grows = (count - 1) / count
        x0, y0, x1, y1 = xyxy
        m0, m1, m2, m3 = self.mean
        s0, s1, s2, s3 = self.squares
        d0, d1, d2, d3 = (x0 + x1) / 2 - m0, y1 - m1, x1 - x0 - m2, y1 - y0 - m3
        return Settled(
            count,
            (m0 + d0 / count, m1 + d1 / count, m2 + d2 / count, m3 + d3 / count),
            (
                s0 * fade + d0 * d0 * grows,
                s1 * fade + d1 * d1 * grows,
                s2 * fade + d2 * d2 * grows,
                s3 * fade + d3 * d3 * grows,
            ),
        )


NOTHING_SETTLED = Settled()


def joined(settled: Settled, recent: Sequence[Sighting]) -> Settled:
    """All remembered boxes together."""
    for sighting in recent:
        settled = settled.with_box(sighting.xyxy)
    return settled


def mean_box(usual: Settled) -> Box:
    """The mean as x0, y0, x1, y1."""
    return _xyxy(usual.mean)


def first_of_another(settled: Settled, recent: Sequence[Sighting]) -> int | None:
    """The number in `recent` from which on the boxes show another thing than before, None for the same.

    Only after a time without sight can another thing stand there. Then the mean box after it must lie far from the
    mean before it, measured by how much the boxes tremble: a two-sample test at every such time.
    """
    found: list[tuple[float, int]] = []
    for number, sighting in enumerate(recent):
        if sighting.unseen.total_seconds() < SWAP_S:
            continue
        before, after = joined(settled, recent[:number]), joined(NOTHING_SETTLED, recent[number:])
        if before.count:
            found.append((_apart(before, after), number))
    furthest, number = max(found, default=(0.0, -1))
    return number if furthest > 1 else None


def is_another_in_part(usual: Settled, part: Sequence[Sighting], seen_edges: str) -> bool:
    """Whether what is left to see of a thing, half hidden, is another than stood there: by the edges seen of both."""
    size = _size(usual)
    before = _xyxy(usual.mean)
    freedom = max(len(part) - 1, 1)
    for number, edge in enumerate(EDGES):
        if edge not in seen_edges:
            continue
        values = [sighting.xyxy[number] for sighting in part]
        mean = sum(values) / len(values)
        spread = math.sqrt(sum((value - mean) ** 2 for value in values) / freedom)
        error = max(spread, TREMBLE_SHARE * size + TREMBLE_PX) * math.sqrt(1 / len(part) + 1 / max(usual.count, 1.0))
        if abs(mean - before[number]) > max(OTHER_DEVIATIONS * error, OTHER_IN_PART * size + 1.0):
            return True
    return False


def is_leaving(usual: Settled, off: Sequence[Sighting], back: Sighting) -> bool:
    """Whether the boxes `off` were those of the thing driving out, so that `back` shows another that came.

    Either `back` lies beyond the place on the other side, or the thing was last seen on its way and then no more.
    """
    if not off:
        return False
    ways = [_way(usual.mean, sighting) for sighting in (*off, back)]
    last, now = ways[-2], ways[-1]
    if _dot(last, now) < 0 and is_off(usual, back):
        return True
    is_growing = len(off) > 1 and _dot(ways[-3], last) > 0 and _dot(last, last) > GROWS_BY**2 * _dot(ways[-3], ways[-3])
    return is_growing and back.unseen > timedelta(0)


def is_moving(recent: Sequence[Sighting]) -> bool:
    """Whether the latest boxes go on in one direction, much further than they tremble: a straight line through them."""
    if len(recent) < DRIFT_BOXES:
        return False
    size = math.sqrt(max(area_px(recent[-1].xyxy), 1.0))
    facts = [_facts(sighting.xyxy) for sighting in recent]
    middle = (len(recent) - 1) / 2
    weight = sum((n - middle) ** 2 for n in range(len(recent)))
    for fact in (0, 1):
        values = [one[fact] for one in facts]
        mean = sum(values) / len(values)
        slope = sum((n - middle) * (value - mean) for n, value in enumerate(values)) / weight
        rest = sum((value - mean - slope * (n - middle)) ** 2 for n, value in enumerate(values))
        tremble = max(math.sqrt(rest / (len(values) - 2)), DRIFT_TREMBLE * size + TREMBLE_PX)
        if abs(slope) * (len(values) - 1) > DRIFT_DEVIATIONS * tremble:
            return True
    return False


def is_off(usual: Settled, sighting: Sighting) -> bool:
    """Whether a box lies beside the place of the others: the thing moves, or something is wrong with the box."""
    if usual.count < KNOWN_BOXES:
        return False
    size = _size(usual)
    facts = _facts(sighting.xyxy)
    spread = _spread(usual, usual.count - 1, size)
    return any(
        abs(facts[n] - usual.mean[n]) > max(OFF_DEVIATIONS * math.sqrt(spread[n]), OFF_SHARE * size + 1.0)
        for n in (0, 1)
    )


def is_settling(recent: Sequence[Sighting]) -> bool:
    """Whether the thing has just come back into sight, so that it is not yet known whether it is the same.

    One look more often than every SWAP_S says nothing else; at slower looks every one of them is such a time.
    """
    last = recent[-1]
    for number in range(max(len(recent) - SETTLING_LOOKS, 1), len(recent)):
        back = recent[number]
        is_back = back.unseen.total_seconds() >= SWAP_S and back.unseen > back.at - back.before
        if is_back and (last.at - back.at).total_seconds() < SWAP_S:
            return True
    return False


def iou(a: Box, b: Box) -> float:
    """Intersection over union of two boxes."""
    common = common_px(a, b)
    return common / (area_px(a) + area_px(b) - common) if common else 0.0


def common_px(a: Box, b: Box) -> float:
    """Pixels that both boxes cover."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0


def area_px(box: Box) -> float:
    """Pixels that a box covers."""
    return (box[2] - box[0]) * (box[3] - box[1])


def _apart(before: Settled, after: Settled) -> float:
    """How far apart two mean boxes lie, in units of what tells two things from one."""
    size = _size(before)
    squares = Settled(1.0, before.mean, _four([a + b for a, b in zip(before.squares, after.squares, strict=True)]))
    spread = _spread(squares, before.count + after.count - 2, size)
    weight = 1 / before.count + 1 / after.count
    return max(
        abs(a - b) / max(OTHER_DEVIATIONS * math.sqrt(variance * weight), OTHER_SHARE * size + 1.0)
        for a, b, variance in zip(before.mean, after.mean, spread, strict=True)
    )


def _size(settled: Settled) -> float:
    return math.sqrt(max(settled.mean[2], 1.0) * max(settled.mean[3], 1.0))


def _spread(settled: Settled, freedom: float, size: float) -> list[float]:
    """Variances of the four facts, at least what every detector's boxes have."""
    floor = (TREMBLE_SHARE * size + TREMBLE_PX) ** 2
    return [max(square / max(freedom, 1.0), floor) for square in settled.squares]


def _way(place: Box, sighting: Sighting) -> tuple[float, float]:
    facts = _facts(sighting.xyxy)
    return facts[0] - place[0], facts[1] - place[1]


def _dot(a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1]


def _facts(xyxy: Box) -> Box:
    x0, y0, x1, y1 = xyxy
    return (x0 + x1) / 2, y1, x1 - x0, y1 - y0


def _xyxy(facts: Box) -> Box:
    centre, foot, width, height = facts
    return centre - width / 2, foot - height, centre + width / 2, foot


def _four(values: Sequence[float]) -> Box:
    a, b, c, d = values
    return a, b, c, d
