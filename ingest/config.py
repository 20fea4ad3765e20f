"""Settings of the ingest stage: frozen, checked when they are made, no file is read here."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from ingest.broker_url import BrokerUrl, TlsFiles
from ingest.errors import SettingsError

_DAY_S = 86_400.0
_KIB = 1024
_MIB = 1024 * 1024


def _positive(**values: float) -> None:
    for key, value in values.items():
        if not value > 0:
            raise SettingsError(key, value, "must be greater than 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeLimits:
    """How far a device's clock may differ from the gateway's before its time is not believed."""

    max_age_s: float = 7 * _DAY_S
    max_ahead_s: float = 300.0

    def __post_init__(self) -> None:
        _positive(max_age_s=self.max_age_s, max_ahead_s=self.max_ahead_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class PayloadLimits:
    """What one sensor message may hold."""

    max_bytes: int = 64 * _KIB
    max_values: int = 500
    time: TimeLimits = field(default_factory=TimeLimits)

    def __post_init__(self) -> None:
        _positive(max_bytes=self.max_bytes, max_values=self.max_values)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameLimits:
    """What one picture may hold; checked in its header, before anything decodes it."""

    max_bytes: int = 8 * _MIB
    max_pixels: int = 40_000_000
    time: TimeLimits = field(default_factory=TimeLimits)

    def __post_init__(self) -> None:
        _positive(max_bytes=self.max_bytes, max_pixels=self.max_pixels)


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """The durable subscription.

    client_id:          names the broker's session; must stay the same for ever and be nobody else's
    inbox_max_messages: messages held in memory before the socket is read no further
    inbox_max_bytes:    the same in payload bytes
    max_message_bytes:  larger messages go to the dead letters unread
    """

    url: BrokerUrl
    client_id: str
    tls: TlsFiles = field(default_factory=TlsFiles)
    keepalive_s: int = 60
    inbox_max_messages: int = 20_000
    inbox_max_bytes: int = 128 * _MIB
    max_message_bytes: int = 8 * _MIB

    def __post_init__(self) -> None:
        if not self.client_id:
            raise SettingsError("client_id", self.client_id, "a durable session needs a name")
        _positive(
            keepalive_s=self.keepalive_s,
            inbox_max_messages=self.inbox_max_messages,
            inbox_max_bytes=self.inbox_max_bytes,
            max_message_bytes=self.max_message_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """The durable queue on disk.

    commit_window_s:      a message waits at most this long for others to share its commit
    max_batch:            messages per commit
    dedup_max_entries:    messages remembered to recognise a redelivery
    dedup_settle_s:       a message is forgotten once its connection has outlived it by this long
    max_dead_letters, max_dead_letter_bytes: the oldest beyond either are dropped and counted
    """

    file: Path
    commit_window_s: float = 0.02
    max_batch: int = 2000
    dedup_max_entries: int = 131_072
    dedup_settle_s: float = 120.0
    max_dead_letters: int = 10_000
    max_dead_letter_bytes: int = 256 * _MIB

    def __post_init__(self) -> None:
        _positive(
            commit_window_s=self.commit_window_s,
            max_batch=self.max_batch,
            dedup_max_entries=self.dedup_max_entries,
            dedup_settle_s=self.dedup_settle_s,
            max_dead_letters=self.max_dead_letters,
            max_dead_letter_bytes=self.max_dead_letter_bytes,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedBrokerSettings:
    """The broker that runs as our child.

    folder:   its store, configuration and log
    port:     0 chooses a free one, kept while the gateway runs
    ack_wait_s: how long it waits for an acknowledgement before it delivers again
    """

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    ack_wait_s: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise SettingsError("port", self.port, "must be 0 (any free port) to 65535")
        if (self.username is None) != (self.password is None):
            raise SettingsError("username", self.username, "username and password belong together")
        _positive(ack_wait_s=self.ack_wait_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkSettings:
    """A time-series store that takes line protocol on ``/api/v2/write``.

    margin_s:   rows count as kept this long after the store's 204, no earlier
    max_lines:  lines per request
    """

    url: str
    bucket: str = "street721"
    org: str = "street721"
    token: str = field(default="", repr=False)
    max_lines: int = 5000
    margin_s: float = 60.0
    timeout_s: float = 10.0
    poll_s: float = 1.0
    min_backoff_s: float = 0.5
    max_backoff_s: float = 60.0

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")):
            raise SettingsError("url", self.url, "must start with http:// or https://")
        if not 0 < self.max_lines <= 5000:
            raise SettingsError("max_lines", self.max_lines, "must be 1 to 5000")
        if self.margin_s < 0:
            raise SettingsError("margin_s", self.margin_s, "must not be negative")
        _positive(timeout_s=self.timeout_s, poll_s=self.poll_s, min_backoff_s=self.min_backoff_s)
        if self.max_backoff_s < self.min_backoff_s:
            raise SettingsError("max_backoff_s", self.max_backoff_s, "must be at least min_backoff_s")
