"""Hot path: a whole gateway with many cameras, some of them dead, frozen, flooding or sending garbage.

Reference: the same gateway, cameras and pictures in the minutes before, while every camera behaves. Every frame is to
be looked at (`[frames] sampling = "every"`): by deadline there would be little to do.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bench.drawn_jpegs import drawn_jpegs
from bench.errors import BenchError
from bench.machine import machine_facts
from sim.devices.exif import stamp_jpeg

FAULTS = ("dead", "frozen", "flooding", "garbage")
_FLOOD_PER_S = 50
_POOL = 24
_DRAIN_S = 3.0
_SIZE_PX = (640, 360)
_READY_WITHIN_S = 120.0
_CAMERAS_PER_CONNECTION = 8
_TOPIC = "s721/v1/demo/cameras/{}/frame"

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """What healthy cameras got in one phase. kept: share of their frames that were looked at."""

    sent: int
    kept: float
    p50_s: float
    p99_s: float
    rss_mb: tuple[float, float]
    cpu_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CamerasResult:
    """quiet: everybody behaves; troubled: the faulty ones do not; states: how the gateway called them at the end."""

    cameras: int
    fps: float
    quiet: Phase
    troubled: Phase
    states: dict[str, Counter[str]]
    counts: dict[str, int]

    def to_json(self) -> dict[str, Any]:
        """Every figure, with machine, date and commit."""
        return {
            "bench": "cameras",
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            **machine_facts(),
            "cameras": self.cameras,
            "fps": self.fps,
            "quiet": _phase_json(self.quiet),
            "troubled": _phase_json(self.troubled),
            "states": {fault: dict(states) for fault, states in self.states.items()},
            "counts": self.counts,
        }


def _phase_json(phase: Phase) -> dict[str, Any]:
    return {
        "healthy_frames_sent": phase.sent,
        "healthy_frames_kept": round(phase.kept, 4),
        "capture_to_detections_p50_s": phase.p50_s,
        "capture_to_detections_p99_s": phase.p99_s,
        "gateway_rss_mb_first_last": [round(value) for value in phase.rss_mb],
        "gateway_cpu_share": round(phase.cpu_share, 3),
    }


@dataclass(slots=True)
class _Cameras:
    """All cameras of the street: who they are, what they do, how much they sent."""

    names: list[str]
    fault_of: dict[str, str]
    pool: list[bytes]
    url: str
    fps: float
    sent: Counter[str] = field(default_factory=Counter)
    is_troubled: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    is_paused: threading.Event = field(default_factory=threading.Event)

    def run(self) -> list[threading.Thread]:
        """Start sending; a flooding camera has its connection for itself, as every real camera has."""
        groups = [self.names[start :: -(-len(self.names) // _CAMERAS_PER_CONNECTION)] for start in range(
            -(-len(self.names) // _CAMERAS_PER_CONNECTION))]  # fmt: skip
        threads = [threading.Thread(target=self._send, args=(group,), daemon=True) for group in groups]
        flooding = [name for name in self.names if self.fault_of.get(name) == "flooding"]
        threads += [threading.Thread(target=self._flood, args=(name,), daemon=True) for name in flooding]
        for thread in threads:
            thread.start()
        return threads

    def _send(self, names: list[str]) -> None:
        """Every camera in turn, evenly spread over the time between two of its frames."""
        with _connected(self.url) as client:
            began_s, number = time.monotonic(), 0
            while not self.stop.is_set():
                due_s = began_s + number / (self.fps * len(names))
                if self.stop.wait(max(0.0, due_s - time.monotonic())):
                    return
                name = names[number % len(names)]
                if not self.is_paused.is_set():
                    self._publish(client, name, number // len(names))
                number += 1

    def _publish(self, client: Client, name: str, tick: int) -> None:
        fault = self.fault_of.get(name) if self.is_troubled.is_set() else None
        if fault == "dead":
            return
        picture = self.pool[0 if fault == "frozen" else (tick * 7 + int(name[-3:])) % len(self.pool)]
        payload = stamp_jpeg(picture, datetime.now(UTC))
        if fault == "garbage":
            payload = random.randbytes(2000) if tick % 2 else payload[: len(payload) // 2]
        client.publish(_TOPIC.format(name), payload, qos=1)
        self.sent[name] += 1

    def _flood(self, name: str) -> None:
        self.is_troubled.wait()
        with _connected(self.url) as client:
            tick = 0
            while not self.stop.wait(1 / _FLOOD_PER_S):
                client.publish(_TOPIC.format(name), stamp_jpeg(self.pool[tick % _POOL], datetime.now(UTC)), qos=1)
                tick += 1


def bench_cameras(
    *, cameras: int = 64, faulty: int = 8, fps: float = 1.0, seconds: float = 600.0, progress: Progress | None = None
) -> CamerasResult:
    """Run the product's gateway for a fifth of `seconds` with good cameras and then for `seconds` with faulty ones.

    Raises BenchError when the gateway does not come up.
    """
    names = [f"cam-{number:03}" for number in range(cameras)]
    fault_of = {name: FAULTS[number % len(FAULTS)] for number, name in enumerate(names[:faulty])}
    with tempfile.TemporaryDirectory(prefix="street721-bench-") as scratch:
        folder = Path(scratch)
        with _gateway(folder, _site_with(names, folder / "site")) as gateway:
            street = _Cameras(names, fault_of, drawn_jpegs(_POOL, size_px=_SIZE_PX), gateway.broker_url, fps)
            street.is_paused.set()
            threads = street.run()
            healthy = [name for name in names if name not in fault_of]
            total_s = seconds * 1.2
            quiet = gateway.watch_phase(street, healthy, seconds / 5, lambda at_s: _tell(progress, at_s, total_s))
            street.is_troubled.set()
            troubled = gateway.watch_phase(
                street, healthy, seconds, lambda at_s: _tell(progress, seconds / 5 + at_s, total_s)
            )
            health = gateway.health()
            street.stop.set()
            for thread in threads:
                thread.join(10)
    states = {
        fault: Counter(health["cameras"][name]["state"] for name in names if fault_of.get(name, "healthy") == fault)
        for fault in ("healthy", *FAULTS)
    }
    counts = {key: value for key, value in health["counts"].items() if key.startswith(("frame", "dead", "stored"))}
    return CamerasResult(cameras=cameras, fps=fps, quiet=quiet, troubled=troubled, states=states, counts=counts)


def as_text(result: CamerasResult) -> str:
    """A table to read."""
    lines = [f"{result.cameras} cameras at {result.fps:g} frame/s; figures of the healthy ones"]
    for name, phase in (("all behave", result.quiet), ("some are faulty", result.troubled)):
        first_mb, last_mb = phase.rss_mb
        lines.append(
            f"{name:16s} kept {100 * phase.kept:.2f} % of {phase.sent} frames; capture to detections "
            f"p50 {phase.p50_s:.3f} s, p99 {phase.p99_s:.3f} s; "
            f"gateway {first_mb:.0f} → {last_mb:.0f} MB, {phase.cpu_share:.2f} cores"
        )
    lines += [f"{fault:16s} called {dict(states)}" for fault, states in result.states.items() if states]
    lines.append(f"counts {result.counts}")
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class _Gateway:
    """The running daemon."""

    pid: int
    port: int
    broker_url: str

    def health(self) -> dict[str, Any]:
        """What /health says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def watch_phase(self, street: _Cameras, healthy: list[str], seconds: float, tell: Callable[[float], None]) -> Phase:
        """Let the phase pass, and read what it did to the healthy cameras."""
        before, sent_before = self.health()["cameras"], Counter(street.sent)
        street.is_paused.clear()
        began_s, cpu_before_s, rss_mb = time.monotonic(), self._cpu_s(), [self._rss_mb()]
        while (passed_s := time.monotonic() - began_s) < seconds:
            time.sleep(min(2.0, seconds - passed_s))
            rss_mb.append(self._rss_mb())
            tell(passed_s)
        cpu_share = (self._cpu_s() - cpu_before_s) / (time.monotonic() - began_s)
        street.is_paused.set()
        time.sleep(_DRAIN_S)  # what was sent last is still on its way, and nothing more may be counted
        sent = sum(street.sent[name] - sent_before[name] for name in healthy)
        after = self.health()["cameras"]
        looked = sum(after[name]["frames"] - before[name]["frames"] for name in healthy)
        part = max(1, len(rss_mb) // 5)
        return Phase(
            sent=sent,
            kept=looked / max(1, sent),
            p50_s=statistics.median(after[name]["delay_p50_s"] for name in healthy),
            p99_s=max(after[name]["delay_p99_s"] for name in healthy),
            rss_mb=(statistics.median(rss_mb[part : 2 * part + 1]), statistics.median(rss_mb[-part:])),
            cpu_share=cpu_share,
        )

    def _rss_mb(self) -> float:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.pid}/status").read_text(encoding="ascii"))
        return int(found.group(1)) / 1024 if found else 0.0

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _gateway(folder: Path, site: Path) -> Iterator[_Gateway]:
    """The product's daemon with its own broker, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    words = ["gateway", "--data-dir", str(folder / "data"), "--site", str(site), "--port", str(port)]
    with (folder / "gateway.log").open("w", encoding="utf-8") as log:
        environment = {**os.environ, "STREET721_FRAMES__SAMPLING": "every"}
        process = subprocess.Popen([sys.executable, "-m", "gateway", *words], stdout=log, stderr=log, env=environment)
        try:
            _wait_ready(process, port, folder / "gateway.log")
            url = (folder / "data" / "broker.url").read_text(encoding="utf-8").strip()
            yield _Gateway(process.pid, port, url)
        finally:
            process.terminate()
            process.wait(30)


def _wait_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1).close()
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.2)
        else:
            return
    raise BenchError(f"the gateway did not come up: {log.read_text(encoding='utf-8')[-500:]}")


def _site_with(names: list[str], folder: Path) -> Path:
    """The demo's site with its first camera under so many names."""
    shutil.copytree(str(resources.files("configs") / "demo"), folder)
    head, first, *_ = (folder / "site.toml").read_text(encoding="utf-8").split("[[cameras]]")
    blocks = [re.sub(r'id = "[^"]+"', f'id = "{name}"', first, count=1) for name in names]
    (folder / "site.toml").write_text("[[cameras]]".join([head, *blocks]), encoding="utf-8")
    return folder


@contextmanager
def _connected(url: str) -> Iterator[Client]:
    client = Client(CallbackAPIVersion.VERSION2)
    host, _, port = url.removeprefix("mqtt://").rpartition(":")
    client.connect(host, int(port))
    client.loop_start()
    try:
        yield client
    finally:
        client.disconnect()
        client.loop_stop()


def _tell(progress: Progress | None, at_s: float, total_s: float) -> None:
    if progress is not None:
        progress(round(at_s), round(total_s))


def main() -> None:
    """Two minutes of 64 cameras; the whole ten are `street721 bench cameras`."""
    print(as_text(bench_cameras(seconds=100.0)))
