"""A browser for the page's test, over its own debugging socket in real time, and the page's server."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--remote-debugging-port=0",
)  # fmt: skip


class Tab:
    """One open page; keeps every address that it asked for."""

    def __init__(self, link: ClientConnection) -> None:
        self._link = link
        self._numbers = itertools.count(1)
        self.requested: list[str] = []
        self.errors: list[str] = []

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._link.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            message = json.loads(self._link.recv(timeout=30))
            if message.get("method") == "Network.requestWillBeSent":
                self.requested.append(message["params"]["request"]["url"])
            if message.get("method") == "Network.webSocketCreated":
                self.requested.append(message["params"]["url"])
            if message.get("method") == "Runtime.exceptionThrown":
                self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:500])
            if message.get("id") == number:
                result: dict[str, Any] = message["result"]
                return result

    def evaluate(self, expression: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        return answer["result"].get("value")

    def wait_for(self, expression: str, *, within_s: float = 30.0) -> Any:
        """Return the first truthy value of a script expression."""
        until = time.monotonic() + within_s
        while time.monotonic() < until:
            value = self.evaluate(expression)
            if value:
                return value
            time.sleep(0.1)
        raise AssertionError(f"never true: {expression}")

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


class OpenTab(Protocol):
    def __call__(self, url: str, profile: Path) -> AbstractContextManager[Tab]: ...


class ServeBoard(Protocol):
    def __call__(self, database: Path) -> AbstractContextManager[str]: ...


@pytest.fixture
def open_tab() -> OpenTab:
    """Open an address in a fresh browser; the test skips where there is none."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    return _open_tab


@pytest.fixture
def serve_board() -> ServeBoard:
    """Serve the page over a database from a process of its own; gives its address."""
    return _serve_board


@contextmanager
def _serve_board(database: Path) -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    script = Path(__file__).with_name("serve_board.py")
    server = subprocess.Popen([sys.executable, "-W", "error", str(script), str(database), str(port)])
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_until_healthy(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the page's server did not come up")


@contextmanager
def _open_tab(url: str, profile: Path, *, size_px: tuple[int, int] = (1440, 900)) -> Iterator[Tab]:
    """Open `url` in a fresh browser whose profile lies in `profile`."""
    assert CHROMIUM is not None
    browser = subprocess.Popen(
        [CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", f"--window-size={size_px[0]},{size_px[1]}", "about:blank"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with connect(_page_address(profile), max_size=None) as link:
            tab = Tab(link)
            for domain in ("Network", "Runtime", "Page"):
                tab.call(f"{domain}.enable")
            width, height = size_px
            tab.call(
                "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
            )
            tab.call("Page.navigate", url=url)
            yield tab
    finally:
        browser.terminate()
        browser.wait(timeout=30)


def _page_address(profile: Path) -> str:
    """Return the socket of the first page, once the browser has written down its port."""
    port_file = profile / "DevToolsActivePort"
    until = time.monotonic() + 60
    while not (port_file.exists() and port_file.read_text().count("\n") >= 1):
        if time.monotonic() > until:
            raise AssertionError("chromium did not open its debugging port")
        time.sleep(0.1)
    port, path = port_file.read_text().split("\n")[:2]
    with connect(f"ws://127.0.0.1:{port}{path}") as link:
        link.send(json.dumps({"id": 1, "method": "Target.getTargets"}))
        while "result" not in (answer := json.loads(link.recv(timeout=30))):
            pass
        target = next(info for info in answer["result"]["targetInfos"] if info["type"] == "page")
    return f"ws://127.0.0.1:{port}/devtools/page/{target['targetId']}"
