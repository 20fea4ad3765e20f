"""Scenarios of what a detector sees and does not see: its mistakes, nights, things that hide others."""

from __future__ import annotations

from dataclasses import replace

from bench.incidents.actors import halts, parks, stands
from bench.incidents.scenario import Delivery, Flicker, Noise, Scenario
from bench.incidents.usual import CAR, FAR, HEAP, KERB_M, LOW, SIX_M, TEN_M, TRAFFIC, scenario
from sim.street.body import BodyKind


def detector_mistakes() -> list[Scenario]:
    """Missed and trembling boxes, boxes of nothing, other classes, lost tracks."""
    things = (CAR, FAR, HEAP, *TRAFFIC)
    found = [
        scenario(
            f"missed-{share}",
            f"{share} % of sightings missed, each by itself",
            *things,
            noise=Noise(missed=share / 100),
            delivery=Delivery(fps=2),
        )
        for share in (10, 20, 30, 40)
    ]
    found += [
        scenario(
            f"missed-runs-{share}",
            f"{share} % of sightings missed, two seconds at a time",
            *things,
            noise=Noise(missed=share / 100, missed_for_s=2),
            delivery=Delivery(fps=5),
        )
        for share in (10, 20, 30)
    ]
    found += [
        scenario(
            f"jitter-{share}",
            f"boxes tremble by {share} % of their size",
            *things,
            noise=Noise(jitter=share / 100),
            delivery=Delivery(fps=2),
            camera=camera,
        )
        for share, camera in ((2, SIX_M), (3, TEN_M), (4, SIX_M))
    ]
    return [
        *found,
        scenario("false-boxes", "one false box in five frames, anywhere", *things, noise=Noise(false_boxes=0.2)),
        scenario(
            "flicker",
            "a shadow that is a car in every third frame, and a reflection that is garbage",
            *things,
            noise=Noise(
                flickers=(
                    Flicker(kind=BodyKind.CAR, x_m=KERB_M, y_m=25, share=0.3),
                    Flicker(kind=BodyKind.BAG, x_m=2.4, y_m=22, share=0.25),
                )
            ),
        ),
        scenario("class-flips", "a fifth of the vehicles called by another class", *things, noise=Noise(flips=0.2)),
        scenario("double-boxes", "a third of all things boxed twice", *things, noise=Noise(doubled=0.33, jitter=0.02)),
        scenario(
            "id-switches",
            "a tracker loses its ids every 25 s",
            *things,
            id_switches=tuple(25.0 * n for n in range(1, 10)),
        ),
    ]


def night() -> list[Scenario]:
    """Dim boxes and headlights."""
    dark = Noise(missed=0.4, missed_for_s=1, confidence=0.42, jitter=0.02, glare=(7, 1))
    return [
        scenario(
            "night", "dim boxes, 40 % missed, headlights that are taken for things", CAR, FAR, *TRAFFIC, noise=dark
        ),
        scenario(
            "night-rain",
            "the same with false boxes, from 10 m",
            CAR,
            HEAP,
            *TRAFFIC,
            noise=replace(dark, false_boxes=0.2, missed=0.3),
            camera=TEN_M,
        ),
    ]


def occlusions() -> list[Scenario]:
    """What stands or passes before a thing."""
    buses = tuple(halts(f"bus-{n}", -4.2, 15, 45 + 35 * n, 50 + 35 * n) for n in range(4))
    jam = tuple(halts(f"jam-{n}", -4.3, 9 + 7.5 * n, 60, 120, kind=BodyKind.TRUCK) for n in range(3))
    return [
        scenario("buses", "buses stop before the car four times", CAR, FAR, *buses),
        scenario("jam-hides", "lorries stand before the car for a minute", CAR, *jam),
        scenario(
            "person-before",
            "somebody stands before the heap and the car for half a minute",
            CAR,
            HEAP,
            stands("person", BodyKind.PEDESTRIAN, 0.9, 11, 40, 70),
            stands("other", BodyKind.PEDESTRIAN, -1.6, 12, 80, 120),
        ),
        scenario(
            "row-half-hidden",
            "three cars bumper to bumper, each hides the next",
            parks("a", KERB_M, 12, 20, 200),
            parks("b", KERB_M, 17.6, 28, 230),
            parks("c", KERB_M, 23.2, 36, 170),
            camera=LOW,
        ),
    ]
