"""The true incidents of a scenario, from its things' exact footprints and times; shares no code with the rules.

began_at: when the thing came to stand, the zone came into force or the first frame was taken, at the begin or after a
          silence, whichever was last; nobody can know how long a thing stood before somebody looked
due_at:   when it had stood for the limit. Seconds out of force do not count, nor does a silence of the camera
          that is longer than max_gap_s, none of it
ended_at: when it left, or its zone went out of force; none if it is there at the end
A vehicle that comes back to its place within absence_s has not left. Pieces of garbage within merge_m of a heap's
first piece are one incident, which ends with the last of them. What else blocks a sidewalk is one incident as long
as less than min_clear_m is free there; further than blockade_m along it is another. The place is the middle of the
footprint: of the vehicle, of the heap's first piece, of the largest thing in the way.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from math import hypot, inf
from zoneinfo import ZoneInfo

import numpy as np
import shapely

from bench.incidents.actors import Actor, Stay
from bench.incidents.scenario import CAMERA_ID, Scenario, Zone
from sim.moments import moment_after
from sim.scoring.scoring_input import Truth, parse_truth
from sim.street.body import GARBAGE, OVERFLOW_FILL, TWO_WHEELERS, VEHICLES, Body, BodyKind
from sim.street.clearance import passage_of
from sim.street.street import Rect

_PARKING_KINDS = ("no_parking", "sidewalk")
_GARBAGE_KINDS = ("no_parking", "sidewalk", "street")
_OBSTACLES = TWO_WHEELERS | {BodyKind.STALL, BodyKind.BIN}
_SAME_PLACE_M = 2.0
_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueSpan:
    """Something wrong from `from_s` until `until_s` at the footprint of `body`."""

    kind: str
    body: Body
    zone_id: str
    from_s: float
    until_s: float
    limit_s: float


def truths_of(scenario: Scenario, frames_s: Sequence[float]) -> list[Truth]:
    """The true incidents, whether they reach their limit or not; frames_s: when the camera took its frames, rising."""
    return parse_truth(truth_lines(scenario, frames_s))


def truth_lines(scenario: Scenario, frames_s: Sequence[float]) -> list[str]:
    """The same as `street721 sim score` reads them, a JSON object each."""
    lines = (_line(scenario, number, span, frames_s) for number, span in enumerate(_spans(scenario), start=1))
    return [line for line in lines if line]


def due_second(from_s: float, limit_s: float, silences_s: Sequence[tuple[float, float]]) -> float:
    """When `limit_s` have passed since from_s without those silences; [from, until] each, rising."""
    due_s = from_s + limit_s
    for begins_s, ends_s in silences_s:
        if ends_s > from_s and begins_s < due_s:
            due_s += ends_s - max(begins_s, from_s)
    return due_s


def silences_of(frames_s: Sequence[float], longer_than_s: float) -> list[tuple[float, float]]:
    """The times between two frames that are longer."""
    return [(before, after) for before, after in pairwise(frames_s) if after - before > longer_than_s]


def _line(scenario: Scenario, number: int, span: TrueSpan, frames_s: Sequence[float]) -> str | None:
    silences_s = silences_of(frames_s, scenario.rules.max_gap_s)
    unwatched_s = [(-inf, frames_s[0]), *silences_s]
    began_s = next((end for start, end in unwatched_s if start < span.from_s < end), span.from_s)
    if span.until_s <= began_s:
        return None
    due_s = due_second(began_s, span.limit_s, silences_s)
    is_ended = span.until_s < scenario.seconds
    place = scenario.earth.to_lat_lng(np.array([(span.body.x_m, span.body.y_m)]))
    return json.dumps(
        {
            "id": f"{scenario.name}-{number}",
            "kind": span.kind,
            "lat": round(float(place[0, 0]), 8),
            "lng": round(float(place[0, 1]), 8),
            "cell": scenario.grid.cells_at(place)[0],
            "zone": span.zone_id,
            "subject": span.body.class_name,
            "actors": [span.body.id],
            "sources": [CAMERA_ID],
            "began_at": _iso(scenario, began_s),
            "due_at": _iso(scenario, due_s) if due_s <= min(span.until_s, scenario.seconds) else None,
            "ended_at": _iso(scenario, span.until_s) if is_ended else None,
        }
    )


def _iso(scenario: Scenario, second: float) -> str:
    return moment_after(scenario.begins_at, second).isoformat()


def _spans(scenario: Scenario) -> Iterator[TrueSpan]:
    for actor in scenario.actors:
        if actor.kind in VEHICLES:
            yield from _parking(scenario, actor)
    yield from _garbage(scenario)
    yield from _blocked(scenario)


def _parking(scenario: Scenario, actor: Actor) -> Iterator[TrueSpan]:
    for stay in _joined_stays(actor, scenario.rules.absence_s):
        body = actor.standing(stay)
        marks = [stay.from_s, *_minutes(scenario, stay), stay.until_s]
        parts = [(_forbidding(scenario, body, (a + b) / 2), a, b) for a, b in pairwise(marks)]
        began_s: float | None = None
        zone_id = ""
        for zone, from_s, _ in [*parts, (None, stay.until_s, stay.until_s)]:
            if zone is not None and began_s is None:
                began_s, zone_id = from_s, zone.id
            elif zone is None and began_s is not None:
                yield TrueSpan(
                    kind="illegal_parking",
                    body=body,
                    zone_id=zone_id,
                    from_s=began_s,
                    until_s=from_s,
                    limit_s=scenario.rules.parking_s,
                )
                began_s = None


def _joined_stays(actor: Actor, absence_s: float) -> list[Stay]:
    joined: list[Stay] = []
    for stay in actor.stays():
        last = joined[-1] if joined else None
        if (
            last is not None
            and stay.from_s - last.until_s < absence_s
            and hypot(stay.x_m - last.x_m, stay.y_m - last.y_m) <= _SAME_PLACE_M
        ):
            joined[-1] = Stay(last.from_s, stay.until_s, last.x_m, last.y_m)
        else:
            joined.append(stay)
    return joined


def _minutes(scenario: Scenario, stay: Stay) -> list[float]:
    """Full minutes within a stay, at which hours may begin or end; none where no zone has hours."""
    if all(zone.hours is None for zone in scenario.zones):
        return []
    offset_s = scenario.begins_at.second + scenario.begins_at.microsecond / 1e6
    marks = np.arange(0.0, scenario.seconds + _MINUTE_S, _MINUTE_S) - offset_s
    return [float(mark) for mark in marks if stay.from_s < mark < stay.until_s]


def _forbidding(scenario: Scenario, body: Body, second: float) -> Zone | None:
    """The zone that forbids the vehicle to stand there at that second; half of its footprint must be in such zones."""
    at = moment_after(scenario.begins_at, second).astimezone(ZoneInfo(scenario.timezone))
    footprint = shapely.Polygon(body.footprint_m())
    pieces = [
        (footprint.intersection(shapely.Polygon(zone.corners_m)), zone)
        for zone in scenario.zones
        if zone.kind in _PARKING_KINDS and _is_in_force(zone.hours, at)
    ]
    covered = shapely.union_all([piece for piece, _ in pieces]).area if pieces else 0.0
    return max(pieces, key=lambda piece: piece[0].area)[1] if covered >= footprint.area / 2 else None


def _is_in_force(hours: str | None, local: datetime) -> bool:
    if hours is None:
        return True
    begins, ends = (timedelta(hours=int(text[:2]), minutes=int(text[3:])) for text in hours.split("-"))
    of_day = timedelta(hours=local.hour, minutes=local.minute, seconds=local.second)
    return begins <= of_day < ends if begins < ends else of_day >= begins or of_day < ends


def _garbage(scenario: Scenario) -> Iterator[TrueSpan]:
    """Heaps: pieces within merge_m of a heap's first piece while it lies there."""
    heaps: list[list[tuple[Body, float, float, str]]] = []
    for body, from_s, until_s in sorted(_pieces(scenario), key=lambda piece: piece[1]):
        zone = _garbage_zone(scenario, body)
        if zone is None:
            continue
        heap = next((own for own in heaps if _is_of_heap(own, body, from_s, scenario.rules.merge_m)), None)
        if heap is None:
            heaps.append([(body, from_s, until_s, zone.id)])
        else:
            heap.append((body, from_s, until_s, zone.id))
    for heap in heaps:
        first, from_s, _, zone_id = heap[0]
        yield TrueSpan(
            kind="exposed_garbage",
            body=first,
            zone_id=zone_id,
            from_s=from_s,
            until_s=max(until_s for _, _, until_s, _ in heap),
            limit_s=scenario.rules.garbage_s,
        )


def _is_of_heap(heap: list[tuple[Body, float, float, str]], body: Body, from_s: float, merge_m: float) -> bool:
    first = heap[0][0]
    is_there = any(until_s > from_s for _, _, until_s, _ in heap)
    return is_there and hypot(body.x_m - first.x_m, body.y_m - first.y_m) <= merge_m


def _pieces(scenario: Scenario) -> Iterator[tuple[Body, float, float]]:
    """Garbage and spilling bins, with when they lie there."""
    for actor in scenario.actors:
        for stay in actor.stays():
            if actor.kind in GARBAGE:
                yield actor.standing(stay), stay.from_s, stay.until_s
            elif actor.kind is BodyKind.BIN:
                levels = (second for second, _ in actor.fill if stay.from_s < second < stay.until_s)
                marks = sorted({stay.from_s, stay.until_s, *levels})
                for from_s, until_s in pairwise(marks):
                    body = actor.at(from_s)
                    if body is not None and body.fill > OVERFLOW_FILL:
                        yield body, from_s, until_s


def _garbage_zone(scenario: Scenario, body: Body) -> Zone | None:
    place = shapely.Point(body.x_m, body.y_m)
    inside = [zone for zone in scenario.zones if shapely.Polygon(zone.corners_m).contains(place)]
    is_collected = body.kind in GARBAGE and any(zone.kind == "collection_point" for zone in inside)
    return None if is_collected else next((zone for zone in inside if zone.kind in _GARBAGE_KINDS), None)


def _blocked(scenario: Scenario) -> Iterator[TrueSpan]:
    """When what stands on a sidewalk leaves too little of it; sidewalks here are rectangles along y."""
    stays = [(actor, stay) for actor in scenario.actors if actor.kind in _OBSTACLES for stay in actor.stays()]
    marks = sorted({second for _, stay in stays for second in (stay.from_s, stay.until_s)})
    reach_m = scenario.rules.blockade_m
    for zone in scenario.zones:
        if zone.kind != "sidewalk":
            continue
        spans: list[TrueSpan] = []
        for mark in marks:
            standing = [actor.at(mark) for actor, stay in stays if stay.from_s <= mark < stay.until_s]
            shut = _largest_of_chains(zone, [body for body in standing if body is not None], scenario.rules.min_clear_m)
            still: list[TrueSpan] = []
            for body in shut:
                span = _span_at(spans, body, reach_m) or _span_at(still, body, reach_m)
                span = span or TrueSpan(
                    kind="blocked_sidewalk",
                    body=body,
                    zone_id=zone.id,
                    from_s=mark,
                    until_s=scenario.seconds,
                    limit_s=scenario.rules.blocked_s,
                )
                still += [span] if span not in still else []
            yield from (replace(span, until_s=mark) for span in spans if span not in still)
            spans = still
        yield from spans


def _largest_of_chains(zone: Zone, standing: Sequence[Body], min_clear_m: float) -> list[Body]:
    """Of every chain of things that leaves too little of the sidewalk, each thing in one chain, the largest."""
    (x0, y0), _, (x1, y1), _ = zone.corners_m
    rest = [body for body in standing if body.fill <= OVERFLOW_FILL]
    found = []
    while (passage := passage_of(Rect(x0=x0, y0=y0, x1=x1, y1=y1), rest)).chain and passage.width_m < min_clear_m:
        found.append(max(passage.chain, key=lambda body: (body.length_m * body.width_m, body.id)))
        rest = [body for body in rest if body not in passage.chain]
    return found


def _span_at(spans: Sequence[TrueSpan], body: Body, within_m: float) -> TrueSpan | None:
    near = [
        (away_m, number)
        for number, span in enumerate(spans)
        if (away_m := hypot(span.body.x_m - body.x_m, span.body.y_m - body.y_m)) <= within_m
    ]
    return spans[min(near)[1]] if near else None
