"""What is really wrong on the street: the true incidents, judged from exact footprints.

Written apart from the product's own rules, so that each can show the other's mistakes. One thing is one
incident: a vehicle where none may stand is illegal parking, garbage is exposed garbage wherever it lies
outside a collection point, a bin that spills is an overflowing bin, and only what no other rule claims blocks
a sidewalk.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

import numpy as np
import shapely

from sim.street.body import GARBAGE, OVERFLOW_FILL, TWO_WHEELERS, VEHICLES, Body, BodyKind
from sim.street.clearance import passage_of
from sim.street.pinhole import PinholeCamera
from sim.street.street import Street, Zone, ZoneKind

ILLEGAL_PARKING, EXPOSED_GARBAGE = "illegal_parking", "exposed_garbage"
BLOCKED_SIDEWALK, BIN_OVERFLOW = "blocked_sidewalk", "bin_overflow"

MIN_SHARE = 0.5
# A camera sees a thing whose foot is in its picture and whose longer side has this many pixels.
MIN_SEEN_PX = 20.0
# A sensor and a camera that report the same kind this near to each other speak of the same thing.
SAME_THING_M = 3.0

_OBSTACLES = TWO_WHEELERS | {BodyKind.STALL, BodyKind.GOODS, BodyKind.BIN}
_GARBAGE_GROUND = (ZoneKind.SIDEWALK, ZoneKind.NO_PARKING, ZoneKind.STREET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The rules' limits as the site has them: seconds, metres; merge_m of heaps, blockade_m of blockades."""

    parking_s: float = 300.0
    garbage_s: float = 600.0
    blocked_s: float = 300.0
    merge_m: float = 10.0
    blockade_m: float = 15.0
    min_clear_m: float = 1.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something wrong at one moment.

    key:      the same as long as it is the same trouble
    also:     kinds that are right for it too; subject: what breaks the rule; actors: ids of the things
    sources:  cameras and sensors that can see it
    limit_s:  how long it may last
    """

    key: str
    kind: str
    also: tuple[str, ...] = ()
    x_m: float
    y_m: float
    zone_id: str | None
    subject: str
    actors: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    limit_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrueIncident(Trouble):
    """A rule that is really broken: a trouble through time.

    began_s: second of the scenario; ended_s: None while it goes on
    """

    began_s: float
    ended_s: float | None = None

    @property
    def due_s(self) -> float | None:
        """When the rule's limit was reached; None if it ended before."""
        due_s = self.began_s + self.limit_s
        return due_s if self.ended_s is None or self.ended_s >= due_s else None


class _Blockade(NamedTuple):
    """Where a sidewalk is shut; place_m: of the largest thing as it began; things: ids of those that shut it."""

    zone_id: str
    place_m: tuple[float, float]
    things: frozenset[str]

    def distance_m(self, other: _Blockade) -> float:
        """How far from each other they are; zero for those that have a thing in common."""
        if self.things & other.things:
            return 0.0
        return float(np.hypot(self.place_m[0] - other.place_m[0], self.place_m[1] - other.place_m[1]))


@dataclass(slots=True)
class Referee:
    """Watches the world moment by moment; `look` returns what has ended, `open` is what goes on."""

    street: Street
    cameras: Mapping[str, PinholeCamera]
    limits: Limits
    open: dict[str, TrueIncident] = field(default_factory=dict)
    _heaps: dict[str, tuple[float, float]] = field(default_factory=dict)
    _heap_of: dict[str, str] = field(default_factory=dict)
    _blockades: dict[str, _Blockade] = field(default_factory=dict)

    def look(self, second: float, bodies: Sequence[Body], sensed: Iterable[Trouble] = ()) -> list[TrueIncident]:
        """Judge one moment, later than the last; returns the incidents that are over now."""
        troubles = {trouble.key: trouble for trouble in sensed}
        self._join(troubles, self._parking(bodies))
        self._join(troubles, self._garbage(bodies, troubles))
        self._join(troubles, self._blocked(bodies))
        ended = [replace(self.open.pop(key), ended_s=second) for key in list(self.open) if key not in troubles]
        for key, trouble in troubles.items():
            known = self.open.get(key)
            self.open[key] = (
                TrueIncident(**asdict(trouble), began_s=second) if known is None else _with_sources(known, trouble)
            )
        return ended

    def _join(self, troubles: dict[str, Trouble], seen: Iterable[Trouble]) -> None:
        """Add what cameras could see; what a sensor reports at the same place already is the same trouble."""
        for trouble in seen:
            twin = next((other for other in troubles.values() if _is_same(other, trouble)), None)
            if twin is None:
                troubles[trouble.key] = trouble
            else:
                also = tuple(dict.fromkeys((*twin.also, *trouble.also, trouble.kind)))
                troubles[twin.key] = replace(
                    twin,
                    also=tuple(kind for kind in also if kind != twin.kind),
                    zone_id=twin.zone_id or trouble.zone_id,
                    actors=tuple(dict.fromkeys((*twin.actors, *trouble.actors))),
                    sources=tuple(dict.fromkeys((*twin.sources, *trouble.sources))),
                )

    def _parking(self, bodies: Sequence[Body]) -> Iterator[Trouble]:
        forbidden = [*self.street.zones_of(ZoneKind.NO_PARKING), *self.street.zones_of(ZoneKind.SIDEWALK)]
        for body in bodies:
            if body.kind not in VEHICLES or body.speed_mps != 0 or self._is_queueing(body):
                continue
            footprint = shapely.Polygon(body.footprint_m())
            pieces = [(shapely.intersection(footprint, _polygon(zone)), zone) for zone in forbidden]
            covered = shapely.union_all([piece for piece, _ in pieces]).area
            if covered >= MIN_SHARE * footprint.area:
                zone = max(pieces, key=lambda item: item[0].area)[1]
                key = f"parking:{body.id}:{body.x_m:.2f}:{body.y_m:.2f}"
                yield self._trouble(
                    key, ILLEGAL_PARKING, body, zone_id=zone.id, limit_s=self.limits.parking_s, things=(body,)
                )

    def _is_queueing(self, body: Body) -> bool:
        return body.is_running and any(abs(body.x_m - lane.x_m) < lane.width_m / 2 for lane in self.street.lanes)

    def _garbage(self, bodies: Sequence[Body], sensed: Mapping[str, Trouble]) -> Iterator[Trouble]:
        """Pieces of garbage near to the first piece of a heap belong to it; a spilling bin is a piece too."""
        told = {actor for trouble in sensed.values() if trouble.kind == BIN_OVERFLOW for actor in trouble.actors}
        pieces = {
            body.id: (body, zone) for body in bodies if (zone := self._garbage_zone(body)) is not None or _spills(body)
        }
        self._forget_heaps(pieces)
        heaps: dict[str, list[tuple[Body, Zone | None]]] = {}
        for body, zone in pieces.values():
            heaps.setdefault(body.id if body.id in told else self._heap(body), []).append((body, zone))
        for name, members in heaps.items():
            first, zone = members[0]
            are_bins = [_spills(body) for body, _ in members]
            kind, other = (BIN_OVERFLOW, EXPOSED_GARBAGE) if all(are_bins) else (EXPOSED_GARBAGE, BIN_OVERFLOW)
            trouble = self._trouble(
                f"garbage:{name}",
                kind,
                first,
                zone_id=zone.id if zone else None,
                limit_s=self.limits.garbage_s,
                things=[body for body, _ in members],
            )
            yield replace(trouble, also=(other,)) if any(are_bins) else trouble

    def _garbage_zone(self, body: Body) -> Zone | None:
        """Where a piece of garbage lies against the rule."""
        if body.kind not in GARBAGE and not _spills(body):
            return None
        if body.kind in GARBAGE and self._zone_at(body, (ZoneKind.COLLECTION_POINT,)):
            return None
        return self._zone_at(body, _GARBAGE_GROUND)

    def _zone_at(self, body: Body, kinds: Sequence[ZoneKind]) -> Zone | None:
        inside = [zone for zone in self.street.zones if zone.area.contains(body.x_m, body.y_m)]
        return next((zone for kind in kinds for zone in inside if zone.kind is kind), None)

    def _heap(self, body: Body) -> str:
        if body.id not in self._heap_of:
            near = [
                (distance, name)
                for name, (x_m, y_m) in self._heaps.items()
                if (distance := float(np.hypot(body.x_m - x_m, body.y_m - y_m))) <= self.limits.merge_m
            ]
            self._heap_of[body.id] = min(near)[1] if near else body.id
            self._heaps.setdefault(self._heap_of[body.id], (body.x_m, body.y_m))
        return self._heap_of[body.id]

    def _forget_heaps(self, pieces: Mapping[str, object]) -> None:
        self._heap_of = {piece: heap for piece, heap in self._heap_of.items() if piece in pieces}
        kept = set(self._heap_of.values())
        self._heaps = {name: place for name, place in self._heaps.items() if name in kept}

    def _blocked(self, bodies: Sequence[Body]) -> Iterator[Trouble]:
        """Each chain of things that leaves too little is a blockade, or part of one near by that is known."""
        standing = [body for body in bodies if body.kind in _OBSTACLES and body.speed_mps == 0 and not _spills(body)]
        still: dict[str, _Blockade] = {}
        for zone in self.street.zones_of(ZoneKind.SIDEWALK):
            for chain in self._chains(zone, standing):
                largest = max(chain, key=lambda body: (body.length_m * body.width_m, body.id))
                seen = _Blockade(zone.id, (largest.x_m, largest.y_m), frozenset(body.id for body in chain))
                key = self._known_as(seen, {**still, **self._blockades}) or f"blocked:{zone.id}:{largest.id}"
                if key in still:
                    continue
                still[key] = seen._replace(place_m=self._blockades.get(key, seen).place_m)
                yield self._trouble(
                    key, BLOCKED_SIDEWALK, largest, zone_id=zone.id, limit_s=self.limits.blocked_s, things=chain
                )
        self._blockades = still

    def _chains(self, zone: Zone, standing: Sequence[Body]) -> Iterator[tuple[Body, ...]]:
        """Things that shut the sidewalk together, the narrowest place first, each thing once."""
        rest = list(standing)
        while (passage := passage_of(zone.area, rest)).chain and passage.width_m < self.limits.min_clear_m:
            yield passage.chain
            shut = {body.id for body in passage.chain}
            rest = [body for body in rest if body.id not in shut]

    def _known_as(self, seen: _Blockade, known: Mapping[str, _Blockade]) -> str | None:
        """The name of the known one that it is a part of: the nearest."""
        near = [
            (distance_m, key)
            for key, one in known.items()
            if one.zone_id == seen.zone_id and (distance_m := one.distance_m(seen)) <= self.limits.blockade_m
        ]
        return min(near)[1] if near else None

    def _trouble(
        self, key: str, kind: str, at: Body, *, zone_id: str | None, limit_s: float, things: Sequence[Body]
    ) -> Trouble:
        # Any piece betrays a heap; a blocked sidewalk is understood by who sees the whole chain.
        enough = all if kind == BLOCKED_SIDEWALK else any
        seers = tuple(name for name, camera in self.cameras.items() if enough(sees(camera, body) for body in things))
        return Trouble(
            key=key,
            kind=kind,
            x_m=at.x_m,
            y_m=at.y_m,
            zone_id=zone_id,
            subject=at.class_name,
            actors=tuple(body.id for body in things),
            sources=seers,
            limit_s=limit_s,
        )


def sees(camera: PinholeCamera, body: Body) -> bool:
    """Whether the camera has the thing's whole footprint in its picture, and large enough."""
    footprint = body.footprint_m()
    ground = np.column_stack((footprint, np.zeros(4)))
    corners_px = camera.project(np.vstack((ground, ground + np.array([0.0, 0.0, body.height_m]))))
    foot_px = corners_px[:4]
    if not np.isfinite(corners_px).all() or (foot_px < 0).any() or (foot_px > camera.size_px).any():
        return False
    return bool(np.ptp(corners_px, axis=0).max() >= MIN_SEEN_PX)


def _with_sources(known: TrueIncident, trouble: Trouble) -> TrueIncident:
    """The incident with what has become known of it since."""
    also = tuple(dict.fromkeys((*known.also, trouble.kind, *trouble.also)))
    return replace(
        known,
        also=tuple(kind for kind in also if kind != known.kind),
        actors=tuple(dict.fromkeys((*known.actors, *trouble.actors))),
        sources=tuple(dict.fromkeys((*known.sources, *trouble.sources))),
    )


def _is_same(known: Trouble, seen: Trouble) -> bool:
    if set(known.actors) & set(seen.actors):
        return True
    is_near = np.hypot(known.x_m - seen.x_m, known.y_m - seen.y_m) <= SAME_THING_M
    return bool(is_near and not known.actors and seen.kind in (known.kind, *known.also))


def _spills(body: Body) -> bool:
    return body.kind is BodyKind.BIN and body.fill > OVERFLOW_FILL


def _polygon(zone: Zone) -> shapely.Polygon:
    return shapely.Polygon(zone.area.corners())
