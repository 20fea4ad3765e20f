"""Every acknowledged reading is stored once, whatever dies in between."""

from __future__ import annotations

import json
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Mosquitto, Street

READINGS = 20_000
BIN_FULL = json.dumps({"values": {"level": 96}}).encode()


def _readings(count: int) -> list[tuple[str, bytes]]:
    now = datetime.now(UTC) - timedelta(seconds=60)
    return [
        (
            f"sensors/load-{number % 200:03d}",
            json.dumps(
                {"ts": (now + timedelta(milliseconds=number)).isoformat(), "values": {"number": number}}
            ).encode(),
        )
        for number in range(count)
    ]


def test_20000_readings_survive_a_kill_9_of_the_gateway_in_their_middle(street: Street) -> None:
    gateway = street.start_gateway()
    sender = threading.Thread(target=street.publish, args=(_readings(READINGS),))
    sender.start()
    street.wait_for(lambda: street.counts().get("readings_stored", 0) > READINGS // 10, "the first readings")
    gateway.stop(signal.SIGKILL)
    already = street.stored("SELECT count(*) FROM readings")[0][0]
    assert READINGS // 10 < already < READINGS, "the kill came before the end"
    sender.join()
    street.start_gateway()
    street.wait_for(lambda: street.counts()["readings_stored"] >= READINGS, "every reading")
    time.sleep(2)  # duplicates, were there any, would follow
    rows = street.stored(
        "SELECT value, count(*) FROM readings JOIN names ON names.id = metric WHERE name = 'number' GROUP BY value"
    )
    assert len(rows) == READINGS
    assert {count for _, count in rows} == {1}


def test_the_daemons_wait_for_a_broker_that_comes_late_and_goes_again(
    street_folder: Street, mosquitto: Mosquitto
) -> None:
    street = street_folder
    gateway = street.start_gateway(wait=False)
    centre = street.start_centre(wait=False)
    street.wait_for(lambda: gateway.log.count("mqtt_down") == 2 and "mqtt_down" in centre.log, "the complaint of each")
    mosquitto.start()
    street.wait_for(lambda: street.api("/ready"), "the centre")
    street.wait_for(lambda: gateway.log.count("mqtt_up") == 2, "the gateway")
    mosquitto.stop()
    street.wait_for(lambda: gateway.log.count("mqtt_down") == 4, "the second complaint")
    mosquitto.start()
    for _ in range(8):
        street.publish([("sensors/bin-014", BIN_FULL)])
        time.sleep(1)
    (order,) = street.wait_for(street.orders, "the order")
    assert order["kind"] == "bin_overflow"
    assert gateway.process.poll() is None
    assert centre.process.poll() is None
    assert gateway.log.count("mqtt_down") == 4, "one line a link each time it goes down"


def test_a_centre_that_is_started_last_learns_of_open_incidents(street: Street) -> None:
    gateway = street.start_gateway()
    for _ in range(8):
        street.publish([("sensors/bin-014", BIN_FULL)])
        time.sleep(1)
    street.wait_for(lambda: "incident_opened" in gateway.log, "the incident")
    street.wait_for(lambda: street.waiting_incidents() == 0, "its delivery")
    street.start_centre()
    (order,) = street.wait_for(street.orders, "the order")
    assert order["kind"] == "bin_overflow"
