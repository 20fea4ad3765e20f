"""Brings a database to the current schema from the revisions inside the installed package."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine

from dispatcher.adapters.database import write


def migrate(engine: Engine) -> None:
    """Run every revision that the database does not have yet; running it again changes nothing."""
    config = Config()
    config.set_main_option("script_location", "dispatcher:migrations")
    with write(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
