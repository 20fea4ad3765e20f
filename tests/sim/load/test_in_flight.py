"""Which messages are on their way, and which are acknowledged."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.load.in_flight import LAST_PACKET_ID, InFlight
from sim.load.mqtt_packets import PacketIds


def ids_of(*numbers: int) -> PacketIds:
    return np.array(numbers, dtype=np.uint16)


def add(flight: InFlight, count: int, now_s: float = 0.0) -> list[int]:
    """Messages `H<id>B`; the ids that they got."""
    return [int.from_bytes(packet[1:3], "big") for packet in flight.add([b"H"] * count, [b"B"] * count, now_s)]


def test_ids_count_up_from_1() -> None:
    flight = InFlight()
    assert flight.add([b"a", b"b"], [b"x", b"y"], 0.0) == [b"a\x00\x01x", b"b\x00\x02y"]
    assert add(flight, 2) == [3, 4]


def test_after_the_last_id_comes_the_first_and_never_0() -> None:
    flight = InFlight()
    for _ in range(13):
        flight.retire(ids_of(*add(flight, 5041)), 0.0)
    assert add(flight, 4) == [LAST_PACKET_ID - 1, LAST_PACKET_ID, 1, 2]


def test_an_id_that_still_waits_is_not_given_again() -> None:
    flight = InFlight()
    first = add(flight, 1)
    for _ in range(2):
        flight.retire(ids_of(*add(flight, 32_767)), 0.0)
    assert first == [1]
    assert 1 not in add(flight, 10)
    assert flight.count == 11


def test_an_acknowledgement_counts_once() -> None:
    flight = InFlight()
    add(flight, 3)
    assert flight.retire(ids_of(2, 2), 0.0) == 1
    assert flight.retire(ids_of(2, 9), 0.0) == 0
    assert flight.count == 2


def test_what_waits_is_repeated_in_its_order_with_the_dup_flag() -> None:
    flight = InFlight()
    flight.add([b"\x32a", b"\x32b", b"\x32c"], [b"x", b"y", b"z"], 0.0)
    flight.retire(ids_of(2), 0.0)
    assert flight.repeat() == [b"\x3aa\x00\x01x", b"\x3ac\x00\x03z"]
    assert flight.repeat() == flight.repeat()


def test_a_batch_has_taken_as_long_as_its_last_acknowledgement() -> None:
    flight = InFlight()
    add(flight, 2, now_s=10.0)
    add(flight, 1, now_s=11.0)
    assert flight.oldest_sent_s == 10.0
    flight.retire(ids_of(1, 3), 12.0)
    assert list(flight.latencies_s) == []
    flight.retire(ids_of(2), 15.0)
    assert list(flight.latencies_s) == pytest.approx([5.0, 4.0])
    assert flight.slowest_s == pytest.approx(5.0)
    assert flight.oldest_sent_s is None


@given(st.lists(st.tuples(st.integers(1, 300), st.floats(0, 1)), max_size=30))
def test_count_is_what_was_added_and_not_retired(rounds: list[tuple[int, float]]) -> None:
    flight = InFlight()
    waiting: set[int] = set()
    for count, share in rounds:
        given_ids = add(flight, count)
        assert waiting.isdisjoint(given_ids)
        waiting.update(given_ids)
        done = sorted(waiting)[: int(share * len(waiting))]
        assert flight.retire(ids_of(*done), 0.0) == len(done)
        waiting.difference_update(done)
        assert flight.count == len(waiting) == len(flight.repeat())
