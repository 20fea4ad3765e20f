"""Plays a scenario onto the disk: pictures as the cameras would send them, and the truth beside them.

DIR/site/                 the generated site folder
DIR/frames/CAMERA/000001.jpg
DIR/truth.jsonl, detections.jsonl, events.jsonl     see `truth.py`
DIR/readings.jsonl        every sensor message: sent_at, sensor_id, payload
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from sim.adapters.site_folder import write_site
from sim.devices.exif import stamp_jpeg
from sim.devices.fleet import DeviceMessage
from sim.play import FrameTime, Play
from sim.scenario import Scenario
from sim.street.referee import TrueIncident

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What was written."""

    frames: int
    objects: int
    readings: int
    incidents: int


def render(
    scenario: Scenario, out: Path, *, seconds: float, file: str = "scenario.toml", progress: Progress | None = None
) -> Rendered:
    """Write `seconds` of a scenario; the same scenario and seed give the same bytes. Raises ScenarioError, OSError.

    Frames that an earlier rendering left in the same folder are removed.
    """
    play = Play(scenario, begins_at=scenario.begins_at)
    out.mkdir(parents=True, exist_ok=True)
    write_site(scenario, out / "site", file=file)
    for old in out.glob("frames/*/[0-9]*.jpg"):
        old.unlink()
    times = list(play.frame_times(seconds))
    frames = objects = incidents = readings = 0
    with ExitStack() as stack:
        files = {
            name: stack.enter_context((out / f"{name}.jsonl").open("w", encoding="utf-8"))
            for name in ("truth", "detections", "events", "readings")
        }
        done_s = 0.0
        for number, time in enumerate(times):
            incidents += _write_events(play, play.judge_until(time.second), files["events"], after=incidents)
            readings += _write_readings(play, play.messages(done_s, time.second), files["readings"])
            done_s = time.second
            frames_now, objects_now = _write_shot(play, time, out, files["truth"], files["detections"])
            frames += frames_now
            objects += objects_now
            if progress is not None:
                progress(number + 1, len(times))
        over = [*play.judge_until(seconds), *play.still_open(seconds)]
        incidents += _write_events(play, over, files["events"], after=incidents)
        readings += _write_readings(play, play.messages(done_s, seconds), files["readings"])
    return Rendered(frames=frames, objects=objects, readings=readings, incidents=incidents)


def _write_shot(play: Play, time: FrameTime, out: Path, truth: TextIO, detections: TextIO) -> tuple[int, int]:
    """Pictures and lines of one shutter time; returns (pictures, objects)."""
    camera = play.scenario.cameras[time.camera_number]
    shot = play.films[time.camera_number].shoot(time.frame_index, play.world.bodies_at(time.second))
    names = []
    for copy, outgoing in enumerate(shot.outgoing):
        name = f"frames/{camera.id}/{time.frame_index + 1:06d}{'' if copy == 0 else f'_{copy + 1}'}.jpg"
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(stamp_jpeg(outgoing.jpeg, play.truth.time_of(outgoing.captured_s)))
        names.append(name)
    truth.write(play.truth.frame_line(camera.id, shot, images=names) + "\n")
    detections.writelines(line + "\n" for line in play.truth.detection_lines(camera.id, shot))
    return len(names), len(shot.shown)


def _write_events(play: Play, incidents: list[TrueIncident], file: TextIO, *, after: int) -> int:
    """Lines of events.jsonl, numbered on from `after`; returns how many."""
    for number, incident in enumerate(incidents, start=after + 1):
        file.write(play.truth.event_line(number, incident) + "\n")
    return len(incidents)


def _write_readings(play: Play, messages: list[DeviceMessage], file: TextIO) -> int:
    for message in messages:
        row = {
            "sent_at": play.truth.time_of(message.sent_s).isoformat(),
            "sensor_id": message.sensor_id,
            "payload": message.payload.decode("utf-8", errors="backslashreplace"),
        }
        file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return len(messages)
