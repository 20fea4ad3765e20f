"""Boxes of one thing through time: where it stands on average, whether it moves, whether it is still the same thing.

A thing that moves shifts both edges of a pair the same way. What passes before it pushes one edge in, dazzling lamps
push both out: neither is a way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from statistics import median

Box = tuple[float, float, float, float]

MAX_RECENT = 12
# Older boxes weigh no more than so many, so that the mean follows what slowly changes.
MAX_SETTLED = 60
# A thing that was away for less cannot have left and been followed by another: both have to drive.
SWAP_S = 2.5
# Boxes of another look must last for so long, over so many looks (two where looks are further apart), before they are
# believed: lamps dazzle, and somebody stands in the way, for seconds.
LASTING_S = 8.0
LASTING_LOOKS = 3
# Boxes that disagree among themselves are waited for, but no longer than this.
RESTLESS_S = 30.0
RESTLESS = 2.5
# Boxes in doubt and beside the place are remembered this far apart, so that a few of them span a while.
SPARSE_S = 0.7
# Another thing differs by so many standard deviations of the mean, and by this share of its size; a median errs more
# than a mean by the factor. So much less and it is the same without waiting.
OTHER_DEVIATIONS = 4.5
OTHER_SHARE = 0.03
MEDIAN_FACTOR = 1.25
CLEARLY_SAME = 0.6
EDGES = "LTRB"
# An edge lies beside its place when it is off by so many standard deviations and by this share of the size; a thing of
# which so many boxes are known.
OFF_DEVIATIONS = 4.0
OFF_SHARE = 0.06
KNOWN_BOXES = 4
GROWS_BY = 1.3
# So many boxes, each further out than the one before, are those of a thing that drives off; what lies at less than this
# share of the way after them is another.
GOING_BOXES = 3
CAME_BACK = 0.5
# What has come to rest beside its place does not: its way is no longer than this many times the one before.
STILL_MOVES = 1.1
# From one look to the next what drives out comes further by so many times its way until then, and its own size.
MOVES_ON = 5.0
# A thing moves when so many boxes or more drift by so many times what they tremble, which is this share at least.
DRIFT_BOXES = 6
DRIFT_DEVIATIONS = 6.5
DRIFT_TREMBLE = 0.015
# Few boxes that go on are those of a thing that moves from this share of its size on.
GOES_ON_SHARE = 0.15
# The top of a thing that moves away from the camera moves less than its foot, by this share at least.
TOP_SHARE = 0.3
# What detectors' edges tremble by at least: a share of the size and a part of a pixel.
TREMBLE_SHARE = 0.01
TREMBLE_PX = 0.5
# Edges that tremble by less than this share of the size, or of their side, are those of one thing that stands.
STEADY_SHARE = 0.05
# Of few boxes nobody knows how much they tremble: so many times as much, to be sure.
UNKNOWN_TREMBLE = 3.0


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

    @property
    def is_after_absence(self) -> bool:
        """Whether another thing may have come meanwhile."""
        return self.unseen.total_seconds() >= SWAP_S


@dataclass(frozen=True, slots=True)
class Settled:
    """Mean and squared deviations of the edges of boxes."""

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
        d0, d1, d2, d3 = x0 - m0, y0 - m1, x1 - m2, y1 - m3
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

    @property
    def size(self) -> float:
        """Geometric mean of width and height, pixels, 1 at least."""
        return math.sqrt(max(self.mean[2] - self.mean[0], 1.0) * max(self.mean[3] - self.mean[1], 1.0))

    @property
    def tremble(self) -> list[float]:
        """Standard deviation of each edge, at least what every detector's boxes have."""
        if self.count < KNOWN_BOXES:
            return [UNKNOWN_TREMBLE * _floor(self.size)] * 4
        floor = _floor(self.size)
        return [max(math.sqrt(square / max(self.count - 1, 1.0)), floor) for square in self.squares]

    @property
    def is_steady(self) -> bool:
        """Whether all edges lie where they always do: so does what stands, not what passes now and then."""
        left, top, right, foot = self.tremble
        width, height = (max(self.mean[n + 2] - self.mean[n], self.size) for n in range(2))
        return (
            self.count >= KNOWN_BOXES
            and max(left, right) <= STEADY_SHARE * width + TREMBLE_PX
            and max(top, foot) <= STEADY_SHARE * height + TREMBLE_PX
        )


NOTHING_SETTLED = Settled()


class Verdict(StrEnum):
    """What boxes after a time without sight say."""

    SAME = "same"
    OTHER = "other"
    OPEN = "open"


def joined(settled: Settled, recent: Sequence[Sighting]) -> Settled:
    """All remembered boxes together."""
    for sighting in recent:
        settled = settled.with_box(sighting.xyxy)
    return settled


def sparse(earlier: Sequence[Sighting], sighting: Sighting) -> tuple[Sighting, ...]:
    """The first and the latest of some sightings with one more, in place of the last where those are too dense."""
    if len(earlier) > 1 and (sighting.at - earlier[-2].at).total_seconds() < SPARSE_S:
        earlier = earlier[:-1]
    return (*earlier[:1], *earlier[1:][-(MAX_RECENT - 2) :], sighting)


def off_edges(usual: Settled, xyxy: Box) -> str:
    """The edges of ``LTRB`` that lie beside their place."""
    least = OFF_SHARE * usual.size + 1.0
    return "".join(
        edge
        for edge, now, mean, tremble in zip(EDGES, xyxy, usual.mean, usual.tremble, strict=True)
        if abs(now - mean) > max(OFF_DEVIATIONS * tremble, least)
    )


def differs(usual: Settled, one: Sighting, other: Sighting) -> bool:
    """Whether two sightings are too far apart to show one thing that stands; `usual`: its size, how it trembles."""
    least = OFF_SHARE * usual.size + 1.0
    return any(
        abs(a - b) > max(OFF_DEVIATIONS * math.sqrt(2) * tremble, least)
        for a, b, tremble in zip(one.xyxy, other.xyxy, usual.tremble, strict=True)
    )


def has_lasted(sightings: Sequence[Sighting]) -> bool:
    """Whether these go on for so long that no lamp or passer-by explains them."""
    return lasts((sightings[-1].at - sightings[0].at).total_seconds(), len(sightings))


def lasts(seconds: float, looks: int) -> bool:
    """Whether so many looks over so long are enough; where looks are far apart two are."""
    return seconds >= LASTING_S and looks >= (2 if seconds >= LASTING_LOOKS * LASTING_S else LASTING_LOOKS)


def verdict(usual: Settled, later: Sequence[Sighting], unseen_edges: str) -> Verdict:
    """Whether boxes after a time without sight show the thing that was there before, by their median.

    unseen_edges: those that are not known of one of the two
    """
    lasted_s = (later[-1].at - later[0].at).total_seconds()
    if len(later) < (2 if lasted_s >= LASTING_S else LASTING_LOOKS):
        return Verdict.OPEN
    apart = 0.0
    is_restless = False
    for number, edge in enumerate(EDGES):
        if edge in unseen_edges:
            continue
        values = sorted(sighting.xyxy[number] for sighting in later)
        middle = median(values)
        spread = 1.48 * median(abs(value - middle) for value in values)
        tremble = usual.tremble[number]
        # Half dazzled and half not: the middle half spans both.
        span = values[3 * len(values) // 4] - values[len(values) // 4]
        is_restless = is_restless or span > RESTLESS * 1.35 * tremble
        error = MEDIAN_FACTOR * max(tremble, spread) * math.sqrt(1 / len(later) + 1 / max(usual.count, 1.0))
        limit = max(OTHER_DEVIATIONS * error, OTHER_SHARE * usual.size + 1.0)
        apart = max(apart, abs(middle - usual.mean[number]) / limit)
    if apart <= CLEARLY_SAME:
        return Verdict.SAME
    if not has_lasted(later) or (is_restless and lasted_s < RESTLESS_S):
        return Verdict.OPEN
    return Verdict.OTHER if apart > 1 else Verdict.SAME


def is_leaving(usual: Settled, off: Sequence[Sighting], back: Sighting) -> bool:
    """Whether the boxes `off` were those of the thing driving out, so that `back` shows another that came.

    Either `back` lies beyond the place on the other side, or the thing was last seen on its way and then no more, or it
    had gone further with every look, was out of sight, and `back` lies at the place again.
    """
    if not off or usual.count < KNOWN_BOXES:
        return False
    ways = [_way(usual, sighting.xyxy) for sighting in (*off, back)]
    last, now = ways[-2], ways[-1]
    if not _is_far(usual, last):
        return False
    if _dot(last, now) < 0 and _is_far(usual, now):
        return True
    if back.unseen <= back.at - back.before:
        return False
    going = ways[-1 - GOING_BOXES : -1]
    has_come_back = len(off) >= GOING_BOXES and _dot(last, now) < CAME_BACK * _dot(last, last)
    if has_come_back and all(_is_far(usual, way) for way in going) and _is_rising(going):
        return True
    return len(off) > 1 and _dot(ways[-3], last) > 0 and _dot(last, last) > GROWS_BY**2 * _dot(ways[-3], ways[-3])


def _is_rising(ways: Sequence[tuple[float, float]]) -> bool:
    """Whether each way goes on where the one before led, and further."""
    return all(_dot(way, later) > 0 and _dot(later, later) > _dot(way, way) for way, later in pairwise(ways))


def is_beside(usual: Settled, xyxy: Box) -> bool:
    """Whether a box shows the thing away from its place: no lamp or passer-by shifts both edges of a pair."""
    return usual.count >= KNOWN_BOXES and _is_far(usual, _way(usual, xyxy))


def has_moved_on(usual: Settled, off: Sequence[Sighting], elsewhere: Box) -> bool:
    """Whether a box where nothing was before shows the thing, last seen on its way out, further along that way."""
    if not off or usual.count < KNOWN_BOXES:
        return False
    last, now = _way(usual, off[-1].xyxy), _way(usual, elsewhere)
    if not _is_far(usual, last) or _dot(last, now) <= 0:
        return False
    before, after = math.hypot(*last), math.hypot(*now)
    if len(off) > 1 and before < STILL_MOVES * math.hypot(*_way(usual, off[-2].xyxy)):
        return False
    return GROWS_BY * before <= after <= MOVES_ON * before + usual.size


def is_moving(recent: Sequence[Sighting]) -> bool:
    """Whether the latest boxes go on in one direction, much further than they tremble: straight lines through them."""
    if len(recent) < DRIFT_BOXES:
        return False
    left, top, right, foot = (_drift([sighting.xyxy[edge] for sighting in recent], recent) for edge in range(4))
    if left * right > 0 and min(abs(left), abs(right)) > 1:
        return True
    return top * foot > 0 and abs(foot) > 1 and abs(top) > TOP_SHARE


def goes_on(recent: Sequence[Sighting]) -> bool:
    """Whether even few boxes, the last one furthest along, are those of a thing that moves."""
    first = NOTHING_SETTLED.with_box(recent[0].xyxy)
    *ways, last = [_way(first, sighting.xyxy) for sighting in recent]
    is_far = math.hypot(*last) > GOES_ON_SHARE * first.size + 1.0
    return is_far and all(_dot(way, last) >= 0 and _dot(way, way) <= _dot(last, last) for way in ways)


def _drift(values: Sequence[float], recent: Sequence[Sighting]) -> float:
    """By how much an edge drifts over all boxes, in units of what shows that it moves."""
    middle = (len(values) - 1) / 2
    weight = sum((n - middle) ** 2 for n in range(len(values)))
    mean = sum(values) / len(values)
    slope = sum((n - middle) * (value - mean) for n, value in enumerate(values)) / weight
    rest = sum((value - mean - slope * (n - middle)) ** 2 for n, value in enumerate(values))
    size = math.sqrt(max(area_px(recent[-1].xyxy), 1.0))
    tremble = max(math.sqrt(rest / (len(values) - 2)), DRIFT_TREMBLE * size + TREMBLE_PX)
    return slope * (len(values) - 1) / (DRIFT_DEVIATIONS * tremble)


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


def _floor(size: float) -> float:
    return TREMBLE_SHARE * size + TREMBLE_PX


def _way(usual: Settled, xyxy: Box) -> tuple[float, float]:
    """How far a box has moved across and down: as far as both edges of a pair went the same way."""
    left, top, right, foot = (now - mean for now, mean in zip(xyxy, usual.mean, strict=True))
    down = foot if top * foot > 0 and abs(top) >= TOP_SHARE * abs(foot) else 0.0
    return _both(left, right), down


def _both(one: float, other: float) -> float:
    if one * other <= 0:
        return 0.0
    return one if abs(one) < abs(other) else other


def _is_far(usual: Settled, way: tuple[float, float]) -> bool:
    """Whether a way is further than boxes tremble."""
    least = OFF_SHARE * usual.size + 1.0
    left, top, right, foot = usual.tremble
    limits = (max(OFF_DEVIATIONS * min(left, right), least), max(OFF_DEVIATIONS * min(top, foot), least))
    return any(abs(part) > limit for part, limit in zip(way, limits, strict=True))


def _dot(a: tuple[float, float], b: tuple[float, float]) -> float:
    return a[0] * b[0] + a[1] * b[1]
