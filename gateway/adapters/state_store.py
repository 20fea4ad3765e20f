"""The gateway's own tables inside the spool's database: rule states, and the outbox of incident events.

They live beside the cursors so that one transaction moves all three: what a message caused is stored
exactly when the message is done.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ingest.adapters.spool import Spool

_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS rule_states (key TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS outbox"
    " (id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, payload BLOB NOT NULL, retain INTEGER NOT NULL)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One message that has to reach the broker.

    retain: the broker keeps it for whoever subscribes later; an empty retained payload takes that back
    """

    topic: str
    payload: bytes
    retain: bool


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


def put_outgoing(connection: sqlite3.Connection, messages: Sequence[Outgoing]) -> None:
    """Queue messages in this order; the caller owns the transaction."""
    connection.executemany(
        "INSERT INTO outbox (topic, payload, retain) VALUES (?, ?, ?)",
        [(message.topic, message.payload, int(message.retain)) for message in messages],
    )


def next_outgoing(spool: Spool, limit: int) -> list[tuple[int, Outgoing]]:
    """The oldest messages that still wait, each with its row."""
    rows = spool.query("SELECT id, topic, payload, retain FROM outbox ORDER BY id LIMIT ?", (limit,))
    return [
        (row, Outgoing(topic=topic, payload=bytes(payload), retain=bool(retain)))
        for row, topic, payload, retain in rows
    ]


def drop_outgoing(connection: sqlite3.Connection, row: int) -> None:
    """Forget a message that the broker has acknowledged; the caller owns the transaction."""
    connection.execute("DELETE FROM outbox WHERE id = ?", (row,))


def count_outgoing(spool: Spool) -> int:
    """How many messages wait."""
    return int(spool.query("SELECT count(*) FROM outbox")[0][0])
