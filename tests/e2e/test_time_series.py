"""The optional time series: one section of the settings, and readings arrive in a real store."""

from __future__ import annotations

import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from gateway.adapters.local_http import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.conftest import Street


@pytest.fixture
def victoria_metrics(tmp_path: Path) -> Iterator[str]:
    binary = shutil.which("victoria-metrics")
    if binary is None:
        pytest.skip("victoria-metrics is not installed (Debian package victoria-metrics)")
    port = free_port()
    command = [binary, "-storageDataPath", str(tmp_path / "vm"), "-httpListenAddr", f"127.0.0.1:{port}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


def _levels(store: str) -> list[float]:
    query = f"{store}/api/v1/export?match%5B%5D=%7Bsensor%3D%22bin-005%22%7D"
    try:
        with urllib.request.urlopen(query, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return []
    return [value for line in lines for value in json.loads(line)["values"]]


def test_readings_reach_the_store_that_the_settings_name(street: Street, victoria_metrics: str) -> None:
    street.start_gateway(STREET721_TIMESERIES__URL=victoria_metrics)
    for level in (20, 21, 22):
        street.publish([("sensors/bin-005", json.dumps({"values": {"level": level}}).encode())])
    street.wait_for(lambda: _levels(victoria_metrics) == [20, 21, 22], "the readings in the store")
