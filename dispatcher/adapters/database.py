"""Opens the centre's database: SQLite in WAL mode by default, PostgreSQL by URL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import OperationalError

from dispatcher.errors import StoreUnavailableError

BUSY_TIMEOUT_MS = 10_000
_WRITE_OPTION = "street721_write"


def open_engine(url: str) -> Engine:
    """Return an engine for ``sqlite:///PATH`` or ``postgresql+psycopg://…``; connects at first use."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own implicit BEGIN would hide whether a transaction means to write.
    connection.isolation_level = None
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    # A writer takes its lock at once: upgrading a read lock later can only fail.
    is_write = connection.get_execution_options().get(_WRITE_OPTION, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_write else "BEGIN")


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """One consistent view for the length of the block; raises StoreUnavailableError."""
    try:
        with engine.connect() as connection, connection.begin():
            yield connection
    except OperationalError as error:
        raise StoreUnavailableError(str(error.orig)) from error


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """One transaction: all of the block or nothing; raises StoreUnavailableError."""
    try:
        with engine.execution_options(**{_WRITE_OPTION: True}).connect() as connection, connection.begin():
            yield connection
    except OperationalError as error:
        raise StoreUnavailableError(str(error.orig)) from error
