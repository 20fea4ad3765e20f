"""A scenario set up: its street, its world in motion, its cameras and sensors, and the referee who watches it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sim.devices.filming import Filming, films_of
from sim.devices.fleet import DeviceMessage
from sim.devices.sensing import STEP_S, SensorWatch, StreetSurroundings
from sim.scenario import Scenario
from sim.street.referee import Referee, TrueIncident
from sim.truth import TruthWriter


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTime:
    """A shutter time: which camera, the number of its frame, the second of the run."""

    second: float
    camera_number: int
    frame_index: int


class Play:
    """One performance of a scenario; seconds count from its beginning and are asked for in rising order."""

    def __init__(self, scenario: Scenario, *, begins_at: datetime, films: tuple[Filming, ...] | None = None) -> None:
        """begins_at: time at second 0, aware; films: its cameras, if they are set up already.

        Raises ScenarioError, SensorError or ActorError for parts that do not fit.
        """
        self.scenario = scenario
        self.begins_at = begins_at.astimezone(scenario.zone())
        self.street = scenario.built_street()
        self.world = scenario.built_world()
        self.fleet = scenario.built_fleet()
        self.films = films or films_of(scenario, self.street)
        self.truth = TruthWriter(frame=scenario.site.frame(), grid=scenario.grid.grid(), begins_at=self.begins_at)
        self._surroundings = StreetSurroundings(self.world)
        self._watch = SensorWatch(self.fleet, scenario.sensor_rules, self.begins_at, self._surroundings)
        cameras = {camera.id: camera.pinhole() for camera in scenario.cameras}
        self._referee = Referee(self.street, cameras, scenario.limits())
        self._next_step = 0

    def frame_times(self, until_s: float) -> Iterator[FrameTime]:
        """All shutter times before a second, in order of time."""
        times = [
            FrameTime(second=film.second_of(index), camera_number=film.number, frame_index=index)
            for film in self.films
            for index in range(math.ceil(until_s * film.camera.frames_per_s))
        ]
        return iter(sorted((time for time in times if time.second < until_s), key=lambda time: time.second))

    def messages(self, from_s: float, until_s: float) -> list[DeviceMessage]:
        """What the sensors send in [from_s, until_s)."""
        return self.fleet.messages(from_s, until_s, begins_at=self.begins_at, surroundings=self._surroundings)

    def judge_until(self, second: float) -> list[TrueIncident]:
        """Let the referee watch up to a second; returns the incidents that ended."""
        ended = []
        while self._next_step * STEP_S <= second:
            at_s = self._next_step * STEP_S
            ended += self._referee.look(at_s, self.world.bodies_at(at_s), self._watch.troubles_at(at_s))
            self._next_step += 1
        return ended

    def still_open(self, until_s: float) -> list[TrueIncident]:
        """The incidents that go on at the end; of those not yet due nobody knows, so they are left out."""
        return [incident for incident in self._referee.open.values() if incident.began_s + incident.limit_s <= until_s]
