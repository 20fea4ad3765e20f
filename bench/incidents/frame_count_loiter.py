"""Baseline: a loiter timer that counts frames, with a test of standing still, as in Frigate (MIT).

Written anew from its published parameters at detect.fps: boxes under a confidence of 0.5 are not there; a track exists
after fps / 2 sightings (at least 2) and is destroyed after fps * 5 misses; it is real once the median of its last 10
scores, a miss counting 0, has reached 0.7; a box belongs to a track of its own class whose bottom centre and size have
moved by less than 2.5 of the track's size (the norfair distance); it is in a zone after 3 frames with its bottom centre
inside; zone_loitering grows by one for every frame inside, is never taken back, and raises the alarm at
loitering_time * fps. A vehicle must have moved once since it was first seen: its mean box of the last 10 must have left
an IoU of 0.75 with the box it began with (what is put down need not have moved; Frigate would ask that too). Faster
streams are thinned to its usual 5 frames a second. Left out: the
appearance check of what has begun to move, and review items, which join what one camera shows within 40 s.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from statistics import median

import numpy as np

from bench.incidents.boxes import Box
from bench.incidents.delivery import Play
from bench.incidents.product import Told
from bench.incidents.watching import Watch, Watched, bottom_center, iou, restarts_s
from geofence.messages import IncidentKind
from geofence.site import Site

DETECT_FPS = 5.0
MIN_SCORE = 0.5
THRESHOLD = 0.7
HISTORY = 10
INERTIA_FRAMES = 3
MAX_DISTANCE = 2.5
MOVED_IOU = 0.75


@dataclass(slots=True)
class Tracked:
    """One thing of one class: its boxes and scores, and what it has counted."""

    class_name: str
    kind: IncidentKind
    began_at: datetime
    boxes: deque[Box]
    scores: deque[float] = field(default_factory=lambda: deque(maxlen=HISTORY))
    hits: int = 0
    misses: int = 0
    is_real: bool = False
    has_moved: bool = False
    inertia: int = 0
    loitering: int = 0
    alarm: Told | None = None


class LoiterTimer:
    """Frames → alarms; see the head of this file. fps: the rate that seconds are counted with."""

    def __init__(self, watch: Watch, fps: float) -> None:
        self._watch = watch
        self._fps = fps
        self._min_hits = max(round(fps / 2), 2)
        self._max_misses = max(round(fps * 5), 1)
        self.tracked: list[Tracked] = []
        self.told: list[Told] = []

    def take(self, boxes: Sequence[Watched], at: datetime) -> None:
        """One frame."""
        by_class: dict[str, list[Watched]] = defaultdict(list)
        for box in boxes:
            if box.kind is not None and box.detection.confidence >= MIN_SCORE:
                by_class[box.detection.class_name].append(box)
        names = {track.class_name for track in self.tracked} | set(by_class)
        for name in sorted(names):
            self._take_class([track for track in self.tracked if track.class_name == name], by_class[name], at)
        for track in [track for track in self.tracked if track.misses > self._max_misses]:
            self._end(track, at)
        self.tracked = [track for track in self.tracked if track.misses <= self._max_misses]

    def forget(self) -> None:
        """Lose every track, and with it what would have ended an alarm."""
        self.tracked = []

    def _take_class(self, tracks: list[Tracked], boxes: list[Watched], at: datetime) -> None:
        pairs = sorted(
            (gap, row, column)
            for row, track in enumerate(tracks)
            for column, box in enumerate(boxes)
            if (gap := norfair_distance(box.xyxy, track.boxes[-1])) < MAX_DISTANCE
        )
        rows: set[int] = set()
        columns: set[int] = set()
        for _, row, column in pairs:
            if row not in rows and column not in columns:
                rows.add(row)
                columns.add(column)
                self._see(tracks[row], boxes[column], at)
        for row, track in enumerate(tracks):
            if row not in rows:
                track.misses += 1
                track.scores.append(0.0)
        for column, box in enumerate(boxes):
            if column not in columns and box.kind is not None:
                track = Tracked(box.detection.class_name, box.kind, at, deque([box.xyxy], maxlen=HISTORY))
                self.tracked.append(track)
                self._see(track, box, at, is_first=True)

    def _see(self, track: Tracked, box: Watched, at: datetime, *, is_first: bool = False) -> None:
        track.misses = 0
        track.hits += 1
        track.scores.append(box.detection.confidence)
        if not is_first:
            mean: Box = tuple(np.mean(track.boxes, axis=0).tolist())
            track.has_moved = track.has_moved or iou(box.xyxy, mean) < MOVED_IOU
            track.boxes.append(box.xyxy)
        track.is_real = track.is_real or (len(track.scores) > 2 and median(track.scores) >= THRESHOLD)
        if track.hits < self._min_hits or not track.is_real:
            return
        if track.inertia < INERTIA_FRAMES:
            track.inertia = max(0, track.inertia + (1 if box.is_inside else -1))
            track.began_at = at if track.inertia == 1 and box.is_inside else track.began_at
        if track.inertia < INERTIA_FRAMES or not box.is_inside:
            return
        track.loitering += 1
        is_due = track.loitering >= self._watch.limit_s(track.kind) * self._fps
        may_alarm = track.has_moved or track.kind is not IncidentKind.ILLEGAL_PARKING
        if is_due and may_alarm and track.alarm is None:
            track.alarm = self._watch.told(len(self.told), track.kind, box.xyxy, track.began_at, at)
            self.told.append(track.alarm)

    def _end(self, track: Tracked, at: datetime) -> None:
        if track.alarm is not None:
            report = replace(track.alarm.report, cleared_at=max(at, track.alarm.report.opened_at))
            self.told[self.told.index(track.alarm)] = replace(track.alarm, report=report)


def norfair_distance(box: Box, estimate: Box) -> float:
    """How far a box is from a track's, in the track's widths and heights, with the change of its sides."""
    width, height = estimate[2] - estimate[0], estimate[3] - estimate[1]
    own_width, own_height = box[2] - box[0], box[3] - box[1]
    (x, y), (own_x, own_y) = bottom_center(estimate), bottom_center(box)
    wider = max(width, own_width) / max(min(width, own_width), 1e-6) - 1
    higher = max(height, own_height) / max(min(height, own_height), 1e-6) - 1
    return float(np.linalg.norm(((own_x - x) / width, (own_y - y) / height, wider, higher)))


def frame_count_loiter(play: Play, site: Site) -> list[Told]:
    """The alarms on a played scenario."""
    watch = Watch(play, site)
    every = max(1, round(watch.fps / DETECT_FPS))
    timer = LoiterTimer(watch, watch.fps / every)
    restarts = list(restarts_s(play))
    for number, frame in enumerate(play.frames):
        if restarts and frame.second >= restarts[0]:
            restarts.pop(0)
            timer.forget()
        if number % every == 0:
            timer.take(watch.see(frame), frame.captured_at)
    return timer.told
