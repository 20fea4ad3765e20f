"""Runs the benchmarks named on the command line, or all."""

from __future__ import annotations

import sys
from collections.abc import Callable

from bench import cameras, geofence, inference, load_generator, long_run, sampling, spool, street_frames
from bench.incidents import run as incidents

_ALL: dict[str, Callable[[], None]] = {
    "inference": inference.main,
    "cameras": cameras.main,
    "sampling": sampling.main,
    "geofence": geofence.main,
    "incidents": incidents.main,
    "history": long_run.main,
    "spool": spool.main,
    "street_frames": street_frames.main,
    "load_generator": load_generator.main,
}

wanted = sys.argv[1:] or list(_ALL)
if unknown := set(wanted) - set(_ALL):
    sys.exit(f"bench: unknown {', '.join(sorted(unknown))}; there are {', '.join(_ALL)}")
for name in wanted:
    print(f"== {name}")
    _ALL[name]()
