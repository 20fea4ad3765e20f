"""The dwell rule's clock: how long one thing has stayed at one place, and when it is gone.

Everything is event time: the times of frames, never their number and never a clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

ZERO = timedelta(0)

# A thing seen for a moment is given up after this much emptiness, one seen once even sooner, one seen for long after
# absence_s.
MIN_PATIENCE_S = 8.0
GLIMPSE_PATIENCE_S = 4.0
# What was seen for a moment and then hidden is remembered as briefly; what stayed, for so many times its stay; what
# certainly stood there, as long as the settings say.
MIN_HIDDEN_S = 10.0
HIDDEN_PER_DWELL = 3.0
# Seeing the thing takes back emptiness at this rate. Below 1, so that traffic which crosses the place in
# every third frame does not add up to one parked car; a detector that misses 4 of 10 frames, in runs, still holds.
RECOVERY_RATE = 0.8
# A thing that is missed more often is none: what stands there is something else, or passes, or is a reflection. What
# shows the same box each time is missed more often for a while before it is given up.
MAX_MISSED_SHARE, MAX_STEADY_MISSED_SHARE = 0.6, 0.85
# At one look in half a minute a detector that misses two in a row has not seen anybody leave yet; nor has one that
# often misses things, as long as so many misses have more than this chance. Its share is taken for this at first.
MIN_EMPTY_LOOKS, MISSED_BY_CHANCE = 2.5, 0.01
FIRST_MISSED, FIRST_LOOKS = 0.5, 3
# Misses come in runs: for so long a thing may be missed in every look and still hide what stands behind it.
MISSED_S = 4.0
# A pause between two lone looks that missed a thing, each by chance, is no more proof than so many usual intervals.
LONE_INTERVALS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellSettings:
    """How long is too long, and what interrupts it. Seconds of event time, metres on the ground.

    min_dwell_s:  limit; reached exactly is reported
    absence_s:    frames over this time saw the place empty: the thing is gone
    max_miss_s:   a thing hidden by another is remembered this long while it is not yet reported
    max_gap_s:    a silence between two frames longer than this, and than three usual intervals, does not count
    same_place_m: a thing this near to where it was first seen has not moved
    heartbeat_s:  at most one update of a reported thing in this time
    merge_m:      things this near to a reported one belong to its incident; 0 keeps each its own
    """

    min_dwell_s: float
    absence_s: float = 15.0
    max_miss_s: float = 120.0
    max_gap_s: float = 30.0
    same_place_m: float = 2.0
    heartbeat_s: float = 60.0
    merge_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """One thing at one place through time.

    began_at:     half-way between the last look without it and the first with it
    last_seen_at: the last look that showed it; gone_at: half-way from there to the first that did not, None while seen
    unsure:       how long after began_at it was first seen: so much of its stay is not proved
    is_start_unknown: nobody looked before it was first seen, so it may have stood there for long
    age:          time since began_at over all looks, without silences; dwell: age when it was last seen
    empty:        how long looks saw its place empty, less what later sightings took back
    empty_run:    how long they did without a break, since it was last seen
    missed:       how long looks did not find it though nothing hid it, until it was last seen; missed_since: since then
    seen:         how long looks found it
    was_empty:    the latest look saw its place empty; look: seconds that the latest look speaks for
    hits:         sightings
    """

    began_at: datetime
    last_seen_at: datetime
    is_start_unknown: bool
    unsure: timedelta = ZERO
    age: timedelta = ZERO
    dwell: timedelta = ZERO
    empty: timedelta = ZERO
    empty_run: timedelta = ZERO
    missed: timedelta = ZERO
    missed_since: timedelta = ZERO
    seen: timedelta = ZERO
    was_empty: bool = False
    look: timedelta = ZERO
    gone_at: datetime | None = None
    hits: int = 1

    @property
    def missed_share(self) -> float:
        """Share of the looks at its open place that did not find it: how bad the detector is at it, 0 … 1."""
        looked = self.missed + self.seen
        return self.missed / looked if looked else 0.0

    @property
    def missing(self) -> timedelta:
        """Time since it was last seen, without silences."""
        return self.age - self.dwell


class Sight(StrEnum):
    """What a look at a place shows of the thing that stood there."""

    SEEN = "seen"
    EMPTY = "empty"
    HIDDEN = "hidden"


def begin(seen_at: datetime, looked_before: datetime | None) -> Presence:
    """A thing's first sighting; `looked_before`: the last look at its place, None when nobody looked."""
    if looked_before is None:
        return Presence(began_at=seen_at, last_seen_at=seen_at, is_start_unknown=True)
    half = (seen_at - looked_before) / 2
    return Presence(
        began_at=seen_at - half, last_seen_at=seen_at, is_start_unknown=False, unsure=half, age=half, dwell=half
    )


def advance(
    presence: Presence, sight: Sight, *, seen_at: datetime, counted: timedelta, usual: timedelta | None = None
) -> Presence:
    """The presence after one more look.

    counted: time since the look before, zero after a silence; usual: what it mostly is, None where always the same
    """
    age = presence.age + counted
    if sight == Sight.SEEN:
        return replace(
            presence,
            age=age,
            look=counted,
            last_seen_at=seen_at,
            dwell=age,
            empty=max(ZERO, presence.empty - counted * RECOVERY_RATE) if presence.empty else ZERO,
            empty_run=ZERO,
            missed=presence.missed + presence.missed_since,
            missed_since=ZERO,
            seen=presence.seen + counted,
            was_empty=False,
            gone_at=None,
            hits=presence.hits + 1,
        )
    gone_at = presence.gone_at or presence.last_seen_at + counted / 2
    if sight == Sight.HIDDEN:
        return replace(presence, age=age, look=counted, gone_at=gone_at, was_empty=False)
    # Only time between two looks that both saw the place empty is known to be empty.
    known_empty = counted if presence.was_empty else ZERO
    if usual is not None and not presence.empty_run:
        known_empty = min(known_empty, usual * LONE_INTERVALS)
    return replace(
        presence,
        age=age,
        look=counted,
        gone_at=gone_at,
        empty=presence.empty + known_empty,
        empty_run=presence.empty_run + known_empty,
        missed_since=presence.missed_since + counted,
        was_empty=True,
    )


def is_gone(presence: Presence, settings: DwellSettings, *, is_reported: bool, is_steady: bool = False) -> bool:
    """Whether the thing has left: its place was seen empty for too long, or something hides it for too long.

    is_steady: its boxes are always the same
    """
    if presence.gone_at is None:
        return False
    if not presence.was_empty:
        dwell_s = presence.dwell.total_seconds()
        is_known = is_steady and dwell_s >= MIN_PATIENCE_S
        known_s = settings.max_miss_s if is_known else max(MIN_HIDDEN_S, HIDDEN_PER_DWELL * dwell_s)
        return not is_reported and presence.missing > timedelta(seconds=min(settings.max_miss_s, known_s))
    # What the detector often misses has not left because it is missed once more.
    absence = timedelta(seconds=settings.absence_s)
    often = MAX_STEADY_MISSED_SHARE if is_steady else MAX_MISSED_SHARE
    share = min(presence.missed_share, often)
    # Empty without a break.
    if presence.empty_run >= (absence / (1 - share) if share >= MAX_MISSED_SHARE else absence):
        return presence.empty_run >= presence.look * _empty_looks(presence, often)
    # Empty in pieces, all in all.
    patience = absence / (1 - (often if is_steady else share))
    if not is_reported:
        least_s = MIN_PATIENCE_S if presence.hits > 1 else GLIMPSE_PATIENCE_S
        patience = min(patience, max(presence.dwell, timedelta(seconds=least_s)))
    return presence.empty >= max(patience, presence.look * _empty_looks(presence, often))


def may_be_missed(presence: Presence) -> bool:
    """Whether the thing may well be there although the latest looks saw its place empty."""
    least = presence.look * _empty_looks(presence, MAX_MISSED_SHARE)
    return presence.empty_run < max(timedelta(seconds=MISSED_S), least)


def _empty_looks(presence: Presence, most: float) -> float:
    """How many empty looks in a row tell that the thing is gone; `most`: a detector misses no larger share."""
    looked = presence.missed + presence.seen + presence.look * FIRST_LOOKS
    share = (presence.missed + presence.look * FIRST_MISSED) / looked if looked else 0.0
    return max(MIN_EMPTY_LOOKS, math.log(MISSED_BY_CHANCE) / math.log(min(share, most))) if share else MIN_EMPTY_LOOKS
