"""Timing two or more ways of doing the same thing in turn (A B C A B C …), so that noise hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Timing:
    """What every call of one way took: seconds on the clock, and seconds of processor time over all threads."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    @property
    def median_s(self) -> float:
        """Seconds on the clock."""
        return statistics.median(self.wall_s)

    @property
    def median_cpu_s(self) -> float:
        """Seconds of processor time."""
        return statistics.median(self.cpu_s)


def measure(
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    settle_s: float = 0.0,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, Timing]:
    """Time every way `rounds` times, in turns, after one warm-up each.

    settle_s: a pause before each, while threads of the way before may still spin in wait of more work
    """
    timings = {name: Timing() for name in ways}
    for number in range(rounds + 1):
        for place, (name, way) in enumerate(ways.items()):
            time.sleep(settle_s)
            began_s, began_cpu_s = time.perf_counter(), time.process_time()
            way()
            if number:
                timings[name].wall_s.append(time.perf_counter() - began_s)
                timings[name].cpu_s.append(time.process_time() - began_cpu_s)
            if progress is not None:
                progress(number * len(ways) + place + 1, (rounds + 1) * len(ways))
    return timings


def interleave(ways: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Seconds per call of every way, `rounds` times, after one warm-up each."""
    return {name: timing.wall_s for name, timing in measure(ways, rounds=rounds).items()}


def report(seconds: Mapping[str, list[float]], *, per_call: int, unit: str, reference: str) -> None:
    """One line per way: median rate, spread, and the ratio to the reference (above 1: faster)."""
    base = statistics.median(seconds[reference])
    for name, values in seconds.items():
        median = statistics.median(values)
        low, high = min(values), max(values)
        print(
            f"{name:34s} {per_call / median:10.1f} {unit}/s   "
            f"({per_call / high:.1f} … {per_call / low:.1f})   {base / median:5.2f} x {reference}"
        )
