"""From the tables of actors to their movers: everybody's way, planned once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from sim.motion.actors import ActorError, ActorPart, DrivePart, ParkPart, RidePart, StandPart, StopPart, WalkPart
from sim.motion.driving import drive_through, ride_through
from sim.motion.following import Driver
from sim.motion.looks import look_of, size_of
from sim.motion.parking import Place, place_of, plan_stay, standing
from sim.motion.paths import Mover, still_track, walk_track
from sim.motion.strolling import hand_over
from sim.motion.traffic import bicycle_rider
from sim.street.body import TWO_WHEELERS, BodyKind
from sim.street.street import Street

# A sanitation truck stands beside the garbage that it takes from before until after it is gone.
_LOADING_S = (8.0, 4.0)


def plan_actors(street: Street, actors: Sequence[ActorPart], *, seed: int, speed_mps: float) -> tuple[Mover, ...]:
    """Movers of checked actors and of those who carry garbage for them; raises ActorError.

    speed_mps: of vehicles that come to park
    """
    movers = [mover for actor in actors for mover in _simple(street, actor, seed)]
    stays = [pair for actor in actors if (pair := _stay(street, actor, seed)) is not None]
    planned = {stay.id: stay for stay, _ in stays}
    # Those who stay first, in the order of time: the others can give way to them.
    for stay, place in sorted(stays, key=lambda pair: pair[1].from_s):
        others = [*_solid(movers), *planned.values()]
        planned[stay.id] = plan_stay(street, stay, place, others, speed_mps=speed_mps)
    known = [*movers, *planned.values()]
    through = [actor for actor in actors if isinstance(actor, DrivePart | RidePart)]
    for driving in sorted(through, key=lambda actor: actor.from_s):
        known.append(_through(street, driving, seed, known))
    return tuple(known)


def _mover(actor: ActorPart, seed: int, *, has_rider: bool = False) -> Mover:
    look = actor.look if actor.look is not None else look_of(seed, actor.id)
    return Mover(
        id=actor.id,
        kind=actor.kind,
        size_m=actor.size_m or size_of(actor.kind, look),
        look=look,
        has_rider=has_rider and actor.kind in TWO_WHEELERS,
        tracks=(),
    )


def _simple(street: Street, actor: ActorPart, seed: int) -> list[Mover]:
    """Movers of an actor that nobody has to make room for."""
    mover = _mover(actor, seed)
    if isinstance(actor, WalkPart):
        track = walk_track(actor.points, speed_mps=actor.speed_mps, starts_s=actor.from_s)
        return [replace(mover, tracks=(track,))]
    if not isinstance(actor, StandPart):
        return []
    from_s = actor.from_s if actor.from_s > 0 else -math.inf
    track = still_track(actor.x_m, actor.y_m, actor.heading_deg, from_s, actor.until_s, is_running=False)
    carriers = []
    if actor.dropped_by is not None:
        carriers.append(_carrier(street, actor, f"{actor.id}-dropper", actor.from_s, seed))
    if actor.collected_by == "pedestrian":
        carriers.append(_carrier(street, actor, f"{actor.id}-collector", actor.until_s, seed))
    return [replace(mover, tracks=(track,), fill=actor.fill), *carriers]


def _carrier(street: Street, actor: StandPart, name: str, second: float, seed: int) -> Mover:
    return hand_over(street, name, look_of(seed, name), x_m=actor.x_m, y_m=actor.y_m, second=second)


def _stay(street: Street, actor: ActorPart, seed: int) -> tuple[Mover, Place] | None:
    """The mover with nothing but its stay, and the place, of an actor that drives up for it."""
    if isinstance(actor, StandPart) and actor.collected_by == "truck":
        return _truck(street, actor, seed)
    if not isinstance(actor, ParkPart | StopPart):
        return None
    is_short = isinstance(actor, StopPart)
    place = place_of(
        street, actor.id, x_m=actor.x_m, y_m=actor.y_m, heading_deg=actor.heading_deg,
        from_s=actor.from_s, until_s=actor.until_s,
    )  # fmt: skip
    mover = _mover(actor, seed, has_rider=is_short)
    return replace(mover, tracks=(standing(place, is_running=is_short),)), place


def _truck(street: Street, actor: StandPart, seed: int) -> tuple[Mover, Place]:
    """A sanitation truck in the lane beside the garbage."""
    name = f"{actor.id}-truck"
    if not street.lanes:
        raise ActorError(actor.id, "collected_by", "a truck needs a street with a lane")
    lane = min(street.lanes, key=lambda lane: abs(lane.x_m - actor.x_m))
    before_s, after_s = _LOADING_S
    place = place_of(
        street, name, x_m=lane.x_m, y_m=actor.y_m, heading_deg=None,
        from_s=actor.until_s - before_s, until_s=actor.until_s + after_s,
    )  # fmt: skip
    look = look_of(seed, name)
    track = standing(place, is_running=True)
    return Mover(id=name, kind=BodyKind.TRUCK, size_m=size_of(BodyKind.TRUCK, look), look=look, tracks=(track,)), place


def _solid(movers: Sequence[Mover]) -> list[Mover]:
    """What a vehicle must not touch when it parks; people step aside."""
    return [mover for mover in movers if mover.kind is not BodyKind.PEDESTRIAN]


def _through(street: Street, actor: DrivePart | RidePart, seed: int, known: Sequence[Mover]) -> Mover:
    mover = _mover(actor, seed, has_rider=True)
    if actor.kind is BodyKind.BICYCLE:
        rider = bicycle_rider(actor.speed_mps)
        planned = ride_through(
            street, mover, rider, direction=actor.direction, second=actor.from_s, known=known, home=0.5
        )
    else:
        lane = next(lane for lane in street.lanes if lane.direction == actor.direction)
        planned = drive_through(
            street, mover, Driver(speed_mps=actor.speed_mps), lane=lane, second=actor.from_s, known=known
        )
    if planned is None:
        raise ActorError(
            actor.id,
            "from_s",
            f"no way through from second {actor.from_s:g} on: others are in it; choose another second",
        )
    return planned
