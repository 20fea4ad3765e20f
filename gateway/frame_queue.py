"""The frames of the spool as a queue that need not be worked off in order, and forgets nothing over a restart.

Its rows are open (they wait, or are being inferred) or done. The spool's cursor stands before the first open row;
what is open behind it is kept beside the cursor, as a short list: never more rows than cameras may have waiting.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from gateway.adapters.state_store import load_states, save_states
from gateway.batcher import BatcherSettings, BatcherState, Wait, WaitingFrame, arrive, next_batch, worked
from ingest.adapters.spool import MessageHead, Spool
from ingest.adapters.spool_transaction import SpoolTransaction
from ingest.messages import CameraId
from ingest.topics import FrameTopic, parse_topic

CONSUMER = "frames"
FETCH_LIMIT = 2000
_STATE = "frame_queue:"


@dataclass(slots=True)
class _Horizon:
    """What a restart must know: rows up to `row` are done but those in `open`."""

    row: int
    open: set[int] = field(default_factory=set)


class FrameQueue:
    """Called by one thread. `clock` gives monotonic seconds."""

    def __init__(
        self,
        spool: Spool,
        *,
        topic_root: str,
        is_known: Callable[[str], bool],
        settings: BatcherSettings,
        clock: Callable[[], float],
    ) -> None:
        """is_known: whether the site has a camera; frames of others are let go and counted."""
        self._spool = spool
        self._topic_root = topic_root
        self._is_known = is_known
        self._settings = settings
        self._clock = clock
        self._batcher = BatcherState()
        self._heads: dict[int, MessageHead] = {}
        self._in_work: set[int] = set()
        self._dropped: Counter[str] = Counter()
        self._unknown: set[CameraId] = set()
        self._horizon = self._load_horizon()

    def fetch(self) -> None:
        """Take in what the spool has received since."""
        while heads := self._spool.pending_heads(CONSUMER, after_id=self._horizon.row, limit=FETCH_LIMIT):
            self._take_in(heads)
            self._horizon.row = heads[-1].id
            if len(heads) < FETCH_LIMIT:
                return

    def next(self) -> list[MessageHead] | Wait:
        """The messages to infer now; they stay open until `done`."""
        self._batcher, taken = next_batch(self._batcher, self._clock(), self._settings)
        if isinstance(taken, Wait):
            return taken
        self._in_work |= {frame.id for frame in taken}
        return [self._heads.pop(frame.id) for frame in taken]

    def worked(self, *, busy_s: float, elapsed_s: float) -> None:
        """Tell how busy the network was; the next windows follow from it."""
        self._batcher = worked(self._batcher, busy_s=busy_s, elapsed_s=elapsed_s)

    @property
    def has_dropped(self) -> bool:
        """Whether something was let go that no transaction has counted yet."""
        return bool(self._dropped)

    def unknown_cameras(self) -> Iterator[CameraId]:
        """Cameras that send frames and are not of the site, each once per call."""
        while self._unknown:
            yield self._unknown.pop()

    def done(self, heads: Sequence[MessageHead], transaction: SpoolTransaction) -> None:
        """Within a transaction: these messages are done with, and what was let go so far is counted."""
        self._in_work -= {head.id for head in heads}
        open_rows = sorted({*self._batcher.ids, *self._in_work})
        state = json.dumps({"row": self._horizon.row, "open": open_rows})
        save_states(transaction.connection, _STATE, {CONSUMER: state})
        transaction.advance(CONSUMER, open_rows[0] - 1 if open_rows else self._horizon.row)
        transaction.count_all(self._dropped)
        self._dropped.clear()

    def _load_horizon(self) -> _Horizon:
        """After a restart only open rows are taken in again, then everything behind the horizon."""
        saved = load_states(self._spool, _STATE).get(CONSUMER)
        cursor = self._spool.cursor(CONSUMER)
        if saved is None:
            return _Horizon(cursor)
        known = json.loads(saved)
        horizon = _Horizon(max(cursor, known["row"]), set(known["open"]))
        if horizon.open:
            heads = self._spool.pending_heads(CONSUMER, limit=horizon.row - cursor)
            self._take_in([head for head in heads if head.id in horizon.open])
        return horizon

    def _take_in(self, heads: Sequence[MessageHead]) -> None:
        now_s = self._clock()
        frames = []
        for head in heads:
            topic = parse_topic(self._topic_root, head.topic)
            camera_id = topic.camera_id if isinstance(topic, FrameTopic) else CameraId(head.topic)
            if self._is_known(camera_id):
                self._heads[head.id] = head
                frames.append(WaitingFrame(id=head.id, camera_id=camera_id, arrived_s=now_s))
            else:
                self._unknown.add(camera_id)
                self._drop("unknown_camera")
        self._batcher, dropped = arrive(self._batcher, frames, self._settings)
        for row in dropped:
            del self._heads[row]
            self._drop("newer_waiting")

    def _drop(self, reason: str) -> None:
        self._dropped["frames_dropped_by_policy"] += 1
        self._dropped[f"frames_dropped.{reason}"] += 1
