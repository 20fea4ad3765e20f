"""Baseline: a timer for each track id, as in the example `time_in_zone` of supervision 0.27 (Roboflow, MIT).

Written anew from its published parameters. Its tracker is ByteTrack with the library's own defaults: tracks begin at
a confidence of 0.25 + 0.1, a box belongs to a track when 1 - IoU x confidence is at most 0.8, boxes between 0.1 and
0.25 extend tracks by an IoU of at least 0.5, and a track that is not seen for 30 frames is gone. Its Kalman filter is
left out: what is timed here stands still. Its timer counts (frame - first frame) / fps from the first frame in which
an id was in the zone, and forgets nothing; the alarm is raised once for each id, in a frame that has it in the zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bench.incidents.boxes import Box
from bench.incidents.delivery import Play
from bench.incidents.product import Told
from bench.incidents.watching import Watch, Watched, iou, restarts_s
from geofence.site import Site
from sim.scoring.assignment import cheapest_matching

ACTIVATION = 0.25
NEW_TRACK = ACTIVATION + 0.1
LOW = 0.1
MATCH_COST = 0.8
LOW_MATCH_IOU = 0.5
LOST_BUFFER_FRAMES = 30


@dataclass(slots=True)
class Track:
    """A box with an id, and the frame that it was last seen in."""

    id: int
    xyxy: Box
    seen_in: int


class ByteTracker:
    """Boxes of one frame after the other → the same boxes with ids; see the head of this file."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._frame = 0
        self._next_id = 1

    def update(self, boxes: Sequence[Watched]) -> list[tuple[int, Watched]]:
        """(id, box) of all boxes of the frame that belong to a track; drops tracks that are gone."""
        self._frame += 1
        high = [box for box in boxes if box.detection.confidence > ACTIVATION]
        low = [box for box in boxes if LOW < box.detection.confidence < ACTIVATION]
        told = self._matched(self.tracks, high, is_fused=True)
        seen = {track.id for track, _ in told}
        # A box of little confidence extends only what the frame before showed.
        fresh = [track for track in self.tracks if track.id not in seen and track.seen_in == self._frame - 1]
        told += self._matched(fresh, low, is_fused=False)
        for track, box in told:
            track.xyxy, track.seen_in = box.xyxy, self._frame
        taken = {id(box) for _, box in told}
        for box in high:
            if id(box) not in taken and box.detection.confidence >= NEW_TRACK:
                track = Track(self._next_id, box.xyxy, self._frame)
                self._next_id += 1
                self.tracks.append(track)
                told.append((track, box))
        self.tracks = [track for track in self.tracks if self._frame - track.seen_in <= LOST_BUFFER_FRAMES]
        return [(track.id, box) for track, box in told]

    def forget(self) -> None:
        """Lose every track, not the numbers already given."""
        self.tracks = []

    @staticmethod
    def _matched(tracks: Sequence[Track], boxes: Sequence[Watched], *, is_fused: bool) -> list[tuple[Track, Watched]]:
        costs = {}
        for row, track in enumerate(tracks):
            for column, box in enumerate(boxes):
                cost = 1 - iou(track.xyxy, box.xyxy) * (box.detection.confidence if is_fused else 1.0)
                if cost <= (MATCH_COST if is_fused else 1 - LOW_MATCH_IOU):
                    costs[row, column] = cost
        return [(tracks[row], boxes[column]) for row, column in cheapest_matching(costs).items()]


@dataclass(slots=True)
class _Timer:
    """Of one id in the zones of one rule."""

    first_frame: int
    began_at: datetime
    alarm: Told | None = None


def track_id_timer(play: Play, site: Site) -> list[Told]:
    """The alarms on a played scenario; an alarm ends when its track is gone."""
    watch, tracker = Watch(play, site), ByteTracker()
    timers: dict[tuple[int, str], _Timer] = {}
    told: list[Told] = []
    restarts = list(restarts_s(play))
    for number, frame in enumerate(play.frames):
        if restarts and frame.second >= restarts[0]:
            restarts.pop(0)
            tracker.forget()
        for track_id, box in tracker.update(watch.see(frame)):
            if box.kind is None or not box.is_inside:
                continue
            timer = timers.setdefault((track_id, box.kind), _Timer(number, frame.captured_at))
            if timer.alarm is None and (number - timer.first_frame) / watch.fps >= watch.limit_s(box.kind):
                timer.alarm = watch.told(len(told), box.kind, box.xyxy, timer.began_at, frame.captured_at)
                told.append(timer.alarm)
        kept = {track.id for track in tracker.tracks}
        for (track_id, _), timer in timers.items():
            if track_id not in kept and timer.alarm is not None and timer.alarm.report.cleared_at is None:
                timer.alarm = _clear(told, timer.alarm, frame.captured_at)
    return told


def _clear(told: list[Told], alarm: Told, at: datetime) -> Told:
    cleared = replace(alarm, report=replace(alarm.report, cleared_at=max(at, alarm.report.opened_at)))
    told[told.index(alarm)] = cleared
    return cleared
