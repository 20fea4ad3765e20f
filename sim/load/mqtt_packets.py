"""The packets of MQTT 3.1.1 that a publisher needs, as bytes; reading answers without a loop over packets."""

from __future__ import annotations

import struct
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

PacketIds = npt.NDArray[np.uint16]

PINGREQ = b"\xc0\x00"
DISCONNECT = b"\xe0\x00"
CONNACK_BYTES = 4
DUP = 0x08

REFUSALS = MappingProxyType(
    {
        1: "speaks no MQTT 3.1.1",
        2: "does not accept the client id",
        3: "is not available at the moment",
        4: "says that user name or password is wrong",
        5: "says that this user may not connect, or wants a user name and password",
    }
)

_CONNACK = 0x20
_PUBACK = 0x40
_PUBACK_BYTES = 4
_PINGRESP = b"\xd0\x00"
_MAX_REMAINING = 268_435_455


class PacketError(Exception):
    """Bytes that no broker sends to a client that only publishes."""


def remaining_length(count: int) -> bytes:
    """A length as MQTT writes it, 7 bits a byte, the lowest first."""
    if not 0 <= count <= _MAX_REMAINING:
        raise ValueError(f"a packet has at most {_MAX_REMAINING} bytes, not {count}")
    digits = bytearray()
    while True:
        count, digit = divmod(count, 128)
        digits.append(digit | 0x80 if count else digit)
        if not count:
            return bytes(digits)


def connect_packet(client_id: str, *, username: str | None, password: str | None, keepalive_s: int) -> bytes:
    """CONNECT with a clean session."""
    fields, flags = [client_id], 0x02
    if username is not None:
        fields.append(username)
        flags |= 0x80
        if password is not None:
            fields.append(password)
            flags |= 0x40
    body = _text("MQTT") + struct.pack(">BBH", 4, flags, keepalive_s) + b"".join(map(_text, fields))
    return b"\x10" + remaining_length(len(body)) + body


def publish_head(topic: str, *, body_bytes: int, qos: int) -> bytes:
    """A PUBLISH up to its topic; with QoS 1 the packet id follows, then the body of exactly this length."""
    written = _text(topic)
    length = len(written) + (2 if qos else 0) + body_bytes
    return bytes([0x30 | qos << 1]) + remaining_length(length) + written


def again(packet: bytes) -> bytes:
    """The same PUBLISH, marked as one that may have arrived before."""
    return bytes([packet[0] | DUP]) + packet[1:]


def connack_code(packet: bytes) -> int:
    """The answer to CONNECT, 0 for welcome; PacketError when these four bytes are something else."""
    if len(packet) != CONNACK_BYTES or packet[0] != _CONNACK or packet[1] != 2:
        raise PacketError(f"the answer to CONNECT was {packet.hex(' ')}, expected 20 02 xx xx; is it an MQTT broker?")
    return packet[3]


def read_pubacks(data: bytes) -> tuple[PacketIds, int, bytes]:
    """(ids acknowledged, PINGRESPs seen, bytes of a packet that is not yet whole).

    Broker and publisher exchange hundreds of PUBACKs at a time: a run of them is read as one array.
    """
    found: list[PacketIds] = []
    pings, at = 0, 0
    while len(data) - at >= 2:
        if data.startswith(_PINGRESP, at):
            pings, at = pings + 1, at + 2
            continue
        rows = np.frombuffer(data, dtype=np.uint8, offset=at, count=(len(data) - at) // _PUBACK_BYTES * _PUBACK_BYTES)
        rows = rows.reshape(-1, _PUBACK_BYTES)
        is_puback = (rows[:, 0] == _PUBACK) & (rows[:, 1] == 2)
        run = len(rows) if is_puback.all() else int(np.argmin(is_puback))
        if run == 0:
            if data[at] == _PUBACK and data[at + 1] == 2:
                break
            raise PacketError(f"the broker sent {data[at : at + 4].hex(' ')}, expected PUBACK or PINGRESP")
        found.append(rows[:run, 2:4].copy().view(">u2").ravel().astype(np.uint16))
        at += run * _PUBACK_BYTES
    ids = np.concatenate(found) if found else np.zeros(0, dtype=np.uint16)
    return ids, pings, data[at:]


def _text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack(">H", len(encoded)) + encoded
