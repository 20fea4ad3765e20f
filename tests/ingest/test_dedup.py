from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ingest.dedup import DedupRing, message_digest

A, B, C = (message_digest("t", bytes([n])) for n in range(3))


def ring(*, max_entries: int = 100, settle_s: float = 10.0) -> DedupRing:
    return DedupRing(max_entries=max_entries, settle_s=settle_s)


def test_topic_and_payload_cannot_be_shifted_into_each_other() -> None:
    assert message_digest("ab", b"c") != message_digest("a", b"bc")
    assert message_digest("a", b"x") == message_digest("a", b"x")
    assert len(message_digest("a\udcff", b"")) == 16


def test_stored_message_is_known_until_its_connection_outlived_it() -> None:
    memory = ring()
    memory.remember([A], now_s=100.0)
    assert memory.forget(now_s=109.9, connected_since_s=0.0) == 0
    assert A in memory
    assert memory.forget(now_s=110.0, connected_since_s=0.0) == 1
    assert A not in memory


def test_nothing_settles_while_the_connection_is_down_or_young() -> None:
    memory = ring()
    memory.remember([A], now_s=100.0)
    assert memory.forget(now_s=1000.0, connected_since_s=None) == 0
    assert memory.forget(now_s=1000.0, connected_since_s=990.1) == 0
    assert memory.forget(now_s=1000.0, connected_since_s=990.0) == 1


def test_the_oldest_go_beyond_the_limit() -> None:
    memory = ring(max_entries=2)
    memory.remember([A, B, C], now_s=0.0)
    assert memory.forget(now_s=0.0, connected_since_s=None) == 1
    assert [x in memory for x in (A, B, C)] == [False, True, True]


def test_second_copy_keeps_a_message_known_after_the_first_went() -> None:
    memory = ring()
    memory.remember([A], now_s=0.0)
    memory.remember([A], now_s=5.0)
    assert memory.forget(now_s=10.0, connected_since_s=0.0) == 1
    assert A in memory
    assert memory.forget(now_s=15.0, connected_since_s=0.0) == 1
    assert A not in memory


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(1, 10))
def test_memory_is_the_last_entries_of_the_history(history: list[int], max_entries: int) -> None:
    memory = ring(max_entries=max_entries)
    for place, number in enumerate(history, start=1):
        memory.remember([bytes([number])], now_s=0.0)
        memory.forget(now_s=0.0, connected_since_s=None)
        last = history[max(0, place - max_entries) : place]
        assert len(memory) == len(last)
        assert {n for n in range(6) if bytes([n]) in memory} == set(last)
