"""The order book on a real database: exactly one order for each trouble, whatever comes twice or at once."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from dispatcher.adapters.database import BUSY_TIMEOUT_MS, open_engine, write
from dispatcher.adapters.queries import OrderFilter
from dispatcher.adapters.rows import order_values
from dispatcher.adapters.tables import evidence, order_history, seen_events, work_orders
from dispatcher.errors import StoreUnavailableError
from dispatcher.messages import OrderState, Outcome, Result, Step
from geofence.cloudevents import incident_to_json
from geofence.messages import EventType, IncidentEvent, IncidentKind

if TYPE_CHECKING:
    from tests.dispatcher.conftest import Centre

CASE_NO = "1101012026112400001"


def steps(centre: Centre, case_no: str = CASE_NO) -> list[Step]:
    case = centre.queries.case_file(case_no)
    assert case is not None
    return [link.entry.step for link in case.history]


def test_order_comes_back_as_it_was_filed(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    case = centre.queries.case_file(CASE_NO)
    assert case is not None
    order = case.order
    assert (order.kind, order.state, order.lead_dept) == (
        IncidentKind.EXPOSED_GARBAGE,
        OrderState.DISPATCHED,
        "HW",
    )
    assert (order.opened_at, order.lat, order.lng) == (garbage.at, garbage.lat, garbage.lng)
    assert order.assist_depts == ("JD",)
    assert steps(centre) == [Step.REPORTED, Step.FILED, Step.DISPATCHED]
    assert case.incident_ids == ("inc-1",)


def test_the_same_event_twice_is_one_order_and_no_second_line(centre: Centre, garbage: IncidentEvent) -> None:
    first, second = centre.send(garbage), centre.send(garbage)
    assert (first.result, second) == (Result.FILED, Outcome(result=Result.DUPLICATE, case_no=CASE_NO))
    assert len(steps(centre)) == 3


def test_another_incident_at_the_same_place_links_to_the_open_case(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    later = replace(garbage, incident_id="inc-2", at=garbage.at + timedelta(minutes=30))
    assert centre.send(later) == Outcome(result=Result.LINKED, case_no=CASE_NO)
    assert steps(centre)[-1] is Step.LINKED
    assert len(centre.queries.orders(OrderFilter(), limit=10)) == 1


@pytest.mark.parametrize(
    "change",
    [{"place_key": "elsewhere"}, {"site_id": "other"}, {"kind": IncidentKind.BIN_OVERFLOW}],
)
def test_another_place_site_or_kind_is_another_case(
    centre: Centre, garbage: IncidentEvent, change: dict[str, str]
) -> None:
    centre.send(garbage)
    outcome = centre.send(replace(garbage, incident_id="inc-2", **change))  # type: ignore[arg-type]
    assert (outcome.result, outcome.case_no) == (Result.FILED, "1101012026112400002")


def test_ended_case_frees_its_place(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    with write(centre.engine) as connection:
        connection.execute(update(work_orders).values(state="closed", is_open=False))
    outcome = centre.send(replace(garbage, incident_id="inc-2"))
    assert (outcome.result, outcome.case_no) == (Result.FILED, "1101012026112400002")


def test_cleared_resolves_without_closing(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    gone_at = garbage.at + timedelta(minutes=5)
    outcome = centre.send(replace(garbage, event=EventType.CLEARED, at=gone_at))
    (order,) = centre.queries.orders(OrderFilter(), limit=10)
    assert outcome == Outcome(result=Result.CLEARED, case_no=CASE_NO)
    assert (order.state, order.resolved_at) == (OrderState.DISPATCHED, gone_at)
    assert steps(centre)[-1] is Step.TROUBLE_GONE


def test_cleared_of_an_unknown_incident_is_ignored(centre: Centre, garbage: IncidentEvent) -> None:
    assert centre.send(replace(garbage, event=EventType.CLEARED)) == Outcome(result=Result.UNKNOWN)
    assert centre.queries.orders(OrderFilter(), limit=10) == []


def test_daily_numbers_rise_and_begin_again_by_local_day_and_county(centre: Centre, garbage: IncidentEvent) -> None:
    def number(name: str, *, hours: int = 0, cell: str | None = garbage.cell) -> str | None:
        at = garbage.at + timedelta(hours=hours)
        return centre.send(replace(garbage, incident_id=name, place_key=name, at=at, cell=cell)).case_no

    assert number("a") == "1101012026112400001"
    assert number("b") == "1101012026112400002"
    assert number("c", cell="310115001001001") == "3101152026112400001"
    assert number("d", cell=None) == "1101012026112400003"
    assert number("e", hours=12) == "1101012026112500001"
    assert number("f", hours=1) == "1101012026112400004"


def test_first_and_latest_picture_stay_and_the_history_keeps_every_hash(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage, jpeg=b"picture 0")
    for number in range(1, 4):
        update_event = replace(
            garbage,
            event=EventType.UPDATED,
            at=garbage.at + timedelta(minutes=number),
            xyxy=((float(number), 0.0, 9.0, 9.0),),
        )
        centre.send(update_event, jpeg=b"picture %d" % number)
    case = centre.queries.case_file(CASE_NO)
    assert case is not None
    pictures = {info.slot: centre.queries.picture(CASE_NO, info.sha256) for info in case.pictures}
    assert {slot: picture and picture.content for slot, picture in pictures.items()} == {
        "first": b"picture 0",
        "last": b"picture 3",
    }
    assert case.pictures[1].xyxy == ((3.0, 0.0, 9.0, 9.0),)
    hashes = [link.entry.facts.get("evidence_sha256") for link in case.history]
    assert len({value for value in hashes if value}) == 4


def test_the_same_picture_again_is_kept_once(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage, jpeg=b"still")
    centre.send(replace(garbage, event=EventType.UPDATED, at=garbage.at + timedelta(minutes=1)), jpeg=b"still")
    with centre.engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(evidence)) == 1


def test_history_of_several_cases_is_one_unbroken_chain(centre: Centre, garbage: IncidentEvent) -> None:
    for number in range(5):
        centre.send(replace(garbage, incident_id=f"inc-{number}", place_key=f"place-{number % 3}"))
    assert centre.store.verify_history() is None


@pytest.mark.parametrize(
    ("tampering", "seq"),
    [
        ("UPDATE order_history SET reason = 'nothing happened' WHERE seq = 2", 2),
        ("UPDATE order_history SET facts = '{}' WHERE seq = 1", 1),
        ("UPDATE order_history SET case_no = '1101012026112400002' WHERE seq = 3", 3),
        ("DELETE FROM order_history WHERE seq = 4", 4),
        ("DELETE FROM order_history WHERE seq = 6", 6),
    ],
)
def test_tampering_with_the_history_is_found(centre: Centre, garbage: IncidentEvent, tampering: str, seq: int) -> None:
    centre.send(garbage)
    centre.send(replace(garbage, incident_id="inc-2", place_key="elsewhere"))
    with write(centre.engine) as connection:
        connection.execute(text(tampering))
    broken = centre.store.verify_history()
    assert broken is not None
    assert broken.seq == seq


def test_failure_in_the_middle_leaves_nothing_behind(centre: Centre, garbage: IncidentEvent) -> None:
    with write(centre.engine) as connection:
        connection.execute(
            text("CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'broken'); END")
        )
    with pytest.raises(IntegrityError):
        centre.send(garbage)
    with write(centre.engine) as connection:
        connection.execute(text("DROP TRIGGER broken"))
        for table in (work_orders, order_history, seen_events):
            assert connection.scalar(select(func.count()).select_from(table)) == 0
    assert centre.send(garbage) == Outcome(result=Result.FILED, case_no=CASE_NO, latency_s=0.0)


def test_database_itself_refuses_a_second_open_case_at_a_place(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    (order,) = centre.queries.orders(OrderFilter(), limit=1)
    twin = replace(order, case_no="1101012026112400099", incident_id="inc-twin")
    with pytest.raises(IntegrityError), write(centre.engine) as connection:
        connection.execute(insert(work_orders).values(order_values(twin)))
    with write(centre.engine) as connection:
        connection.execute(insert(work_orders).values(order_values(replace(twin, state=OrderState.CLOSED))))


def test_naive_time_is_refused(centre: Centre, garbage: IncidentEvent) -> None:
    with pytest.raises(Exception, match="naive time"), write(centre.engine) as connection:
        connection.execute(insert(seen_events).values(event_id="x", received_at=garbage.at.replace(tzinfo=None)))


def test_identical_incidents_from_many_threads_make_one_order(centre: Centre, garbage: IncidentEvent) -> None:
    """Half carry the same event, half are other incidents at the same place."""
    start = threading.Barrier(12)
    outcomes: list[Outcome] = []

    def send(number: int) -> None:
        start.wait()
        name = "inc-1" if number % 2 else f"inc-{number}"
        outcomes.append(centre.send(replace(garbage, incident_id=name)))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted = Counter(outcome.result for outcome in outcomes)
    assert counted == {Result.FILED: 1, Result.LINKED: 6, Result.DUPLICATE: 5}
    assert {outcome.case_no for outcome in outcomes} == {CASE_NO}
    assert steps(centre).count(Step.LINKED) == 6
    assert centre.store.verify_history() is None


def test_identical_incidents_from_several_processes_make_one_order(
    centre: Centre, garbage: IncidentEvent, database: Path, tmp_path: Path
) -> None:
    script = Path(__file__).with_name("record_incident.py")
    children = []
    for number in range(3):
        body = tmp_path / f"{number}.json"
        body.write_bytes(incident_to_json(replace(garbage, incident_id=f"inc-{number}")))
        command = [sys.executable, str(script), str(database), str(body), "5"]
        children.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
    results = Counter(line for child in children for line in child.communicate(timeout=120)[0].split())
    assert results == {"filed": 1, "linked": 2, "duplicate": 12}
    assert len(centre.queries.orders(OrderFilter(), limit=10)) == 1
    assert centre.store.verify_history() is None


def test_locked_database_is_reported_as_unavailable(
    centre: Centre, garbage: IncidentEvent, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BUSY_TIMEOUT_MS > 1000
    monkeypatch.setattr("dispatcher.adapters.database.BUSY_TIMEOUT_MS", 10)
    impatient = open_engine(f"sqlite:///{database}")
    with write(centre.engine) as holder:
        holder.execute(delete(seen_events))
        with pytest.raises(StoreUnavailableError, match="locked"), write(impatient):
            pass
    impatient.dispose()
    assert centre.send(garbage).result is Result.FILED


def test_feed_cursor_moves_forward_only(centre: Centre) -> None:
    assert centre.store.feed_cursor("mqtt") == 0
    for seq in (3, 7, 5):
        centre.store.advance_feed("mqtt", seq)
    assert (centre.store.feed_cursor("mqtt"), centre.store.feed_cursor("other")) == (7, 0)


def test_prune_keeps_undelivered_events_and_every_order(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    centre.send(replace(garbage, incident_id="inc-2", place_key="elsewhere"))
    centre.intake.handle(b"", garbage.at)
    centre.store.advance_feed("mqtt", 3)
    assert centre.store.prune(garbage.at) == 0
    assert centre.store.prune(garbage.at + timedelta(days=30)) == 2 + 1 + 3
    assert [event.seq for event in centre.queries.events_after(0, limit=10)] == [4]
    assert len(centre.queries.orders(OrderFilter(), limit=10)) == 2
    assert centre.store.verify_history() is None


def test_repeat_after_its_id_was_pruned_still_makes_no_second_order(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    centre.store.prune(garbage.at + timedelta(days=30))
    assert centre.send(garbage).result is Result.LINKED
    assert len(centre.queries.orders(OrderFilter(), limit=10)) == 1


def test_standing_counts_by_light_at_the_given_time(centre: Centre, garbage: IncidentEvent) -> None:
    centre.send(garbage)
    centre.send(replace(garbage, incident_id="b", place_key="b"))
    gone = replace(garbage, event=EventType.CLEARED, at=garbage.at + timedelta(minutes=1))
    centre.send(gone)
    (order, _) = centre.queries.orders(OrderFilter(), limit=2)
    day = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)
    tick = timedelta(microseconds=1)
    lights = [
        (standing.yellow, standing.red)
        for moment in (order.amber_at - tick, order.amber_at, order.due_at - tick, order.due_at)
        for standing in [centre.queries.standing(moment, day_start=day)]
    ]
    assert lights == [(0, 0), (2, 0), (2, 0), (0, 2)]
    standing = centre.queries.standing(garbage.at, day_start=day + timedelta(days=1))
    assert (standing.is_open, standing.filed_today, standing.gone) == (2, 0, 1)
