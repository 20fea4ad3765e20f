"""Scenarios of what stands where: parked cars, garbage, what is in the way on a sidewalk."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bench.incidents.actors import Actor, Pose, halts, parks, stands
from bench.incidents.scenario import NO_PARKING, ZONES, Delivery, Noise, Scenario, Zone, box
from bench.incidents.usual import FAR, HEAP, KERB_M, TEN_M, TRAFFIC, heap, scenario
from sim.street.body import BodyKind


def hand_overs() -> list[Scenario]:
    """A second vehicle in the place of a first."""
    first = parks("first", KERB_M, 16, 20, 110)
    return [
        scenario(
            "hand-over-3",
            "another car takes the place after three seconds",
            first,
            parks("second", KERB_M - 0.1, 16.5, 119, 250),
            seconds=300,
        ),
        scenario(
            "hand-over-10",
            "after ten seconds, a van",
            first,
            parks("second", KERB_M, 15.8, 124, 250, kind=BodyKind.VAN),
            seconds=300,
            noise=Noise(missed=0.2, jitter=0.02),
        ),
        scenario(
            "hand-over-short",
            "two that stay for 45 s each, where 60 s are allowed",
            parks("first", KERB_M, 16, 20, 65),
            parks("second", KERB_M - 0.1, 16.4, 76, 121),
        ),
        scenario(
            "hand-over-hidden",
            "behind a bus",
            parks("first", KERB_M, 16, 20, 110),
            halts("bus", -4.2, 16, 106, 126),
            parks("second", KERB_M - 0.15, 16.6, 122, 260),
            seconds=310,
        ),
    ]


def parking() -> list[Scenario]:
    """Who stands too long, and who does not."""
    hours = Zone(id="kerb", kind="no_parking", corners_m=NO_PARKING.corners_m, hours="09:02-22:00")
    # Nine hours of Shanghai: the scenario begins two minutes before the zone is in force.
    two_before = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
    return [
        scenario("under", "55 s where 60 are allowed", parks("car", KERB_M, 16, 20, 75), FAR),
        scenario("over", "66 s where 60 are allowed", parks("car", KERB_M, 16, 20, 86)),
        scenario("there-before", "there when the camera begins", stands("car", BodyKind.CAR, KERB_M, 16, -100, 150)),
        scenario(
            "in-force",
            "the zone comes into force while the car stands",
            parks("car", KERB_M, 16, 20, 300),
            seconds=330,
            zones=(hours, *ZONES[1:]),
            begins_at=two_before,
            delivery=Delivery(fps=1),
        ),
        scenario(
            "queue", "stop and go in the kerb's lane, 40 s at most", *_queue(), seconds=300, delivery=Delivery(fps=2)
        ),
        scenario(
            "row",
            "five cars in a row that come and go by themselves",
            *(parks(f"car-{n}", KERB_M, 11 + 6.4 * n, 15 + 9 * n, 180 - 11 * n) for n in range(5)),
            seconds=240,
            camera=TEN_M,
        ),
        scenario(
            "on-the-sidewalk",
            "a car on the sidewalk, in everybody's way",
            parks("car", 1.6, 17, 20, 200),
            stands("bicycle", BodyKind.BICYCLE, 2.9, 24, 10, 240),
        ),
        scenario("beside", "cars where they may stand", parks("car", -4.4, 16, 20, 220), *TRAFFIC),
    ]


def _queue() -> list[Actor]:
    """Six vehicles a length apart that move up every 40 s."""
    actors = []
    kinds = (
        BodyKind.CAR,
        BodyKind.VAN,
        BodyKind.CAR,
        BodyKind.TRUCK,
        BodyKind.CAR,
        BodyKind.VAN,
        BodyKind.CAR,
        BodyKind.CAR,
    )
    for row, kind in enumerate(kinds):
        places = [40.0 - 7.5 * row + 7.5 * step for step in range(8)]
        poses = [Pose(0.0, KERB_M, places[0])]
        for step in range(1, 8):
            poses += [Pose(40.0 * step - 5, KERB_M, places[step - 1]), Pose(40.0 * step, KERB_M, places[step])]
        shown = tuple(pose for pose in poses if 2 < pose.y_m < 70)
        if len(shown) > 1:
            actors.append(Actor(id=f"queue-{row}", kind=kind, poses=shown))
    return actors


def garbage() -> list[Scenario]:
    """Heaps, bags and a bin."""
    point = Zone(id="point", kind="collection_point", corners_m=box(1.8, 20.0, 3.4, 26.0))
    growing = tuple(stands(f"bag-{n}", BodyKind.BAG, 1.2 + 0.9 * n, 13, 20 + 15 * n, 200 + n) for n in range(3))
    bin_fills = Actor(
        id="bin", kind=BodyKind.BIN, poses=(Pose(-10, 2.9, 12), Pose(400, 2.9, 12)), fill=((0, 0.5), (60, 1.2))
    )
    return [
        scenario("heap-grows", "bags join the heap, the first goes first", *growing, delivery=Delivery(fps=2)),
        scenario(
            "collection",
            "bags at the collection point, a heap beside it",
            heap(2.6, 23, 20, 240, "kept"),
            heap(1.4, 14, 30, 200),
            zones=(*ZONES, point),
        ),
        scenario("bin-spills", "a bin that begins to spill", bin_fills, seconds=260, delivery=Delivery(fps=2)),
        scenario("heaps-apart", "two heaps 12 m apart", heap(1.6, 11, 20, 200), heap(1.6, 23, 40, 220, "other")),
    ]


def sidewalks() -> list[Scenario]:
    """The sidewalk is 3.2 m wide; a stall of 1.9 m across it leaves 1.3 m, one of 1.6 m leaves 1.6 m."""
    bikes = tuple(
        replace(stands(f"bike-{n}", BodyKind.BICYCLE, 1.1, 14 + 0.8 * n, 20, 200, heading_deg=90)) for n in range(3)
    )
    return [
        scenario("leaves-1.3", "a stall leaves 1.3 m", _stall("stall", 1.9, 0, 15)),
        scenario("leaves-1.6", "a stall leaves 1.6 m", _stall("stall", 1.6, 0, 15), HEAP),
        scenario(
            "two-together",
            "two that block together, 1.2 m between them",
            _stall("left", 1.0, 0, 15),
            _stall("right", 1.0, 2.2, 15, (40, 220)),
        ),
        scenario("bicycles", "bicycles across the way leave 1.4 m", *bikes, noise=Noise(missed=0.2, jitter=0.02)),
        scenario(
            "moved-aside",
            "a stall is pushed to the wall after 90 s",
            _stall("first", 1.9, 0, 15, (20, 110)),
            _stall("then", 1.2, 0, 15, (110, 240)),
        ),
        scenario(
            "two-blockades",
            "stalls shut the sidewalk at two places 19 m apart, the first goes first",
            _stall("near", 1.9, 0, 11, (20, 130)),
            _stall("far", 2.2, 0, 30, (45, 220)),
            camera=TEN_M,
        ),
        scenario(
            "market",
            "four stalls in a row, 3 m apart, go one by one from the nearest on",
            *(_stall(f"stall-{n}", 1.9 + 0.1 * n, 0, 12 + 4.2 * n, (20 + n, 120 + 25 * n)) for n in range(4)),
            camera=TEN_M,
        ),
        scenario("leaves-1.3-far", "the same from 10 m high and 30 m away", _stall("stall", 1.9, 0, 28), camera=TEN_M),
    ]


def _stall(name: str, wide_m: float, left_m: float, y_m: float, stay_s: tuple[float, float] = (20, 200)) -> Actor:
    actor = stands(name, BodyKind.STALL, 0.2 + left_m + wide_m / 2, y_m, *stay_s, heading_deg=90)
    return replace(actor, size_m=(wide_m, 1.25, 2.15))
