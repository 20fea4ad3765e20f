"""Every fault of a sensor: what it does, from which second to which, and what it leaves alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import fmean, pstdev
from typing import Any

import pytest
from pydantic import ValidationError

from ingest.errors import PayloadError
from ingest.messages import SensorId
from ingest.payloads import decode_readings
from sim.devices.fleet import DeviceMessage, Fleet
from sim.devices.sensor_tables import SensorsPart
from sim.street.street import Rect

AREA = Rect(x0=0.0, y0=0.0, x1=100.0, y1=100.0)
BEGINS_AT = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
INTERVAL_S = 5.0


class FillingBin:
    """The bin `a` fills by one per cent a second."""

    def fill_of(self, actor_id: str, second: float) -> float | None:
        return second / 100

    def is_occupied(self, x_m: float, y_m: float, second: float) -> bool:
        return False


def fleet_of(*faults: dict[str, Any], count: int = 1, loop_s: float | None = None) -> Fleet:
    """One bin that fills by one per cent a second, and more that do as they like."""
    part = SensorsPart.model_validate(
        {
            "interval_s": INTERVAL_S,
            "groups": [{"kind": "bin", "count": count}],
            "placed": [{"id": "bin-001", "kind": "bin", "x_m": 1.0, "y_m": 1.0, "follows": "a"}],
            "misbehaviour": faults,
        }
    )
    return Fleet(part, AREA, seed=7, loop_s=loop_s)


def fault(name: str, **keys: Any) -> dict[str, Any]:
    return {"sensor": "bin-001", "fault": name, **keys}


def sent(fleet: Fleet, from_s: float = 0.0, until_s: float = 100.0) -> list[DeviceMessage]:
    return fleet.messages(from_s, until_s, begins_at=BEGINS_AT, surroundings=FillingBin())


def levels(messages: list[DeviceMessage]) -> list[float]:
    return [readings_of(message)[0] for message in messages]


def measured_s(message: DeviceMessage) -> float:
    return readings_of(message)[1]


def readings_of(message: DeviceMessage) -> tuple[float, float]:
    """(value, second of the run at which it was measured)."""
    at = BEGINS_AT + timedelta(seconds=message.sent_s)
    decoded = decode_readings(message.payload, sensor_id=SensorId(message.sensor_id), received_at=at)
    (reading,) = decoded.readings
    return reading.value, (reading.measured_at - BEGINS_AT).total_seconds()


HEALTHY = sent(fleet_of())


def test_a_stuck_sensor_repeats_what_it_read_when_it_got_stuck_with_new_times() -> None:
    messages = sent(fleet_of(fault("stuck", from_s=20, until_s=60)))
    during = [message for message in messages if 20 <= message.sent_s < 60]
    assert set(levels(during)) == {20.0}
    assert [measured_s(message) for message in during] == pytest.approx([m.sent_s for m in during], abs=1e-3)
    assert [m for m in messages if m not in during] == [m for m in HEALTHY if not 20 <= m.sent_s < 60]


def test_a_stuck_sensor_gets_stuck_anew_in_every_round() -> None:
    messages = sent(fleet_of(fault("stuck", from_s=20, until_s=50), loop_s=50))
    assert set(levels([m for m in messages if m.sent_s >= 70])) == {70.0}


def test_drift_grows_with_time() -> None:
    messages = sent(fleet_of(fault("drift", per_h=-360.0, from_s=50)))
    errors = [bad - good for bad, good in zip(levels(messages), levels(HEALTHY), strict=True)]
    expected = [-0.1 * max(0.0, message.sent_s - 50) for message in messages]
    assert errors == pytest.approx(expected, abs=0.11)


def test_noise_scatters_around_the_truth_by_its_sigma() -> None:
    part = SensorsPart.model_validate(
        {
            "groups": [{"kind": "bin", "count": 1}],
            "readings": [{"sensor": "bin-001", "value": 50.0}],
            "misbehaviour": [fault("noise", sigma=4.0)],
        }
    )
    values = levels(sent(Fleet(part, AREA, seed=7), 0, 4000))
    assert fmean(values) == pytest.approx(50.0, abs=0.6)
    assert pstdev(values) == pytest.approx(4.0, abs=0.5)


def test_a_dying_battery_makes_values_sink_and_then_there_is_silence_until_a_new_one() -> None:
    messages = sent(fleet_of(fault("dead_battery", from_s=20, until_s=80, sag_s=30)))
    sinking = [m for m in messages if 20 <= m.sent_s < 50]
    expected = [m.sent_s * (1 - 0.8 * (m.sent_s - 20) / 30) for m in sinking]
    assert levels(sinking) == pytest.approx(expected, abs=0.06)
    assert [m for m in messages if 50 <= m.sent_s < 80] == []
    assert [m for m in messages if m.sent_s >= 80] == [m for m in HEALTHY if m.sent_s >= 80]


def test_a_battery_that_dies_at_once_sends_nothing() -> None:
    assert sent(fleet_of(fault("dead_battery", sag_s=0), fault("burst"))) == []


def test_a_burst_is_ten_different_readings_within_a_second() -> None:
    messages = sent(fleet_of(fault("burst")), 0, INTERVAL_S)
    moments = [measured_s(message) for message in messages]
    assert len(messages) == 10
    assert moments == sorted(moments)
    assert moments[-1] - moments[0] < 1
    assert len({message.payload for message in messages}) == 10


def test_a_skewed_clock_shifts_the_time_in_the_payload_and_nothing_else() -> None:
    messages = sent(fleet_of(fault("clock_skew", skew_s=90.5, until_s=50)))
    assert [m.sent_s for m in messages] == [m.sent_s for m in HEALTHY]
    assert levels(messages) == levels(HEALTHY)
    skews = [measured_s(message) - message.sent_s for message in messages]
    assert skews == pytest.approx([90.5] * 10 + [0.0] * 10, abs=1e-3)


def test_faults_of_time_hit_only_firmware_that_sends_a_time() -> None:
    skewed = fleet_of({"kind": "bin", "fault": "clock_skew"}, count=60)
    assert all(message.payload[:1] in {b"{", b"["} for message in sent(skewed, 0, INTERVAL_S))
    assert any(message.payload[:1].isdigit() for message in sent(fleet_of(count=60), 0, INTERVAL_S))


@pytest.mark.parametrize("copies", [2, 5])
def test_duplicates_are_the_same_bytes_again(copies: int) -> None:
    messages = sent(fleet_of(fault("duplicates", copies=copies)))
    payloads = [message.payload for message in messages]
    assert payloads == [message.payload for message in HEALTHY for _ in range(copies)]
    assert len({message.sent_s for message in messages}) == len(messages)


def test_without_a_number_of_copies_there_are_two_or_three() -> None:
    payloads = [message.payload for message in sent(fleet_of(fault("duplicates")), 0, 500)]
    assert {payloads.count(payload) for payload in payloads[:60]} == {2, 3}


def test_a_report_out_of_order_leaves_after_its_successor_and_none_is_lost() -> None:
    messages = sent(fleet_of(fault("out_of_order", until_s=80)))
    moments = [measured_s(message) for message in messages]
    assert sorted(message.payload for message in messages) == sorted(message.payload for message in HEALTHY)
    assert 3 <= sum(later < earlier for earlier, later in pairwise(moments)) <= 8


def test_garbled_reports_leave_on_time_and_decode_to_nothing() -> None:
    messages = sent(fleet_of(fault("garbled", until_s=50)))
    assert [m.sent_s for m in messages] == [m.sent_s for m in HEALTHY]
    for message in messages[:10]:
        with pytest.raises(PayloadError):
            readings_of(message)
    assert messages[10:] == HEALTHY[10:]


def test_a_garbled_payload_may_be_given() -> None:
    assert {message.payload for message in sent(fleet_of(fault("garbled", payload="ERR:E07")))} == {b"ERR:E07"}


def test_a_reconnect_storm_is_silence_and_then_the_backlog_at_once_in_order() -> None:
    messages = sent(fleet_of(fault("reconnect_storm", from_s=20, until_s=60)))
    assert [m for m in messages if 20 <= m.sent_s < 60] == []
    backlog = [message for message in messages if message.sent_s == 60.0]
    assert [m.payload for m in backlog] == [m.payload for m in HEALTHY if 20 <= m.sent_s < 60]
    assert [m.payload for m in messages] == [m.payload for m in HEALTHY]


def test_a_storm_at_the_end_of_a_round_comes_with_the_beginning_of_the_next() -> None:
    fleet = fleet_of(fault("reconnect_storm", from_s=30, until_s=50), loop_s=50)
    assert sum(message.sent_s == 50.0 for message in sent(fleet)) == 4
    assert [m.payload for m in sent(fleet, 0, 130) if m.sent_s <= 100] == [m.payload for m in HEALTHY]


def test_several_faults_hold_at_once() -> None:
    messages = sent(fleet_of(fault("stuck", from_s=20), fault("duplicates", copies=2), fault("clock_skew", skew_s=-60)))
    late = [message for message in messages if message.sent_s >= 21]
    assert set(levels(late)) == {20.0}
    assert len(late) == 2 * len({message.payload for message in late})
    assert measured_s(late[0]) == pytest.approx(late[0].sent_s - 60, abs=0.3)


@pytest.mark.parametrize(("share", "hit"), [(0.02, 2), (0.004, 1), (1.0, 100)])
def test_a_share_of_a_kind_is_hit(share: float, hit: int) -> None:
    fleet = fleet_of({"kind": "bin", "share": share, "fault": "garbled", "payload": "?"}, count=100)
    garbled = {message.sensor_id for message in sent(fleet, 0, INTERVAL_S) if message.payload == b"?"}
    assert len(garbled) == hit


def test_a_share_does_not_change_with_other_faults() -> None:
    some = {"kind": "bin", "share": 0.1, "fault": "garbled", "payload": "?"}
    alone = fleet_of(some, count=100)
    among = fleet_of(fault("noise"), {"kind": "bin", "share": 0.3, "fault": "stuck"}, some, count=100)
    hit = [{message.sensor_id for message in sent(fleet, 0, 5) if message.payload == b"?"} for fleet in (alone, among)]
    assert hit[0] == hit[1]


def test_every_message_of_a_faulty_fleet_is_still_json_or_a_number_unless_garbled() -> None:
    names = ("stuck", "drift", "noise", "dead_battery", "burst", "duplicates", "out_of_order")
    fleet = fleet_of(*({"kind": "bin", "share": 0.3, "fault": name} for name in names), count=40)
    assert all(json.loads(message.payload) is not None for message in sent(fleet))


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"sensor": "a", "fault": "melted"}, "does not match any of the expected tags"),
        ({"sensor": "a", "fault": "stuck", "skew_s": 3}, "Extra inputs are not permitted"),
        ({"fault": "stuck"}, "needs either sensor"),
        ({"sensor": "a", "kind": "bin", "fault": "stuck"}, "needs either sensor"),
        ({"sensor": "a", "share": 0.5, "fault": "stuck"}, "share belongs to kind"),
        ({"kind": "bin", "share": 0, "fault": "stuck"}, "greater than 0"),
        ({"sensor": "a", "fault": "reconnect_storm"}, "needs until_s"),
        ({"sensor": "a", "fault": "clock_skew", "skew_s": float("inf")}, "finite number"),
        ({"sensor": "a", "fault": "duplicates", "copies": 1}, "greater than or equal to 2"),
    ],
)
def test_a_mistaken_fault_is_refused(table: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SensorsPart.model_validate({"misbehaviour": [table]})
