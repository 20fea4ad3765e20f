"""`street721 demo`: ends by itself with a summary, and leaves no process behind, however it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway.adapters.local_http import free_port, get_json
from gateway.config import site_folder

_KINDS = {"illegal_parking", "exposed_garbage", "blocked_sidewalk", "bin_overflow"}


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


def test_the_summary_holds_orders_of_cameras_and_of_sensors(
    demo: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = demo("--for", "70", "--json", "--port", str(free_port()))
    out, log = process.communicate(timeout=150)
    assert process.returncode == 0, log
    summary = json.loads(out)
    assert {order["kind"] for order in summary["orders"]} == _KINDS
    for order in summary["orders"]:
        assert set(order) == {"case_no", "kind", "cell", "state", "latency_s"}
        assert len(order["case_no"]) == 19
        assert len(order["cell"]) == 15
        assert 0 <= order["latency_s"] <= 5
    assert len({order["case_no"] for order in summary["orders"]}) == len(summary["orders"])
    assert summary["frames"] > 100
    assert summary["readings"] > 1000
    assert summary["dead_letters"] >= 1
    assert _processes_of(tmp_path, process.pid) == []


def test_a_broker_restart_and_a_killed_gateway_cost_no_order_and_double_none(
    demo: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    site = tmp_path / "faulty"
    shutil.copytree(site_folder("demo"), site)
    with (site / "scenario.toml").open("a", encoding="utf-8") as scenario:
        scenario.write('[[faults]]\nkind = "broker_restart"\nat_s = 8\ndown_s = 2\n')
        scenario.write('[[faults]]\nkind = "gateway_kill"\nat_s = 28\ndown_s = 1\n')
    process = demo("--for", "80", "--json", "--site", str(site), "--port", str(free_port()))
    out, log = process.communicate(timeout=160)
    assert process.returncode == 0, log
    said = [line.split(maxsplit=1)[1] for line in log.splitlines() if line.startswith("fault ")]
    assert said == ["broker stopped", "broker started", "gateway killed", "gateway started"]
    orders = [(order["kind"], order["cell"]) for order in json.loads(out)["orders"]]
    assert len(set(orders)) == len(orders)
    assert {kind for kind, _ in orders} == _KINDS


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
