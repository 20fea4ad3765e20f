"""All scenarios: what goes wrong with detectors, cameras and clocks, one thing at a time and some together."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bench.incidents.actors import Actor, Pose, halts, parks, passes, stands
from bench.incidents.scenario import (
    NO_PARKING,
    ZONES,
    ClockJump,
    Delivery,
    Flicker,
    Kill,
    Noise,
    Rules,
    Scenario,
    Zone,
    box,
)
from sim.street.body import BodyKind
from sim.street.pinhole import PinholeCamera

SIX_M = PinholeCamera(size_px=(960, 540), focal_px=850, height_m=6.0, tilt_deg=17, heading_deg=4, x_m=-4.5, y_m=-4.0)
TEN_M = PinholeCamera(size_px=(1280, 720), focal_px=1250, height_m=10.0, tilt_deg=22, heading_deg=10, x_m=-6, y_m=-8)
LOW = PinholeCamera(size_px=(960, 540), focal_px=700, height_m=4.2, tilt_deg=14, heading_deg=-6, x_m=1.0, y_m=-3.0)
KERB_M = -1.2
_CAR = parks("car", KERB_M, 16, 20, 200)
_HEAP = stands("heap", BodyKind.GARBAGE, 1.6, 14, 20, 200)
_TRAFFIC = tuple(passes(f"lane-{n}", -6.5, 3.0 + 9 * n) for n in range(26))
_FAR = parks("far", KERB_M, 36, 30, 210)


def catalogue() -> tuple[Scenario, ...]:
    """Every scenario, by what it tries."""
    return (
        *_detector_mistakes(),
        *_night(),
        *_occlusions(),
        *_rates(),
        *_clocks(),
        *_losses(),
        *_kills(),
        *_hand_overs(),
        *_parking(),
        *_garbage(),
        *_sidewalks(),
    )


def _scenario(name: str, says: str, *actors: Actor, seconds: float = 260, **facts: object) -> Scenario:
    plain = Scenario(name=name, says=says, seconds=seconds, actors=actors, camera=SIX_M)
    return replace(plain, **facts)  # type: ignore[arg-type]


def _detector_mistakes() -> list[Scenario]:
    things = (_CAR, _FAR, _HEAP, *_TRAFFIC)
    found = [
        _scenario(
            f"missed-{share}", f"{share} % of sightings missed, each by itself", *things,
            noise=Noise(missed=share / 100), delivery=Delivery(fps=2),
        )
        for share in (10, 20, 30, 40)
    ]  # fmt: skip
    found += [
        _scenario(
            f"missed-runs-{share}", f"{share} % of sightings missed, two seconds at a time", *things,
            noise=Noise(missed=share / 100, missed_for_s=2), delivery=Delivery(fps=5),
        )
        for share in (10, 20, 30)
    ]  # fmt: skip
    found += [
        _scenario(
            f"jitter-{share}", f"boxes tremble by {share} % of their size", *things,
            noise=Noise(jitter=share / 100), delivery=Delivery(fps=2), camera=camera,
        )
        for share, camera in ((2, SIX_M), (3, TEN_M), (4, SIX_M))
    ]  # fmt: skip
    return [
        *found,
        _scenario("false-boxes", "one false box in five frames, anywhere", *things, noise=Noise(false_boxes=0.2)),
        _scenario(
            "flicker", "a shadow that is a car in every third frame, and a reflection that is garbage", *things,
            noise=Noise(
                flickers=(
                    Flicker(kind=BodyKind.CAR, x_m=KERB_M, y_m=25, share=0.3),
                    Flicker(kind=BodyKind.BAG, x_m=2.4, y_m=22, share=0.25),
                )
            ),
        ),
        _scenario("class-flips", "a fifth of the vehicles called by another class", *things, noise=Noise(flips=0.2)),
        _scenario("double-boxes", "a third of all things boxed twice", *things, noise=Noise(doubled=0.33, jitter=0.02)),
        _scenario(
            "id-switches", "a tracker loses its ids every 25 s", *things,
            id_switches=tuple(25.0 * n for n in range(1, 10)),
        ),
    ]  # fmt: skip


def _night() -> list[Scenario]:
    dark = Noise(missed=0.4, missed_for_s=1, confidence=0.42, jitter=0.02, glare=(7, 1))
    return [
        _scenario("night", "dim boxes, 40 % missed, headlights that are taken for things", _CAR, _FAR, *_TRAFFIC, noise=dark),
        _scenario(
            "night-rain", "the same with false boxes, from 10 m", _CAR, _HEAP, *_TRAFFIC,
            noise=replace(dark, false_boxes=0.2, missed=0.3), camera=TEN_M,
        ),
    ]  # fmt: skip


def _occlusions() -> list[Scenario]:
    buses = tuple(halts(f"bus-{n}", -4.2, 15, 45 + 35 * n, 50 + 35 * n) for n in range(4))
    jam = tuple(halts(f"jam-{n}", -4.3, 9 + 7.5 * n, 60, 120, kind=BodyKind.TRUCK) for n in range(3))
    return [
        _scenario("buses", "buses stop before the car four times", _CAR, _FAR, *buses),
        _scenario("jam-hides", "lorries stand before the car for a minute", _CAR, *jam),
        _scenario(
            "person-before", "somebody stands before the heap and the car for half a minute", _CAR, _HEAP,
            stands("person", BodyKind.PEDESTRIAN, 0.9, 11, 40, 70), stands("other", BodyKind.PEDESTRIAN, -1.6, 12, 80, 120),
        ),
        _scenario(
            "row-half-hidden", "three cars bumper to bumper, each hides the next", parks("a", KERB_M, 12, 20, 200),
            parks("b", KERB_M, 17.6, 28, 230), parks("c", KERB_M, 23.2, 36, 170), camera=LOW,
        ),
    ]  # fmt: skip


def _rates() -> list[Scenario]:
    found = []
    for fps in (0.0333, 0.1, 0.2):
        found.append(
            _scenario(
                f"rate-{fps:g}", f"{fps:g} frames a second", parks("car", KERB_M, 16, 200, 1100), _heap(2.0, 14, 150, 900),
                seconds=1500, delivery=Delivery(fps=fps), rules=Rules(parking_s=300, garbage_s=300, blocked_s=300),
            )
        )  # fmt: skip
    for fps in (0.5, 1.0, 15.0, 30.0):
        found.append(
            _scenario(
                f"rate-{fps:g}", f"{fps:g} frames a second", _CAR, _HEAP, *_TRAFFIC, seconds=230,
                delivery=Delivery(fps=fps),
            )
        )  # fmt: skip
    found.append(
        _scenario(
            "rate-trembles", "two frames a second, give or take half", _CAR, _HEAP, *_TRAFFIC,
            delivery=Delivery(fps=2, jitter=0.5),
        )
    )  # fmt: skip
    return found


def _heap(x_m: float, y_m: float, from_s: float, until_s: float, name: str = "heap") -> Actor:
    return stands(name, BodyKind.GARBAGE, x_m, y_m, from_s, until_s)


def _clocks() -> list[Scenario]:
    def jumps(name: str, says: str, *wrong: ClockJump) -> Scenario:
        return _scenario(name, says, _CAR, _HEAP, *_TRAFFIC, delivery=Delivery(fps=2, jumps=wrong))

    return [
        jumps("clock-ahead", "eight frames that are ten minutes ahead", ClockJump(from_s=60, frames=8, offset_s=600)),
        jumps("clock-behind", "ten frames from an hour ago", ClockJump(from_s=60, frames=10, offset_s=-3600)),
        jumps(
            "clock-1970", "frames of 1970 and 2036 between the others", ClockJump(from_s=40, frames=3, offset_s=-1.78e9), ClockJump(from_s=70, frames=5, offset_s=3.1e8)
        ),
        _scenario(
            "late-frames", "a fifth of the frames come up to five seconds late, a tenth twice", _CAR, _HEAP, *_TRAFFIC,
            delivery=Delivery(fps=2, late=0.2, doubled=0.1),
        ),
        _scenario(
            "summer-time", "the hour that the clocks go through twice", _CAR, _HEAP, delivery=Delivery(fps=1),
            begins_at=datetime(2026, 10, 25, 0, 58, tzinfo=UTC), timezone="Europe/Berlin",
        ),
    ]  # fmt: skip


def _losses() -> list[Scenario]:
    other = parks("other", KERB_M + 0.15, 16.5, 150, 290, kind=BodyKind.VAN)
    return [
        _scenario(
            "lost-90", "no frame for 90 s, the same car before and after", parks("car", KERB_M, 16, 20, 290), _HEAP,
            seconds=330, delivery=Delivery(fps=2, silent=((50, 140),)),
        ),
        _scenario(
            "lost-600", "no frame for ten minutes", parks("car", KERB_M, 16, 20, 800), seconds=860,
            delivery=Delivery(fps=1, silent=((50, 650),)),
        ),
        _scenario(
            "lost-other", "another car stands there after two minutes without a frame", parks("car", KERB_M, 16, 20, 100),
            other, seconds=340, delivery=Delivery(fps=2, silent=((50, 170),)),
        ),
    ]  # fmt: skip


def _kills() -> list[Scenario]:
    return [
        _scenario("killed", "killed twice in the middle of a stay", _CAR, _HEAP, kills=(Kill(at_s=50), Kill(at_s=120))),
        _scenario(
            "killed-replay", "killed, and frames come again", _CAR, _HEAP, *_TRAFFIC, delivery=Delivery(fps=2),
            kills=(Kill(at_s=60, lost_frames=4), Kill(at_s=110, lost_frames=2, replayed_frames=10)),
        ),
    ]  # fmt: skip


def _hand_overs() -> list[Scenario]:
    first = parks("first", KERB_M, 16, 20, 110)
    return [
        _scenario(
            "hand-over-3", "another car takes the place after three seconds", first,
            parks("second", KERB_M - 0.1, 16.5, 119, 250), seconds=300,
        ),
        _scenario(
            "hand-over-10", "after ten seconds, a van", first,
            parks("second", KERB_M, 15.8, 124, 250, kind=BodyKind.VAN), seconds=300, noise=Noise(missed=0.2, jitter=0.02),
        ),
        _scenario(
            "hand-over-short", "two that stay for 45 s each, where 60 s are allowed",
            parks("first", KERB_M, 16, 20, 65), parks("second", KERB_M - 0.1, 16.4, 76, 121),
        ),
        _scenario(
            "hand-over-hidden", "behind a bus", parks("first", KERB_M, 16, 20, 110),
            halts("bus", -4.2, 16, 106, 126), parks("second", KERB_M - 0.15, 16.6, 122, 260), seconds=310,
        ),
    ]  # fmt: skip


def _parking() -> list[Scenario]:
    hours = Zone(id="kerb", kind="no_parking", corners_m=NO_PARKING.corners_m, hours="09:02-22:00")
    # Nine hours of Shanghai: the scenario begins two minutes before the zone is in force.
    two_before = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
    return [
        _scenario("under", "55 s where 60 are allowed", parks("car", KERB_M, 16, 20, 75), _FAR),
        _scenario("over", "66 s where 60 are allowed", parks("car", KERB_M, 16, 20, 86)),
        _scenario("there-before", "there when the camera begins", stands("car", BodyKind.CAR, KERB_M, 16, -100, 150)),
        _scenario(
            "in-force", "the zone comes into force while the car stands", parks("car", KERB_M, 16, 20, 300), seconds=330,
            zones=(hours, *ZONES[1:]), begins_at=two_before, delivery=Delivery(fps=1),
        ),
        _scenario("queue", "stop and go in the kerb's lane, 40 s at most", *_queue(), seconds=300, delivery=Delivery(fps=2)),
        _scenario(
            "row", "five cars in a row that come and go by themselves", camera=TEN_M,
            *(parks(f"car-{n}", KERB_M, 11 + 6.4 * n, 15 + 9 * n, 180 - 11 * n) for n in range(5)), seconds=240,
        ),
        _scenario(
            "on-the-sidewalk", "a car on the sidewalk, in everybody's way", parks("car", 1.6, 17, 20, 200),
            stands("bicycle", BodyKind.BICYCLE, 2.9, 24, 10, 240),
        ),
        _scenario("beside", "cars where they may stand", parks("car", -4.4, 16, 20, 220), *_TRAFFIC),
    ]  # fmt: skip


def _queue() -> list[Actor]:
    """Six vehicles a length apart that move up every 40 s."""
    actors = []
    kinds = (BodyKind.CAR, BodyKind.VAN, BodyKind.CAR, BodyKind.TRUCK, BodyKind.CAR, BodyKind.VAN, BodyKind.CAR, BodyKind.CAR)
    for row, kind in enumerate(kinds):
        places = [40.0 - 7.5 * row + 7.5 * step for step in range(8)]
        poses = [Pose(0.0, KERB_M, places[0])]
        for step in range(1, 8):
            poses += [Pose(40.0 * step - 5, KERB_M, places[step - 1]), Pose(40.0 * step, KERB_M, places[step])]
        shown = tuple(pose for pose in poses if 2 < pose.y_m < 70)
        if len(shown) > 1:
            actors.append(Actor(id=f"queue-{row}", kind=kind, poses=shown))
    return actors


def _garbage() -> list[Scenario]:
    point = Zone(id="point", kind="collection_point", corners_m=box(1.8, 20.0, 3.4, 26.0))
    growing = tuple(stands(f"bag-{n}", BodyKind.BAG, 1.2 + 0.9 * n, 13, 20 + 15 * n, 200 + n) for n in range(3))
    bin_fills = Actor(
        id="bin", kind=BodyKind.BIN, poses=(Pose(-10, 2.9, 12), Pose(400, 2.9, 12)), fill=((0, 0.5), (60, 1.2))
    )
    return [
        _scenario("heap-grows", "bags join the heap, the first goes first", *growing, delivery=Delivery(fps=2)),
        _scenario(
            "collection", "bags at the collection point, a heap beside it", _heap(2.6, 23, 20, 240, "kept"),
            _heap(1.4, 14, 30, 200), zones=(*ZONES, point),
        ),
        _scenario("bin-spills", "a bin that begins to spill", bin_fills, seconds=260, delivery=Delivery(fps=2)),
        _scenario("heaps-apart", "two heaps 12 m apart", _heap(1.6, 11, 20, 200), _heap(1.6, 23, 40, 220, "other")),
    ]  # fmt: skip


def _sidewalks() -> list[Scenario]:
    """The sidewalk is 3.2 m wide; a stall of 1.9 m across it leaves 1.3 m, one of 1.6 m leaves 1.6 m."""

    def stall(name: str, wide_m: float, left_m: float, y_m: float, from_s: float = 20, until_s: float = 200) -> Actor:
        actor = stands(name, BodyKind.STALL, 0.2 + left_m + wide_m / 2, y_m, from_s, until_s, heading_deg=90)
        return replace(actor, size_m=(wide_m, 1.25, 2.15))

    bikes = tuple(
        replace(stands(f"bike-{n}", BodyKind.BICYCLE, 1.1, 14 + 0.8 * n, 20, 200, heading_deg=90)) for n in range(3)
    )
    return [
        _scenario("leaves-1.3", "a stall leaves 1.3 m", stall("stall", 1.9, 0, 15)),
        _scenario("leaves-1.6", "a stall leaves 1.6 m", stall("stall", 1.6, 0, 15), _HEAP),
        _scenario(
            "two-together", "two that block together, 1.2 m between them", stall("left", 1.0, 0, 15),
            stall("right", 1.0, 2.2, 15, 40, 220),
        ),
        _scenario("bicycles", "bicycles across the way leave 1.4 m", *bikes, noise=Noise(missed=0.2, jitter=0.02)),
        _scenario("moved-aside", "a stall is pushed to the wall after 90 s", stall("first", 1.9, 0, 15, 20, 110), stall("then", 1.2, 0, 15, 110, 240)),
        _scenario("leaves-1.3-far", "the same from 10 m high and 30 m away", stall("stall", 1.9, 0, 28), camera=TEN_M),
    ]  # fmt: skip
