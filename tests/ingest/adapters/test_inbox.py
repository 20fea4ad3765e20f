from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from ingest.adapters.inbox import InboundMessage, Inbox
from ingest.topics import MessageKind


def message(mid: int, size: int = 1) -> InboundMessage:
    return InboundMessage(
        1, mid, 1, datetime(2026, 3, 1, tzinfo=UTC), "t", bytes(size), False, False, MessageKind.READING
    )


def mids(batch: list[InboundMessage]) -> list[int]:
    return [m.mid for m in batch]


def test_batches_keep_the_order_and_the_limit() -> None:
    inbox = Inbox(max_messages=10, max_bytes=1000)
    for mid in range(5):
        assert inbox.put(message(mid))
    assert mids(inbox.take(max_messages=3, window_s=0)) == [0, 1, 2]
    assert mids(inbox.take(max_messages=3, window_s=0)) == [3, 4]


def test_full_inbox_makes_the_sender_wait(wait_until: Callable[..., None]) -> None:
    for inbox in (Inbox(max_messages=2, max_bytes=1000), Inbox(max_messages=100, max_bytes=2)):
        done: list[int] = []

        def send(inbox: Inbox = inbox, done: list[int] = done) -> None:
            for mid in range(5):
                inbox.put(message(mid))
                done.append(mid)

        thread = threading.Thread(target=send)
        thread.start()
        wait_until(lambda done=done: len(done) == 2)
        assert len(inbox) == 2
        taken: list[int] = []
        while len(taken) < 5:
            taken += mids(inbox.take(max_messages=10, window_s=0.01))
        thread.join()
        assert taken == [0, 1, 2, 3, 4]


def test_message_larger_than_the_limit_passes_alone() -> None:
    inbox = Inbox(max_messages=10, max_bytes=5)
    assert inbox.put(message(1, size=100))
    assert mids(inbox.take(max_messages=10, window_s=0)) == [1]


def test_full_batch_does_not_wait_for_its_window() -> None:
    inbox = Inbox(max_messages=10, max_bytes=1000)
    for mid in range(4):
        inbox.put(message(mid))
    assert mids(inbox.take(max_messages=4, window_s=3600)) == [0, 1, 2, 3]


def test_full_inbox_ends_the_window() -> None:
    inbox = Inbox(max_messages=100, max_bytes=3)
    batch: list[int] = []
    taker = threading.Thread(target=lambda: batch.extend(mids(inbox.take(max_messages=50, window_s=3600))))
    taker.start()
    for mid in range(4):
        inbox.put(message(mid))
    taker.join()
    assert batch == [0, 1, 2]


def test_closed_inbox_gives_out_what_it_has_and_then_nothing() -> None:
    inbox = Inbox(max_messages=10, max_bytes=1000)
    inbox.put(message(1))
    inbox.close()
    assert not inbox.put(message(2))
    assert mids(inbox.take(max_messages=10, window_s=3600)) == [1]
    assert inbox.take(max_messages=10, window_s=3600) == []


def test_closing_frees_a_waiting_sender() -> None:
    inbox = Inbox(max_messages=1, max_bytes=1000)
    inbox.put(message(1))
    taken: list[bool] = []
    sender = threading.Thread(target=lambda: taken.append(inbox.put(message(2))))
    sender.start()
    inbox.close()
    sender.join()
    assert taken == [False]
