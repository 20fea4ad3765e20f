"""The bounded hand-over from the network thread to the thread that stores."""

from __future__ import annotations

import threading
import time
from collections import deque
from datetime import datetime
from typing import NamedTuple

from ingest.reasons import Reason
from ingest.topics import MessageKind


class InboundMessage(NamedTuple):
    """One MQTT PUBLISH as it came in.

    epoch: which connection it came over; its acknowledgement is good on that one only
    kind:  who wants it; None where `fault` says why nobody can
    """

    epoch: int
    mid: int
    qos: int
    received_at: datetime
    topic: str
    payload: bytes
    dup: bool
    retain: bool
    kind: MessageKind | None
    fault: Reason | None = None


class Inbox:
    """A queue bounded in messages and bytes. Full means wait: the socket is then read no further."""

    def __init__(self, *, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._messages: deque[InboundMessage] = deque()
        self._bytes = 0
        self._wanted = 1
        self._is_closed = False
        self._is_sender_waiting = False
        lock = threading.Lock()
        self._may_put = threading.Condition(lock)
        self._may_take = threading.Condition(lock)

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: InboundMessage) -> bool:
        """Add a message, waiting while the inbox is full; False once it is closed, the message is not taken.

        A single message larger than the limit is taken when the inbox is empty.
        """
        size = len(message.payload)
        with self._may_put:
            while not self._is_closed and self._is_full(size):
                self._is_sender_waiting = True
                self._may_take.notify_all()
                self._may_put.wait()
            if self._is_closed:
                return False
            self._messages.append(message)
            self._bytes += size
            if len(self._messages) >= self._wanted:
                self._may_take.notify_all()
            return True

    def take(self, *, max_messages: int, window_s: float) -> list[InboundMessage]:
        """Return the oldest messages; waits for the first, then up to `window_s` for more.

        An empty list means closed and empty.
        """
        with self._may_take:
            self._wait_for(1, until_s=None)
            self._wait_for(max_messages, until_s=time.monotonic() + window_s)
            batch = [self._messages.popleft() for _ in range(min(max_messages, len(self._messages)))]
            self._bytes -= sum(len(message.payload) for message in batch)
            self._is_sender_waiting = False  # it sets this again if there is still no room for it
            self._may_put.notify_all()
            return batch

    def close(self) -> None:
        """Take no more messages; what is inside can still be taken."""
        with self._may_put:
            self._is_closed = True
            self._may_put.notify_all()
            self._may_take.notify_all()

    def _is_full(self, size: int) -> bool:
        if not self._messages:
            return False
        return len(self._messages) >= self._max_messages or self._bytes + size > self._max_bytes

    def _wait_for(self, count: int, *, until_s: float | None) -> None:
        """Wait for so many messages, a sender that finds no room, the closing or a time."""
        self._wanted = min(count, self._max_messages)
        while len(self._messages) < self._wanted and not self._is_closed:
            remaining_s = None if until_s is None else until_s - time.monotonic()
            if remaining_s is not None and (remaining_s <= 0 or self._is_sender_waiting):
                return
            self._may_take.wait(remaining_s)
