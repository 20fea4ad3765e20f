"""Sensor messages become readings, dead letters and incidents in one transaction, exactly once."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.adapters.state_store import load_states
from geofence.adapters.site_folder import load_site
from geofence.cloudevents import incident_from_json
from geofence.messages import EventType, IncidentKind
from tests.gateway.conftest import GatewayBench
from tests.sites import ONE_CAMERA

NOW = datetime.now(UTC).replace(microsecond=0)


def _level(value: float, second: float) -> bytes:
    return json.dumps({"ts": (NOW + timedelta(seconds=second - 60)).isoformat(), "values": {"level": value}}).encode()


def test_a_full_bin_is_one_incident_after_its_hold_time(gateway: GatewayBench) -> None:
    gateway.put(*[("sensors/bin-014", _level(96, second)) for second in range(0, 20, 2)])
    while gateway.readings.step():
        pass
    ((topic, body),) = gateway.outgoing()
    _, event, evidence = incident_from_json(body)
    assert (event.event, event.kind, event.source_id) == (EventType.OPENED, IncidentKind.BIN_OVERFLOW, "bin-014")
    assert event.dwell_s == pytest.approx(6)
    assert topic == f"s721/v1/demo/incidents/{event.incident_id}"
    assert evidence is None


def test_every_message_is_a_reading_or_a_dead_letter(gateway: GatewayBench) -> None:
    gateway.put(
        ("sensors/bin-001", _level(20, 0)),
        ("sensors/bin-002", b"no number"),
        ("sensors/stranger", b"17.5"),
        ("sensors/bin-003", b'{"values": {"level": 3, "firmware": "1.2"}}'),
    )
    assert not gateway.readings.step()
    counts = gateway.spool.counters()
    assert counts["readings_stored"] == 3
    assert counts["dead_letters"] == 1
    assert counts["readings_of_unknown_sensors"] == 1
    assert counts["values_ignored"] == 1
    (letter,) = gateway.spool.dead_letters()
    assert (letter.topic, letter.payload) == ("s721/v1/demo/sensors/bin-002", b"no number")


def test_messages_that_are_done_are_not_read_again(gateway: GatewayBench) -> None:
    gateway.put(("sensors/bin-001", b"20"))
    gateway.readings.step()
    gateway.readings.step()
    assert gateway.spool.counters()["readings_stored"] == 1
    assert gateway.spool.backlog("readings") == 0


def test_hold_time_goes_on_over_a_restart(gateway: GatewayBench) -> None:
    gateway.put(("sensors/bin-014", _level(96, 0)), ("sensors/bin-014", _level(96, 3)))
    gateway.readings.step()
    gateway.restart()
    gateway.put(("sensors/bin-014", _level(96, 5.5)))
    gateway.readings.step()
    ((_, body),) = gateway.outgoing()
    assert incident_from_json(body)[1].dwell_s == pytest.approx(5.5)


def test_readings_that_no_rule_judges_leave_no_state(tmp_path: Path) -> None:
    text = (ONE_CAMERA / "site.toml").read_text(encoding="utf-8")
    ruled = next(line for line in text.splitlines() if '"bin-001"' in line)
    site = shutil.copytree(ONE_CAMERA, tmp_path / "site")
    unruled = re.sub(r', rule = "\w+"', "", ruled)
    assert unruled != ruled
    (site / "site.toml").write_text(text.replace(ruled, unruled), encoding="utf-8")
    bench = GatewayBench(tmp_path, load_site(site))
    bench.put(("sensors/bin-001", b"96"), ("sensors/bin-002", b"20"), ("sensors/bin-003", b'{"values": {"door": 1}}'))
    bench.readings.step()
    assert bench.spool.counters()["readings_stored"] == 3
    assert set(load_states(bench.spool, "sensor:")) == {"bin-002"}
    bench.spool.close()


def test_a_transaction_that_fails_changes_nothing(gateway: GatewayBench, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway.put(*[("sensors/bin-014", _level(96, second)) for second in (0, 6)])

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.reading_consumer.put_outgoing", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            gateway.readings.step()
    assert gateway.spool.counters().get("readings_stored") is None
    gateway.readings.step()
    assert gateway.spool.counters()["readings_stored"] == 2
    assert len(gateway.outgoing()) == 1
