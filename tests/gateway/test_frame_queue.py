"""Rows out of order, each once, over restarts: what is open is kept beside the cursor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.adapters.state_store import create_tables
from gateway.batcher import BatcherSettings, Wait
from gateway.frame_queue import FrameQueue
from ingest.adapters.spool import MessageHead, NewMessage, Spool
from ingest.config import SpoolSettings
from ingest.topics import MessageKind

ROOT = "s721/v1"


class _Bench:
    def __init__(self, file: Path) -> None:
        self._file = file
        self.now_s = 100.0
        self._open()

    def _open(self) -> None:
        self.spool = Spool(SpoolSettings(file=self._file))
        with self.spool.transaction() as transaction:
            create_tables(transaction.connection)
        self.queue = FrameQueue(
            self.spool,
            topic_root=ROOT,
            is_known=lambda camera_id: camera_id in "abcd",
            settings=BatcherSettings(max_batch=2),
            clock=lambda: self.now_s,
        )

    def restart(self) -> None:
        self.spool.close()
        self._open()

    def put(self, cameras: str) -> None:
        with self.spool.transaction() as transaction:
            transaction.add_messages(
                NewMessage(MessageKind.FRAME, f"{ROOT}/demo/cameras/{name}/frame", b"x", datetime.now(UTC))
                for name in cameras
            )

    def take(self) -> list[MessageHead]:
        self.queue.fetch()
        self.now_s += 1.0
        taken = self.queue.next()
        return [] if isinstance(taken, Wait) else taken

    def finish(self, heads: Sequence[MessageHead]) -> None:
        with self.spool.transaction() as transaction:
            self.queue.done(heads, transaction)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[_Bench]:
    made = _Bench(tmp_path / "spool.db")
    yield made
    made.spool.close()


def _rows(heads: Sequence[MessageHead]) -> list[int]:
    return [head.id for head in heads]


def test_the_cursor_stands_before_the_first_row_that_is_open(bench: _Bench) -> None:
    bench.put("aabcd")
    first = bench.take()
    assert _rows(first) == [2, 3]
    second = bench.take()
    assert _rows(second) == [4, 5]
    bench.finish(second)
    assert bench.spool.cursor("frames") == 1
    bench.finish(first)
    assert bench.spool.cursor("frames") == 5
    assert bench.spool.counters() == {"frames_dropped_by_policy": 1, "frames_dropped.newer_waiting": 1}


def test_after_a_restart_only_what_was_open_and_what_is_new_comes(bench: _Bench) -> None:
    bench.put("abcd")
    bench.take()
    later = bench.take()
    assert _rows(later) == [3, 4]
    bench.finish(later)
    bench.restart()
    bench.put("c")
    taken = bench.take()
    assert _rows(taken) == [1, 2]
    bench.finish(taken)
    assert _rows(bench.take()) == [5]


def test_what_was_let_go_is_counted_once_even_over_a_restart(bench: _Bench) -> None:
    bench.put("aaazzb")
    taken = bench.take()
    assert _rows(taken) == [3, 6]
    assert sorted(bench.queue.unknown_cameras()) == ["z"]
    bench.restart()
    taken = bench.take()
    bench.finish(taken)
    bench.restart()
    assert bench.take() == []
    assert bench.spool.counters() == {
        "frames_dropped_by_policy": 4,
        "frames_dropped.newer_waiting": 2,
        "frames_dropped.unknown_camera": 2,
    }


def test_a_flood_of_unknown_cameras_leaves_nothing_open(bench: _Bench) -> None:
    bench.put("z" * 5000)
    assert bench.take() == []
    before = bench.queue.has_dropped
    bench.finish([])
    assert (before, bench.queue.has_dropped) == (True, False)
    assert bench.spool.cursor("frames") == 5000
    assert bench.spool.counters()["frames_dropped.unknown_camera"] == 5000
