"""Small loopback HTTP: asking a sibling daemon for JSON, and checking that a port is free."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from typing import Any

from gateway.errors import StartError


def get_json(url: str, timeout_s: float = 5.0) -> Any:
    """The JSON behind a loopback URL, or None when nobody answers (yet)."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout_s) as answer:
            return json.load(answer)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def require_free_port(host: str, port: int, *, option: str) -> None:
    """Raise StartError when somebody listens there already; option names what to change."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartError(f"{host}:{port} cannot be used: {error.strerror}; choose another with {option}") from error


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
