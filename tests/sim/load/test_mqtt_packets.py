"""MQTT 3.1.1 packets, byte by byte as the standard writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.load.mqtt_packets import (
    PacketError,
    again,
    connack_code,
    connect_packet,
    publish_head,
    read_pubacks,
    remaining_length,
)


@pytest.mark.parametrize(
    ("count", "encoded"),
    [(0, "00"), (127, "7f"), (128, "80 01"), (16_383, "ff 7f"), (16_384, "80 80 01"), (268_435_455, "ff ff ff 7f")],
)
def test_lengths_are_those_of_table_2_4_of_the_standard(count: int, encoded: str) -> None:
    assert remaining_length(count).hex(" ") == encoded


@pytest.mark.parametrize("count", [-1, 268_435_456])
def test_lengths_beyond_the_standard_are_refused(count: int) -> None:
    with pytest.raises(ValueError, match="268435455"):
        remaining_length(count)


def test_connect_without_login() -> None:
    packet = connect_packet("ab", username=None, password=None, keepalive_s=60)
    assert packet == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02ab"


def test_connect_with_login_in_utf8() -> None:
    packet = connect_packet("c", username="ü", password="p", keepalive_s=258)
    assert packet == b"\x10\x14\x00\x04MQTT\x04\xc2\x01\x02\x00\x01c\x00\x02\xc3\xbc\x00\x01p"


def test_publish_with_qos_1_counts_the_id_and_qos_0_has_none() -> None:
    assert publish_head("a/b", body_bytes=4, qos=1) == b"\x32\x0b\x00\x03a/b"
    assert publish_head("a/b", body_bytes=4, qos=0) == b"\x30\x09\x00\x03a/b"


def test_a_repeated_packet_differs_in_its_dup_flag_only() -> None:
    assert again(b"\x32\x0b\x00\x03a/b\x00\x01body") == b"\x3a\x0b\x00\x03a/b\x00\x01body"


@pytest.mark.parametrize(("packet", "code"), [(b"\x20\x02\x00\x00", 0), (b"\x20\x02\x01\x05", 5)])
def test_connack_says_its_code(packet: bytes, code: int) -> None:
    assert connack_code(packet) == code


@pytest.mark.parametrize("packet", [b"HTTP", b"\x20\x03\x00\x00", b"\x20\x02\x00"])
def test_another_answer_to_connect_is_named(packet: bytes) -> None:
    with pytest.raises(PacketError, match="is it an MQTT broker"):
        connack_code(packet)


def puback(number: int) -> bytes:
    return b"\x40\x02" + number.to_bytes(2, "big")


Answers = st.lists(st.one_of(st.integers(1, 65_535), st.none()), max_size=40)


@given(answers=Answers, cut=st.integers(0, 200))
def test_acknowledgements_are_read_whole_wherever_the_stream_is_cut(answers: list[int | None], cut: int) -> None:
    stream = b"".join(b"\xd0\x00" if answer is None else puback(answer) for answer in answers)
    first_ids, first_pings, rest = read_pubacks(stream[:cut])
    ids, pings, left = read_pubacks(rest + stream[cut:])
    assert [*first_ids.tolist(), *ids.tolist()] == [answer for answer in answers if answer is not None]
    assert first_pings + pings == answers.count(None)
    assert left == b""


@pytest.mark.parametrize("intruder", [b"\x30\x02\x00\x01", b"\x40\x03\x00\x01", b"\x00\x00"])
def test_what_no_publisher_is_sent_is_an_error(intruder: bytes) -> None:
    with pytest.raises(PacketError, match="expected PUBACK or PINGRESP"):
        read_pubacks(puback(1) + b"\xd0\x00" + intruder)
