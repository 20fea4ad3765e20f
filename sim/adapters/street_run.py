"""Lives a scenario over MQTT: cameras take pictures, sensors report, in real time or faster."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from sim.devices.exif import stamp_jpeg
from sim.devices.filming import Filming, films_of
from sim.play import FrameTime, Play
from sim.scenario import Scenario
from sim.street.referee import TrueIncident

Publish = Callable[[str, bytes], None]
_TICK_S = 0.02


@dataclass(slots=True)
class Sent:
    """What went out so far; skipped: shutter times that came too late to be drawn."""

    readings: int = 0
    frames: int = 0
    skipped: int = 0
    incidents: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthFiles:
    """Where the truth is written while the scenario is lived."""

    truth: TextIO
    events: TextIO


@contextmanager
def truth_files(folder: Path | None) -> Iterator[TruthFiles | None]:
    """truth.jsonl and events.jsonl in a folder, made if need be; nothing without a folder."""
    if folder is None:
        yield None
        return
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        truth, events = (
            stack.enter_context((folder / name).open("w", encoding="utf-8", buffering=1))
            for name in ("truth.jsonl", "events.jsonl")
        )
        yield TruthFiles(truth=truth, events=events)


@dataclass(slots=True)
class StreetRun:
    """One run of a scenario; `live` blocks until `stop` is set or the time is over.

    publish: sends one message (topic, payload) and may block
    speed:   seconds of the scenario per second of the clock. Devices never date from the future, so a run that
             is faster than the clock needs `seconds` and begins so far in the past that it ends now.
    """

    scenario: Scenario
    topic_root: str
    publish: Publish
    stop: threading.Event = field(default_factory=threading.Event)
    speed: float = 1.0
    seconds: float | None = None
    truth: TruthFiles | None = None
    sent: Sent = field(default_factory=Sent)
    _done_s: float = 0.0

    def live(self) -> None:
        """Run until told to stop. Raises ScenarioError, or ValueError for a fast run without an end."""
        if self.speed > 1 and self.seconds is None:
            raise ValueError("a run faster than the clock needs an end: how many seconds of the scenario?")
        films = self._warm_films()
        lead_s = 0.0 if self.seconds is None else self.seconds * max(0.0, 1 - 1 / self.speed)
        play = Play(self.scenario, begins_at=datetime.now(UTC) - timedelta(seconds=lead_s), films=films)
        frames = _DueFrames(play)
        started = time.monotonic()
        while not self.stop.wait(_TICK_S):
            now_s = min((time.monotonic() - started) * self.speed, self.seconds or math.inf)
            self._live_until(play, frames, now_s)
            if now_s == self.seconds:
                break
        self._write_events(play, [*play.judge_until(self._done_s), *play.still_open(self._done_s)])

    def _live_until(self, play: Play, frames: _DueFrames, now_s: float) -> None:
        """All that happens before a second, in its order: the world is asked forwards only, which is cheap."""
        for due in frames.before(now_s):
            if self.stop.is_set():
                return
            if self.speed == 1 and due.is_superseded:
                self.sent.skipped += 1
                continue
            self._report(play, due.time.second)
            self._film(play, due.time)
        self._report(play, now_s)

    def _warm_films(self) -> tuple[Filming, ...]:
        """The empty street is painted once per camera and takes long; nobody should wait for it at second 0."""
        films = films_of(self.scenario, self.scenario.built_street())
        for film in films:
            film.draw((), second=0.0, frame_index=0)
        return films

    def _report(self, play: Play, until_s: float) -> None:
        self._write_events(play, play.judge_until(until_s))
        for message in play.messages(self._done_s, until_s):
            self.publish(f"{self._topics}/sensors/{message.sensor_id}", message.payload)
            self.sent.readings += 1
        self._done_s = until_s

    def _film(self, play: Play, due: FrameTime) -> None:
        film = play.films[due.camera_number]
        shot = film.shoot(due.frame_index, play.world.bodies_at(due.second))
        for outgoing in shot.outgoing:
            jpeg = stamp_jpeg(outgoing.jpeg, play.truth.time_of(outgoing.captured_s))
            self.publish(f"{self._topics}/cameras/{film.camera.id}/frame", jpeg)
            self.sent.frames += 1
        if self.truth is not None:
            self.truth.truth.write(play.truth.frame_line(film.camera.id, shot, images=()) + "\n")

    def _write_events(self, play: Play, incidents: list[TrueIncident]) -> None:
        for incident in incidents:
            self.sent.incidents += 1
            if self.truth is not None:
                self.truth.events.write(play.truth.event_line(self.sent.incidents, incident) + "\n")

    @property
    def _topics(self) -> str:
        return f"{self.topic_root}/{self.scenario.site.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """is_superseded: the same camera has a later shutter time that is due as well."""

    time: FrameTime
    is_superseded: bool


class _DueFrames:
    """Hands out the shutter times of all cameras in order, each once."""

    def __init__(self, play: Play) -> None:
        self._films = play.films
        self._next = [0] * len(play.films)

    def before(self, second: float) -> list[_Due]:
        """The shutter times before a second that have not been handed out yet."""
        due = []
        for number, film in enumerate(self._films):
            while film.second_of(self._next[number]) < second:
                index = self._next[number]
                self._next[number] += 1
                moment = FrameTime(second=film.second_of(index), camera_number=number, frame_index=index)
                due.append(_Due(time=moment, is_superseded=film.second_of(index + 1) < second))
        return sorted(due, key=lambda item: item.time.second)
