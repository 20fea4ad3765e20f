from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ingest.adapters.spool import NewMessage, Spool
from ingest.config import SpoolSettings
from ingest.errors import SpoolError
from ingest.messages import DeadLetter, RawMessage, Reading, SensorId, TimeSource
from ingest.topics import MessageKind

NOW = datetime(2026, 3, 1, 8, 0, 0, 123_456, tzinfo=UTC)
R, F = MessageKind.READING, MessageKind.FRAME


def add(spool: Spool, *messages: tuple[MessageKind, str, bytes]) -> None:
    with spool.transaction() as transaction:
        transaction.add_messages(NewMessage(*message, NOW) for message in messages)


def reading(value: float, *, received_at: datetime = NOW, unit: str | None = None) -> Reading:
    return Reading(
        sensor_id=SensorId("bin-01"),
        metric="level",
        value=value,
        unit=unit,
        measured_at=NOW - timedelta(seconds=1),
        received_at=received_at,
        time_source=TimeSource.DEVICE,
    )


def letter(payload: bytes, reason: str = "invalid_json") -> DeadLetter:
    return DeadLetter(topic="t", payload=payload, reason=reason, detail="a line", received_at=NOW)


def test_each_consumer_sees_its_kind_in_arrival_order(spool: Spool) -> None:
    add(spool, (R, "a", b"1"), (F, "b", b"\xff\xd8"), (R, "c", b"3"))
    assert spool.pending("readings", limit=10) == [
        RawMessage(id=1, topic="a", payload=b"1", received_at=NOW),
        RawMessage(id=3, topic="c", payload=b"3", received_at=NOW),
    ]
    assert [m.id for m in spool.pending("frames", limit=10)] == [2]
    assert [m.id for m in spool.pending("readings", limit=1)] == [1]


def test_heads_tell_everything_but_the_payload(spool: Spool) -> None:
    add(spool, (F, "cam", bytes(300_000)), (R, "bin", b"1"), (F, "cam", b"xy"))
    assert [(h.id, h.topic, h.received_at, h.size_bytes) for h in spool.pending_heads("frames")] == [
        (1, "cam", NOW, 300_000),
        (3, "cam", NOW, 2),
    ]
    assert spool.payload(3) == b"xy"
    assert spool.payload(4) is None


def test_cursor_moves_forward_only(spool: Spool) -> None:
    add(spool, *[(R, "a", b"%d" % n) for n in range(5)])
    for last_id in (3, 2):
        with spool.transaction() as transaction:
            transaction.advance("readings", last_id)
    assert spool.cursor("readings") == 3
    assert [m.id for m in spool.pending("readings", limit=10)] == [4, 5]
    assert (spool.backlog("readings"), spool.backlog("frames")) == (2, 0)


def test_trim_takes_what_its_own_consumer_is_done_with(spool: Spool) -> None:
    add(spool, (R, "a", b"1"), (F, "b", b"2"), (R, "a", b"3"), (F, "b", b"4"))
    with spool.transaction() as transaction:
        transaction.advance("readings", 3)
        transaction.advance("frames", 2)
    assert spool.trim() == 3
    assert [m.id for m in spool.pending("frames", limit=10)] == [4]
    assert spool.payload(1) is None


def test_trimming_many_rows_takes_several_transactions_and_all_rows(spool: Spool) -> None:
    add(spool, *[(R, "a", b"x")] * 4500)
    with spool.transaction() as transaction:
        transaction.advance("readings", 4500)
    assert spool.trim() == 4500


def test_ids_are_not_given_out_twice_after_a_trim(spool: Spool) -> None:
    add(spool, (R, "a", b"1"), (R, "a", b"2"))
    with spool.transaction() as transaction:
        transaction.advance("readings", 2)
    spool.trim()
    add(spool, (R, "a", b"3"))
    assert [m.id for m in spool.pending("readings", limit=10)] == [3]


def test_a_block_that_raises_leaves_nothing_behind(spool: Spool) -> None:
    def fail_in_the_middle() -> None:
        with spool.transaction() as transaction:
            transaction.add_messages([NewMessage(R, "a", b"1", NOW)])
            transaction.add_readings([reading(1)])
            transaction.add_dead_letters([letter(b"x")])
            transaction.add_digests([b"d" * 16])
            transaction.advance("readings", 1)
            transaction.count("received", 5)
            raise ValueError("in the middle")

    with pytest.raises(ValueError, match="in the middle"):
        fail_in_the_middle()
    assert spool.pending("readings", limit=10) == []
    assert spool.readings_after(0, limit=10) == []
    assert spool.dead_letters() == []
    assert spool.digests() == []
    assert spool.cursor("readings") == 0
    assert spool.counters() == {}


def test_names_of_an_undone_transaction_are_given_out_anew(spool: Spool) -> None:
    def undone() -> None:
        with spool.transaction() as transaction:
            transaction.add_readings([reading(1, unit="%")])
            raise ValueError

    with pytest.raises(ValueError):
        undone()
    with spool.transaction() as transaction:
        transaction.add_readings([reading(2, unit="Cel")])
    assert [stored.reading for stored in spool.readings_after(0, limit=10)] == [reading(2, unit="Cel")]


def test_own_tables_of_the_caller_share_the_transaction(spool: Spool) -> None:
    def write(fails: bool) -> None:
        with spool.transaction() as transaction:
            transaction.connection.execute("INSERT INTO mine VALUES (1)")
            transaction.count("mine")
            if fails:
                raise ValueError

    with spool.transaction() as transaction:
        transaction.connection.execute("CREATE TABLE mine (n INTEGER)")
    with pytest.raises(ValueError):
        write(fails=True)
    write(fails=False)
    with spool.transaction() as transaction:
        assert transaction.connection.execute("SELECT count(*) FROM mine").fetchone() == (1,)
    assert spool.counters() == {"mine": 1}


def test_readings_come_back_as_they_went_in(spool: Spool) -> None:
    rows = [reading(1.5), reading(-2.0, unit="%"), reading(1e308)]
    with spool.transaction() as transaction:
        transaction.add_readings(rows)
    assert [(s.id, s.reading) for s in spool.readings_after(0, limit=10)] == list(enumerate(rows, start=1))
    assert [s.id for s in spool.readings_after(1, limit=1)] == [2]


def test_old_readings_are_dropped_up_to_the_sinks_cursor(spool: Spool) -> None:
    hours = [NOW + timedelta(hours=n) for n in range(5)]
    with spool.transaction() as transaction:
        transaction.add_readings([reading(n, received_at=at) for n, at in enumerate(hours)])
    assert spool.drop_readings_before(hours[3], up_to_id=2) == 2
    assert spool.drop_readings_before(hours[3]) == 1
    assert spool.drop_readings_before(hours[3]) == 0
    assert [s.reading.value for s in spool.readings_after(0, limit=10)] == [3.0, 4.0]


def test_dead_letters_are_kept_whole_and_counted_by_reason(spool: Spool) -> None:
    letters = [letter(b"\x00\xff"), letter(b"2", "invalid_senml"), letter(b"3")]
    with spool.transaction() as transaction:
        transaction.add_dead_letters(letters)
    assert spool.dead_letters() == letters
    assert spool.dead_letters(after_id=2) == letters[2:]
    assert spool.counters() == {"dead_letter.invalid_json": 2, "dead_letter.invalid_senml": 1}


@pytest.mark.parametrize("limits", [{"max_dead_letters": 2}, {"max_dead_letter_bytes": 5}])
def test_oldest_dead_letters_beyond_the_limit_are_dropped_and_counted(tmp_path: Path, limits: dict[str, int]) -> None:
    with Spool(SpoolSettings(file=tmp_path / "s.db", **limits)) as spool:
        with spool.transaction() as transaction:
            transaction.add_dead_letters([letter(b"%02d" % n) for n in range(6)])
        spool.trim()
        assert [x.payload for x in spool.dead_letters()] == [b"04", b"05"]
        assert spool.counters()["dead_letters_dropped"] == 4
        spool.trim()
        assert spool.counters()["dead_letters_dropped"] == 4


def test_oldest_digests_are_forgotten_on_request(spool: Spool) -> None:
    with spool.transaction() as transaction:
        transaction.add_digests([b"1", b"2", b"3"])
    with spool.transaction() as transaction:
        transaction.add_digests([b"4"], forget_oldest=2)
    assert spool.digests() == [b"3", b"4"]


def test_everything_is_there_after_reopening(spool_settings: SpoolSettings) -> None:
    with Spool(spool_settings) as spool:
        add(spool, (R, "a", b"1"))
        with spool.transaction() as transaction:
            transaction.advance("readings", 1)
            transaction.count("received")
            transaction.add_readings([reading(7)])
    with Spool(spool_settings) as spool:
        assert spool.cursor("readings") == 1
        assert spool.counters() == {"received": 1}
        assert spool.readings_after(0, limit=10)[0].reading == reading(7)


def test_writers_of_several_threads_take_turns(spool: Spool) -> None:
    def write() -> None:
        for _ in range(50):
            add(spool, (R, "a", b"1"))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [m.id for m in spool.pending("readings", limit=1000)] == list(range(1, 201))


def test_second_daemon_on_one_spool_is_refused(spool: Spool, spool_settings: SpoolSettings) -> None:
    with pytest.raises(SpoolError, match="is in use by another gateway"):
        Spool(spool_settings)
    add(spool, (R, "a", b"still works"))


def test_spool_of_a_newer_program_is_refused(spool_settings: SpoolSettings) -> None:
    with Spool(spool_settings) as spool, spool.transaction() as transaction:
        transaction.connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SpoolError, match=r"newer program \(schema 99, this program knows 1\)"):
        Spool(spool_settings)


def test_file_that_is_no_spool_is_refused(spool_settings: SpoolSettings) -> None:
    spool_settings.file.parent.mkdir()
    spool_settings.file.write_bytes(b"this is no database" * 100)
    with pytest.raises(SpoolError, match="choose another file"):
        Spool(spool_settings)


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="folder must be writable"):
        Spool(SpoolSettings(file=tmp_path / "file" / "spool.db"))


def test_full_disk_is_one_line_and_stores_nothing_of_the_commit(spool: Spool) -> None:
    add(spool, (R, "a", b"before"))
    with spool.transaction() as transaction:
        (pages,) = transaction.connection.execute("PRAGMA page_count").fetchone()
        transaction.connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SpoolError, match=r"disk is full; free space") as caught:
        add(spool, (R, "a", b"small"), (R, "a", bytes(1_000_000)))
    assert "\n" not in str(caught.value)
    assert [m.payload for m in spool.pending("readings", limit=10)] == [b"before"]


def test_fault_in_the_callers_own_sql_stays_what_it_is(spool: Spool) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), spool.transaction() as transaction:
        transaction.connection.execute("SELECT * FROM nowhere")


def test_closed_spool_says_so(spool: Spool) -> None:
    spool.close()
    spool.close()
    with pytest.raises(SpoolError, match="is closed"):
        spool.counters()


def test_commits_are_synced_in_every_thread(spool: Spool) -> None:
    seen: list[object] = []

    def look() -> None:
        with spool.transaction() as transaction:
            seen.append(transaction.connection.execute("PRAGMA synchronous").fetchone()[0])
            seen.append(transaction.connection.execute("PRAGMA journal_mode").fetchone()[0])

    look()
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [2, "wal", 2, "wal"]


@pytest.mark.parametrize(("cut_bytes", "survivors"), [(0, 10), (1000, 9)])
def test_copy_of_the_files_at_one_moment_opens_with_whole_commits_only(
    spool: Spool, tmp_path: Path, cut_bytes: int, survivors: int
) -> None:
    """Stands in for a power cut in which the end of the log did not reach the disk."""
    for n in range(10):
        add(spool, (R, "a", b"%d" % n), (R, "a", b"%d" % n))
    copy = tmp_path / "copy" / "spool.db"
    copy.parent.mkdir()
    copy.write_bytes(spool.file.read_bytes())
    log = spool.file.with_name("spool.db-wal").read_bytes()
    copy.with_name("spool.db-wal").write_bytes(log[: len(log) - cut_bytes])
    with Spool(SpoolSettings(file=copy)) as recovered:
        payloads = [int(m.payload) for m in recovered.pending("readings", limit=100)]
    assert payloads == [n for n in range(survivors) for _ in range(2)]
