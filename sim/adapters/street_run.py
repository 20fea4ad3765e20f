"""Lives a scenario in real time: 200 sensors report, the camera takes pictures, all over MQTT."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import cv2

from sim.exif import stamp_jpeg
from sim.scenario import Scenario, SimSensor
from sim.sensors import payload_of, phase, value_at
from sim.street_frames import StreetLayout, StreetPainter

Publish = Callable[[str, bytes], None]


@dataclass(slots=True)
class Sent:
    """What went out so far."""

    readings: int = 0
    broken: int = 0
    frames: int = 0


@dataclass(slots=True)
class StreetRun:
    """One run of a scenario; `live` blocks until `stop` is set.

    publish: sends one message (topic, payload) and may block; it is called from two threads
    """

    scenario: Scenario
    sensors: tuple[SimSensor, ...]
    site_id: str
    topic_root: str
    publish: Publish
    stop: threading.Event = field(default_factory=threading.Event)
    sent: Sent = field(default_factory=Sent)

    def live(self) -> None:
        """Run until told to stop; an error of either side ends both and is raised here."""
        failures: list[Exception] = []
        started = time.monotonic()
        threads = [
            threading.Thread(target=self._guarded, args=(side, started, failures), name=f"sim-{side.__name__}")
            for side in (self._live_sensors, self._live_camera)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _guarded(self, side: Callable[[float], None], started: float, failures: list[Exception]) -> None:
        try:
            side(started)
        except Exception as error:  # noqa: BLE001  carried to the caller of live()
            failures.append(error)
            self.stop.set()

    def _live_sensors(self, started: float) -> None:
        interval_s = self.scenario.sensors.interval_s
        schedule = [(phase(sensor.id, self.scenario.seed) * interval_s, sensor) for sensor in self.sensors]
        schedule.sort(key=lambda entry: entry[0])
        broken_due = {broken.sensor_id: 0.0 for broken in self.scenario.broken_sensors}
        round_at = 0.0
        while not self.stop.is_set():
            for offset_s, sensor in schedule:
                if self._wait_until(started + round_at + offset_s):
                    return
                self._report(sensor, time.monotonic() - started)
            self._report_broken(broken_due, time.monotonic() - started)
            round_at += interval_s

    def _report(self, sensor: SimSensor, second: float) -> None:
        value = value_at(sensor, self.scenario, second)
        body = payload_of(sensor, value, datetime.now(UTC), self.scenario.seed)
        self.publish(self._sensor_topic(sensor.id), body)
        self.sent.readings += 1

    def _report_broken(self, due: dict[str, float], second: float) -> None:
        for broken in self.scenario.broken_sensors:
            if second >= due[broken.sensor_id]:
                self.publish(self._sensor_topic(broken.sensor_id), broken.payload.encode())
                self.sent.broken += 1
                due[broken.sensor_id] = second + broken.every_s

    def _live_camera(self, started: float) -> None:
        camera = self.scenario.camera
        painter = StreetPainter(camera.pinhole(), StreetLayout(), self.scenario.seed)
        topic = f"{self.topic_root}/{self.site_id}/cameras/{camera.id}/frame"
        index = 0
        while not self._wait_until(started + index / camera.frames_per_s):
            captured_at = datetime.now(UTC)
            things = self.scenario.things_at(time.monotonic() - started)
            frame = painter.draw(things, noise_seed=self.scenario.seed + index)
            done, encoded = cv2.imencode(".jpg", frame.image, [cv2.IMWRITE_JPEG_QUALITY, camera.jpeg_quality])
            if not done:
                raise RuntimeError("a drawn frame could not be encoded as JPEG")
            self.publish(topic, stamp_jpeg(encoded.tobytes(), captured_at))
            self.sent.frames += 1
            index = max(index + 1, int((time.monotonic() - started) * camera.frames_per_s))

    def _sensor_topic(self, sensor_id: str) -> str:
        return f"{self.topic_root}/{self.site_id}/sensors/{sensor_id}"

    def _wait_until(self, moment: float) -> bool:
        return self.stop.wait(max(0.0, moment - time.monotonic()))
