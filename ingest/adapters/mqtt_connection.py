"""One MQTT 3.1.1 connection that comes back by itself; it owns the network thread of a paho client."""

from __future__ import annotations

import random
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import structlog
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ingest.broker_url import BrokerUrl, TlsFiles
from ingest.errors import LinkError

_log = structlog.get_logger(__name__)

_LOOP_S = 0.25
_GOODBYE_S = 2.0
_NO_TLS_FILES = TlsFiles()
_REFUSALS = {
    "Bad user name or password": "bad_password",
    "Not authorized": "not_authorized",
    "Client identifier not valid": "bad_client_id",
    "Server unavailable": "server_unavailable",
    "Unsupported protocol version": "protocol",
}


class Will(NamedTuple):
    """What the broker says in our name when the connection is lost."""

    topic: str
    payload: bytes
    retain: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Waits between attempts: doubled up to a cap, then jittered so that gateways do not come back together.

    stable_s: a connection that lived this long starts the waits anew
    """

    first_s: float = 0.2
    max_s: float = 30.0
    stable_s: float = 5.0

    def delay_s(self, failures: int) -> float:
        """Return the wait after so many failures in a row, 1 or more."""
        full_s = min(self.max_s, self.first_s * 2.0 ** min(failures - 1, 32))
        return full_s * random.uniform(0.5, 1.0)


_DEFAULT_BACKOFF = Backoff()


def _nothing() -> None:
    return


def _ignore_session(_session_present: bool) -> None:
    return


class MqttConnection:
    """Keeps one client connected until it is closed; one log line when it goes down, one when it is up.

    connect_timeout_s: for the TCP connection, and again for the broker's CONNACK
    before_connect: called in the network thread before every attempt, while no connection exists
    on_up:          called in the network thread after every CONNACK, with the broker's session_present
    on_message:     called in the network thread; what it raises ends the connection and stands in `failure`
    """

    def __init__(
        self,
        url: BrokerUrl,
        *,
        client_id: str,
        clean_session: bool = True,
        manual_ack: bool = False,
        tls: TlsFiles = _NO_TLS_FILES,
        will: Will | None = None,
        keepalive_s: int = 60,
        connect_timeout_s: float = 5.0,
        max_in_flight: int = 1000,
        backoff: Backoff = _DEFAULT_BACKOFF,
        before_connect: Callable[[], None] = _nothing,
        on_up: Callable[[bool], None] = _ignore_session,
        on_message: Callable[[MQTTMessage], None] | None = None,
        on_failure: Callable[[], None] = _nothing,
    ) -> None:
        self.url = url
        self.client_id = client_id
        self.client = _new_client(
            url, client_id, clean_session=clean_session, manual_ack=manual_ack, tls=tls, will=will
        )
        self.client.max_inflight_messages = max_in_flight
        self.client.connect_timeout = connect_timeout_s
        self.client.connect_async(url.host, url.port, keepalive_s)
        self._backoff = backoff
        self._before_connect = before_connect
        self._on_up = on_up
        self._on_failure = on_failure
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._up_since_s: float | None = None
        self._is_down_logged = False
        self._refusal: str | None = None
        self._problem: str | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{client_id}", daemon=True)
        self._set_callbacks(on_message)

    @property
    def failure(self) -> BaseException | None:
        """What ended the network thread, if it was not `close`."""
        return self._failure

    @property
    def problem(self) -> str | None:
        """Why there is no connection, as a short constant; None while there is one."""
        return self._problem

    @property
    def is_up(self) -> bool:
        """True from CONNACK until the connection is lost."""
        return self._up_since_s is not None

    @property
    def up_since_s(self) -> float | None:
        """When the connection in use came up, in `time.monotonic` seconds."""
        return self._up_since_s

    def start(self) -> None:
        """Begin connecting; returns at once, whether the broker is there or not."""
        self._thread.start()

    def close(self) -> None:
        """Send what is queued, say goodbye (no last will), end the thread. Safe to call twice."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def wait_up(self, timeout_s: float) -> bool:
        """Wait for a connection; False after the timeout, or when the connection is closed or has failed."""
        with self._changed:
            self._changed.wait_for(lambda: self.is_up or self._is_over(), timeout_s)
            return self.is_up

    def _is_over(self) -> bool:
        return self._stopping.is_set() or self._failure is not None

    def _set_callbacks(self, on_message: Callable[[MQTTMessage], None] | None) -> None:
        self.client.on_connect = self._connected
        # With this set, paho writes to the socket in its own loop only: two threads never share a packet.
        self.client.on_socket_register_write = lambda _client, _userdata, _socket: None
        if on_message is not None:
            self.client.on_message = lambda _client, _userdata, message: on_message(message)

    def _run(self) -> None:
        failures = 0
        try:
            while not self._stopping.is_set():
                lived_s = self._connect_and_serve()
                failures = 1 if lived_s >= self._backoff.stable_s else failures + 1
                self._stopping.wait(self._backoff.delay_s(failures))
        except BaseException as error:  # noqa: BLE001 - the top of a thread: its owner must see what ended it
            self._failure = error
            _log.error("mqtt_thread_failed", broker=str(self.url), error=repr(error))
        finally:
            self._end()

    def _end(self) -> None:
        sock = self.client.socket()
        if sock is not None:
            sock.close()
        with self._changed:
            self._up_since_s = None
            self._changed.notify_all()
        if self._failure is not None:
            self._on_failure()

    def _connect_and_serve(self) -> float:
        """Connect once and stay until the connection ends; return for how many seconds it was up."""
        self._refusal = None
        self._before_connect()
        try:
            self.client.reconnect()
        except OSError as error:
            self._went_down(_reason(error), str(error))
            return 0.0
        lost = self._serve()
        up_since_s = self._up_since_s
        with self._changed:
            self._up_since_s = None
        if lost is not None:
            self._went_down(*lost)
        return 0.0 if up_since_s is None else time.monotonic() - up_since_s

    def _serve(self) -> tuple[str, str] | None:
        """Run the network loop; return reason and detail of a lost connection, None after a goodbye."""
        connack_until_s = time.monotonic() + self.client.connect_timeout
        goodbye_until_s: float | None = None
        while True:
            code = self.client.loop(_LOOP_S)
            now_s = time.monotonic()
            if goodbye_until_s is not None and (code != MQTTErrorCode.MQTT_ERR_SUCCESS or now_s > goodbye_until_s):
                return None
            if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return (self._refusal or ("connection_lost" if self.is_up else "closed"), error_string(code))
            if self._stopping.is_set() and goodbye_until_s is None:
                goodbye_until_s = now_s + _GOODBYE_S
                self.client.disconnect()
            elif not self.is_up and now_s > connack_until_s:
                return ("no_connack", "the broker does not answer CONNECT")

    def _connected(
        self, _client: Client, _userdata: object, flags: ConnectFlags, code: ReasonCode, _: Properties | None
    ) -> None:
        if code.is_failure:
            self._refusal = _REFUSALS.get(code.getName(), "refused")
            return
        with self._changed:
            self._up_since_s = time.monotonic()
            self._problem = None
            self._changed.notify_all()
        self._is_down_logged = False
        _log.info("mqtt_up", broker=str(self.url), client_id=self.client_id, session_present=flags.session_present)
        self._on_up(flags.session_present)

    def _went_down(self, reason: str, detail: str) -> None:
        self._problem = reason
        if self._is_down_logged or self._stopping.is_set():
            return
        self._is_down_logged = True
        _log.warning("mqtt_down", broker=str(self.url), client_id=self.client_id, reason=reason, detail=detail)


def _new_client(
    url: BrokerUrl,
    client_id: str,
    *,
    clean_session: bool,
    manual_ack: bool,
    tls: TlsFiles,
    will: Will | None,
) -> Client:
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        clean_session=clean_session,
        protocol=MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
        manual_ack=manual_ack,
    )
    if url.username is not None:
        client.username_pw_set(url.username, url.password)
    if url.tls:
        client.tls_set_context(_tls_context(url, tls))
    if will is not None:
        client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
    return client


class _HandshakeSocket(ssl.SSLSocket):
    """Closed when its handshake fails; paho would leave it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _tls_context(url: BrokerUrl, tls: TlsFiles) -> ssl.SSLContext:
    """Load the TLS files; LinkError names the file that cannot be used."""
    current = tls.ca_file
    try:
        context = ssl.create_default_context(cafile=None if tls.ca_file is None else str(tls.ca_file))
        context.sslsocket_class = _HandshakeSocket
        if tls.cert_file is not None:
            current = tls.cert_file
            # The callable keeps OpenSSL from asking on the terminal.
            context.load_cert_chain(str(tls.cert_file), tls.key_file and str(tls.key_file), password=lambda: b"")
    except OSError as error:
        raise LinkError(str(url), f"TLS file {current}: {error}; expected a PEM file without password") from None
    return context


def _reason(error: OSError) -> str:
    """Return a short constant for why a connection could not be made."""
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, socket.gaierror):
        return "unknown_host"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "tls_certificate"
    return "tls" if isinstance(error, ssl.SSLError) else "unreachable"
