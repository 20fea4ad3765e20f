"""When a camera must be looked at again: as often as its rules need, instead of at a fixed rate.

A rule of five minutes is broken after five minutes whether the street is looked at five times a second or every few
seconds. What stands there decides: a thing that was seen once may be passing, one that was seen twice is looked at
again at once to know, and one that stands is visited more and more often as its limit comes near.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from geofence.claims import Claim
from geofence.dwell import DwellSettings
from geofence.messages import IncidentKind
from geofence.timeline import CameraState
from geofence.visit import Visit

_KNOWN_HITS = 3
"""Seen so often, the last two times shortly after each other, a thing stands."""
_JITTER_S = 0.05
"""A frame that comes so much early is on time: cameras of one frame a second do not keep it to the millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSettings:
    """min_interval_s: the fastest looks; max_interval_s: the slowest; idle_share: of the shortest dwell limit, how long
    nobody looks while nothing stands; approach_share: of the time that is left until a limit."""

    min_interval_s: float = 1.0
    max_interval_s: float = 3.0
    idle_share: float = 1 / 60
    approach_share: float = 1 / 4


def look_interval_s(
    state: CameraState, rules: Mapping[IncidentKind, DwellSettings], settings: SamplingSettings
) -> float:
    """Seconds of event time from the last look at a camera to the next."""
    idle_s = idle_interval_s(rules, settings)
    claims: dict[int, list[Claim]] = {}
    for claim in state.claims:
        for number in claim.visits:
            claims.setdefault(number, []).append(claim)
    waits = [_interval_s(visit, claims.get(visit.number, ()), rules, idle_s, settings) for visit in state.visits]
    return min([idle_s, *waits])


def is_due(
    captured_at: datetime,
    looked_at: datetime | None,
    state: CameraState,
    rules: Mapping[IncidentKind, DwellSettings],
    settings: SamplingSettings,
) -> bool:
    """Whether a frame is wanted by the rules: a matter of event time, however fast frames come.

    looked_at: capture time of the last frame that was looked at, None for the first; a frame from before it is wanted
        too, because a camera's clock may have been set
    """
    if looked_at is None or captured_at < looked_at:
        return True
    interval_s = look_interval_s(state, rules, settings)
    return (captured_at - looked_at).total_seconds() >= interval_s - _JITTER_S


def idle_interval_s(rules: Mapping[IncidentKind, DwellSettings], settings: SamplingSettings) -> float:
    """Seconds between two looks at a street where nothing stands."""
    shortest_s = min((rule.min_dwell_s for rule in rules.values()), default=settings.max_interval_s)
    # A silence longer than max_gap_s is no time at all for the dwell rule; looks must stay well within it.
    gap_s = min((rule.max_gap_s for rule in rules.values()), default=settings.max_interval_s) / 2
    slowest_s = min(settings.max_interval_s, gap_s)
    return max(min(shortest_s * settings.idle_share, slowest_s), min(settings.min_interval_s, slowest_s))


def delay_bound_s(rules: Mapping[IncidentKind, DwellSettings], settings: SamplingSettings) -> float:
    """How much later than by looking at every frame a rule is found broken at most, in seconds.

    A thing is first seen at most one idle interval after it came, and its limit is overshot by the fastest interval at
    most, because a quarter of what is left is never more than what is left. To each comes one frame of the camera.
    """
    return idle_interval_s(rules, settings) + settings.min_interval_s


def _interval_s(
    visit: Visit,
    claims: Sequence[Claim],
    rules: Mapping[IncidentKind, DwellSettings],
    idle_s: float,
    settings: SamplingSettings,
) -> float:
    presence = visit.presence
    is_reported = any(claim.incident is not None for claim in claims)
    if presence.hits < _KNOWN_HITS and not is_reported:
        return settings.min_interval_s if presence.hits > 1 and not presence.was_empty else idle_s
    if presence.was_empty or visit.is_in_question:
        return settings.min_interval_s
    waits = [idle_s]
    for claim in claims:
        rule = rules[claim.kind]
        if claim.incident is not None:
            waits.append(max(settings.min_interval_s, rule.absence_s / 3))
        else:
            left_s = rule.min_dwell_s - claim.dwell.total_seconds()
            waits.append(max(settings.min_interval_s, left_s * settings.approach_share))
    return min(waits)
