"""One MQTT 3.1.1 connection that publishes thousands of messages a second and hears nothing but acknowledgements.

Why not paho: it spends locks, an object and many calls on every message, more than five times the CPU time; at
12,000 messages a second that is more than a core. `python -m bench load_generator` measures both in one run.

Never blocks but while it opens a connection; whoever owns it calls `send` and, when the socket is ready, `serve`.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sim.load.in_flight import InFlight
from sim.load.mqtt_packets import (
    CONNACK_BYTES,
    DISCONNECT,
    PINGREQ,
    REFUSALS,
    PacketError,
    connack_code,
    connect_packet,
    read_pubacks,
)

MAX_WINDOW = 32_768

_OPEN_WITHIN_S = 5.0
_ANSWER_WITHIN_S = 15.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 5.0
_CODE_UNAVAILABLE = 3
_READ_BYTES = 1 << 18
_WOULD_BLOCK = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class BrokerError(Exception):
    """A broker that cannot be used; one line with its address."""

    def __init__(self, host: str, port: int, problem: str) -> None:
        super().__init__(f"broker {f'[{host}]' if ':' in host else host}:{port} {problem}")
        self.host = host
        self.port = port
        self.problem = problem


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerAddress:
    """Where the broker is and who we are there; tls: a context, None for a plain connection."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None
    keepalive_s: int = 30


class MqttPublisher:
    """Publishes with QoS 0 or 1; what is not acknowledged is sent again, marked DUP, after a reconnect.

    The first connection must succeed; later ones are tried for ever, with a doubled, jittered wait.
    All times are seconds of the owner's monotonic clock.

    sent, acknowledged: messages; with QoS 0 nothing is acknowledged
    resent:     how many packets were sent again
    reconnects: how often the connection came back
    problem:    why there is no connection; None while there is one
    """

    def __init__(self, address: BrokerAddress, *, client_id: str, qos: int, window: int, seed: int) -> None:
        self._address, self._client_id, self._qos, self._window = address, client_id, qos, window
        self._rng = np.random.default_rng((seed, *client_id.encode()))
        self._socket: socket.socket | None = None
        self._is_welcome = self._was_ever_welcome = False
        self._unsent = bytearray()
        self._unread = b""
        self._failures = 0
        self._retry_at_s = 0.0
        self._heard_at_s = self._spoke_at_s = 0.0
        self._is_ping_open = False
        self.sent = self.acknowledged = self.resent = self.reconnects = 0
        self.in_flight = InFlight()
        self.problem: str | None = None

    @property
    def connection(self) -> socket.socket | None:
        """The socket; None while there is none."""
        return self._socket

    @property
    def is_up(self) -> bool:
        """True from the broker's welcome until the connection is lost."""
        return self._is_welcome

    @property
    def wants_to_write(self) -> bool:
        """Whether bytes wait for the socket."""
        return bool(self._unsent)

    @property
    def room(self) -> int:
        """How many messages it takes now; 0 without a connection, or while the broker reads none."""
        if not self._is_welcome or self._unsent:
            return 0
        return self._window - self.in_flight.count

    def send(self, heads: Sequence[bytes], bodies: Sequence[bytes], now_s: float) -> None:
        """Publish messages, at most `room`: heads end after the topic, the packet id comes between."""
        if self._qos == 0:
            packets = [head + body for head, body in zip(heads, bodies, strict=True)]
        else:
            packets = self.in_flight.add(heads, bodies, now_s)
        self.sent += len(packets)
        self._write(b"".join(packets), now_s)

    def tick(self, now_s: float) -> None:
        """Do what time asks for: connect again, keep alive, give up a dead connection."""
        if self._socket is None:
            if now_s >= self._retry_at_s:
                self._open(now_s)
            return
        if not self._is_welcome and now_s - self._spoke_at_s > _ANSWER_WITHIN_S:
            self._lose("does not answer CONNECT", now_s)
        elif self._waits_in_vain(now_s):
            self._lose(f"acknowledged nothing for {_ANSWER_WITHIN_S:g} s", now_s)
        elif self._is_ping_open and now_s - self._spoke_at_s > _ANSWER_WITHIN_S:
            self._lose("does not answer a ping", now_s)
        elif self._is_welcome and now_s - self._spoke_at_s > self._address.keepalive_s / 2:
            self._is_ping_open = True
            self._write(PINGREQ, now_s)

    def serve(self, now_s: float) -> None:
        """Write what waits and read what came."""
        self._write(b"", now_s)
        data = self._unread + self._read(now_s)
        if self._socket is None:
            return
        try:
            if not self._is_welcome and len(data) >= CONNACK_BYTES:
                self._hear_welcome(data[:CONNACK_BYTES], now_s)
                data = data[CONNACK_BYTES:]
            if self._is_welcome:
                ids, pings, data = read_pubacks(data)
                self._is_ping_open = self._is_ping_open and not pings
                self.acknowledged += self.in_flight.retire(ids, now_s)
        except PacketError as error:
            self._lose(str(error), now_s)
            return
        self._unread = data

    def close(self) -> None:
        """Say goodbye, as far as the socket takes it, and close."""
        if self._socket is None:
            return
        try:
            if self._is_welcome and not self._unsent:
                self._socket.send(DISCONNECT)
        except OSError:
            pass
        self._drop()

    def _waits_in_vain(self, now_s: float) -> bool:
        sent_s = self.in_flight.oldest_sent_s
        return sent_s is not None and now_s - max(sent_s, self._heard_at_s) > _ANSWER_WITHIN_S

    def _open(self, now_s: float) -> None:
        address = self._address
        try:
            plain = socket.create_connection((address.host, address.port), _OPEN_WITHIN_S)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._socket = plain if address.tls is None else _with_tls(plain, address.tls, address.host)
            self._socket.setblocking(False)
        except OSError as error:
            self._lose(f"cannot be reached: {error.strerror or error}", now_s)
            return
        hello = connect_packet(
            self._client_id, username=address.username, password=address.password, keepalive_s=address.keepalive_s
        )
        self._write(hello, now_s)

    def _hear_welcome(self, packet: bytes, now_s: float) -> None:
        code = connack_code(packet)
        if code:
            reason = REFUSALS.get(code, f"refuses with code {code}")
            if code != _CODE_UNAVAILABLE:
                self._drop()
                raise BrokerError(self._address.host, self._address.port, reason)
            raise PacketError(reason)
        self.reconnects += self._was_ever_welcome
        self._is_welcome = self._was_ever_welcome = True
        self._failures, self.problem, self._is_ping_open = 0, None, False
        waiting = self.in_flight.repeat()
        self.resent += len(waiting)
        self._write(b"".join(waiting), now_s)

    def _write(self, data: bytes, now_s: float) -> None:
        """Hand bytes to the socket, and keep what it does not take."""
        if self._socket is None or not (data or self._unsent):
            return
        self._unsent += data
        try:
            while self._unsent:
                taken = self._socket.send(self._unsent)
                del self._unsent[:taken]
                self._spoke_at_s = now_s
        except _WOULD_BLOCK:
            pass
        except OSError as error:
            self._lose(f"closed the connection: {error.strerror or error}", now_s)

    def _read(self, now_s: float) -> bytes:
        """All that came; a lost connection reads as nothing."""
        parts: list[bytes] = []
        try:
            while self._socket is not None:
                part = self._socket.recv(_READ_BYTES)
                if not part:
                    raise ConnectionResetError("the broker ended it")
                parts.append(part)
                self._heard_at_s = now_s
        except _WOULD_BLOCK:
            pass
        except OSError as error:
            # What came before the end is read first: it may say why. The next call finds the end again.
            if not parts:
                self._lose(f"closed the connection: {error.strerror or error}", now_s)
        return b"".join(parts)

    def _lose(self, problem: str, now_s: float) -> None:
        """The connection is gone: try again after a while, or raise when it never was there."""
        self._drop()
        self.problem = problem
        if not self._was_ever_welcome:
            raise BrokerError(self._address.host, self._address.port, problem)
        self._failures += 1
        longest_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(self._failures - 1, 16))
        self._retry_at_s = now_s + longest_s * self._rng.uniform(0.5, 1.0)

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._is_welcome, self._unread = None, False, b""
        self._unsent.clear()


def _with_tls(plain: socket.socket, tls: ssl.SSLContext, host: str) -> socket.socket:
    """The same connection, encrypted; the plain one is closed when the broker does not agree."""
    try:
        return tls.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise
