"""The durable queue between the broker and everything else: one SQLite file, one process.

A message is acknowledged to the broker after it is committed here, and read from here by cursor.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import takewhile
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple

from ingest.adapters.file_lock import FileLock
from ingest.adapters.spool_schema import is_fatal, open_connection, prepare, spool_error
from ingest.adapters.spool_transaction import NewMessage, SpoolTransaction
from ingest.config import SpoolSettings
from ingest.errors import SpoolError
from ingest.instants import from_us, to_us
from ingest.messages import DeadLetter, RawMessage, Reading, SensorId, TimeSource
from ingest.topics import MessageKind

__all__ = ["CONSUMERS", "MessageHead", "NewMessage", "Spool", "SpoolTransaction", "StoredReading"]

# Who reads which kind; a message may go when the consumers of its kind are done with it.
CONSUMERS: Mapping[str, MessageKind] = MappingProxyType({"readings": MessageKind.READING, "frames": MessageKind.FRAME})

_TRIM_ROWS = 2000
_RETENTION_ROWS = 5000


class MessageHead(NamedTuple):
    """A spooled message without its payload."""

    id: int
    topic: str
    received_at: datetime
    size_bytes: int


class StoredReading(NamedTuple):
    """A reading and its place in the spool."""

    id: int
    reading: Reading


class Spool:
    """Open with ``Spool(settings)``; every thread uses its own connection behind the scenes.

    SpoolError when the file is in use by another process, damaged, written by a newer program, or when
    the disk is full: a spool that could not write must not be used any further.
    """

    def __init__(self, settings: SpoolSettings) -> None:
        self.file = settings.file
        self._settings = settings
        self._write_lock = threading.RLock()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        self._name_ids: dict[str, int] = {}
        self._is_closed = False
        self._lock = self._take_lock()
        try:
            prepare(self._connection(), self.file)
        except SpoolError:
            self.close()
            raise

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection and let another process have the file. Safe to call twice."""
        with self._connections_lock:
            self._is_closed = True
            for connection in self._connections:
                connection.close()
            self._connections.clear()
        self._lock.release()

    @contextmanager
    def transaction(self) -> Iterator[SpoolTransaction]:
        """Begin a write transaction; it is on disk when the block ends, undone when the block raises."""
        with self._write_lock:
            connection = self._connection()
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield SpoolTransaction(connection, self._name_ids)
                connection.execute("COMMIT")
            except BaseException as error:
                self._undo(connection)
                if isinstance(error, sqlite3.Error) and is_fatal(error):
                    raise spool_error(self.file, error) from error
                raise

    def pending(self, consumer: str, *, limit: int) -> list[RawMessage]:
        """Return the oldest messages that a consumer has not advanced past."""
        rows = self._rows(
            "SELECT id, topic, payload, received_at_us FROM messages WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
            (str(CONSUMERS[consumer]), self.cursor(consumer), limit),
        )
        return [
            RawMessage(id=id_, topic=topic, payload=payload, received_at=from_us(received_at_us))
            for id_, topic, payload, received_at_us in rows
        ]

    def pending_heads(self, consumer: str, *, after_id: int | None = None, limit: int = 10_000) -> list[MessageHead]:
        """Return the same messages without their payloads; cheap however large those are.

        after_id: only later rows than this one, in place of the consumer's cursor
        """
        rows = self._rows(
            "SELECT id, topic, received_at_us, length(payload) FROM messages"
            " WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
            (str(CONSUMERS[consumer]), self.cursor(consumer) if after_id is None else after_id, limit),
        )
        return [MessageHead(id_, topic, from_us(at_us), size) for id_, topic, at_us, size in rows]

    def payload(self, message_id: int) -> bytes | None:
        """Return the payload of a message; None when it has been trimmed."""
        rows = self._rows("SELECT payload FROM messages WHERE id = ?", (message_id,))
        return bytes(rows[0][0]) if rows else None

    def cursor(self, consumer: str) -> int:
        """Return the last id that a consumer has advanced to; 0 at the beginning."""
        rows = self._rows("SELECT last_id FROM cursors WHERE consumer = ?", (consumer,))
        return int(rows[0][0]) if rows else 0

    def backlog(self, consumer: str) -> int:
        """Return how many messages wait for a consumer."""
        rows = self._rows(
            "SELECT count(*) FROM messages WHERE kind = ? AND id > ?",
            (str(CONSUMERS[consumer]), self.cursor(consumer)),
        )
        return int(rows[0][0])

    def readings_after(self, last_id: int, *, limit: int) -> list[StoredReading]:
        """Return the readings stored after an id, in the order in which they were stored."""
        rows = self._rows(
            "SELECT r.id, s.name, m.name, u.name, r.value, r.measured_at_us, r.received_at_us, r.time_source"
            " FROM readings r JOIN names s ON s.id = r.sensor JOIN names m ON m.id = r.metric"
            " LEFT JOIN names u ON u.id = r.unit WHERE r.id > ? ORDER BY r.id LIMIT ?",
            (last_id, limit),
        )
        return [_stored_reading(row) for row in rows]

    def dead_letters(self, *, after_id: int = 0, limit: int = 100) -> list[DeadLetter]:
        """Return unusable messages, oldest first."""
        rows = self._rows(
            "SELECT topic, payload, reason, detail, received_at_us FROM dead_letters WHERE id > ? ORDER BY id LIMIT ?",
            (after_id, limit),
        )
        return [
            DeadLetter(topic=topic, payload=payload, reason=reason, detail=detail, received_at=from_us(at_us))
            for topic, payload, reason, detail, at_us in rows
        ]

    def digests(self) -> list[bytes]:
        """Return the digests of the last messages whose acknowledgement may be under way, oldest first."""
        return [bytes(row[0]) for row in self._rows("SELECT digest FROM digests ORDER BY id", ())]

    def counters(self) -> dict[str, int]:
        """Return the durable totals by name."""
        return dict(self._rows("SELECT name, value FROM counters ORDER BY name", ()))

    def query(self, sql: str, parameters: tuple[object, ...] = ()) -> list[Any]:
        """Return the rows of a SELECT over tables of the caller's own; see `SpoolTransaction.connection`."""
        return self._rows(sql, parameters)

    def trim(self) -> int:
        """Delete messages that their consumers are done with, and dead letters beyond the limits.

        Returns how many messages went. Works in short transactions, so that it never holds up a commit.
        """
        trimmed = sum(self._trim_kind(kind) for kind in MessageKind)
        self._trim_dead_letters()
        return trimmed

    def drop_readings_before(self, received_before: datetime, *, up_to_id: int | None = None) -> int:
        """Delete readings received before a time; return how many went.

        up_to_id: keep everything behind it, such as the cursor of a sink that has not confirmed more
        """
        dropped = 0
        before_us = to_us(received_before)
        while True:
            rows = self._rows("SELECT id, received_at_us FROM readings ORDER BY id LIMIT ?", (_RETENTION_ROWS,))
            old = [
                id_
                for id_, at_us in takewhile(lambda row: row[1] < before_us, rows)
                if up_to_id is None or id_ <= up_to_id
            ]
            if old:
                with self.transaction() as transaction:
                    transaction.connection.execute("DELETE FROM readings WHERE id <= ?", (old[-1],))
                dropped += len(old)
            if len(old) < _RETENTION_ROWS:
                return dropped

    def _trim_kind(self, kind: MessageKind) -> int:
        done_id = min(self.cursor(consumer) for consumer, its_kind in CONSUMERS.items() if its_kind is kind)
        trimmed = 0
        while True:
            with self.transaction() as transaction:
                count = transaction.connection.execute(
                    "DELETE FROM messages WHERE id IN"
                    " (SELECT id FROM messages WHERE kind = ? AND id <= ? ORDER BY id LIMIT ?)",
                    (str(kind), done_id, _TRIM_ROWS),
                ).rowcount
            trimmed += count
            if count < _TRIM_ROWS:
                return trimmed

    def _trim_dead_letters(self) -> None:
        settings = self._settings
        newest_first = self._rows("SELECT id, length(payload) FROM dead_letters ORDER BY id DESC", ())
        kept_bytes = 0
        for place, (id_, size) in enumerate(newest_first, start=1):
            kept_bytes += size
            if place > settings.max_dead_letters or kept_bytes > settings.max_dead_letter_bytes:
                with self.transaction() as transaction:
                    deleted = transaction.connection.execute("DELETE FROM dead_letters WHERE id <= ?", (id_,))
                    transaction.count("dead_letters_dropped", deleted.rowcount)
                return

    def _rows(self, sql: str, parameters: tuple[object, ...]) -> list[Any]:
        try:
            return self._connection().execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            if is_fatal(error):
                raise spool_error(self.file, error) from error
            raise

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None or self._is_closed:
            connection = self._open()
            self._local.connection = connection
        return connection

    def _open(self) -> sqlite3.Connection:
        with self._connections_lock:
            if self._is_closed:
                raise SpoolError(str(self.file), "is closed")
            connection = open_connection(self.file)
            self._connections.append(connection)
            return connection

    def _undo(self, connection: sqlite3.Connection) -> None:
        # Names given out in the transaction go with it.
        self._name_ids.clear()
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _take_lock(self) -> FileLock:
        path = self.file.with_name(self.file.name + ".lock")
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock.acquire(path)
        except OSError as error:
            raise SpoolError(str(self.file), f"{error.strerror}; its folder must be writable") from None
        if lock is None:
            raise SpoolError(str(self.file), "is in use by another gateway; stop that one or choose another file")
        return lock


def _stored_reading(row: tuple[int, str, str, str | None, float, int, int, str]) -> StoredReading:
    id_, sensor_id, metric, unit, value, measured_at_us, received_at_us, time_source = row
    return StoredReading(
        id_,
        Reading(
            sensor_id=SensorId(sensor_id),
            metric=metric,
            value=value,
            unit=unit,
            measured_at=from_us(measured_at_us),
            received_at=from_us(received_at_us),
            time_source=TimeSource(time_source),
        ),
    )
