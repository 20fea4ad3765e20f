"""One visit: what is known of a thing that stays at a place, and what a sighting does to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from geofence.appearances import blended, first_unlike
from geofence.boxes import (
    EDGES,
    MAX_OFF,
    MAX_RECENT,
    NOTHING_SETTLED,
    SWAP_S,
    Box,
    Settled,
    Sighting,
    first_of_another,
    iou,
    is_another_in_part,
    is_leaving,
    is_moving,
    is_off,
    is_settling,
    joined,
    mean_box,
)
from geofence.dwell import ZERO, Presence, Sight, advance, begin
from geofence.footprint import Footprint
from geofence.scene import Thing

MIN_IOU = 0.5
# The place is the mean of its first sightings; what creeps on from there has left.
ANCHOR_HITS = 8
# An old vote for what the thing is counts this much less at every new one.
VOTE_DECAY = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One thing staying at one place.

    number:   names it within its camera's state; group: the classes that it may be taken for
    presence: since when, how long, how often
    anchor_m: [east, north] of its contact edge's middle, the mean of its first sightings
    settled, recent: its boxes, old ones as a mean, the latest one by one; usual: all of them together
    off:      the latest boxes, if they lie beside its place
    votes:    class → weight of the sightings that called it so; name: the class with most of it
    named_at: when it began to be called so
    unseen_edges: edges of its box that something hides or the picture cuts, as it is best seen
    part:     the latest boxes, if less of it was seen than that
    ahead_moved_at, behind_moved_at: when a vehicle before and one behind it in its lane last moved
    lane_moved_at, broken_at: when its lane moved on, and when it was last not seen in its place
    is_in_question: it has just come back into sight and may be another thing
    footprint: the ground under it, None until it was seen twice; plate_sha256: of its plate, as last read
    appearance: the mean of what looked before `recent`
    """

    number: int
    group: str
    presence: Presence
    anchor_m: tuple[float, float]
    settled: Settled = NOTHING_SETTLED
    usual: Settled = NOTHING_SETTLED
    recent: tuple[Sighting, ...]
    off: tuple[Sighting, ...] = ()
    votes: tuple[tuple[str, float], ...]
    name: str
    named_at: datetime
    confidence_sum: float
    unseen_edges: str = ""
    part: tuple[Sighting, ...] = ()
    is_in_question: bool = False
    ahead_moved_at: datetime | None = None
    behind_moved_at: datetime | None = None
    lane_moved_at: datetime | None = None
    broken_at: datetime | None = None
    fitted_hits: int = 0
    footprint: Footprint | None = None
    plate_sha256: str | None = None
    appearance: str | None = None

    @property
    def box(self) -> Box:
        """Its mean box, pixels of the calibrated picture."""
        return mean_box(self.usual)

    @property
    def last_box(self) -> Box:
        """Its box in the latest frame that showed it."""
        return (self.off or self.recent)[-1].xyxy

    @property
    def confidence(self) -> float:
        """Mean over all sightings."""
        return self.confidence_sum / self.presence.hits

    def is_seen_at(self, at: datetime) -> bool:
        """Whether the look at `at` showed it."""
        return self.presence.last_seen_at == at


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A visit that has ended; is_replaced: something else stands there now, or it moved on."""

    visit: Visit
    is_replaced: bool

    @property
    def at(self) -> datetime:
        """When it left, event time."""
        return self.visit.presence.gone_at or self.visit.presence.last_seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One frame's time, as the visits count it.

    before:  the look before, None when nobody looked for too long
    counted: time since the look before, zero after a silence; clock: all counted time of the camera until now
    """

    at: datetime
    before: datetime | None
    counted: timedelta
    clock: timedelta


def continued(visit: Visit, thing: Thing, unseen_edges: str, look: Look, number: int) -> tuple[Visit, Visit | None]:
    """The visit after a sighting; where that shows another thing, the visit until then and that of the other."""
    presence = advance(visit.presence, Sight.SEEN, seen_at=look.at, counted=look.counted)
    seen = replace(
        visit,
        presence=presence,
        votes=_voted(visit.votes, thing.name, thing.confidence),
        confidence_sum=visit.confidence_sum + thing.confidence,
    )
    edges, usual = set(unseen_edges), set(visit.unseen_edges)
    is_worse = iou(visit.box, thing.xyxy) < MIN_IOU or not edges <= usual
    sighting = _sighting(thing, look, presence.age, _unseen(visit, presence, look))
    if is_worse:
        # Something passes before it: what is left to see says that it is there, not where.
        is_back = visit.part and (look.at - visit.part[-1].at).total_seconds() >= SWAP_S
        part = (sighting,) if is_back else (*visit.part, sighting)
        if len(part) < MAX_RECENT:
            return replace(seen, part=part), None
        common = "".join(edge for edge in EDGES if edge not in edges | usual)
        if part[0].unseen.total_seconds() >= SWAP_S and is_another_in_part(visit.usual, part, common):
            return _split(replace(seen, part=()), part, visit.recent[-1].age, unseen_edges, number)
        seen = replace(seen, part=())
    elif visit.part:
        seen = replace(seen, part=())
    if edges != usual:
        seen = replace(
            seen,
            settled=NOTHING_SETTLED,
            usual=NOTHING_SETTLED,
            recent=(),
            off=(),
            unseen_edges=unseen_edges,
            fitted_hits=0,
            appearance=None,
        )
    latest = (*seen.recent, *seen.off, sighting)[-MAX_RECENT:]
    if is_leaving(seen.usual, seen.off, sighting) or is_moving(latest):
        return left_by(visit, look), born(thing, unseen_edges, look, number)
    return _parted(_recorded(seen, thing, sighting), number)


def left_by(visit: Visit, look: Look) -> Visit:
    """The visit of a thing that is known to have driven out by now."""
    gone_at = visit.presence.gone_at or visit.presence.last_seen_at + look.counted / 2
    return replace(visit, presence=replace(visit.presence, gone_at=gone_at))


def born(thing: Thing, unseen_edges: str, look: Look, number: int) -> Visit:
    presence = begin(look.at, look.before)
    sighting = _sighting(thing, look, presence.age, ZERO)
    return Visit(
        number=number,
        group=thing.group,
        presence=presence,
        anchor_m=thing.foot_m,
        usual=NOTHING_SETTLED.with_box(sighting.xyxy),
        recent=(sighting,),
        votes=((thing.name, thing.confidence),),
        name=thing.name,
        named_at=presence.began_at,
        confidence_sum=thing.confidence,
        unseen_edges=unseen_edges,
        plate_sha256=thing.plate_sha256,
    )


def _unseen(visit: Visit, presence: Presence, look: Look) -> timedelta:
    """How long the thing had not been seen whole before this look; zero when the look before showed it so."""
    if look.counted == ZERO:
        return look.at - visit.presence.last_seen_at
    known = (*visit.recent, *visit.off)
    return presence.age - (known[-1].age if known else visit.presence.dwell)


def _recorded(visit: Visit, thing: Thing, sighting: Sighting) -> Visit:
    """The visit with one more box: beside its place for now, or part of what is known of the place."""
    settled, recent, appearance = visit.settled, (*visit.recent, sighting), visit.appearance
    is_back = any(one.unseen.total_seconds() >= SWAP_S for one in recent[-MAX_OFF:])
    if not is_back and is_off(visit.usual, sighting):
        off = (*visit.off, sighting)
        if len(off) < MAX_OFF:
            return replace(visit, off=off)
        # It has been moved there, or is boxed otherwise from now on.
        visit = replace(visit, fitted_hits=0)
        settled, recent, usual, appearance = NOTHING_SETTLED, off, joined(NOTHING_SETTLED, off), None
    else:
        usual = visit.usual.with_box(sighting.xyxy)
    if len(recent) > MAX_RECENT:
        settled, appearance = settled.with_box(recent[0].xyxy), blended(appearance, recent[0].appearance)
        recent = recent[1:]
    hits = visit.presence.hits
    share = 1 / hits if hits <= ANCHOR_HITS else 0.0
    anchor = [old + (new - old) * share for old, new in zip(visit.anchor_m, thing.foot_m, strict=True)]
    name = max(visit.votes, key=lambda vote: vote[1])[0]
    return replace(
        visit,
        anchor_m=(anchor[0], anchor[1]),
        settled=settled,
        usual=usual,
        recent=recent,
        off=(),
        plate_sha256=recent[-1].plate_sha256 or visit.plate_sha256,
        appearance=appearance,
        name=name,
        named_at=visit.named_at if name == visit.name else _called_since(recent, name),
        is_in_question=is_settling(recent),
    )


def _sighting(thing: Thing, look: Look, age: timedelta, unseen: timedelta) -> Sighting:
    return Sighting(
        at=look.at,
        before=look.before or look.at,
        unseen=unseen,
        age=age,
        xyxy=thing.xyxy,
        name=thing.name,
        confidence=thing.confidence,
        plate_sha256=thing.plate_sha256,
        appearance=thing.appearance,
    )


def _voted(votes: Sequence[tuple[str, float]], name: str, confidence: float) -> tuple[tuple[str, float], ...]:
    weights = {voted: weight * VOTE_DECAY for voted, weight in votes}
    weights[name] = weights.get(name, 0.0) + confidence
    return tuple((name, round(weight, 6)) for name, weight in weights.items() if weight > 0.01)


def _called_since(recent: Sequence[Sighting], name: str) -> datetime:
    """From when on most sightings called it `name`."""
    start, best, balance = len(recent) - 1, 0, 0
    for number in range(len(recent) - 1, -1, -1):
        balance += 1 if recent[number].name == name else -1
        if balance >= best and recent[number].name == name:
            start, best = number, balance
    sighting = recent[start]
    return sighting.before + (sighting.at - sighting.before) / 2


def _parted(visit: Visit, number: int) -> tuple[Visit, Visit | None]:
    """The visit up to where another thing took the place, and the visit of that other thing, if one did."""
    row = first_of_another(visit.settled, visit.recent)
    if row is None:
        row = first_unlike(visit.appearance, visit.recent)
    if row is None:
        return visit, None
    first = visit.recent[row]
    gone_age = visit.recent[row - 1].age if row else max(ZERO, first.age - first.unseen)
    old, new = _split(visit, visit.recent[row:], gone_age, visit.unseen_edges, number)
    return replace(old, recent=visit.recent[:row] or old.recent), new


def _split(
    visit: Visit, later: Sequence[Sighting], gone_age: timedelta, unseen_edges: str, number: int
) -> tuple[Visit, Visit]:
    """The visit until it was last seen before `later`, and the visit of the other thing that `later` shows."""
    first = later[0]
    last_seen_at = first.at - first.unseen
    half = (first.at - first.before) / 2
    gone_at = last_seen_at + min(half, first.unseen / 2)
    presence = replace(visit.presence, age=first.age, dwell=gone_age, last_seen_at=last_seen_at, gone_at=gone_at)
    votes: tuple[tuple[str, float], ...] = ()
    for sighting in later:
        votes = _voted(votes, sighting.name, sighting.confidence)
    # From here on ages count from when the other thing came.
    earlier = first.age - half
    rebased = [replace(sighting, age=sighting.age - earlier) for sighting in later]
    new = Visit(
        number=number,
        group=visit.group,
        presence=Presence(
            began_at=first.at - half,
            last_seen_at=visit.presence.last_seen_at,
            is_start_unknown=half == ZERO,
            unsure=half,
            age=visit.presence.age - earlier,
            dwell=visit.presence.dwell - earlier,
            hits=len(later),
        ),
        anchor_m=visit.anchor_m,
        usual=joined(NOTHING_SETTLED, later),
        recent=(replace(rebased[0], unseen=ZERO), *rebased[1:]),
        votes=votes,
        name=max(votes, key=lambda vote: vote[1])[0],
        named_at=first.at - half,
        confidence_sum=sum(sighting.confidence for sighting in later),
        unseen_edges=unseen_edges,
        plate_sha256=next((one.plate_sha256 for one in reversed(later) if one.plate_sha256), None),
    )
    before = replace(first, xyxy=mean_box(visit.usual), at=last_seen_at)
    return replace(visit, recent=visit.recent or (before,), presence=presence), new
