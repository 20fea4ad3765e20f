from __future__ import annotations

import gzip
import json
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from ingest.adapters.influx_sink import CONSUMER, InfluxSink
from ingest.adapters.spool import Spool
from ingest.config import SinkSettings
from ingest.messages import Reading, SensorId, TimeSource
from ingest.reasons import Reason

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


class Victoria:
    """A real VictoriaMetrics that a test may kill."""

    def __init__(self, binary: str, folder: Path, port: int, wait_until: Callable[..., None]) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = [binary, "-storageDataPath", str(folder), "-httpListenAddr", f"127.0.0.1:{port}"]
        self._wait_until = wait_until
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._wait_until(self.answers)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def values(self, metric: str) -> list[float]:
        """Every stored value of a metric in the order of time."""
        query = urllib.parse.urlencode({"match[]": f'{{__name__="reading_{metric}"}}'})
        with urllib.request.urlopen(f"{self.url}/api/v1/export?{query}&reduce_mem_usage=1", timeout=5) as answer:
            series = [json.loads(line) for line in answer.read().splitlines()]
        rows = sorted((at, value) for one in series for at, value in zip(one["timestamps"], one["values"], strict=True))
        return [value for _, value in rows]


@pytest.fixture
def victoria(tmp_path: Path, free_port: Callable[[], int], wait_until: Callable[..., None]) -> Iterator[Victoria]:
    binary = shutil.which("victoria-metrics")
    if binary is None:
        pytest.skip("victoria-metrics is not installed")
    server = Victoria(binary, tmp_path / "vm", free_port(), wait_until)
    try:
        server.start()
        yield server
    finally:
        server.kill()


class FakeStore:
    """Answers as a test says, and keeps the lines that it took."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.requests = 0
        self.status_for: Callable[[list[str]], int] = lambda _lines: 204
        self.headers: dict[str, str] = {}
        store = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.answer(204 if self.path == "/ping" else 404)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                lines = gzip.decompress(body).decode().split("\n")
                store.requests += 1
                status = store.status_for(lines)
                if status == 204:
                    store.lines += lines
                self.answer(status)

            def answer(self, status: int) -> None:
                self.send_response(status)
                for name, value in store.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def fake_store() -> Iterator[FakeStore]:
    store = FakeStore()
    yield store
    store.server.shutdown()
    store.server.server_close()


@pytest.fixture
def make_sink(spool: Spool) -> Iterator[Callable[..., InfluxSink]]:
    made: list[InfluxSink] = []

    def make(url: str, **changes: Any) -> InfluxSink:
        chosen = {
            "margin_s": 0.0,
            "timeout_s": 2.0,
            "poll_s": 0.02,
            "min_backoff_s": 0.02,
            "max_backoff_s": 0.2,
        } | changes
        made.append(InfluxSink(SinkSettings(url=url, **chosen), spool=spool, site="demo"))
        return made[-1]

    yield make
    for sink in made:
        sink.close()


def add_readings(spool: Spool, values: range, metric: str = "level") -> None:
    rows = [
        Reading(
            sensor_id=SensorId("bin-01"),
            metric=metric,
            value=float(n),
            unit=None,
            measured_at=START + timedelta(seconds=n),
            received_at=START,
            time_source=TimeSource.DEVICE,
        )
        for n in values
    ]
    with spool.transaction() as transaction:
        transaction.add_readings(rows)


def test_readings_can_be_read_back_from_a_real_store(
    victoria: Victoria, spool: Spool, make_sink: Callable[..., InfluxSink], wait_until: Callable[..., None]
) -> None:
    add_readings(spool, range(1000))
    sink = make_sink(victoria.url, max_lines=300)
    sink.start()
    wait_until(lambda: spool.cursor(CONSUMER) == 1000)
    add_readings(spool, range(1000, 1200))
    wait_until(lambda: spool.cursor(CONSUMER) == 1200)
    wait_until(lambda: len(victoria.values("level")) == 1200)
    assert victoria.values("level") == [float(n) for n in range(1200)]
    assert sink.stats.sent == 1200


def test_rows_of_a_killed_store_are_sent_again(
    victoria: Victoria, spool: Spool, make_sink: Callable[..., InfluxSink], wait_until: Callable[..., None]
) -> None:
    add_readings(spool, range(500))
    sink = make_sink(victoria.url, margin_s=2.0)
    sink.start()
    wait_until(lambda: sink.stats.sent_id == 500)
    # The store tells its processes apart by the second in which they began.
    second = int(time.time())
    wait_until(lambda: int(time.time()) > second)
    victoria.kill()
    victoria.start()
    assert spool.cursor(CONSUMER) == 0
    wait_until(lambda: spool.cursor(CONSUMER) == 500)
    wait_until(lambda: len(victoria.values("level")) == 500)
    assert victoria.values("level") == [float(n) for n in range(500)]
    assert sink.stats.sent >= 1000


def test_absent_store_is_one_line_down_and_one_up_and_loses_nothing(
    victoria: Victoria, spool: Spool, make_sink: Callable[..., InfluxSink], wait_until: Callable[..., None]
) -> None:
    victoria.kill()
    add_readings(spool, range(100))
    sink = make_sink(victoria.url)
    with capture_logs() as logs:
        sink.start()
        wait_until(lambda: sink.stats.failures >= 3)
        assert not sink.is_up
        victoria.start()
        wait_until(lambda: spool.cursor(CONSUMER) == 100)
        sink.close()
    assert [line["event"] for line in logs] == ["sink_down", "sink_up"]
    wait_until(lambda: len(victoria.values("level")) == 100)


def test_cursor_waits_for_the_margin(
    fake_store: FakeStore, spool: Spool, make_sink: Callable[..., InfluxSink], wait_until: Callable[..., None]
) -> None:
    add_readings(spool, range(10))
    patient = make_sink(fake_store.url, margin_s=3600.0)
    patient.start()
    wait_until(lambda: patient.stats.sent_id == 10)
    patient.close()
    assert spool.cursor(CONSUMER) == 0
    hasty = make_sink(fake_store.url)
    hasty.start()
    wait_until(lambda: spool.cursor(CONSUMER) == 10)
    assert len(fake_store.lines) == 20
    assert len(set(fake_store.lines)) == 10


def test_refused_lines_are_isolated_and_dead_lettered_once(
    fake_store: FakeStore, spool: Spool, make_sink: Callable[..., InfluxSink], wait_until: Callable[..., None]
) -> None:
    bad = {"level=7.0", "level=64.0"}
    fake_store.status_for = lambda lines: 400 if any(line.split(" ")[1] in bad for line in lines) else 204
    add_readings(spool, range(100))
    sink = make_sink(fake_store.url)
    sink.start()
    wait_until(lambda: spool.cursor(CONSUMER) == 100)
    assert sorted(float(line.split(" ")[1].split("=")[1]) for line in fake_store.lines) == [
        float(n) for n in range(100) if n not in (7, 64)
    ]
    letters = spool.dead_letters()
    assert [(x.topic, x.reason) for x in letters] == [("sink/bin-01", Reason.SINK_REFUSED)] * 2
    assert [x.payload.split(b" ")[1] for x in letters] == [b"level=7.0", b"level=64.0"]
    assert sink.stats.rejected == 2


def test_request_that_is_too_large_is_halved(
    fake_store: FakeStore, spool: Spool, make_sink: Callable[..., InfluxSink], wait_until: Callable[..., None]
) -> None:
    fake_store.status_for = lambda lines: 413 if len(lines) > 10 else 204
    add_readings(spool, range(100))
    make_sink(fake_store.url).start()
    wait_until(lambda: spool.cursor(CONSUMER) == 100)
    assert len(fake_store.lines) == 100
    assert spool.dead_letters() == []


@pytest.mark.parametrize("status", [401, 404, 429, 500, 503])
def test_store_that_will_not_take_anything_is_asked_again(
    fake_store: FakeStore,
    spool: Spool,
    make_sink: Callable[..., InfluxSink],
    wait_until: Callable[..., None],
    status: int,
) -> None:
    fake_store.status_for = lambda _lines: status if fake_store.requests < 3 else 204
    add_readings(spool, range(10))
    sink = make_sink(fake_store.url)
    with capture_logs() as logs:
        sink.start()
        wait_until(lambda: spool.cursor(CONSUMER) == 10)
    assert sink.stats.failures == 2
    assert ("sink_down", f"http_{status}") in [(line["event"], line.get("reason")) for line in logs]
    assert spool.dead_letters() == []


def test_reading_that_no_line_can_hold_does_not_stop_the_others(
    fake_store: FakeStore, spool: Spool, make_sink: Callable[..., InfluxSink], wait_until: Callable[..., None]
) -> None:
    add_readings(spool, range(1))
    add_readings(spool, range(1), metric="a\\")
    add_readings(spool, range(1, 2))
    make_sink(fake_store.url).start()
    wait_until(lambda: spool.cursor(CONSUMER) == 3)
    assert len(fake_store.lines) == 2
    assert [x.reason for x in spool.dead_letters()] == [Reason.SINK_REFUSED]


def test_broken_spool_ends_the_sink_visibly(
    fake_store: FakeStore, spool: Spool, make_sink: Callable[..., InfluxSink], wait_until: Callable[..., None]
) -> None:
    sink = make_sink(fake_store.url)
    spool.close()
    sink.start()
    wait_until(lambda: sink.failure is not None)
    assert "is closed" in str(sink.failure)
