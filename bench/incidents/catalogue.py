"""All scenarios: what goes wrong with detectors, cameras and clocks, one thing at a time and some together."""

from __future__ import annotations

from dataclasses import replace

from bench.incidents import arriving, seeing, standing
from bench.incidents.scenario import Scenario


def catalogue(seed: int = 0) -> tuple[Scenario, ...]:
    """Every scenario, by what it tries; another seed gives other chances to the same street."""
    scenarios = (
        *seeing.detector_mistakes(),
        *seeing.night(),
        *seeing.occlusions(),
        *arriving.rates(),
        *arriving.clocks(),
        *arriving.losses(),
        *arriving.kills(),
        *standing.hand_overs(),
        *standing.parking(),
        *standing.garbage(),
        *standing.sidewalks(),
    )
    return tuple(replace(one, seed=seed) for one in scenarios)
