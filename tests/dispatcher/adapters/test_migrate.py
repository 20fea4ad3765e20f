"""The schema: from nothing to current, again without effect, and the same as the tables in the code."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from dispatcher.adapters.database import open_engine
from dispatcher.adapters.migrate import migrate
from dispatcher.adapters.tables import ledger, metadata
from dispatcher.history import GENESIS_HASH


def test_empty_database_gets_every_table_and_an_empty_ledger(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(engine)
    assert set(inspect(engine).get_table_names()) == {*metadata.tables, "alembic_version"}
    with engine.connect() as connection:
        assert connection.execute(select(ledger)).one() == (1, 0, GENESIS_HASH, 0)
    engine.dispose()


def test_migrating_again_changes_nothing(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(engine)
    with engine.connect() as connection:
        before = connection.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name").all()
    migrate(engine)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name").all() == before
        assert len(connection.execute(select(ledger)).all()) == 1
    engine.dispose()


def test_revisions_lead_to_the_tables_of_the_code(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    migrate(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_database_waits_for_the_disk_and_reads_beside_a_writer(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    with engine.connect() as connection:
        pragmas = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    engine.dispose()
    assert pragmas == ["wal", 2, 1]


def test_tables_can_be_made_on_postgresql_with_one_open_case_for_each_place() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    statements = [str(CreateTable(table).compile(dialect=dialect)) for table in metadata.sorted_tables]
    indexes = [
        str(CreateIndex(index).compile(dialect=dialect)) for table in metadata.sorted_tables for index in table.indexes
    ]
    assert len(statements) == len(metadata.tables)
    assert (
        "CREATE UNIQUE INDEX uq_work_orders_open_place ON work_orders (site_id, kind, place_key) WHERE is_open"
        in indexes
    )
