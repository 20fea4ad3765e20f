"""Timing two or more ways of doing the same thing in turn (A B C A B C …), so that noise hits all alike."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping


def interleave(ways: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, list[float]]:
    """Seconds per call of every way, `rounds` times, after one warm-up each."""
    for way in ways.values():
        way()
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            started = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - started)
    return seconds


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
