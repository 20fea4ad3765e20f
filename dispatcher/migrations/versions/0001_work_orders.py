"""Work orders, their history, evidence, events and the books of the intake."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "daily_sequences",
        sa.Column("adcode", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("adcode", "day"),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("order_json", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_table(
        "feed_cursors",
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("feed"),
    )
    op.create_table(
        "ledger",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("history_seq", sa.BigInteger(), nullable=False),
        sa.Column("history_hash", sa.Text(), nullable=False),
        sa.Column("event_seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "seen_events",
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=True),
        sa.Column("received_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
    )
    op.create_index(op.f("ix_seen_events_received_at"), "seen_events", ["received_at"], unique=False)
    op.create_table(
        "work_orders",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("active_incident_id", sa.Text(), nullable=False),
        sa.Column("site_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place_key", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("surface", sa.Text(), nullable=True),
        sa.Column("category_key", sa.Text(), nullable=False),
        sa.Column("code_system", sa.Text(), nullable=False),
        sa.Column("matter_code", sa.Text(), nullable=False),
        sa.Column("title_zh", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lng", sa.Float(), nullable=False),
        sa.Column("cell", sa.Text(), nullable=True),
        sa.Column("cell_match", sa.Text(), nullable=False),
        sa.Column("zone_id", sa.Text(), nullable=True),
        sa.Column("lead_dept", sa.Text(), nullable=False),
        sa.Column("assist_depts", sa.JSON(), nullable=False),
        sa.Column("external_party", sa.Text(), nullable=True),
        sa.Column("route_reason", sa.Text(), nullable=False),
        sa.Column("tier_initial", sa.Text(), nullable=False),
        sa.Column("tier_reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("began_at", _TIME, nullable=False),
        sa.Column("opened_at", _TIME, nullable=False),
        sa.Column("received_at", _TIME, nullable=False),
        sa.Column("filed_at", _TIME, nullable=False),
        sa.Column("dispatched_at", _TIME, nullable=True),
        sa.Column("amber_at", _TIME, nullable=False),
        sa.Column("due_at", _TIME, nullable=False),
        sa.Column("limit_n", sa.Float(), nullable=False),
        sa.Column("limit_unit", sa.Text(), nullable=False),
        sa.Column("resolved_at", _TIME, nullable=True),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("policy_version", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("case_no"),
        sa.UniqueConstraint("incident_id"),
    )
    op.create_index("ix_work_orders_newest", "work_orders", ["filed_at", "case_no"], unique=False)
    op.create_index("ix_work_orders_updated_at", "work_orders", ["updated_at"], unique=False)
    op.create_index(
        "uq_work_orders_open_place",
        "work_orders",
        ["site_id", "kind", "place_key"],
        unique=True,
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_table(
        "evidence",
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("captured_at", _TIME, nullable=False),
        sa.Column("xyxy", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["work_orders.case_no"],
        ),
        sa.PrimaryKeyConstraint("case_no", "slot"),
    )
    op.create_table(
        "incident_links",
        sa.Column("incident_id", sa.Text(), nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("linked_at", _TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["work_orders.case_no"],
        ),
        sa.PrimaryKeyConstraint("incident_id"),
    )
    op.create_table(
        "order_history",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("case_no", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_no"],
            ["work_orders.case_no"],
        ),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index(op.f("ix_order_history_case_no"), "order_history", ["case_no"], unique=False)
    op.bulk_insert(
        sa.table(
            "ledger",
            sa.column("id", sa.Integer),
            sa.column("history_seq", sa.BigInteger),
            sa.column("history_hash", sa.Text),
            sa.column("event_seq", sa.BigInteger),
        ),
        [{"id": 1, "history_seq": 0, "history_hash": "0" * 64, "event_seq": 0}],
    )


def downgrade() -> None:
    """Take back."""
    op.drop_index(op.f("ix_order_history_case_no"), table_name="order_history")
    op.drop_table("order_history")
    op.drop_table("incident_links")
    op.drop_table("evidence")
    op.drop_index(
        "uq_work_orders_open_place",
        table_name="work_orders",
        sqlite_where=sa.text("is_open"),
        postgresql_where=sa.text("is_open"),
    )
    op.drop_index("ix_work_orders_updated_at", table_name="work_orders")
    op.drop_index("ix_work_orders_newest", table_name="work_orders")
    op.drop_table("work_orders")
    op.drop_index(op.f("ix_seen_events_received_at"), table_name="seen_events")
    op.drop_table("seen_events")
    op.drop_table("ledger")
    op.drop_table("feed_cursors")
    op.drop_table("events")
    op.drop_table("dead_letters")
    op.drop_table("daily_sequences")
