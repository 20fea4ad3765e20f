"""One visit: what is known of a thing that stays at a place, and what a sighting does to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from geofence.appearances import blended, first_unlike
from geofence.boxes import (
    EDGES,
    KNOWN_BOXES,
    MAX_RECENT,
    NOTHING_SETTLED,
    SWAP_S,
    Box,
    Settled,
    Sighting,
    Verdict,
    differs,
    has_lasted,
    is_beside,
    is_leaving,
    is_moving,
    joined,
    lasts,
    off_edges,
    sparse,
    verdict,
)
from geofence.braking import started_at, stopped_at
from geofence.dwell import MAX_MISSED_SHARE, MAX_STEADY_MISSED_SHARE, MISSED_S, ZERO, Presence, Sight, advance, begin
from geofence.footprint import Footprint
from geofence.scene import Thing

# The place is the mean of its first sightings; what creeps on from there has left.
ANCHOR_HITS = 8
# A detector that misses a thing does so for fewer looks before it is taken for another one.
EMPTY_LOOKS = 3
# What usually covers it is the mean of so many looks.
COVER_LOOKS = 10
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
    doubt:    boxes since a time without sight, until it is known whether they show the same thing
    votes:    class → weight of the sightings that called it so; name: the class with most of it
    named_at: when it began to be called so; placed_at: when it came to where its boxes lie now
    unseen_edges: edges of its box that something hides or the picture cuts, as it is best seen
    last_xyxy: its box in the latest frame that showed it; is_in_part: less of it was seen there than usual
    covered_at: when a look last showed what hides the rest
    usual_cover: share of its box that something nearer covers while it is seen as usual
    lane_movers: numbers of vehicles of its lane that moved of late, and when
    lane_moved_at, broken_at: when its lane moved on, and when it was last not seen in its place
    driven_sides: whether others drive along its lane before and behind it; queued_at: when it was last seen in a queue
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
    doubt: tuple[Sighting, ...] = ()
    votes: tuple[tuple[str, float], ...]
    name: str
    named_at: datetime
    placed_at: datetime
    confidence_sum: float
    unseen_edges: str = ""
    last_xyxy: Box
    is_in_part: bool = False
    covered_at: datetime | None = None
    usual_cover: float = 0.0
    lane_movers: tuple[tuple[int, datetime], ...] = ()
    lane_moved_at: datetime | None = None
    broken_at: datetime | None = None
    driven_sides: tuple[bool, bool] = (False, False)
    queued_at: datetime | None = None
    fitted_hits: int = 0
    footprint: Footprint | None = None
    plate_sha256: str | None = None
    appearance: str | None = None

    @property
    def box(self) -> Box:
        """Its mean box, pixels of the calibrated picture."""
        return self.usual.mean

    @property
    def is_in_question(self) -> bool:
        """It has come back into sight and may be another thing, which the next looks will tell within seconds."""
        if not self.doubt:
            return False
        interval = self.doubt[0].at - self.doubt[0].before
        return self.doubt[0].unseen > interval and interval.total_seconds() < SWAP_S

    @property
    def is_on_its_way(self) -> bool:
        """It was seen beside its place when it was last seen, and moved there."""
        return bool(self.off) and is_beside(self.usual, self.off[-1].xyxy)

    @property
    def confidence(self) -> float:
        """Mean over all sightings."""
        return self.confidence_sum / self.presence.hits

    @property
    def has_lasted(self) -> bool:
        """It has been seen for so long that it neither passes nor is another look of what stood there."""
        return lasts((self.presence.dwell - self.presence.unsure).total_seconds(), self.presence.hits)

    def is_seen_at(self, at: datetime) -> bool:
        """Whether the look at `at` showed it."""
        return self.presence.last_seen_at == at


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A visit that has ended; is_replaced: something else stands there now, or it moved on."""

    visit: Visit
    is_replaced: bool

    @staticmethod
    def of(visit: Visit, *, is_replaced: bool) -> Departure:
        """The end of a visit; its last boxes may show the thing already driving off."""
        started = started_at((*visit.recent, *(one for one in visit.off if one.at > visit.recent[-1].at)))
        if started is not None and (visit.presence.gone_at is None or started < visit.presence.gone_at):
            visit = replace(visit, presence=replace(visit.presence, gone_at=started))
        return Departure(visit=visit, is_replaced=is_replaced)

    @property
    def at(self) -> datetime:
        """When it left, event time."""
        return self.visit.presence.gone_at or self.visit.presence.last_seen_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One frame's time, as the visits count it.

    before:  the look before, None when nobody looked for too long
    counted: time since the look before, zero after a silence; clock: all counted time of the camera until now
    usual:   how far looks are apart mostly, None where that is not known
    """

    at: datetime
    before: datetime | None
    counted: timedelta
    clock: timedelta
    usual: timedelta | None = None


def continued(
    visit: Visit, thing: Thing, unseen_edges: str, look: Look, number: int, *, is_reported: bool = False
) -> tuple[Visit, Visit | None]:
    """The visit after a sighting; where that shows another thing, the visit until then and that of the other.

    unseen_edges: of the thing's box, those that the picture cuts, that something hides, or that give way to another box
    is_reported:  it is part of an incident, which stays the same where the thing only moves a bit
    """
    sighting = _sighting(thing, look, visit)
    seen = replace(
        visit,
        presence=advance(visit.presence, Sight.SEEN, seen_at=look.at, counted=look.counted),
        votes=_voted(visit.votes, thing.name, thing.confidence),
        confidence_sum=visit.confidence_sum + thing.confidence,
        last_xyxy=thing.xyxy,
        is_in_part=False,
    )
    hidden, usually_hidden = set(unseen_edges), set(visit.unseen_edges)
    off = set(off_edges(visit.usual, thing.xyxy))
    # While few boxes are known any of them may be the odd one.
    beside = off - hidden - usually_hidden if visit.usual.count >= KNOWN_BOXES else set()
    # An edge that lies where it always does is seen, whatever else is there.
    hidden = {edge for edge in hidden if edge in off or edge in usually_hidden}
    latest = (*visit.recent, *visit.off, sighting)[-MAX_RECENT:]
    is_another = (
        is_leaving(visit.usual, visit.off, sighting)
        or (not is_reported and is_moving(latest))
        or _was_never_there(visit, sighting)
    )
    if thing.can_be_followed and is_another:
        return left_by(seen, look), born(thing, unseen_edges, look, number)
    if not beside and hidden < usually_hidden and _shows_more(visit, thing.xyxy, usually_hidden - hidden):
        return _anew(seen, (sighting,), unseen_edges), None
    if not hidden <= usually_hidden:
        # Something passes before it: what is left to see says that it is there, not where.
        return replace(seen, off=sparse(visit.off, sighting) if beside else (), is_in_part=True), None
    if thing.can_be_followed and (visit.doubt or sighting.is_after_absence):
        return _in_doubt(seen, sighting, beside=bool(beside), number=number)
    if beside:
        return _beside(seen, sighting), None
    return _parted(_recorded(seen, sighting, thing.foot_m), number)


def with_cover(visit: Visit, covered: float, at: datetime, *, is_cover_missed: bool = False) -> Visit:
    """The visit after a sighting while something nearer covered such a share of its usual box.

    is_cover_missed: this look does not show what hides a part of it
    """
    if visit.is_in_part:
        return visit if is_cover_missed else replace(visit, covered_at=at)
    if visit.usual_cover == covered:
        return visit
    mean = visit.usual_cover + (covered - visit.usual_cover) / min(visit.presence.hits, COVER_LOOKS)
    return replace(visit, usual_cover=round(mean, 4))


def _was_never_there(visit: Visit, sighting: Sighting) -> bool:
    """Whether the place was open and empty for most of the time: others drove through it, and only now one stands."""
    presence = visit.presence
    open_s = (presence.missed + presence.missed_since + presence.seen).total_seconds()
    empty_s = (presence.missed + presence.missed_since).total_seconds()
    interval = max(sighting.at - sighting.before, presence.look)
    least_s = max(MISSED_S, EMPTY_LOOKS * interval.total_seconds())
    if not sighting.is_after_absence or empty_s < least_s:
        return False
    is_steady = visit.usual.is_steady and not off_edges(visit.usual, sighting.xyxy)
    return empty_s > (MAX_STEADY_MISSED_SHARE if is_steady else MAX_MISSED_SHARE) * open_s


def _shows_more(visit: Visit, xyxy: Box, edges: set[str]) -> bool:
    """Whether edges that were hidden until now lie further out than what was seen instead."""
    signs = {"L": -1, "T": -1, "R": 1, "B": 1}
    return all(
        signs[edge] * (now - mean) > -tremble
        for edge, now, mean, tremble in zip(EDGES, xyxy, visit.usual.mean, visit.usual.tremble, strict=True)
        if edge in edges
    )


def _anew(visit: Visit, sightings: tuple[Sighting, ...], unseen_edges: str) -> Visit:
    """The visit with nothing but these boxes known of its place."""
    return replace(
        visit,
        settled=NOTHING_SETTLED,
        usual=joined(NOTHING_SETTLED, sightings),
        recent=sightings,
        off=(),
        doubt=(),
        unseen_edges=unseen_edges,
        fitted_hits=0,
        appearance=None,
    )


def _in_doubt(visit: Visit, sighting: Sighting, *, beside: bool, number: int) -> tuple[Visit, Visit | None]:
    """After a time without sight: the same thing, another one, or not known yet."""
    is_third = bool(visit.doubt) and sighting.is_after_absence and differs(visit.usual, visit.doubt[-1], sighting)
    doubt = sparse(() if is_third else visit.doubt, sighting)
    visit = replace(visit, doubt=doubt, off=sparse(visit.off, sighting) if beside else ())
    match verdict(visit.usual, doubt, visit.unseen_edges):
        case Verdict.OPEN:
            return visit, None
        case Verdict.SAME:
            back = replace(visit, doubt=())
            for one in doubt:
                back = _recorded(back, one, None)
            return _parted(replace(back, off=visit.off), number)
        case Verdict.OTHER:
            first = doubt[0]
            gone_age, half = max(ZERO, first.age - first.unseen), (first.at - first.before) / 2
            return _split(visit, doubt, number, gone_age=gone_age, half=half)


def _beside(visit: Visit, sighting: Sighting) -> Visit:
    """One more box beside the place: when they last, the thing has been moved there, or is boxed otherwise from now on.

    Nobody can have left and been followed meanwhile.
    """
    off = sparse(visit.off, sighting)
    if not has_lasted(off):
        return replace(visit, off=off)
    placed_at = off[0].before + (off[0].at - off[0].before) / 2
    return replace(_anew(visit, off, visit.unseen_edges), appearance=visit.appearance, placed_at=placed_at)


def left_by(visit: Visit, look: Look) -> Visit:
    """The visit of a thing that is known to have driven out by now."""
    gone_at = visit.presence.gone_at or visit.presence.last_seen_at + look.counted / 2
    return replace(visit, presence=replace(visit.presence, gone_at=gone_at))


def born(thing: Thing, unseen_edges: str, look: Look, number: int) -> Visit:
    presence = begin(look.at, look.before)
    sighting = _sighting(thing, look, None)
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
        placed_at=presence.began_at,
        confidence_sum=thing.confidence,
        unseen_edges=unseen_edges,
        last_xyxy=thing.xyxy,
        plate_sha256=thing.plate_sha256,
    )


def _recorded(visit: Visit, sighting: Sighting, foot_m: tuple[float, float] | None) -> Visit:
    """The visit with one more box at its place."""
    settled, recent, appearance = visit.settled, (*visit.recent, sighting), visit.appearance
    if len(recent) > MAX_RECENT:
        settled, appearance = settled.with_box(recent[0].xyxy), blended(appearance, recent[0].appearance)
        recent = recent[1:]
    hits = visit.presence.hits
    anchor = visit.anchor_m
    if foot_m is not None and hits <= ANCHOR_HITS:
        east, north = (old + (new - old) / hits for old, new in zip(anchor, foot_m, strict=True))
        anchor = east, north
    name = max(visit.votes, key=lambda vote: vote[1])[0]
    return replace(
        visit,
        anchor_m=anchor,
        settled=settled,
        usual=visit.usual.with_box(sighting.xyxy),
        recent=recent,
        off=(),
        plate_sha256=recent[-1].plate_sha256 or visit.plate_sha256,
        appearance=appearance,
        name=name,
        named_at=visit.named_at if name == visit.name else _called_since(recent, name),
    )


def _sighting(thing: Thing, look: Look, visit: Visit | None) -> Sighting:
    """`visit`: as it was before this look, None for a thing that is seen for the first time."""
    age = begin(look.at, look.before).age if visit is None else visit.presence.age + look.counted
    # A silence counts towards no stay, but another thing may have come in it.
    unseen = ZERO if visit is None else look.at - visit.presence.last_seen_at
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
        if balance > best and recent[number].name == name:
            start, best = number, balance
    sighting = recent[start]
    return sighting.before + (sighting.at - sighting.before) / 2


def _parted(visit: Visit, number: int) -> tuple[Visit, Visit | None]:
    """The visit up to where a picture shows another thing, and the visit of that other thing, if one does."""
    row = first_unlike(visit.appearance, visit.recent)
    if row is None:
        return visit, None
    first = visit.recent[row]
    gone_age = visit.recent[row - 1].age if row else max(ZERO, first.age - first.unseen)
    half = (first.at - first.before) / 2
    old, new = _split(visit, visit.recent[row:], number, gone_age=gone_age, half=half)
    return replace(old, recent=visit.recent[:row] or old.recent), new


def at_rest(visit: Visit, number: int) -> tuple[Visit, Visit | None]:
    """The visit while its thing still rolled, and the visit of it since it stands, if it has only just come to rest."""
    recent = visit.recent
    if len(recent) < MAX_RECENT or visit.settled.count:
        return visit, None
    stop = stopped_at(recent)
    if stop is None:
        return visit, None
    row = next(row for row, sighting in enumerate(recent) if sighting.at >= stop)
    old, new = _split(visit, recent[row:], number, gone_age=recent[row - 1].age, half=recent[row].at - stop)
    return replace(old, recent=recent[:row]), new


def _split(
    visit: Visit, later: Sequence[Sighting], number: int, *, gone_age: timedelta, half: timedelta
) -> tuple[Visit, Visit]:
    """The visit until it was last seen before `later`, and the visit of the other thing that `later` shows.

    half: how long before its first sighting the other thing came
    """
    first = later[0]
    last_seen_at = first.at - first.unseen
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
            is_start_unknown=first.at == first.before,
            unsure=half,
            age=visit.presence.age - earlier,
            dwell=visit.presence.dwell - earlier,
            seen=later[-1].age - later[0].age,
            hits=len(later),
        ),
        anchor_m=visit.anchor_m,
        usual=joined(NOTHING_SETTLED, later),
        recent=(replace(rebased[0], unseen=ZERO), *rebased[1:]),
        votes=votes,
        name=max(votes, key=lambda vote: vote[1])[0],
        named_at=first.at - half,
        placed_at=first.at - half,
        confidence_sum=sum(sighting.confidence for sighting in later),
        unseen_edges=visit.unseen_edges,
        last_xyxy=visit.last_xyxy,
        plate_sha256=next((one.plate_sha256 for one in reversed(later) if one.plate_sha256), None),
    )
    before = replace(first, xyxy=visit.usual.mean, at=last_seen_at)
    return replace(visit, recent=visit.recent or (before,), off=(), doubt=(), presence=presence), new
