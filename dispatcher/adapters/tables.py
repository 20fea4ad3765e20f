"""The tables of the centre, for SQLite and PostgreSQL alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    TypeDecorator,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which has no zones, stores the UTC wall time."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse naive times and store the rest in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value.isoformat()}: only aware times are stored")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(
        self,
        value: Any,
        dialect: Dialect,  # noqa: ARG002 -- the signature is SQLAlchemy's
    ) -> datetime | None:
        """Return aware UTC whatever the database gave."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


metadata = MetaData()

work_orders = Table(
    "work_orders",
    metadata,
    Column("case_no", Text, primary_key=True),
    Column("incident_id", Text, nullable=False, unique=True),
    Column("active_incident_id", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("place_key", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("surface", Text),
    Column("category_key", Text, nullable=False),
    Column("code_system", Text, nullable=False),
    Column("matter_code", Text, nullable=False),
    Column("title_zh", Text, nullable=False),
    Column("title_en", Text, nullable=False),
    Column("lat", Float, nullable=False),
    Column("lng", Float, nullable=False),
    Column("cell", Text),
    Column("cell_match", Text, nullable=False),
    Column("zone_id", Text),
    Column("lead_dept", Text, nullable=False),
    Column("assist_depts", JSON, nullable=False),
    Column("external_party", Text),
    Column("route_reason", Text, nullable=False),
    Column("tier_initial", Text, nullable=False),
    Column("tier_reason", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("confidence", Float, nullable=False),
    Column("began_at", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("filed_at", UtcDateTime, nullable=False),
    Column("dispatched_at", UtcDateTime),
    Column("amber_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("limit_n", Float, nullable=False),
    Column("limit_unit", Text, nullable=False),
    Column("resolved_at", UtcDateTime),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("version", Integer, nullable=False),
)
Index(
    "uq_work_orders_open_place",
    work_orders.c.site_id,
    work_orders.c.kind,
    work_orders.c.place_key,
    unique=True,
    sqlite_where=work_orders.c.is_open,
    postgresql_where=work_orders.c.is_open,
)
Index("ix_work_orders_newest", work_orders.c.filed_at, work_orders.c.case_no)
Index("ix_work_orders_updated_at", work_orders.c.updated_at)

incident_links = Table(
    "incident_links",
    metadata,
    Column("incident_id", Text, primary_key=True),
    Column("case_no", Text, ForeignKey("work_orders.case_no"), nullable=False),
    Column("linked_at", UtcDateTime, nullable=False),
)

order_history = Table(
    "order_history",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("case_no", Text, ForeignKey("work_orders.case_no"), nullable=False, index=True),
    Column("step", Text, nullable=False),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Column("reason", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("prev_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)

evidence = Table(
    "evidence",
    metadata,
    Column("case_no", Text, ForeignKey("work_orders.case_no"), nullable=False),
    Column("slot", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("captured_at", UtcDateTime, nullable=False),
    Column("xyxy", JSON, nullable=False),
    PrimaryKeyConstraint("case_no", "slot"),
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("step", Text, nullable=False),
    Column("case_no", Text, nullable=False),
    Column("site_id", Text, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("order_json", Text, nullable=False),
)

ledger = Table(
    "ledger",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("history_seq", BigInteger, nullable=False),
    Column("history_hash", Text, nullable=False),
    Column("event_seq", BigInteger, nullable=False),
)

feed_cursors = Table(
    "feed_cursors",
    metadata,
    Column("feed", Text, primary_key=True),
    Column("seq", BigInteger, nullable=False),
)

daily_sequences = Table(
    "daily_sequences",
    metadata,
    Column("adcode", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("last", Integer, nullable=False),
    PrimaryKeyConstraint("adcode", "day"),
)

seen_events = Table(
    "seen_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("case_no", Text),
    Column("received_at", UtcDateTime, nullable=False, index=True),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
