"""The dwell rule: one thing stays at one place, is reported once at its limit, and is cleared when it is gone.

Everything is event time: the times of frames, never their number and never a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from geofence.messages import IncidentKind

Box = tuple[float, float, float, float]
ZERO = timedelta(0)

# A thing seen for a moment is given up after this much emptiness, a thing seen for long after absence_s.
MIN_PATIENCE_S = 2.0
# Seeing the thing takes back emptiness at this rate. Below 1, so that traffic which crosses the place in
# every third frame does not add up to one parked car; a detector that misses 4 of 10 frames still holds.
RECOVERY_RATE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class DwellSettings:
    """How long is too long, and what interrupts it. Seconds of event time, metres on the ground.

    min_dwell_s:  limit; reached exactly is reported
    absence_s:    frames over this time saw the place empty: the thing is gone
    max_miss_s:   a thing hidden by another is remembered this long while it is not yet reported
    max_gap_s:    a longer silence between two frames does not count at all
    same_place_m: a thing this near to where it was first seen has not moved
    heartbeat_s:  at most one update of a reported thing in this time
    merge_m:      things this near to a reported one belong to its incident; 0 keeps each its own
    """

    min_dwell_s: float
    absence_s: float = 15.0
    max_miss_s: float = 120.0
    max_gap_s: float = 60.0
    same_place_m: float = 2.0
    heartbeat_s: float = 60.0
    merge_m: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A thing that breaks a rule in one frame.

    place_key: name of the place if a visit begins here
    ground_m:  [east, north] of the middle of its footprint, the place that is reported
    foot_m:    [east, north] of the middle of its contact edge: the same whatever class it is taken for
    xyxy:      its box; boxes: all boxes that show the trouble
    is_whole_zone: the zone as such is the place (a blocked sidewalk), whatever things make it so
    note:      what else the reason should say, Chinese and English
    """

    kind: IncidentKind
    place_key: str
    zone_id: str
    surface: str | None
    ground_m: tuple[float, float]
    foot_m: tuple[float, float]
    xyxy: Box
    boxes: tuple[Box, ...]
    subject: str
    confidence: float
    is_whole_zone: bool = False
    note: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What has been reported: the facts that stay the same from opened to cleared."""

    incident_id: str
    place_key: str
    zone_id: str
    surface: str | None
    ground_m: tuple[float, float]
    subject: str
    began_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One thing at one place, from its first sighting on.

    first, last: its first and its latest sighting; the first says where the place is
    began_at:    time of the first frame that showed it; is_start_unknown: it may have stood there before
    age:         time since began_at over all frames, without silences
    dwell:       age when it was last seen
    empty:       how long frames saw its place empty, less what later sightings took back
    was_empty:   the latest frame saw its place empty
    hits:        sightings so far; confidence_sum over them
    """

    first: Sighting
    last: Sighting
    began_at: datetime
    last_seen_at: datetime
    is_start_unknown: bool
    age: timedelta = ZERO
    dwell: timedelta = ZERO
    empty: timedelta = ZERO
    was_empty: bool = False
    hits: int = 1
    confidence_sum: float
    incident: Incident | None = None
    reported_at: datetime | None = None

    @property
    def missing(self) -> timedelta:
        """Time since it was last seen, without silences."""
        return self.age - self.dwell

    @property
    def confidence(self) -> float:
        """Mean over all sightings."""
        return self.confidence_sum / self.hits


class Step(StrEnum):
    """What a frame means for a visit."""

    STAYS = "stays"
    DUE = "due"
    HEARTBEAT = "heartbeat"
    GONE = "gone"


def begin(sighting: Sighting, *, seen_at: datetime, is_start_unknown: bool) -> Visit:
    """The visit of a thing that no earlier frame showed."""
    return Visit(
        first=sighting,
        last=sighting,
        began_at=seen_at,
        last_seen_at=seen_at,
        is_start_unknown=is_start_unknown,
        confidence_sum=sighting.confidence,
    )


def advance(
    visit: Visit,
    sighting: Sighting | None,
    *,
    seen_at: datetime,
    counted: timedelta,
    is_hidden: bool,
    settings: DwellSettings,
) -> tuple[Visit, Step]:
    """The visit after one more frame, and what that means for it.

    counted:   time since the frame before, zero after a silence
    is_hidden: something else stands before the place, so that not seeing the thing says nothing
    DUE comes with every sighting at or past the limit until the caller has set `incident`.
    """
    aged = replace(visit, age=visit.age + counted)
    if sighting is None:
        return _unseen(aged, counted, is_hidden, settings)
    seen = replace(
        aged,
        last=sighting,
        last_seen_at=seen_at,
        dwell=aged.age,
        empty=max(ZERO, aged.empty - counted * RECOVERY_RATE),
        was_empty=False,
        hits=aged.hits + 1,
        confidence_sum=aged.confidence_sum + sighting.confidence,
    )
    return seen, judge_seen(seen, seen_at, settings)


def judge_seen(visit: Visit, seen_at: datetime, settings: DwellSettings) -> Step:
    """What it means that `visit` is seen at `seen_at`."""
    if visit.incident is None:
        return Step.DUE if visit.dwell >= timedelta(seconds=settings.min_dwell_s) else Step.STAYS
    is_time = visit.reported_at is None or seen_at - visit.reported_at >= timedelta(seconds=settings.heartbeat_s)
    return Step.HEARTBEAT if is_time else Step.STAYS


def _unseen(visit: Visit, counted: timedelta, is_hidden: bool, settings: DwellSettings) -> tuple[Visit, Step]:
    if is_hidden:
        hidden = replace(visit, was_empty=False)
        is_given_up = visit.incident is None and visit.missing > timedelta(seconds=settings.max_miss_s)
        return hidden, Step.GONE if is_given_up else Step.STAYS
    # Only time between two frames that both saw the place empty is known to be empty.
    empty = replace(visit, empty=visit.empty + (counted if visit.was_empty else ZERO), was_empty=True)
    return empty, Step.GONE if empty.empty >= _patience(visit, settings) else Step.STAYS


def _patience(visit: Visit, settings: DwellSettings) -> timedelta:
    if visit.incident is not None:
        return timedelta(seconds=settings.absence_s)
    return min(timedelta(seconds=settings.absence_s), max(visit.dwell, timedelta(seconds=MIN_PATIENCE_S)))
