"""Spooled frames → detections → camera rules → incident events with their picture: one transaction per batch."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from detectors import Detector, FrameDetections
from gateway.adapters.state_store import Outgoing, load_states, put_outgoing, save_states
from gateway.dead_letter_log import DeadLetterLog
from gateway.frame_plan import FramePlan, WaitingFrame, plan_frames
from gateway.incident_feed import IncidentFeed
from geofence.judge import CameraState, judge_frame
from geofence.messages import IncidentEvent
from geofence.site import Site
from ingest.adapters.spool import MessageHead, Spool
from ingest.errors import PayloadError
from ingest.jpeg import decode_frame
from ingest.messages import DeadLetter, Frame
from ingest.topics import FrameTopic, parse_topic

CONSUMER = "frames"
WAITING_LIMIT = 2000
_STATES = "camera:"


@dataclass(slots=True)
class _Batch:
    """What one transaction will hold; every taken frame is in exactly one of inferred, unknown, dead."""

    frames: list[Frame] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    states: dict[str, CameraState] = field(default_factory=dict)
    outgoing: list[Outgoing] = field(default_factory=list)
    events: list[IncidentEvent] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)


class FrameConsumer:
    """Takes frames from the spool by cursor; `step` is called by one thread.

    Every received frame is counted once: frames_inferred, frames_dropped_by_policy (newer ones of the same
    camera waited, or the site does not know the camera) or frames_dead (a dead letter).
    """

    def __init__(
        self,
        *,
        spool: Spool,
        site: Site,
        detector: Detector,
        feed: IncidentFeed,
        letters: DeadLetterLog,
        topic_root: str,
        max_pending_per_camera: int,
        max_batch: int,
    ) -> None:
        self._spool = spool
        self._site = site
        self._detector = detector
        self._feed = feed
        self._letters = letters
        self._topic_root = topic_root
        self._max_pending_per_camera = max_pending_per_camera
        self._max_batch = max_batch
        self._states = {key: CameraState.from_json(text) for key, text in load_states(spool, _STATES).items()}

    def step(self) -> bool:
        """Handle one batch; True when another may be waiting."""
        heads = self._spool.pending_heads(CONSUMER, limit=WAITING_LIMIT)
        plan = plan_frames(
            [WaitingFrame(id=head.id, topic=head.topic) for head in heads],
            max_pending_per_camera=self._max_pending_per_camera,
            max_batch=self._max_batch,
        )
        if plan is None:
            return False
        batch = _Batch()
        for head in heads:
            if head.id in plan.take:
                self._decode(head, batch)
        for frame, found in zip(
            batch.frames, self._detector.detect([frame.jpeg for frame in batch.frames]), strict=True
        ):
            self._judge(frame, found, batch)
        self._commit(batch, plan)
        return True

    def _decode(self, head: MessageHead, batch: _Batch) -> None:
        payload = self._spool.payload(head.id) or b""
        topic = parse_topic(self._topic_root, head.topic)
        try:
            if not isinstance(topic, FrameTopic):
                raise PayloadError("unknown_topic", "not a camera's frame topic")
            frame = decode_frame(payload, camera_id=topic.camera_id, received_at=head.received_at)
        except PayloadError as error:
            self._refuse(_dead_letter(head, payload, error.reason, error.detail), batch)
            return
        if frame.camera_id in self._site.cameras:
            batch.frames.append(frame)
        else:
            batch.counts["frames_dropped_by_policy"] += 1
            batch.counts["frames_dropped.unknown_camera"] += 1
            self._letters.report_unknown_camera(frame.camera_id, sorted(self._site.cameras))

    def _judge(self, frame: Frame, found: FrameDetections, batch: _Batch) -> None:
        if found.failure is not None:
            topic = f"{self._topic_root}/{self._site.site_id}/cameras/{frame.camera_id}/frame"
            reason, _, detail = found.failure.partition(": ")
            head = MessageHead(0, topic, frame.received_at, len(frame.jpeg))
            self._refuse(_dead_letter(head, frame.jpeg, reason, detail), batch)
            return
        batch.counts["frames_inferred"] += 1
        batch.counts["detections"] += len(found)
        before = batch.states.get(frame.camera_id, self._states.get(frame.camera_id, CameraState()))
        after, events = judge_frame(self._site, frame.camera_id, frame.captured_at, found, before)
        batch.states[frame.camera_id] = after
        batch.events.extend(events)
        batch.outgoing.extend(self._feed.message(event, frame) for event in events)

    def _refuse(self, letter: DeadLetter, batch: _Batch) -> None:
        batch.dead_letters.append(letter)
        batch.counts["frames_dead"] += 1

    def _commit(self, batch: _Batch, plan: FramePlan) -> None:
        counts = batch.counts + Counter(
            {
                "frames_dropped_by_policy": len(plan.drop),
                "frames_dropped.newer_waiting": len(plan.drop),
                "dead_letters": len(batch.dead_letters),
                "incident_events": len(batch.events),
            }
        )
        with self._spool.transaction() as transaction:
            transaction.add_dead_letters(batch.dead_letters)
            transaction.count_all(counts)
            save_states(transaction.connection, _STATES, {key: state.to_json() for key, state in batch.states.items()})
            put_outgoing(transaction.connection, batch.outgoing)
            transaction.advance(CONSUMER, plan.done_to)
        self._states |= batch.states
        self._letters.report(batch.dead_letters)
        self._feed.announce(batch.events)


def _dead_letter(head: MessageHead, payload: bytes, reason: str, detail: str) -> DeadLetter:
    return DeadLetter(topic=head.topic, payload=payload, reason=reason, detail=detail, received_at=head.received_at)
