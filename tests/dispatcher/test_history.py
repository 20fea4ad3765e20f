"""The hash chain: any change, gap or cut shows itself at its place."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from dispatcher.history import GENESIS_HASH, ChainHead, chain, entry_hash, first_break
from dispatcher.messages import ChainedEntry, HistoryEntry, OrderState, Step

AT = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
ENTRY = HistoryEntry(
    step=Step.FILED,
    from_state=OrderState.REPORTED,
    to_state=OrderState.FILED,
    actor="system",
    at=AT,
    recorded_at=AT,
    reason="清理 · clean",
    facts={"confidence": 0.5},
)


def links(count: int) -> tuple[list[ChainedEntry], ChainHead]:
    head, made = ChainHead(0, GENESIS_HASH), []
    for number in range(count):
        link = chain(head, f"case-{number % 2}", replace(ENTRY, reason=f"step {number}"))
        made.append(link)
        head = ChainHead(link.seq, link.hash)
    return made, head


def test_hash_is_sha256_of_the_canonical_text() -> None:
    canonical = (
        '{"actor":"system","at":"2026-11-24T04:00:00.000000+00:00","case_no":"c","facts":{"confidence":0.5},'
        '"from_state":"reported","reason":"清理 · clean","recorded_at":"2026-11-24T04:00:00.000000+00:00",'
        '"seq":1,"step":"filed","to_state":"filed"}'
    )
    assert entry_hash("p", 1, "c", ENTRY) == hashlib.sha256(f"p\n{canonical}".encode()).hexdigest()


def test_hash_does_not_depend_on_the_zone_of_a_time() -> None:
    elsewhere = AT.astimezone(timezone(timedelta(hours=8)))
    assert entry_hash("p", 1, "c", replace(ENTRY, at=elsewhere)) == entry_hash("p", 1, "c", ENTRY)


def test_whole_chain_holds() -> None:
    assert first_break(*links(5)) is None
    assert first_break([], ChainHead(0, GENESIS_HASH)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "another"},
        {"actor": "somebody"},
        {"at": AT + timedelta(microseconds=1)},
        {"facts": {"confidence": 0.6}},
        {"to_state": OrderState.VOID},
    ],
)
def test_changed_entry_is_found_at_its_place(change: dict[str, object]) -> None:
    made, head = links(5)
    made[2] = replace(made[2], entry=replace(made[2].entry, **change))  # type: ignore[arg-type]
    broken = first_break(made, head)
    assert broken is not None
    assert (broken.seq, broken.problem) == (3, "the entry does not match its hash")


def test_entry_rewritten_with_a_fitting_hash_breaks_the_next_one() -> None:
    made, head = links(5)
    forged = chain(ChainHead(2, made[1].hash), "case-0", replace(ENTRY, reason="forged"))
    broken = first_break([*made[:2], forged, *made[3:]], head)
    assert broken is not None
    assert broken.seq == 4


def test_removed_entry_is_a_gap() -> None:
    made, head = links(5)
    broken = first_break([*made[:2], *made[3:]], head)
    assert broken is not None
    assert (broken.seq, broken.problem) == (3, "entry 3 is missing")


def test_cut_end_is_found_by_the_recorded_head() -> None:
    made, head = links(5)
    broken = first_break(made[:3], head)
    assert broken is not None
    assert broken.seq == 4
