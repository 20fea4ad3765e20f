"""`street721 demo`: ends by itself with a summary, and leaves no process behind, however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.adapters.local_http import free_port, get_json


def _processes_of(folder: Path, demo_pid: int) -> list[str]:
    """Command lines of every process that works on this folder or was started by this demo."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                environment = (entry / "environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if str(folder) in command or f"STREET721_PARENT_PID={demo_pid}".encode() in environment:
                found.append(command)
    return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "gateway", "demo", "--data-dir", str(tmp_path / "demo"), *arguments]
        running.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_summary_holds_an_order_of_a_camera_and_one_of_a_sensor(
    demo: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = demo("--for", "45", "--json", "--port", str(free_port()))
    out, log = process.communicate(timeout=120)
    assert process.returncode == 0, log
    summary = json.loads(out)
    kinds = {order["kind"] for order in summary["orders"]}
    assert {"exposed_garbage", "bin_overflow", "illegal_parking"} <= kinds
    for order in summary["orders"]:
        assert set(order) == {"case_no", "kind", "cell", "state", "latency_s"}
        assert len(order["case_no"]) == 19
        assert len(order["cell"]) == 15
        assert 0 <= order["latency_s"] <= 5
    assert len({order["case_no"] for order in summary["orders"]}) == len(summary["orders"])
    assert summary["frames"] > 40
    assert summary["readings"] > 1000
    assert summary["dead_letters"] >= 1
    assert _processes_of(tmp_path, process.pid) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=["Ctrl-C", "TERM", "kill -9"])
def test_no_child_outlives_the_demo(
    demo: Callable[..., subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    port = free_port()
    process = demo("--port", str(port))
    deadline = time.monotonic() + 60
    while len(_processes_of(tmp_path, process.pid)) < 5 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(_processes_of(tmp_path, process.pid)) >= 5, "demo, broker, centre, gateway, simulator"
    process.send_signal(number)
    process.wait(30)
    while _processes_of(tmp_path, process.pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _processes_of(tmp_path, process.pid) == []
    assert get_json(f"http://127.0.0.1:{port}/health") is None
    assert process.returncode == (-9 if number == signal.SIGKILL else 0)


def test_a_port_in_use_is_one_line(demo: Callable[..., subprocess.Popen[str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        process = demo("--port", str(port))
        _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert log.splitlines()[-1] == (
        f"street721: 127.0.0.1:{port} cannot be used: Address already in use; choose another with --port"
    )
