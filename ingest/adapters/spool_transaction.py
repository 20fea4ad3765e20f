"""What may change in one transaction of the spool."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from ingest.instants import to_us
from ingest.messages import DeadLetter, Reading
from ingest.topics import MessageKind


class NewMessage(NamedTuple):
    """A message to be spooled."""

    kind: MessageKind
    topic: str
    payload: bytes
    received_at: datetime


class SpoolTransaction:
    """Writes that stand or fall together.

    connection: the same transaction for tables of the caller's own; must not commit
    """

    def __init__(self, connection: sqlite3.Connection, name_ids: dict[str, int]) -> None:
        self.connection = connection
        self._name_ids = name_ids

    def add_messages(self, messages: Iterable[NewMessage]) -> None:
        """Append messages in this order."""
        self.connection.executemany(
            "INSERT INTO messages (kind, received_at_us, topic, payload) VALUES (?, ?, ?, ?)",
            [(str(m.kind), to_us(m.received_at), m.topic, m.payload) for m in messages],
        )

    def add_readings(self, readings: Sequence[Reading]) -> None:
        """Append readings in this order."""
        rows = [
            (
                self._name_id(reading.sensor_id),
                self._name_id(reading.metric),
                None if reading.unit is None else self._name_id(reading.unit),
                reading.value,
                to_us(reading.measured_at),
                to_us(reading.received_at),
                str(reading.time_source),
            )
            for reading in readings
        ]
        self.connection.executemany(
            "INSERT INTO readings (sensor, metric, unit, value, measured_at_us, received_at_us, time_source)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )

    def add_dead_letters(self, letters: Sequence[DeadLetter]) -> None:
        """Keep unusable messages whole, and count each by its reason (counter ``dead_letter.<reason>``)."""
        self.connection.executemany(
            "INSERT INTO dead_letters (received_at_us, topic, reason, detail, payload) VALUES (?, ?, ?, ?, ?)",
            [(to_us(x.received_at), x.topic, str(x.reason), x.detail, x.payload) for x in letters],
        )
        for letter in letters:
            self.count(f"dead_letter.{letter.reason}")

    def add_digests(self, digests: Iterable[bytes], *, forget_oldest: int = 0) -> None:
        """Remember stored messages for recognising redeliveries, and drop so many of the oldest."""
        self.connection.executemany("INSERT INTO digests (digest) VALUES (?)", [(d,) for d in digests])
        if forget_oldest:
            self.connection.execute(
                "DELETE FROM digests WHERE id IN (SELECT id FROM digests ORDER BY id LIMIT ?)", (forget_oldest,)
            )

    def advance(self, consumer: str, last_id: int) -> None:
        """Move a consumer's cursor forward to the last id that it is done with; never back."""
        self.connection.execute(
            "INSERT INTO cursors (consumer, last_id) VALUES (?, ?)"
            " ON CONFLICT (consumer) DO UPDATE SET last_id = max(last_id, excluded.last_id)",
            (consumer, last_id),
        )

    def count(self, name: str, n: int = 1) -> None:
        """Add to a durable total."""
        self.connection.execute(
            "INSERT INTO counters (name, value) VALUES (?, ?)"
            " ON CONFLICT (name) DO UPDATE SET value = value + excluded.value",
            (name, n),
        )

    def count_all(self, counts: Mapping[str, int]) -> None:
        """Add to several durable totals."""
        for name, n in counts.items():
            if n:
                self.count(name, n)

    def _name_id(self, name: str) -> int:
        known = self._name_ids.get(name)
        if known is not None:
            return known
        self.connection.execute("INSERT OR IGNORE INTO names (name) VALUES (?)", (name,))
        row = self.connection.execute("SELECT id FROM names WHERE name = ?", (name,)).fetchone()
        self._name_ids[name] = int(row[0])
        return self._name_ids[name]
