"""Spooled frames → detections → camera rules → incident events with their picture: one transaction per batch."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from detectors import Detector, FrameDetections
from gateway.adapters.state_store import drop_states, load_states, put_outgoing, save_states
from gateway.batcher import BatcherSettings, Wait
from gateway.camera_watch import CameraWatch
from gateway.dead_letter_log import DeadLetterLog
from gateway.frame_queue import FrameQueue
from gateway.incident_feed import IncidentFeed
from gateway.site_incidents import SiteIncidents
from geofence.errors import GeofenceError
from geofence.judge import CameraState, judge_frame
from geofence.messages import IncidentEvent
from geofence.sampling import SamplingSettings, is_due
from geofence.site import Site
from ingest.adapters.spool import MessageHead, Spool
from ingest.errors import PayloadError
from ingest.jpeg import decode_frame
from ingest.messages import DeadLetter, Frame
from ingest.topics import FrameTopic, parse_topic

log = structlog.get_logger()

_STATES = "camera:"


@dataclass(slots=True)
class _Batch:
    """What one transaction will hold; every taken frame is in exactly one of frames, dead letters."""

    heads: list[MessageHead]
    frames: list[tuple[MessageHead, Frame]] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    states: dict[str, CameraState] = field(default_factory=dict)
    events: list[tuple[IncidentEvent, Frame]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Running:
    """A batch on its way through the network, what its cameras showed before, and its detections to come."""

    batch: _Batch
    before: list[FrameDetections | None]
    began_s: float
    found: Future[list[FrameDetections]]


class FrameConsumer:
    """Takes frames from the spool; `step` is called by one thread.

    The network works on the next batch while the one before is judged and committed. Every received frame is counted
    once: frames_inferred, frames_dropped_by_policy (newer ones of the same camera waited, no rule needed it, or the
    site does not know the camera) or frames_dead (a dead letter). Of the first, frames_repeated were the picture before
    to the last bit, so that what was found there holds; frames_without_view were not judged: the camera sees nothing,
    or another street.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        site: Site,
        detector: Detector,
        incidents: SiteIncidents,
        feed: IncidentFeed,
        letters: DeadLetterLog,
        topic_root: str,
        settings: BatcherSettings,
        watch: CameraWatch,
        sampling: SamplingSettings | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """sampling: how often a camera is looked at by its rules' deadlines; None: at every frame."""
        self._spool = spool
        self._site = site
        self._detector = detector
        self._incidents = incidents
        self._feed = feed
        self._letters = letters
        self._topic_root = topic_root
        self._watch = watch
        self._sampling = sampling
        self._looked_at: dict[str, datetime] = {}
        self._max_batch = settings.max_batch
        self._clock = clock
        self._states = _known_states(spool, site)
        self._queue = FrameQueue(
            spool, topic_root=topic_root, is_known=site.cameras.__contains__, settings=settings, clock=clock
        )
        self._network = ThreadPoolExecutor(1, thread_name_prefix="network")
        self._running: _Running | None = None
        self._waiting = Wait(None)
        self._ended_s = clock()

    def step(self) -> bool:
        """Handle one batch, or wait a moment for more frames; True when another step is due at once."""
        running = self._running or self._begin()
        if running is None:
            return self._count_dropped() or self._wait()
        found = running.found.result()
        self._note_load(running)
        self._running = self._begin()
        for (head, frame), seen, before in zip(running.batch.frames, found, running.before, strict=True):
            self._judge(head, frame, seen, before, running.batch)
        self._commit(running.batch)
        return True

    def close(self) -> None:
        """Let the network finish; a batch that was not committed is inferred again after a restart."""
        self._network.shutdown()

    def _begin(self) -> _Running | None:
        """Send the next batch to the network, if it is time for one."""
        self._queue.fetch()
        batch = _Batch([])
        while len(batch.frames) < self._max_batch:
            taken = self._queue.next()
            if isinstance(taken, Wait):
                self._waiting = taken
                break
            batch.heads += taken
            for head in taken:
                self._decode(head, batch)
        if not batch.heads:
            return None
        jpegs = [frame.jpeg for _, frame in batch.frames]
        before = self._last_seen(batch)
        glances = [None if seen is None else seen.glance for seen in before]
        return _Running(batch, before, self._clock(), self._network.submit(self._detector.detect, jpegs, glances))

    def _last_seen(self, batch: _Batch) -> list[FrameDetections | None]:
        """What a frame may repeat; of several frames of a camera only the first follows on what was seen."""
        is_first = {frame.camera_id: number for number, (_, frame) in reversed([*enumerate(batch.frames)])}
        return [
            self._watch.last_seen(frame.camera_id) if is_first[frame.camera_id] == number else None
            for number, (_, frame) in enumerate(batch.frames)
        ]

    def _wait(self) -> bool:
        """Sleep for the rest of the window; without any frame the spool's writer wakes this thread."""
        if self._waiting.seconds is None:
            return False
        time.sleep(self._waiting.seconds)
        return True

    def _note_load(self, running: _Running) -> None:
        ended_s = self._clock()
        self._queue.worked(busy_s=ended_s - running.began_s, elapsed_s=ended_s - self._ended_s)
        self._ended_s = ended_s

    def _decode(self, head: MessageHead, batch: _Batch) -> None:
        payload = self._spool.payload(head.id) or b""
        topic = parse_topic(self._topic_root, head.topic)
        assert isinstance(topic, FrameTopic), "the queue holds frames of the site's cameras only"
        try:
            frame = decode_frame(payload, camera_id=topic.camera_id, received_at=head.received_at)
        except PayloadError as error:
            self._refuse(_dead_letter(head, payload, error.reason, error.detail), topic.camera_id, batch)
            return
        if self._is_due(frame):
            self._looked_at[frame.camera_id] = frame.captured_at
            batch.frames.append((head, frame))
        else:
            self._watch.heard(frame.camera_id)
            batch.counts["frames_dropped_by_policy"] += 1
            batch.counts["frames_dropped.not_due"] += 1

    def _is_due(self, frame: Frame) -> bool:
        if self._sampling is None:
            return True
        state = self._states.get(frame.camera_id, CameraState())
        looked_at = self._looked_at.get(frame.camera_id, state.last_frame_at)
        return is_due(frame.captured_at, looked_at, state, self._site.config.dwell, self._sampling)

    def _judge(
        self, head: MessageHead, frame: Frame, found: FrameDetections, repeated: FrameDetections | None, batch: _Batch
    ) -> None:
        if found.failure is not None:
            reason, _, detail = found.failure.partition(": ")
            self._refuse(_dead_letter(head, frame.jpeg, reason, detail), frame.camera_id, batch)
            return
        batch.counts["frames_inferred"] += 1
        batch.counts["frames_repeated"] += found.is_repeat
        look = self._watch.look(frame, found, repeated)
        if look is None:
            batch.counts["frames_without_view"] += 1
            return
        batch.counts["detections"] += len(look)
        before = batch.states.get(frame.camera_id, self._states.get(frame.camera_id, CameraState()))
        after, events = judge_frame(self._site, frame.camera_id, frame.captured_at, look, before)
        batch.states[frame.camera_id] = after
        batch.events.extend((event, frame) for event in events)

    def _refuse(self, letter: DeadLetter, camera_id: str, batch: _Batch) -> None:
        self._watch.refused(camera_id)
        batch.dead_letters.append(letter)
        batch.counts["frames_dead"] += 1

    def _count_dropped(self) -> bool:
        """Commit what was let go while no batch went along; True when there was something."""
        if not self._queue.has_dropped:
            return False
        self._commit(_Batch([]))
        return True

    def _commit(self, batch: _Batch) -> None:
        batch.counts["frame_batches"] += bool(batch.heads)
        batch.counts["dead_letters"] += len(batch.dead_letters)
        with self._incidents.transaction() as transaction:
            told = self._incidents.joined(batch.events, transaction.connection)
            batch.counts["incident_events"] += len(told)
            transaction.add_dead_letters(batch.dead_letters)
            transaction.count_all(+batch.counts)
            save_states(transaction.connection, _STATES, {key: state.to_json() for key, state in batch.states.items()})
            put_outgoing(transaction.connection, [self._feed.message(event, frame) for event, frame in told])
            self._queue.done(batch.heads, transaction)
            self._watch.save(transaction)
        self._states |= batch.states
        self._letters.report(batch.dead_letters)
        for camera_id in self._queue.unknown_cameras():
            self._letters.report_unknown_camera(camera_id, sorted(self._site.cameras))
        self._feed.announce([event for event, _ in told])


def _known_states(spool: Spool, site: Site) -> dict[str, CameraState]:
    """What is remembered of the site's cameras; what nobody can use any more is forgotten."""
    states: dict[str, CameraState] = {}
    for camera_id, text in load_states(spool, _STATES).items():
        if camera_id not in site.cameras:
            log.info("camera_state_dropped", camera_id=camera_id, why="the site has no such camera")
            continue
        try:
            states[camera_id] = CameraState.from_json(text)
        except GeofenceError as error:
            log.warning("camera_state_dropped", camera_id=camera_id, why=f"{error}; its rules begin anew")
    if gone := load_states(spool, _STATES).keys() - states.keys():
        with spool.transaction() as transaction:
            drop_states(transaction.connection, _STATES, gone)
    return states


def _dead_letter(head: MessageHead, payload: bytes, reason: str, detail: str) -> DeadLetter:
    return DeadLetter(topic=head.topic, payload=payload, reason=reason, detail=detail, received_at=head.received_at)
