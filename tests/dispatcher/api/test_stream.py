"""The event stream over a real server: resume without loss, and an end that does not hang."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from dispatcher.adapters import event_hub
from geofence.messages import IncidentEvent

if TYPE_CHECKING:
    from tests.dispatcher.api.conftest import Running
    from tests.dispatcher.conftest import Centre


class Stream:
    """Reads server-sent events one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def event(self) -> dict[str, Any]:
        """Return the next event that has data, with its id."""
        fields: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line == "" and "data" in fields:
                return {**json.loads(fields["data"]), "id": fields["id"]}
            if line and name:
                fields[name] = value
        raise EOFError

    def opened(self) -> None:
        """Wait for the comment that says that the server is following."""
        assert any(line.startswith(": ") for line in self._lines)


@contextmanager
def stream(address: str, query: str = "", *, last_event_id: str | None = None) -> Iterator[Stream]:
    headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
    with httpx.stream("GET", f"{address}/api/events{query}", headers=headers, timeout=30) as response:
        assert response.headers["content-type"].startswith("text/event-stream"), response.read()
        yield Stream(response)


def fill(centre: Centre, garbage: IncidentEvent, first: int, count: int) -> None:
    for number in range(first, first + count):
        centre.send(replace(garbage, incident_id=f"inc-{number}", place_key=f"place-{number}"))


def test_new_order_reaches_an_open_stream(running: Running, centre: Centre, garbage: IncidentEvent) -> None:
    fill(centre, garbage, 0, 1)
    with stream(running.address, "?after=0") as reading:
        assert [reading.event()["seq"] for _ in range(2)] == [1, 2]
        fill(centre, garbage, 1, 1)
        filed, dispatched = reading.event(), reading.event()
    assert (filed["event"], filed["id"], filed["order"]["state"]) == ("filed", "3", "filed")
    assert (dispatched["event"], dispatched["order"]["state"]) == ("dispatched", "dispatched")
    assert dispatched["order"]["case_no"] == "1101012026112400002"


def test_stream_resumes_after_the_last_event_id(running: Running, centre: Centre, garbage: IncidentEvent) -> None:
    fill(centre, garbage, 0, 2)
    with stream(running.address, "?after=0") as reading:
        last = [reading.event()["id"] for _ in range(3)][-1]
    fill(centre, garbage, 2, 2)
    with stream(running.address, "?after=0", last_event_id=last) as reading:
        assert [reading.event()["seq"] for _ in range(5)] == [4, 5, 6, 7, 8]


def test_resume_reads_the_database_when_memory_no_longer_reaches_back(
    running: Running, centre: Centre, garbage: IncidentEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_hub, "BATCH", 3)
    fill(centre, garbage, 0, 5)
    with stream(running.address, last_event_id="0") as reading:
        assert [reading.event()["seq"] for _ in range(10)] == list(range(1, 11))


def test_stream_without_a_number_begins_now(running: Running, centre: Centre, garbage: IncidentEvent) -> None:
    fill(centre, garbage, 0, 3)
    with stream(running.address, "?after=5") as settled:
        assert settled.event()["seq"] == 6
        with stream(running.address) as reading:
            reading.opened()
            fill(centre, garbage, 3, 1)
            assert reading.event()["seq"] == 7


def test_number_from_the_future_counts_as_the_newest(running: Running, centre: Centre, garbage: IncidentEvent) -> None:
    with stream(running.address, last_event_id="999999") as reading:
        reading.opened()
        fill(centre, garbage, 0, 1)
        assert reading.event()["seq"] == 1


@pytest.mark.parametrize("number", ["-1", "seven", str(2**63)])
def test_last_event_id_that_is_no_number_is_422(running: Running, number: str) -> None:
    answer = httpx.get(f"{running.address}/api/events", headers={"Last-Event-ID": number})
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["header", "last-event-id"]


def test_open_streams_end_when_the_server_does(running: Running, centre: Centre) -> None:
    with stream(running.address) as reading:
        reading.opened()
        assert "street721_stream_clients 1.0" in centre.metrics.render().decode()
        assert running.stop()
        with pytest.raises(EOFError):
            reading.event()
    assert "street721_stream_clients 0.0" in centre.metrics.render().decode()
