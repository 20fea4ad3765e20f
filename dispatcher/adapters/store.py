"""The order book: every incident event becomes rows in one transaction, or nothing at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Engine, delete, func, insert, select, update

from dispatcher.adapters.database import read, write
from dispatcher.adapters.rows import event_values, link_of, link_values, order_of, order_values
from dispatcher.adapters.tables import (
    daily_sequences,
    dead_letters,
    events,
    evidence,
    feed_cursors,
    incident_links,
    ledger,
    order_history,
    seen_events,
    work_orders,
)
from dispatcher.history import ChainBreak, ChainHead, chain, first_break
from dispatcher.lifecycle import is_open
from dispatcher.messages import (
    HistoryEntry,
    OrderEvent,
    Outcome,
    Picture,
    Result,
    Step,
    WorkOrder,
    format_case_no,
)
from dispatcher.orders import case_adcode, case_day, clear_order, link_order, open_order, update_order
from dispatcher.policy import Policy
from dispatcher.wire import order_view
from geofence.messages import EventType, IncidentEvent

FIRST_PICTURE = "first"
LAST_PICTURE = "last"

# The report is the first line of the history; nobody outside has to hear of a case before it is filed.
_SILENT_STEPS = frozenset({Step.REPORTED})


class OrderStore:
    """Work orders in a database that `migrate` has prepared.

    Safe for several threads and processes: each write first locks the ledger row, so that history and
    event numbers rise in the order of their commits. Every method raises StoreUnavailableError when the
    database cannot be reached.
    """

    def __init__(self, engine: Engine, policy: Policy) -> None:
        self._engine = engine
        self._policy = policy

    def record(self, event_id: str, event: IncidentEvent, picture: Picture | None, received_at: datetime) -> Outcome:
        """Apply one incident event exactly once; `received_at` is aware UTC."""
        with write(self._engine) as connection:
            transaction = _Transaction(connection, self._policy, received_at)
            return transaction.apply(event_id, event, picture)

    def keep_dead_letter(self, body: bytes, reason: str, detail: str, received_at: datetime) -> None:
        """Keep a body that could not be used, with the reason."""
        with write(self._engine) as connection:
            connection.execute(
                insert(dead_letters).values(reason=reason, detail=detail, body=body, received_at=received_at)
            )

    def verify_history(self) -> ChainBreak | None:
        """Recompute the whole hash chain; None when every entry holds."""
        with read(self._engine) as connection:
            head = connection.execute(select(ledger)).one()
            rows = connection.execution_options(yield_per=500).execute(
                select(order_history).order_by(order_history.c.seq)
            )
            return first_break((link_of(row) for row in rows), ChainHead(head.history_seq, head.history_hash))

    def feed_cursor(self, feed: str) -> int:
        """Return the last event number that `feed` has delivered, 0 before the first."""
        with read(self._engine) as connection:
            seq = connection.scalar(select(feed_cursors.c.seq).where(feed_cursors.c.feed == feed))
            return seq or 0

    def advance_feed(self, feed: str, seq: int) -> None:
        """Note that `feed` has delivered everything up to `seq`; never moves back."""
        with write(self._engine) as connection:
            changed = connection.execute(
                update(feed_cursors).where(feed_cursors.c.feed == feed, feed_cursors.c.seq < seq).values(seq=seq)
            )
            known = select(feed_cursors.c.seq).where(feed_cursors.c.feed == feed)
            if changed.rowcount == 0 and connection.scalar(known) is None:
                connection.execute(insert(feed_cursors).values(feed=feed, seq=seq))

    def prune(self, before: datetime) -> int:
        """Delete what only serves repeats and late readers and is older than `before`; return the rows.

        Goes: seen event ids, dead letters, and events that every feed has delivered. Orders, history
        and evidence stay.
        """
        with write(self._engine) as connection:
            delivered = connection.scalar(select(func.min(feed_cursors.c.seq)))
            gone = connection.execute(delete(seen_events).where(seen_events.c.received_at < before)).rowcount
            gone += connection.execute(delete(dead_letters).where(dead_letters.c.received_at < before)).rowcount
            old = delete(events).where(events.c.at < before)
            if delivered is not None:
                old = old.where(events.c.seq <= delivered)
            return gone + connection.execute(old).rowcount


class _Transaction:
    """One incident event inside one open transaction."""

    def __init__(self, connection: Connection, policy: Policy, now: datetime) -> None:
        self._connection = connection
        self._policy = policy
        self._now = now
        # SQLite has taken its write lock already and ignores FOR UPDATE; PostgreSQL queues here.
        head = connection.execute(select(ledger).with_for_update()).one()
        self._head = ChainHead(head.history_seq, head.history_hash)
        self._event_seq: int = head.event_seq

    def apply(self, event_id: str, event: IncidentEvent, picture: Picture | None) -> Outcome:
        seen = self._connection.execute(
            select(seen_events.c.case_no).where(seen_events.c.event_id == event_id)
        ).one_or_none()
        if seen is not None:
            return Outcome(result=Result.DUPLICATE, case_no=seen.case_no)
        outcome = self._apply_new(event, picture)
        self._connection.execute(
            insert(seen_events).values(event_id=event_id, case_no=outcome.case_no, received_at=self._now)
        )
        return outcome

    def _apply_new(self, event: IncidentEvent, picture: Picture | None) -> Outcome:
        sha256 = None if picture is None else picture.sha256
        known = self._order_of_incident(event.incident_id)
        if known is None and event.event is EventType.CLEARED:
            return Outcome(result=Result.UNKNOWN)
        if known is None:
            return self._open_or_link(event, picture)
        match event.event:
            case EventType.OPENED:
                result, decision = Result.LINKED, link_order(known, event, self._now, evidence_sha256=sha256)
            case EventType.UPDATED:
                result, decision = Result.UPDATED, update_order(known, event, self._now, evidence_sha256=sha256)
            case EventType.CLEARED:
                result, decision = Result.CLEARED, clear_order(known, event, self._now, evidence_sha256=sha256)
        self._save_change(*decision, picture)
        return Outcome(result=result, case_no=known.case_no)

    def _open_or_link(self, event: IncidentEvent, picture: Picture | None) -> Outcome:
        """An incident seen for the first time: its place has an open case, or gets one.

        An update of an unknown incident opens it too: its opening came before this centre did.
        """
        sha256 = None if picture is None else picture.sha256
        standing = self._open_order_at(event)
        if standing is not None:
            order, entries = link_order(standing, event, self._now, evidence_sha256=sha256)
            self._save_change(order, entries, picture)
            self._link(event.incident_id, order.case_no)
            return Outcome(result=Result.LINKED, case_no=order.case_no)
        order, entries = open_order(event, self._policy, self._now, self._next_case_no(event), evidence_sha256=sha256)
        self._connection.execute(insert(work_orders).values(order_values(order)))
        self._link(event.incident_id, order.case_no)
        self._append(order, entries)
        self._keep_picture(order.case_no, picture)
        seen_at = event.at if picture is None else picture.captured_at
        latency_s = max(0.0, (self._now - seen_at).total_seconds())
        return Outcome(result=Result.FILED, case_no=order.case_no, latency_s=latency_s)

    def _save_change(self, order: WorkOrder, entries: Sequence[HistoryEntry], picture: Picture | None) -> None:
        self._connection.execute(
            update(work_orders).where(work_orders.c.case_no == order.case_no).values(order_values(order))
        )
        self._append(order, entries)
        if is_open(order.state):
            self._keep_picture(order.case_no, picture)

    def _append(self, order: WorkOrder, entries: Sequence[HistoryEntry]) -> None:
        """Chain the entries, put the events of those that others hear of into the outbox."""
        for entry in entries:
            link = chain(self._head, order.case_no, entry)
            self._connection.execute(insert(order_history).values(link_values(link)))
            self._head = ChainHead(link.seq, link.hash)
            if entry.step in _SILENT_STEPS:
                continue
            self._event_seq += 1
            event = OrderEvent(
                seq=self._event_seq,
                step=entry.step,
                case_no=order.case_no,
                site_id=order.site_id,
                at=entry.recorded_at,
                order_json=order_view(_as_after(entry, order)).model_dump_json(),
            )
            self._connection.execute(insert(events).values(event_values(event)))
        self._connection.execute(
            update(ledger).values(history_seq=self._head.seq, history_hash=self._head.hash, event_seq=self._event_seq)
        )

    def _keep_picture(self, case_no: str, picture: Picture | None) -> None:
        """Keep the first and the latest picture of a case; the history keeps the hash of every one."""
        if picture is None:
            return
        of_case = evidence.c.case_no == case_no
        stored = self._connection.execute(select(evidence.c.slot, evidence.c.sha256).where(of_case))
        slots: dict[str, str] = {row.slot: row.sha256 for row in stored}
        if picture.sha256 in slots.values():
            return
        slot = LAST_PICTURE if FIRST_PICTURE in slots else FIRST_PICTURE
        self._connection.execute(delete(evidence).where(of_case, evidence.c.slot == slot))
        self._connection.execute(
            insert(evidence).values(
                case_no=case_no,
                slot=slot,
                sha256=picture.sha256,
                media_type=picture.media_type,
                content=picture.content,
                captured_at=picture.captured_at,
                xyxy=[list(box) for box in picture.xyxy],
            )
        )

    def _next_case_no(self, event: IncidentEvent) -> str:
        adcode, day = case_adcode(event.cell, self._policy), case_day(self._now, self._policy)
        of_day = (daily_sequences.c.adcode == adcode) & (daily_sequences.c.day == day)
        last = self._connection.scalar(select(daily_sequences.c.last).where(of_day))
        if last is None:
            self._connection.execute(insert(daily_sequences).values(adcode=adcode, day=day, last=1))
            return format_case_no(adcode, day, 1)
        self._connection.execute(update(daily_sequences).where(of_day).values(last=last + 1))
        return format_case_no(adcode, day, last + 1)

    def _order_of_incident(self, incident_id: str) -> WorkOrder | None:
        row = self._connection.execute(
            select(work_orders)
            .join(incident_links, incident_links.c.case_no == work_orders.c.case_no)
            .where(incident_links.c.incident_id == incident_id)
        ).one_or_none()
        return None if row is None else order_of(row)

    def _open_order_at(self, event: IncidentEvent) -> WorkOrder | None:
        row = self._connection.execute(
            select(work_orders).where(
                work_orders.c.site_id == event.site_id,
                work_orders.c.kind == event.kind.value,
                work_orders.c.place_key == event.place_key,
                work_orders.c.is_open,
            )
        ).one_or_none()
        return None if row is None else order_of(row)

    def _link(self, incident_id: str, case_no: str) -> None:
        self._connection.execute(
            insert(incident_links).values(incident_id=incident_id, case_no=case_no, linked_at=self._now)
        )


def _as_after(entry: HistoryEntry, order: WorkOrder) -> WorkOrder:
    """The order as it stood after one of several steps of the same transaction."""
    if entry.to_state is order.state:
        return order
    return replace(order, state=entry.to_state, dispatched_at=None)
