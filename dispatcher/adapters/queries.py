"""What can be asked about orders; the API and the page share these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, and_, case, func, not_, or_, select

from dispatcher.adapters.database import read
from dispatcher.adapters.rows import event_of, link_of, order_of
from dispatcher.adapters.tables import dead_letters, events, evidence, incident_links, order_history, work_orders
from dispatcher.messages import ChainedEntry, OrderEvent, OrderState, Picture, WorkOrder
from geofence.messages import IncidentKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFilter:
    """Which orders to list, all conditions together; None or empty means any.

    updated_after: aware; only orders changed later than this
    before:        (filed_at, case_no) of the last order of the page before; pages hold when orders arrive
    """

    states: frozenset[OrderState] = frozenset()
    kinds: frozenset[IncidentKind] = frozenset()
    cell: str | None = None
    is_open: bool | None = None
    updated_after: datetime | None = None
    before: tuple[datetime, str] | None = None


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """An evidence picture without its bytes; slot is ``first`` or ``last``."""

    slot: str
    sha256: str
    media_type: str
    captured_at: datetime
    xyxy: tuple[tuple[float, float, float, float], ...]


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One order with everything that belongs to it, history in rising order."""

    order: WorkOrder
    history: tuple[ChainedEntry, ...]
    pictures: tuple[PictureInfo, ...]
    incident_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The figures at the top of the page.

    yellow and red count open orders by their light; gone counts open orders whose trouble has left
    """

    is_open: int
    filed_today: int
    yellow: int
    red: int
    gone: int


class OrderQueries:
    """Reads only. Every method raises StoreUnavailableError when the database cannot be reached."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def orders(self, wanted: OrderFilter, *, limit: int) -> list[WorkOrder]:
        """Return at most `limit` orders, newest first."""
        newest_first = (work_orders.c.filed_at.desc(), work_orders.c.case_no.desc())
        query = _where(select(work_orders), wanted).order_by(*newest_first).limit(limit)
        with read(self._engine) as connection:
            return [order_of(row) for row in connection.execute(query)]

    def case_file(self, case_no: str) -> CaseFile | None:
        """Return one order with history and pictures, None when there is no such case."""
        of_case = order_history.c.case_no == case_no
        pictures = select(
            evidence.c.slot, evidence.c.sha256, evidence.c.media_type, evidence.c.captured_at, evidence.c.xyxy
        ).where(evidence.c.case_no == case_no)
        links = select(incident_links.c.incident_id).where(incident_links.c.case_no == case_no)
        with read(self._engine) as connection:
            row = connection.execute(select(work_orders).where(work_orders.c.case_no == case_no)).one_or_none()
            if row is None:
                return None
            history = connection.execute(select(order_history).where(of_case).order_by(order_history.c.seq))
            return CaseFile(
                order=order_of(row),
                history=tuple(link_of(link) for link in history),
                pictures=tuple(
                    PictureInfo(info.slot, info.sha256, info.media_type, info.captured_at, _boxes(info.xyxy))
                    for info in connection.execute(pictures.order_by(evidence.c.slot))
                ),
                incident_ids=tuple(connection.scalars(links.order_by(incident_links.c.linked_at))),
            )

    def picture(self, case_no: str, sha256: str) -> Picture | None:
        """Return an evidence picture with its bytes, None when the case has no such picture."""
        query = select(evidence).where(evidence.c.case_no == case_no, evidence.c.sha256 == sha256)
        with read(self._engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return Picture(
            sha256=row.sha256,
            media_type=row.media_type,
            content=row.content,
            captured_at=row.captured_at,
            xyxy=_boxes(row.xyxy),
        )

    def counts(self) -> dict[tuple[IncidentKind, OrderState], int]:
        """Return how many orders there are by kind and state."""
        by = (work_orders.c.kind, work_orders.c.state)
        with read(self._engine) as connection:
            rows = connection.execute(select(*by, func.count()).group_by(*by))
            return {(IncidentKind(kind), OrderState(state)): count for kind, state, count in rows}

    def standing(self, now: datetime, *, day_start: datetime) -> Standing:
        """Return the figures at `now`; `day_start` is when the local day began. Both aware."""
        table = work_orders.c
        is_yellow = and_(table.is_open, table.amber_at <= now, table.due_at > now)
        conditions = (
            table.is_open,
            table.filed_at >= day_start,
            is_yellow,
            and_(table.is_open, table.due_at <= now),
            and_(table.is_open, table.resolved_at.is_not(None)),
        )
        counts = [func.coalesce(func.sum(case((condition, 1), else_=0)), 0) for condition in conditions]
        with read(self._engine) as connection:
            return Standing(*connection.execute(select(*counts)).one())

    def dead_letter_count(self) -> int:
        """Return how many messages lie unused."""
        with read(self._engine) as connection:
            return connection.scalar(select(func.count()).select_from(dead_letters)) or 0

    def last_seq(self) -> int:
        """Return the number of the newest event, 0 when there is none."""
        with read(self._engine) as connection:
            return connection.scalar(select(func.max(events.c.seq))) or 0

    def events_after(self, seq: int, *, limit: int) -> Sequence[OrderEvent]:
        """Return at most `limit` events with a number above `seq`, in rising order."""
        query = select(events).where(events.c.seq > seq).order_by(events.c.seq).limit(limit)
        with read(self._engine) as connection:
            return [event_of(row) for row in connection.execute(query)]


def _where(query: Select[Any], wanted: OrderFilter) -> Select[Any]:
    table = work_orders.c
    if wanted.states:
        query = query.where(table.state.in_(sorted(wanted.states)))
    if wanted.kinds:
        query = query.where(table.kind.in_(sorted(wanted.kinds)))
    if wanted.cell is not None:
        query = query.where(table.cell == wanted.cell)
    if wanted.is_open is not None:
        query = query.where(table.is_open if wanted.is_open else not_(table.is_open))
    if wanted.updated_after is not None:
        query = query.where(table.updated_at > wanted.updated_after)
    if wanted.before is not None:
        filed_at, case_no = wanted.before
        same_moment = and_(table.filed_at == filed_at, table.case_no < case_no)
        query = query.where(or_(table.filed_at < filed_at, same_moment))
    return query


def _boxes(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, float, float, float], ...]:
    return tuple((row[0], row[1], row[2], row[3]) for row in rows)
