"""Hot path: the rules on every frame of a camera, for as long as it hangs there. History must cost nothing.

One camera of the demo's site sees things come, stand and go, each in a place of its own for a while, among traffic
that never stops. References: a camera that begins with the last tenth and judges its frames in turns with the old one,
and the first tenth of the same run, where the machine may have been busier or less. Processor time of the one thread.
What grows with all that ever happened shows as a ratio above 1, or as memory.
"""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import resources
from itertools import islice
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from bench.errors import BenchError
from bench.machine import machine_facts, resident_mb
from detectors.appearance import NUMBERS
from detectors.messages import FrameDetections
from geofence.adapters.site_folder import load_site
from geofence.judge import CameraState, judge_frame
from geofence.site import Site

PARTS = 10
FRAMES_PER_VISIT = 10
"""A new thing comes every so many frames."""
_CAMERA = "cam-01"
_FRAME_S = 1.0
_STAYS_FRAMES = (8, 60)
# Where and how large: cars along the kerb and garbage on the sidewalk, which both narrow with the distance.
_ROWS_PX = range(200, 461, 26)
_CARS = tuple(("car", 480 - 0.28 * (row - 5), row, 0.33 * (row - 5), 0.3 * (row - 5)) for row in _ROWS_PX)
_GARBAGE = tuple(("garbage", 480 + 0.36 * (row + 20), row, 0.08 * row, 0.06 * row) for row in _ROWS_PX)
_PLACES = _CARS + _GARBAGE
_STRIDE = 3
"""From one thing's place to the next one's, so that neighbours are not there at the same time."""
_TRAFFIC = 3
_NOISE_PX = 0.5
_WARM_UP = 200

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryResult:
    """What a frame cost in every tenth of the run, and in the last one for a camera that is new; memory after each."""

    frames: int
    came: int
    events: dict[str, int]
    most_visits: int
    us_per_frame: tuple[float, ...]
    newcomer_us_per_frame: float
    rss_mb: tuple[float, ...]

    @property
    def to_first(self) -> float:
        """Cost in the last tenth by that in the first."""
        return self.us_per_frame[-1] / self.us_per_frame[0]

    @property
    def to_newcomer(self) -> float:
        """Cost in the last tenth by that of a camera without history."""
        return self.us_per_frame[-1] / self.newcomer_us_per_frame

    @property
    def grown_mb(self) -> float:
        """From the end of the first tenth to the end."""
        return self.rss_mb[-1] - self.rss_mb[0]

    def to_json(self) -> dict[str, Any]:
        """Every figure, with machine, date and commit."""
        return {
            "bench": "history",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **machine_facts(),
            "frames": self.frames,
            "things_that_came": self.came,
            "events": self.events,
            "most_visits_at_once": self.most_visits,
            "us_per_frame_by_tenth": [round(value, 1) for value in self.us_per_frame],
            "newcomer_us_per_frame": round(self.newcomer_us_per_frame, 1),
            "last_to_first": round(self.to_first, 3),
            "last_to_newcomer": round(self.to_newcomer, 3),
            "rss_mb_by_tenth": [round(value, 1) for value in self.rss_mb],
            "rss_grown_mb": round(self.grown_mb, 1),
        }


def bench_history(*, frames: int = 100_000, progress: Progress | None = None) -> HistoryResult:
    """Judge so many frames of one camera, one a second; raises BenchError for too few to compare."""
    if frames < PARTS * FRAMES_PER_VISIT:
        raise BenchError(f"{frames} frames are too few to compare tenths; take {PARTS * FRAMES_PER_VISIT} or more")
    with resources.as_file(resources.files("configs") / "demo") as folder:
        site = load_site(Path(folder))
    _judge([_Watch(site)], street_stream(site, _WARM_UP))
    stream, old, newcomer = street_stream(site, frames), _Watch(site), _Watch(site)
    us_per_frame, rss_mb = [], []
    for part in range(PARTS):
        count = frames * (part + 1) // PARTS - frames * part // PARTS
        before_s = old.took_s
        _judge([old, newcomer] if part == PARTS - 1 else [old], islice(stream, count))
        gc.collect()
        us_per_frame.append(1e6 * (old.took_s - before_s) / count)
        rss_mb.append(resident_mb())
        if progress is not None:
            progress(part + 1, PARTS)
    return HistoryResult(
        frames=frames,
        came=-(-frames // FRAMES_PER_VISIT),
        events=dict(sorted(old.events.items())),
        most_visits=old.most_visits,
        us_per_frame=tuple(us_per_frame),
        newcomer_us_per_frame=1e6 * newcomer.took_s / count,
        rss_mb=tuple(rss_mb),
    )


class _Watch:
    """A camera under the rules, and what they took and told so far."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._state = CameraState()
        self.took_s = 0.0
        self.events: Counter[str] = Counter()
        self.most_visits = 0

    def see(self, at: datetime, detections: FrameDetections) -> None:
        """Judge one frame."""
        began_s = time.thread_time()
        self._state, events = judge_frame(self._site, _CAMERA, at, detections, self._state)
        self.took_s += time.thread_time() - began_s
        self.events.update(event.event.value for event in events)
        self.most_visits = max(self.most_visits, len(self._state.visits))


def _judge(watches: Sequence[_Watch], stream: Iterable[tuple[datetime, FrameDetections]]) -> None:
    """Show every frame to every camera; who comes first takes turns."""
    for number, (at, detections) in enumerate(stream):
        for watch in watches if number % 2 else reversed(watches):
            watch.see(at, detections)


def street_stream(site: Site, frames: int, *, seed: int = 1) -> Iterator[tuple[datetime, FrameDetections]]:
    """Frames of a camera at which something new comes every ten frames and stands for 8 to 60."""
    chance = np.random.default_rng(seed)
    begins_at = datetime(2026, 6, 1, tzinfo=UTC)
    standing: list[tuple[int, int]] = []
    """until which frame, where"""
    for number in range(frames):
        came, is_between = divmod(number, FRAMES_PER_VISIT)
        if not is_between:
            standing.append((number + int(chance.integers(*_STAYS_FRAMES)), came * _STRIDE % len(_PLACES)))
        standing = [one for one in standing if one[0] > number]
        seen = [_PLACES[place] for _, place in standing] + _passing(number)
        yield begins_at + timedelta(seconds=number * _FRAME_S), _frame(site, seen, chance)


def _passing(number: int) -> list[tuple[str, float, float, float, float]]:
    """Cars that drive by, somewhere else in every frame."""
    return [
        ("car", 40.0 + (number * 83 + n * 131) % 200, 150.0 + (number * 47 + n * 97) % 300, 70.0, 45.0)
        for n in range(_TRAFFIC)
    ]


def _frame(
    site: Site, seen: Sequence[tuple[str, float, float, float, float]], chance: np.random.Generator
) -> FrameDetections:
    middle, low, width, height = np.array([one[1:] for one in seen]).T
    xyxy = np.column_stack((middle - width / 2, low - height, middle + width / 2, low))
    return FrameDetections(
        xyxy=(xyxy + chance.normal(0, _NOISE_PX, xyxy.shape)).astype(np.float32),
        confidence=np.full(len(seen), 0.8, np.float32),
        class_id=np.array([site.classes.by_name[one[0]].id for one in seen], np.int32),
        size_px=(960, 540),
        appearance=np.stack([_look(name, low) for name, _, low, _, _ in seen]),
    )


@cache
def _look(name: str, low: float) -> npt.NDArray[np.int8]:
    """What a thing looks like, another in every line of the picture."""
    chance = np.random.default_rng(crc32(f"{name} {low}".encode()))
    return chance.integers(-40, 41, NUMBERS).astype(np.int8)


def as_text(result: HistoryResult) -> str:
    """A few lines to read."""
    told = ", ".join(f"{count:,} {event}" for event, count in result.events.items())
    return "\n".join(
        [
            f"{result.frames:,} frames of one camera, {result.came:,} things came and went; "
            f"at most {result.most_visits} visits at once; {told or 'no events'}",
            f"first tenth      {result.us_per_frame[0]:8.1f} us/frame, memory {result.rss_mb[0]:8.1f} MB",
            f"last tenth       {result.us_per_frame[-1]:8.1f} us/frame, memory {result.rss_mb[-1]:8.1f} MB",
            f"a new camera     {result.newcomer_us_per_frame:8.1f} us/frame in the last tenth",
            f"last tenth: {result.to_newcomer:.3f} x a new camera, {result.to_first:.3f} x the first tenth, "
            f"{result.grown_mb:+.1f} MB",
        ]
    )


def main() -> None:
    """Ten thousand frames; `street721 bench history` takes more."""
    print(as_text(bench_history(frames=10_000)))
