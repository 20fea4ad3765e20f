"""The gateway's own tables inside the spool's database: rule states, and the outbox of incident events.

They live beside the cursors so that one transaction moves all three: what a message caused is stored
exactly when the message is done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS rule_states (key TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outbox"
    " (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message that has to reach the broker: row (0 before it is stored), topic, body."""

    id: int
    topic: str
    payload: bytes


def create_tables(connection: sqlite3.Connection) -> None:
    """Make the tables if they are not there; the caller owns the transaction."""
    for statement in _SCHEMA:
        connection.execute(statement)


def load_states(connection: sqlite3.Connection, prefix: str) -> dict[str, str]:
    """All states whose key begins with prefix, by the rest of the key."""
    rows = connection.execute(
        "SELECT key, state FROM rule_states WHERE key >= ? AND key < ?", (prefix, prefix + "\U0010ffff")
    )
    return {key[len(prefix) :]: state for key, state in rows}


def save_states(connection: sqlite3.Connection, prefix: str, states: Mapping[str, str]) -> None:
    """Store states under prefix + key; the caller owns the transaction."""
    connection.executemany(
        "INSERT INTO rule_states (key, state) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET state = excluded.state",
        [(prefix + key, state) for key, state in states.items()],
    )


def put_outgoing(connection: sqlite3.Connection, messages: Sequence[tuple[str, bytes]]) -> None:
    """Queue (topic, payload) pairs; the caller owns the transaction."""
    connection.executemany("INSERT INTO outbox (topic, payload) VALUES (?, ?)", messages)


def next_outgoing(connection: sqlite3.Connection, limit: int) -> list[Outgoing]:
    """The oldest messages that still wait."""
    rows = connection.execute("SELECT id, topic, payload FROM outbox ORDER BY id LIMIT ?", (limit,))
    return [Outgoing(id=row, topic=topic, payload=payload) for row, topic, payload in rows]


def drop_outgoing(connection: sqlite3.Connection, message_id: int) -> None:
    """Forget a message that the broker has acknowledged."""
    connection.execute("DELETE FROM outbox WHERE id = ?", (message_id,))


def count_outgoing(connection: sqlite3.Connection) -> int:
    """How many messages wait."""
    (waiting,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    return int(waiting)
