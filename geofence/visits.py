"""All visits of one camera: which thing of a frame is which known one, who came, who left, who took whose place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from math import dist
from typing import NamedTuple

import numpy as np

from geofence.boxes import EDGES, KNOWN_BOXES, LASTING_LOOKS, Box, area_px, common_px, has_moved_on, iou, off_edges
from geofence.dwell import MISSED_S, DwellSettings, Sight, advance, is_gone, may_be_missed
from geofence.lane import ASIDE_M, along_and_aside_m, axis_of
from geofence.scene import SAME_BOX_IOU, Float64s, Scene, Surroundings, Thing, edge_letters, hidden_edges
from geofence.visit import Departure, Look, Visit, at_rest, born, continued, with_cover

MAX_VISITS = 256
MIN_IOU = 0.5
# A box that holds the usual one, or lies in it, shows the same thing grown, dazzled or cut, if they overlap by so much;
# a heap may grow to several times its size.
HELD_IOU, GROWN_IOU = 0.45, 0.15
# A box covered to this share by nearer things may hide what stood there.
HIDDEN_SHARE = 0.3
# What has not been taken for itself for so many times its absence, or looks, and is gone for one of them, is gone.
GLIMPSED_ABSENCES, GLIMPSED_LOOKS = 2.0, 6
# What is seen as usual while so much of it is covered is hidden by this much more only.
MORE_COVER = 0.15
# No two things that stand behind each other have boxes that overlap like this.
TWIN_IOU = 0.75
# Who stops somewhere was so near a moment before: metres, at most so many per second, and at most so many looks ago.
COMER_M, COMER_MPS, COMER_LOOKS = 2.0, 5.0, 4
_NET = (np.arange(10) + 0.5) / 10
# What is left to see of a half-hidden thing lies within its box to this share.
INSIDE_SHARE = 0.8
# A strip of the usual box that is missing belongs to what covers so much of it.
STRIP_SHARE = 0.4

Rules = Callable[[str], DwellSettings]


def advance_visits(
    visits: Sequence[Visit],
    scene: Scene,
    look: Look,
    *,
    rules: Rules,
    reported: frozenset[int],
    next_number: int,
) -> tuple[list[Visit], list[Departure], int]:
    """Visits after one frame, those that ended, and the next free number.

    rules:    class name → the dwell settings that judge it
    reported: numbers of the visits that are part of an incident
    """
    things = scene.things
    fits = _fits(visits, scene, rules, look)
    in_view = _missed(visits, _pairs(fits, [False] * len(visits)))
    covered = covered_shares(visits, _with_missed(scene.surroundings, in_view), rules).tolist()
    hidden = [_is_hidden(visit, share) for visit, share in zip(visits, covered, strict=True)]
    pairs = _pairs(fits, hidden)
    again = {row for row, column in pairs.items() if _is_rest_again(visits[row], things[column], look)}
    unseen_edges = _unseen_edges(visits, scene, pairs, again)
    missing = [visit for row, visit in enumerate(visits) if row not in pairs]
    after: list[Visit] = []
    left: list[Departure] = []
    for row, visit in enumerate(visits):
        thing = things[pairs[row]] if row in pairs else None
        settings = rules(visit.name)
        if thing is not None and thing.can_be_followed and _is_taken(visit, missing, look):
            left.append(Departure.of(visit, is_replaced=True))
            after.append(born(thing, unseen_edges[pairs[row]], look, next_number))
            next_number += 1
            continue
        if thing is not None:
            is_reported = visit.number in reported
            same, other = continued(visit, thing, unseen_edges[pairs[row]], look, next_number, is_reported=is_reported)
            if other is None and thing.can_be_followed and not is_reported:
                same, other = at_rest(same, next_number)
            next_number += other is not None
            is_cover_missed = row in again and not hidden[row]
            after.append(other or with_cover(same, covered[row], look.at, is_cover_missed=is_cover_missed))
            if other is not None:
                left.append(Departure.of(same, is_replaced=True))
            continue
        sight = Sight.HIDDEN if hidden[row] else Sight.EMPTY
        presence = advance(visit.presence, sight, seen_at=look.at, counted=look.counted, usual=look.usual)
        missed = replace(visit, presence=presence)
        is_reported, is_steady = visit.number in reported, visit.usual.is_steady
        if _is_only_glimpsed(missed, look, settings):
            left.append(Departure.of(_without_glimpses(missed), is_replaced=False))
        elif is_gone(missed.presence, settings, is_reported=is_reported, is_steady=is_steady):
            left.append(Departure.of(missed, is_replaced=False))
        else:
            after.append(missed)
    taken = set(pairs.values())
    for column, thing in enumerate(things):
        if column not in taken and not _is_shown(thing, after, look.at):
            after.append(born(thing, unseen_edges[column], look, next_number))
            next_number += 1
    after, replaced = _without_replaced(_without_twins(after, look.at, reported), look.at, rules)
    return _bounded(after, reported), left + replaced, next_number


def _is_only_glimpsed(visit: Visit, look: Look, settings: DwellSettings) -> bool:
    """Whether its place is empty but for boxes that nobody took for it for long: those of others that pass there."""
    absence = timedelta(seconds=settings.absence_s)
    least = max(absence * GLIMPSED_ABSENCES, visit.presence.look * GLIMPSED_LOOKS)
    are_others = any(off_edges(visit.usual, glimpse.xyxy) for glimpse in visit.doubt)
    return are_others and visit.presence.empty >= absence and look.at - visit.recent[-1].at >= least


def _without_glimpses(visit: Visit) -> Visit:
    """The visit until it was last taken for itself."""
    last = visit.recent[-1]
    presence = replace(visit.presence, last_seen_at=last.at, gone_at=last.at + (last.at - last.before) / 2)
    return replace(visit, doubt=(), presence=presence)


def _is_taken(visit: Visit, missing: Sequence[Visit], look: Look) -> bool:
    """Whether what is seen at a place that was empty is another thing, which came along its lane a moment ago.

    missing: what this look does not show
    """
    presence = visit.presence
    if presence.gone_at is None or may_be_missed(presence) or visit.footprint is None:
        return False
    axis = axis_of(visit.footprint.lane_rad)
    for other in missing:
        ago = look.at - other.presence.last_seen_at
        is_fresh = other.presence.began_at > presence.last_seen_at and not other.has_lasted
        if other.group != visit.group or not is_fresh or ago > COMER_LOOKS * look.counted:
            continue
        east_m, north_m = (there - here for here, there in zip(visit.anchor_m, other.anchor_m, strict=True))
        along_m, aside_m = along_and_aside_m(axis, east_m, north_m)
        if aside_m <= ASIDE_M and abs(along_m) <= COMER_M + COMER_MPS * ago.total_seconds():
            return True
    return False


class _Fit(NamedTuple):
    """How one box fits one visit; the lowest fits best."""

    unlikeness: float
    row: int
    column: int
    is_usual: bool
    is_rest: bool
    is_rest_again: bool
    is_grown_or_cut: bool

    def tier(self, hidden: Sequence[bool]) -> int:
        """0 for the usual box, 1 for what is left to see of a half-hidden one, 2 for another that holds it or lies
        within it, 3 for none of them."""
        if self.is_usual:
            return 0
        if self.is_rest and (hidden[self.row] or self.is_rest_again):
            return 1
        return 2 if self.is_grown_or_cut else 3


def _fits(visits: Sequence[Visit], scene: Scene, rules: Rules, look: Look) -> list[_Fit]:
    """All boxes that may show what is known to stand there, the likest first."""
    found: list[_Fit] = []
    # Few boxes lie over a visit's and seem to stand elsewhere: the feet are looked at when the first one does.
    hidden_feet = cache(lambda: _hidden_feet(scene, visits))
    for row, visit in enumerate(visits):
        usual, reach_m = visit.box, rules(visit.name).same_place_m
        for column, thing in enumerate(scene.things):
            likeness = iou(usual, thing.xyxy) if thing.group == visit.group else 0.0
            if likeness == 0:
                continue
            is_near = dist(visit.anchor_m, thing.foot_m) <= reach_m + thing.tremble_m
            # Whose foot is hidden seems to stand further away than it does.
            if not is_near and likeness >= SAME_BOX_IOU and thing.xyxy[3] <= usual[3]:
                is_near = hidden_feet()[column]
            is_usual = is_near and likeness >= MIN_IOU
            is_rest = not is_usual and _holds(usual, thing.xyxy)
            is_other = is_near and not is_usual and _is_grown_or_cut(usual, thing, likeness)
            if is_usual or is_rest or is_other:
                is_again = is_rest and _is_rest_again(visit, thing, look)
                found.append(_Fit(-likeness, row, column, is_usual, is_rest, is_again, is_other))
    return sorted(found)


def _hidden_feet(scene: Scene, visits: Sequence[Visit]) -> list[bool]:
    """For each thing whether something nearer stands before its foot, be it missed in this frame."""
    boxes = np.array([thing.xyxy for thing in scene.things], np.float64).reshape(-1, 4)
    there = np.array([visit.box for visit in _missed(visits, {})], np.float64).reshape(-1, 4)
    return [bool(hidden[3]) for hidden in hidden_edges(boxes, np.vstack((scene.surroundings.xyxy, there)))]


def _is_rest_again(visit: Visit, thing: Thing, look: Look) -> bool:
    """Whether a box shows what was left to see of a half-hidden thing a moment ago, even if its cover is missed now."""
    if not visit.is_in_part or visit.covered_at is None or iou(visit.last_xyxy, thing.xyxy) < SAME_BOX_IOU:
        return False
    # What stands still shows its foot, and a side or its top, where they always are.
    off = off_edges(visit.usual, thing.xyxy)
    if "B" in off or len(off) > 2:
        return False
    return look.at - visit.covered_at <= max(timedelta(seconds=MISSED_S), LASTING_LOOKS * look.counted)


def _pairs(fits: Sequence[_Fit], hidden: Sequence[bool]) -> dict[int, int]:
    """Pairs visit → thing, one to one, the best boxes first; `hidden`: for each visit whether something covers it."""
    pairs: dict[int, int] = {}
    taken: set[int] = set()
    for wanted in range(3):
        for fit in fits:
            if fit.row not in pairs and fit.column not in taken and fit.tier(hidden) == wanted:
                pairs[fit.row] = fit.column
                taken.add(fit.column)
    return pairs


def _missed(visits: Sequence[Visit], pairs: Mapping[int, int]) -> list[Visit]:
    """What stands there for long and a frame does not show, if that is by chance."""
    return [
        visit
        for row, visit in enumerate(visits)
        if row not in pairs and visit.has_lasted and may_be_missed(visit.presence)
    ]


def _is_grown_or_cut(usual: Box, thing: Thing, likeness: float) -> bool:
    least = HELD_IOU if thing.can_be_followed else GROWN_IOU
    return likeness >= least and (_holds(usual, thing.xyxy) or _holds(thing.xyxy, usual))


def _holds(outer: Box, inner: Box) -> bool:
    return common_px(outer, inner) >= INSIDE_SHARE * area_px(inner)


def _with_missed(surroundings: Surroundings, missed: Sequence[Visit]) -> Surroundings:
    """What may hide things: all boxes of the frame, and what stands there for long and is missed in it."""
    if not missed:
        return surroundings
    return Surroundings(
        xyxy=np.vstack((surroundings.xyxy, [visit.box for visit in missed])),
        foot_m=np.vstack((surroundings.foot_m, [visit.anchor_m for visit in missed])),
        is_person=np.append(surroundings.is_person, np.zeros(len(missed), np.bool_)),
    )


def covered_shares(visits: Sequence[Visit], surroundings: Surroundings, rules: Rules) -> Float64s:
    """(N,) how much of where the things of visits were something else that is nearer to the camera covers.

    Something else stands elsewhere, or is somebody; a crowd covers what none of it covers alone.
    """
    if not visits or not len(surroundings.xyxy):
        return np.zeros(len(visits))
    boxes = np.array([visit.box for visit in visits], np.float64)[:, None, :]
    others = surroundings.xyxy[None, :, :]
    sides = np.minimum(boxes[..., 2:], others[..., 2:]) - np.maximum(boxes[..., :2], others[..., :2])
    area = (boxes[..., 2:] - boxes[..., :2]).prod(axis=2)
    shares = np.clip(sides, 0, None).prod(axis=2) / area
    anchors_m = np.array([visit.anchor_m for visit in visits], np.float64)[:, None, :]
    away_m = np.hypot(*np.moveaxis(surroundings.foot_m[None, :, :] - anchors_m, 2, 0))
    reach_m = np.array([rules(visit.name).same_place_m for visit in visits])[:, None]
    is_elsewhere = ~(away_m <= reach_m) | surroundings.is_person[None, :]
    is_before = is_elsewhere & (others[..., 3] >= boxes[..., 3]) & (shares > 0)
    covered: Float64s = np.where(is_before, shares, 0.0).max(axis=1)
    crowd = is_before & surroundings.is_person[None, :]
    for row in np.flatnonzero(crowd.sum(axis=1) > 1).tolist():
        covered[row] = max(covered[row], _covered_share(visits[row].box, surroundings.xyxy[crowd[row]]))
    return covered


def _is_hidden(visit: Visit, covered: float) -> bool:
    """Whether it is covered by more than what usually stands before it and leaves it to see."""
    return covered >= HIDDEN_SHARE and covered > visit.usual_cover + MORE_COVER


def _covered_share(box: Box, others: Float64s) -> float:
    """How much of a box (M, 4) others cover together, at a net of points."""
    x0, y0, x1, y1 = box
    xs, ys = x0 + (x1 - x0) * _NET, y0 + (y1 - y0) * _NET
    across = (others[:, :1] <= xs) & (xs <= others[:, 2:3])
    down = (others[:, 1:2] <= ys) & (ys <= others[:, 3:])
    return float((across[:, :, None] & down[:, None, :]).any(axis=0).mean())


def _unseen_edges(visits: Sequence[Visit], scene: Scene, pairs: Mapping[int, int], again: Collection[int]) -> list[str]:
    """For each thing the edges that the picture cuts, that something nearer hides, be it missed in this frame, or
    beyond which something else is seen where the thing used to be.

    again: rows of the visits of which the same rest is seen as a moment ago
    """
    if not scene.things:
        return []
    missed = [visit.box for visit in _missed(visits, pairs)]
    boxes = np.array([thing.xyxy for thing in scene.things], np.float64)
    others = np.vstack((scene.surroundings.xyxy, np.array(missed, np.float64).reshape(-1, 4)))
    edges = [
        {letter for letter in EDGES if letter in thing.cut_edges or letter in edge_letters(hidden)}
        for thing, hidden in zip(scene.things, hidden_edges(boxes, others), strict=True)
    ]
    for row, column in pairs.items():
        if visits[row].usual.count >= KNOWN_BOXES:
            edges[column] |= _pushed_in(visits[row].box, scene.things[column].xyxy, others)
        if row in again:
            edges[column] |= set(off_edges(visits[row].usual, scene.things[column].xyxy))
    return ["".join(letter for letter in EDGES if letter in of_thing) for of_thing in edges]


def _pushed_in(usual: Box, now: Box, others: Float64s) -> set[str]:
    """The edges that lie within the usual box, where another box covers what is missing."""
    (u0, v0, u1, v1), (x0, y0, x1, y1) = usual, now
    top, foot, left, right = max(v0, y0), min(v1, y1), max(u0, x0), min(u1, x1)
    strips = {
        "L": (u0, top, x0, foot),
        "T": (left, v0, right, y0),
        "R": (x1, top, u1, foot),
        "B": (left, y1, right, v1),
    }
    found = {edge: strip for edge, strip in strips.items() if strip[0] + 1 < strip[2] and strip[1] + 1 < strip[3]}
    if not found:
        return set()
    # What ends higher in the picture is further away: it is seen where the thing is no more.
    nearer: list[Box] = [
        (a, b, c, d) for a, b, c, d in others.tolist() if d > y1 and iou((a, b, c, d), now) < SAME_BOX_IOU
    ]
    return {
        edge
        for edge, strip in found.items()
        if any(common_px(strip, other) >= STRIP_SHARE * area_px(strip) for other in nearer)
    }


def _is_shown(thing: Thing, visits: Sequence[Visit], at: datetime) -> bool:
    """Whether a visit that this frame shows has nearly the same box: one thing boxed twice."""
    return any(
        visit.group == thing.group and visit.is_seen_at(at) and iou(visit.last_xyxy, thing.xyxy) >= MIN_IOU
        for visit in visits
    )


def _without_twins(visits: list[Visit], at: datetime, reported: frozenset[int]) -> list[Visit]:
    """Visits without those of a thing that is boxed in two ways by turns and has an older visit, which is seen now."""
    seen = [visit for visit in visits if visit.is_seen_at(at) and visit.has_lasted]

    def is_twin(visit: Visit) -> bool:
        return any(
            other.group == visit.group
            and other.presence.began_at <= visit.presence.began_at
            and iou(other.box, visit.box) >= TWIN_IOU
            for other in seen
        )

    return [visit for visit in visits if visit.is_seen_at(at) or visit.number in reported or not is_twin(visit)]


def _without_replaced(visits: list[Visit], at: datetime, rules: Rules) -> tuple[list[Visit], list[Departure]]:
    """Visits without those whose place a later thing, seen for long enough, has taken, or which moved on themselves."""
    kept: list[Visit] = []
    left: list[Departure] = []
    seen = [visit for visit in visits if visit.is_seen_at(at)]
    present, new = [visit for visit in seen if visit.has_lasted], [visit for visit in seen if visit.presence.hits == 1]
    for visit in visits:
        if visit.is_seen_at(at):
            kept.append(visit)
            continue
        elsewhere = [other.last_xyxy for other in new if other.group == visit.group]
        is_elsewhere = any(has_moved_on(visit.usual, visit.off, xyxy) for xyxy in elsewhere)
        if is_elsewhere or any(_takes_place(other, visit, rules) for other in present):
            left.append(Departure.of(visit, is_replaced=True))
        else:
            kept.append(visit)
    return kept, left


def _takes_place(other: Visit, visit: Visit, rules: Rules) -> bool:
    if other.presence.began_at <= visit.presence.last_seen_at or other.group != visit.group:
        return False
    # Half of a thing that something hides looks like another thing, so only an open view counts here.
    is_near = dist(other.anchor_m, visit.anchor_m) <= rules(visit.name).same_place_m
    return (visit.presence.was_empty and is_near) or iou(other.box, visit.box) >= MIN_IOU


def _bounded(visits: list[Visit], reported: frozenset[int]) -> list[Visit]:
    """At most MAX_VISITS: reported ones stay, then those that have stood longest."""
    if len(visits) <= MAX_VISITS:
        return visits
    ranked = sorted(visits, key=lambda visit: (visit.number not in reported, -visit.presence.dwell, visit.number))
    kept = {visit.number for visit in ranked[:MAX_VISITS]}
    return [visit for visit in visits if visit.number in kept]
