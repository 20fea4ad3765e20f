"""The address of an MQTT broker, as one line of configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, quote, unquote, urlsplit

from ingest.errors import BrokerUrlError

_PLAIN_SCHEMES = frozenset({"tcp", "mqtt"})
_TLS_SCHEMES = frozenset({"mqtts", "ssl", "tls"})
_PLAIN_PORT = 1883
_TLS_PORT = 8883
_HOST = re.compile(r"[A-Za-z0-9_.:%-]+|[^\x00-\x7f\s]+", re.ASCII)
_EXPECTED = "expected tcp://host:1883 or mqtts://user:password@host:8883"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files for a TLS connection; all may be absent (then the system's authorities are trusted).

    ca_file: authorities to trust instead of the system's; cert_file, key_file: the client's own certificate
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUrl:
    """Where a broker listens and who we are there; printing it never shows the password."""

    host: str
    port: int
    tls: bool = False
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, text: str) -> BrokerUrl:
        """Parse ``tcp|mqtt|mqtts|ssl|tls://[user[:password]@]host[:port]``; BrokerUrlError otherwise."""
        parts = _split(text)
        is_tls = parts.scheme in _TLS_SCHEMES
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise _error(text, f"nothing may follow the port; {_EXPECTED}")
        username, password = _credentials(text, parts)
        return cls(
            host=_host(text, parts),
            port=_port(text, parts, default=_TLS_PORT if is_tls else _PLAIN_PORT),
            tls=is_tls,
            username=username,
            password=password,
        )

    def redacted(self) -> str:
        """Return the address with ``***`` in place of the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = "" if self.username is None else quote(self.username, safe="")
        if self.password is not None:
            user += ":***"
        at = "@" if user else ""
        return f"{'mqtts' if self.tls else 'mqtt'}://{user}{at}{host}:{self.port}"

    def __str__(self) -> str:
        return self.redacted()


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError as error:
        raise _error(text, f"{error}; {_EXPECTED}") from None
    if parts.scheme not in _PLAIN_SCHEMES | _TLS_SCHEMES:
        raise _error(text, f"the scheme must be tcp, mqtt, mqtts, ssl or tls; {_EXPECTED}")
    return parts


def _host(text: str, parts: SplitResult) -> str:
    host = parts.hostname
    if not host:
        raise _error(text, f"the host is missing; {_EXPECTED}")
    if not _HOST.fullmatch(host):
        raise _error(text, f"{host!r} is no host name; {_EXPECTED}")
    return host


def _port(text: str, parts: SplitResult, *, default: int) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise _error(text, "the port must be a number from 1 to 65535")
    return default if port is None else port


def _credentials(text: str, parts: SplitResult) -> tuple[str | None, str | None]:
    try:
        username = None if parts.username is None else unquote(parts.username, errors="strict")
        password = None if parts.password is None else unquote(parts.password, errors="strict")
    except UnicodeDecodeError:
        raise _error(text, "user or password is not UTF-8 after percent-decoding") from None
    if username == "" or (username is None and password is not None):
        raise _error(text, f"a user name must stand before the @; {_EXPECTED}")
    return username, password


def _error(text: str, problem: str) -> BrokerUrlError:
    return BrokerUrlError(_without_credentials(text), problem)


def _without_credentials(text: str) -> str:
    """Hide everything between the scheme and the last @: a mistyped address must not leak a password."""
    head, at, tail = text.rpartition("@")
    if not at:
        return text
    scheme, separator, _ = head.partition("://")
    return f"{scheme if separator else ''}{separator}***@{tail}"
