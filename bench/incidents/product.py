"""street721 on a played scenario: the lines through `judge_lines`, which is what `street721 judge` runs.

Where the scenario kills the process, the frames go through `parse_recorded` and `judge_frame` one by one instead, and
the state through its own text, as a restarted gateway reads it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bench.incidents.delivery import Play
from bench.incidents.scenario import CAMERA_ID
from geofence.judge import CameraState, judge_frame
from geofence.recorded import RecordedFrame, format_event, judge_lines, parse_recorded
from geofence.site import Site
from sim.scoring.scoring_input import Report, parse_events


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One incident as a way of judging tells it, and since when it says that it lasts."""

    report: Report
    began_at: datetime


def judged_lines(play: Play, site: Site) -> list[str]:
    """The events of a played scenario, as `street721 judge --json` prints them."""
    if not play.scenario.kills:
        return list(judge_lines(site, play.lines))
    return _with_kills(play, site)


def told_of(lines: Iterable[str]) -> list[Told]:
    """What those events tell, in the order in which incidents are first named."""
    events = list(lines)
    began = {event["incident_id"]: datetime.fromisoformat(event["began_at"]) for event in map(json.loads, events)}
    return [Told(report=report, began_at=began[report.incident_id]) for report in parse_events(events)]


def _with_kills(play: Play, site: Site) -> list[str]:
    frames = list(parse_recorded(site, play.lines))
    told: list[str] = []
    state, position = CameraState(), 0
    for kill in play.scenario.kills:
        stop = _index_at(play, kill.at_s)
        saved = stop - kill.lost_frames
        state, events = _judged(frames[position:saved], site, state)
        # What comes after the last save is told, but what the process remembers of it dies with it.
        _, lost = _judged(frames[saved:stop], site, state)
        told += [*events, *lost]
        state = CameraState.from_json(state.to_json())
        position = max(0, saved - kill.replayed_frames)
    return [*told, *_judged(frames[position:], site, state)[1]]


def _index_at(play: Play, second: float) -> int:
    return next((number for number, frame in enumerate(play.frames) if frame.second >= second), len(play.frames))


def _judged(frames: Sequence[RecordedFrame], site: Site, state: CameraState) -> tuple[CameraState, list[str]]:
    told: list[str] = []
    for frame in frames:
        state, events = judge_frame(site, CAMERA_ID, frame.captured_at, frame.detections, state)
        told += map(format_event, events)
    return state, told
