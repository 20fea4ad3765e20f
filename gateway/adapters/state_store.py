"""The gateway's own tables inside the spool's database: rule states, the outbox of incident
events, the incidents that are open, and the centres that know of them.

They live beside the cursors so that one transaction moves all three: what a message caused is stored
exactly when the message is done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from geofence.messages import EventType
from ingest.adapters.spool import Spool

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS rule_states (key TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outbox"
    " (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS open_incidents (topic TEXT PRIMARY KEY, payload BLOB NOT NULL)",
    "CREATE TABLE IF NOT EXISTS centres (centre_id TEXT PRIMARY KEY)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One incident event that has to reach the broker; the topic is the incident's own."""

    topic: str
    payload: bytes
    event: EventType


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables if they are not there; the caller owns the transaction."""
    for statement in _SCHEMA:
        connection.execute(statement)


def load_states(spool: Spool, prefix: str) -> dict[str, str]:
    """All states whose key begins with prefix, by the rest of the key."""
    rows = spool.query("SELECT key, state FROM rule_states WHERE key >= ? AND key < ?", (prefix, prefix + "\U0010ffff"))
    return {key[len(prefix) :]: state for key, state in rows}


def save_states(connection: sqlite3.Connection, prefix: str, states: Mapping[str, str]) -> None:
    """Store states under prefix + key; the caller owns the transaction."""
    connection.executemany(
        "INSERT INTO rule_states (key, state) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state",
        [(prefix + key, state) for key, state in states.items()],
    )


def drop_states(connection: sqlite3.Connection, prefix: str, keys: Iterable[str]) -> None:
    """Forget states under prefix + key; the caller owns the transaction."""
    connection.executemany("DELETE FROM rule_states WHERE key = ?", [(prefix + key,) for key in keys])


def put_outgoing(connection: sqlite3.Connection, messages: Sequence[Outgoing]) -> None:
    """Queue messages in this order and remember which incidents are open; the caller owns the transaction."""
    connection.executemany(
        "INSERT INTO outbox (topic, payload) VALUES (?, ?)", [(message.topic, message.payload) for message in messages]
    )
    for message in messages:
        if message.event == EventType.OPENED:
            connection.execute(
                "INSERT OR REPLACE INTO open_incidents (topic, payload) VALUES (?, ?)", (message.topic, message.payload)
            )
        elif message.event == EventType.CLEARED:
            connection.execute("DELETE FROM open_incidents WHERE topic = ?", (message.topic,))


def knows_centre(spool: Spool, centre_id: str) -> bool:
    """Whether this centre was welcomed before."""
    return bool(spool.query("SELECT 1 FROM centres WHERE centre_id = ?", (centre_id,)))


def welcome_centre(connection: sqlite3.Connection, centre_id: str) -> None:
    """Queue the opening of every open incident for a centre that is new here; the caller owns the transaction."""
    connection.execute("INSERT OR IGNORE INTO centres (centre_id) VALUES (?)", (centre_id,))
    connection.execute("INSERT INTO outbox (topic, payload) SELECT topic, payload FROM open_incidents ORDER BY rowid")


def next_outgoing(spool: Spool, limit: int) -> list[tuple[int, str, bytes]]:
    """(row, topic, payload) of the oldest messages that still wait."""
    rows = spool.query("SELECT id, topic, payload FROM outbox ORDER BY id LIMIT ?", (limit,))
    return [(row, topic, bytes(payload)) for row, topic, payload in rows]


def drop_outgoing(connection: sqlite3.Connection, row: int) -> None:
    """Forget a message that the broker has acknowledged; the caller owns the transaction."""
    connection.execute("DELETE FROM outbox WHERE id = ?", (row,))


def count_outgoing(spool: Spool) -> int:
    """How many messages wait."""
    return int(spool.query("SELECT count(*) FROM outbox")[0][0])
