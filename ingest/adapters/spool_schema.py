"""How the spool lies in SQLite, and how a connection to it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ingest.errors import SpoolError

SCHEMA_VERSION = 1

# Payloads stand last in their row: a column behind a large one is reached through all of its pages.
# Ids rise for ever (AUTOINCREMENT), so that a cursor stays good after rows behind it are deleted.
_TABLES = """
CREATE TABLE messages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    received_at_us INTEGER NOT NULL,
    topic TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX messages_kind ON messages (kind);
CREATE TABLE cursors (consumer TEXT PRIMARY KEY, last_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE names (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sensor INTEGER NOT NULL,
    metric INTEGER NOT NULL,
    unit INTEGER,
    value REAL NOT NULL,
    measured_at_us INTEGER NOT NULL,
    received_at_us INTEGER NOT NULL,
    time_source TEXT NOT NULL
);
CREATE TABLE dead_letters (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received_at_us INTEGER NOT NULL,
    topic TEXT NOT NULL,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE digests (id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL);
CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
"""

_BUSY_TIMEOUT_S = 30.0
_CHECKPOINT_PAGES = 4000
_WAL_LIMIT_BYTES = 64 * 1024 * 1024
_FATAL_CODES = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CORRUPT,
        sqlite3.SQLITE_NOTADB,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_NOMEM,
    }
)


def open_connection(file: Path) -> sqlite3.Connection:
    """Open the spool's database: a commit that returns is on disk. SpoolError where that cannot be."""
    try:
        # Transactions are begun by hand; closing happens from the thread that closes the spool.
        connection = sqlite3.connect(file, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise spool_error(file, error) from None
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT_BYTES}")
    except sqlite3.Error as error:
        connection.close()
        raise spool_error(file, error) from None
    return connection


def prepare(connection: sqlite3.Connection, file: Path) -> None:
    """Create the tables of a new spool; SpoolError for one that a newer program has written."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version == 0:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        raise spool_error(file, error) from None
    if version > SCHEMA_VERSION:
        raise SpoolError(
            str(file),
            f"was written by a newer program (schema {version}, this program knows {SCHEMA_VERSION}); "
            "install that program again or choose another file",
        )


def is_fatal(error: sqlite3.Error) -> bool:
    """True for what makes the spool unusable: full disk, input/output error, damage, a lock that never ends."""
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF) in _FATAL_CODES


def spool_error(file: Path, error: sqlite3.Error) -> SpoolError:
    """Return the one line that an operator reads."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    remedy = {
        sqlite3.SQLITE_FULL: "; free space on this disk, nothing acknowledged is lost",
        sqlite3.SQLITE_NOTADB: "; choose another file, or move this one away",
        sqlite3.SQLITE_CORRUPT: "; restore it from a copy, or move it away to begin anew",
        sqlite3.SQLITE_CANTOPEN: "; its folder must exist and be writable",
    }.get(code, "")
    return SpoolError(str(file), f"{error}{remedy}")
