from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.adapters.inbox import InboundMessage, Inbox
from ingest.adapters.spool import Spool
from ingest.adapters.spool_writer import SpoolWriter
from ingest.config import SpoolSettings
from ingest.errors import SpoolError
from ingest.reasons import Reason
from ingest.topics import MessageKind

NOW = datetime(2026, 3, 1, tzinfo=UTC)


class FakeSource:
    """Takes acknowledgements and looks into the spool at that moment."""

    def __init__(self, spool: Spool) -> None:
        self.up_since_s: float | None = 0.0
        self.acked: list[int] = []
        self.stored_when_acked: list[int] = []
        self._spool = spool

    def acknowledge(self, messages: list[InboundMessage]) -> int:
        self.acked += [message.mid for message in messages]
        self.stored_when_acked.append(self._spool.counters().get("received", 0))
        return len(messages)


class Bench:
    """A writer between an inbox and a spool."""

    def __init__(self, settings: SpoolSettings) -> None:
        self.spool = Spool(settings)
        self.inbox = Inbox(max_messages=10_000, max_bytes=10**9)
        self.source = FakeSource(self.spool)
        self.wake = {kind: threading.Event() for kind in MessageKind}
        self.failed = threading.Event()
        self.writer = SpoolWriter(
            settings,
            inbox=self.inbox,
            spool=self.spool,
            source=self.source,
            wake=self.wake,
            on_failure=self.failed.set,
        )

    def run(self, *messages: InboundMessage) -> None:
        self.writer.start()
        for message in messages:
            self.inbox.put(message)
        self.inbox.close()
        assert self.writer.join(30)

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.spool.pending("readings", limit=100_000)]


def message(mid: int, payload: bytes | None = None, **changes: Any) -> InboundMessage:
    content = b"%d" % mid if payload is None else payload
    made = InboundMessage(1, mid, 1, NOW, "s721/v1/demo/sensors/a", content, False, False, MessageKind.READING)
    return made._replace(**changes)


@pytest.fixture
def make_bench() -> Iterator[Callable[[SpoolSettings], Bench]]:
    made: list[Bench] = []

    def make(settings: SpoolSettings) -> Bench:
        made.append(Bench(settings))
        return made[-1]

    yield make
    for bench in made:
        bench.inbox.close()
        bench.spool.close()


@pytest.fixture
def bench(make_bench: Callable[[SpoolSettings], Bench], spool_settings: SpoolSettings) -> Bench:
    return make_bench(spool_settings)


def test_acknowledges_in_order_and_only_what_is_committed(
    make_bench: Callable[[SpoolSettings], Bench], spool_settings: SpoolSettings
) -> None:
    bench = make_bench(replace(spool_settings, max_batch=7))
    bench.run(*[message(mid) for mid in range(1, 101)])
    assert bench.source.acked == list(range(1, 101))
    assert bench.source.stored_when_acked == [min(7 * n, 100) for n in range(1, 16)]
    assert bench.payloads() == [b"%d" % mid for mid in range(1, 101)]
    assert bench.writer.stats == replace(bench.writer.stats, received=100, stored=100, acknowledged=100, duplicate=0)


def test_redelivered_message_is_stored_once_and_acknowledged_again(bench: Bench) -> None:
    bench.run(message(1), message(2), message(1, dup=True), message(3))
    assert bench.payloads() == [b"1", b"2", b"3"]
    assert bench.source.acked == [1, 2, 1, 3]
    assert bench.spool.counters() == {"received": 4, "stored": 3, "duplicate": 1}


def test_repeated_value_without_dup_flag_is_a_new_message(bench: Bench) -> None:
    bench.run(message(1, b"20"), message(2, b"20"))
    assert bench.payloads() == [b"20", b"20"]


def test_dup_flag_on_an_unknown_message_is_no_reason_to_drop_it(bench: Bench) -> None:
    bench.run(message(1, dup=True))
    assert bench.payloads() == [b"1"]


def test_redelivery_after_a_restart_is_recognised_even_when_trimmed(
    make_bench: Callable[[SpoolSettings], Bench], spool_settings: SpoolSettings
) -> None:
    first = make_bench(spool_settings)
    first.run(message(1), message(2))
    with first.spool.transaction() as transaction:
        transaction.advance("readings", 2)
    assert first.spool.trim() == 2
    first.spool.close()
    second = make_bench(spool_settings)
    second.run(message(1, dup=True), message(2, dup=True), message(3, dup=True))
    assert second.payloads() == [b"3"]
    assert second.source.acked == [1, 2, 3]


def test_settled_messages_are_forgotten_on_disk_too(
    make_bench: Callable[[SpoolSettings], Bench], spool_settings: SpoolSettings
) -> None:
    bench = make_bench(replace(spool_settings, dedup_max_entries=3))
    bench.run(*[message(mid) for mid in range(1, 11)])
    assert len(bench.spool.digests()) == 3


def test_retained_message_seen_at_every_subscription_is_stored_once(bench: Bench) -> None:
    bench.run(message(1, b"x", retain=True), message(2, b"x", retain=True))
    assert bench.payloads() == [b"x"]


@pytest.mark.parametrize("fault", [Reason.TOO_LARGE, Reason.INVALID_TOPIC, Reason.UNKNOWN_TOPIC])
def test_unusable_message_is_dead_lettered_and_acknowledged(bench: Bench, fault: Reason) -> None:
    bench.run(message(1, b"\x00\x01", kind=None, fault=fault), message(2))
    (letter,) = bench.spool.dead_letters()
    assert (letter.reason, letter.payload, letter.topic) == (fault, b"\x00\x01", "s721/v1/demo/sensors/a")
    assert "2 bytes" in letter.detail
    assert bench.source.acked == [1, 2]
    assert bench.spool.counters()["rejected"] == 1


def test_consumers_are_woken_for_their_kind_only(bench: Bench) -> None:
    bench.run(message(1, kind=MessageKind.FRAME))
    assert bench.wake[MessageKind.FRAME].is_set()
    assert not bench.wake[MessageKind.READING].is_set()


def test_failed_commit_acknowledges_nothing_and_surfaces(bench: Bench) -> None:
    bench.writer.start()
    bench.spool.close()
    with capture_logs() as logs:
        bench.inbox.put(message(1))
        assert bench.failed.wait(30)
        assert bench.writer.join(30)
    assert isinstance(bench.writer.failure, SpoolError)
    assert bench.source.acked == []
    assert [line["event"] for line in logs] == ["spool_write_failed"]
    assert not bench.inbox.put(message(2))
