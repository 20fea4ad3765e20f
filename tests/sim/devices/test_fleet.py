"""The fleet: which sensors there are, what they read on an ordinary day, and when they say it."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ingest.messages import SensorId
from ingest.payloads import decode_readings
from sim.devices.fleet import DeviceMessage, Fleet
from sim.devices.sensor import METRICS, SensorKind
from sim.devices.sensor_tables import SensorError, SensorsPart
from sim.street.street import Rect

AREA = Rect(x0=-15.0, y0=-20.0, x1=30.0, y1=170.0)
BEGINS_AT = datetime(2026, 11, 22, 8, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
FAULTS = (
    "stuck",
    "drift",
    "noise",
    "dead_battery",
    "burst",
    "clock_skew",
    "duplicates",
    "out_of_order",
    "garbled",
    "reconnect_storm",
)


class QuietStreet:
    """Nothing stands on it, and there is no bin."""

    def fill_of(self, actor_id: str, second: float) -> float | None:
        return None

    def is_occupied(self, x_m: float, y_m: float, second: float) -> bool:
        return False


class BusyStreet:
    """One bin that fills within 100 s, and a vehicle at (-1, 40) from second 10 on."""

    def fill_of(self, actor_id: str, second: float) -> float | None:
        return second / 100 if actor_id == "bin-a" else None

    def is_occupied(self, x_m: float, y_m: float, second: float) -> bool:
        return math.hypot(x_m + 1, y_m - 40) < 2 and second >= 10


def tables(**keys: Any) -> SensorsPart:
    return SensorsPart.model_validate(keys)


def fleet_of(*, seed: int = 7, loop_s: float | None = None, **keys: Any) -> Fleet:
    return Fleet(tables(**keys), AREA, seed=seed, loop_s=loop_s)


def group(kind: str, count: int, **keys: Any) -> dict[str, Any]:
    return {"kind": kind, "count": count, **keys}


def sent(fleet: Fleet, from_s: float, until_s: float) -> list[DeviceMessage]:
    return fleet.messages(from_s, until_s, begins_at=BEGINS_AT, surroundings=QuietStreet())


def truth(fleet: Fleet, sensor_id: str, second: float, *, begins_at: datetime = BEGINS_AT) -> dict[str, float]:
    return fleet.true_values(sensor_id, second, begins_at=begins_at, surroundings=BusyStreet())


def test_ids_count_on_by_kind_in_the_order_of_groups() -> None:
    fleet = fleet_of(groups=[group("bin", 2, rule="bin_full"), group("bay", 1), group("bin", 1)])
    assert [(sensor.id, sensor.rule) for sensor in fleet.sensors] == [
        ("bin-001", "bin_full"),
        ("bin-002", "bin_full"),
        ("bay-001", None),
        ("bin-003", None),
    ]


def test_groups_are_spread_over_the_whole_area() -> None:
    sensors = fleet_of(groups=[group("bin", 96)]).sensors
    cells = {
        (math.floor((sensor.x_m - AREA.x0) / 45 * 4), math.floor((sensor.y_m - AREA.y0) / 190 * 6))
        for sensor in sensors
    }
    assert all(AREA.contains(sensor.x_m, sensor.y_m) for sensor in sensors)
    assert cells == {(column, row) for column in range(4) for row in range(6)}


def test_a_members_place_depends_on_no_other_group_and_on_the_seed() -> None:
    def place(sensor_id: str, fleet: Fleet) -> tuple[float, float]:
        return next((sensor.x_m, sensor.y_m) for sensor in fleet.sensors if sensor.id == sensor_id)

    alone = fleet_of(groups=[group("bin", 5)])
    among = fleet_of(groups=[group("air", 9), group("bin", 50), group("bay", 3)])
    assert place("bin-005", alone) == place("bin-005", among)
    assert place("bin-005", alone) != place("bin-005", fleet_of(seed=8, groups=[group("bin", 5)]))


def test_a_placed_sensor_takes_the_place_of_a_member_and_keeps_its_rule() -> None:
    placed = {"id": "bin-002", "kind": "bin", "x_m": 4.5, "y_m": 12.8, "follows": "bin-a"}
    fleet = fleet_of(groups=[group("bin", 3, rule="bin_full")], placed=[placed])
    second = fleet.sensors[1]
    assert len(fleet.sensors) == 3
    assert (second.x_m, second.y_m, second.rule, second.follows) == (4.5, 12.8, "bin_full", "bin-a")


def test_a_placed_sensor_of_no_group_comes_last() -> None:
    fleet = fleet_of(groups=[group("bin", 1)], placed=[{"id": "school-gate", "kind": "noise", "x_m": 1, "y_m": 2}])
    assert [sensor.id for sensor in fleet.sensors] == ["bin-001", "school-gate"]


def test_a_bin_sensor_reads_the_fill_of_the_bin_that_it_follows_up_to_100() -> None:
    fleet = fleet_of(placed=[{"id": "b", "kind": "bin", "x_m": 0, "y_m": 0, "follows": "bin-a"}])
    assert truth(fleet, "b", 42.0) == {"level": pytest.approx(42.0)}
    assert truth(fleet, "b", 115.0) == {"level": 100.0}


def test_a_bin_sensor_without_its_bin_reads_an_ordinary_level() -> None:
    fleet = fleet_of(placed=[{"id": "b", "kind": "bin", "x_m": 0, "y_m": 0, "follows": "gone"}])
    assert 0 < truth(fleet, "b", 42.0)["level"] < 60


def test_a_placed_bay_is_taken_while_a_vehicle_stands_on_it() -> None:
    fleet = fleet_of(placed=[{"id": "bay", "kind": "bay", "x_m": -1.2, "y_m": 40.5}])
    assert truth(fleet, "bay", 9.9) == {"occupied": 0.0}
    assert truth(fleet, "bay", 10.0) == {"occupied": 1.0}


def test_a_scripted_reading_holds_from_its_first_to_before_its_last_second_of_every_round() -> None:
    reading = {"sensor": "bin-001", "value": 91.0, "from_s": 40, "until_s": 60}
    fleet = fleet_of(groups=[group("bin", 1)], readings=[reading], loop_s=240)
    assert [truth(fleet, "bin-001", second)["level"] for second in (40, 59.9, 280)] == [91.0] * 3
    assert max(truth(fleet, "bin-001", second)["level"] for second in (39.9, 60, 279.9, 300)) < 60


def test_of_two_scripted_readings_the_later_one_counts() -> None:
    readings = [{"sensor": "bin-001", "value": value} for value in (70.0, 80.0)]
    assert truth(fleet_of(groups=[group("bin", 1)], readings=readings), "bin-001", 1.0) == {"level": 80.0}


def test_a_scripted_reading_may_name_the_second_metric() -> None:
    reading = {"sensor": "manhole-001", "metric": "water_mm", "value": 900.0}
    values = truth(fleet_of(groups=[group("manhole", 1)], readings=[reading]), "manhole-001", 1.0)
    assert values["water_mm"] == 900.0
    assert values["tilt_deg"] < 2


@pytest.mark.parametrize("kind", SensorKind)
def test_an_ordinary_day_troubles_nobody(kind: SensorKind) -> None:
    alarming = {"level": 60, "occupied": 0.5, "tilt_deg": 5, "water_mm": 300, "laeq_db": 75, "pm25_ug_m3": 100}
    fleet = fleet_of(groups=[group(kind, 40, rule="any")])
    for sensor in fleet.sensors:
        for hour in range(24):
            values = fleet.true_values(sensor.id, 3600.0 * hour, begins_at=BEGINS_AT, surroundings=QuietStreet())
            assert all(0 <= value < alarming.get(name, 80) for name, value in values.items())


def test_every_kind_changes_over_the_day() -> None:
    fleet = fleet_of(groups=[group(kind, 1) for kind in SensorKind])
    for sensor in fleet.sensors:
        for metric in METRICS[sensor.kind]:
            day = {metric.as_sent(truth(fleet, sensor.id, 1800.0 * half)[metric.name]) for half in range(48)}
            assert len(day) >= 2, metric.name


def test_lamps_burn_by_the_time_of_day_where_they_stand() -> None:
    fleet = fleet_of(groups=[group("lamp", 20)])
    noon, midnight = BEGINS_AT.replace(hour=12), BEGINS_AT.replace(hour=0)
    assert max(truth(fleet, lamp.id, 0, begins_at=noon)["power_w"] for lamp in fleet.sensors) < 1
    assert min(truth(fleet, lamp.id, 0, begins_at=midnight)["power_w"] for lamp in fleet.sensors) > 40


def test_streets_are_louder_by_day_than_by_night() -> None:
    fleet = fleet_of(groups=[group("noise", 1)])
    by_day = truth(fleet, "noise-001", 0, begins_at=BEGINS_AT.replace(hour=18))
    by_night = truth(fleet, "noise-001", 0, begins_at=BEGINS_AT.replace(hour=3))
    assert by_day["laeq_db"] > by_night["laeq_db"] + 8


def test_every_sensor_reports_once_an_interval_at_its_own_phase() -> None:
    fleet = fleet_of(interval_s=5.0, groups=[group("bin", 40)])
    moments: dict[str, list[float]] = {}
    for message in sent(fleet, 0, 50):
        moments.setdefault(message.sensor_id, []).append(message.sent_s)
    assert {len(seconds) for seconds in moments.values()} == {10}
    assert all(
        later - earlier == pytest.approx(5.0) for seconds in moments.values() for earlier, later in pairwise(seconds)
    )
    phases = sorted(seconds[0] for seconds in moments.values())
    assert phases[0] < 1
    assert phases[-1] > 4


def test_all_three_firmwares_occur_and_every_message_decodes_to_the_truth() -> None:
    fleet = fleet_of(groups=[group(kind, 40) for kind in SensorKind])
    forms = set()
    for message in sent(fleet, 0, 5):
        at = BEGINS_AT + timedelta(seconds=message.sent_s)
        decoded = decode_readings(
            message.payload, sensor_id=SensorId(message.sensor_id), received_at=at.astimezone(UTC)
        )
        forms.add(type(json.loads(message.payload)).__name__.replace("int", "float"))
        kind = SensorKind(message.sensor_id.split("-")[0])
        true = fleet.true_values(message.sensor_id, message.sent_s, begins_at=BEGINS_AT, surroundings=QuietStreet())
        expected = [metric.as_sent(true[metric.name]) for metric in METRICS[kind]]
        assert [reading.value for reading in decoded.readings] == expected
        assert all(abs(reading.measured_at - at) <= timedelta(milliseconds=1) for reading in decoded.readings)
    assert forms == {"dict", "list", "float"}


@settings(max_examples=60, deadline=None)
@given(cuts=st.lists(st.floats(min_value=0, max_value=130, allow_nan=False), max_size=6))
def test_a_span_split_anywhere_gives_the_same_messages(cuts: list[float]) -> None:
    faults = [{"fault": fault, "kind": "bin", "share": 0.2, "from_s": 10, "until_s": 45} for fault in FAULTS]
    fleet = fleet_of(groups=[group("bin", 10), group("bay", 3)], misbehaviour=faults, loop_s=50)
    borders = [0.0, *sorted(cuts), 130.0]
    parts = [message for begin, end in pairwise(borders) for message in sent(fleet, begin, end)]
    assert parts == sent(fleet, 0, 130)


def test_messages_come_in_the_order_in_which_they_leave() -> None:
    faults = [{"fault": fault, "kind": "bin", "until_s": 60} for fault in ("burst", "duplicates", "out_of_order")]
    seconds = [message.sent_s for message in sent(fleet_of(groups=[group("bin", 20)], misbehaviour=faults), 0, 60)]
    assert seconds == sorted(seconds)
    assert 0 <= seconds[0] < seconds[-1] < 60


def test_two_fleets_of_one_seed_send_the_same_bytes() -> None:
    first, second = (fleet_of(groups=[group("air", 5)]) for _ in range(2))
    assert sent(first, 0, 30) == sent(second, 0, 30)
    assert sent(first, 0, 30) != sent(fleet_of(seed=8, groups=[group("air", 5)]), 0, 30)


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (
            {"readings": [{"sensor": "bin-02", "value": 1.0}]},
            "sensors.readings.0.sensor: there is no sensor bin-02; closest is bin-002",
        ),
        (
            {"misbehaviour": [{"sensor": "bay-001", "fault": "stuck"}]},
            "sensors.misbehaviour.0.sensor: there is no sensor bay-001; closest is bin-001",
        ),
        (
            {"misbehaviour": [{"kind": "lamp", "fault": "stuck"}]},
            "sensors.misbehaviour.0.kind: there is no sensor of kind lamp; there are bin",
        ),
        (
            {"readings": [{"sensor": "bin-002", "value": 1.0, "metric": "fill"}]},
            "sensors.readings.0.metric: bin-002 has no fill; it measures level",
        ),
        (
            {"placed": [{"id": "bin-001", "kind": "bay", "x_m": 0, "y_m": 0}]},
            "sensors.placed.0.kind: bin-001 is of kind bin in its group; write that, or another id",
        ),
        (
            {"placed": [{"id": "a", "kind": "bay", "x_m": 0, "y_m": 0}] * 2},
            "sensors.placed.1.id: a is placed twice; every sensor stands at one place",
        ),
        (
            {"misbehaviour": [{"sensor": "bin-001", "fault": "reconnect_storm", "until_s": 101}]},
            "sensors.misbehaviour.0.until_s: 101 is later than the end of the round, 100 s; at most that",
        ),
    ],
)
def test_tables_that_do_not_fit_together_are_one_line(keys: dict[str, Any], line: str) -> None:
    with pytest.raises(SensorError) as caught:
        fleet_of(groups=[group("bin", 3)], loop_s=100, **keys)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"intervals": 5}, "Extra inputs are not permitted"),
        ({"interval_s": 0}, "greater than 0"),
        ({"groups": [{"kind": "tram", "count": 1}]}, "Input should be 'bin'"),
        ({"placed": [{"id": "a.b", "kind": "bin", "x_m": 0, "y_m": 0}]}, "should match pattern"),
        (
            {"placed": [{"id": "a", "kind": "bay", "x_m": 0, "y_m": 0, "follows": "b"}]},
            "follows is for sensors of kind",
        ),
        (
            {"readings": [{"sensor": "a", "value": 1, "from_s": 5, "until_s": 5}]},
            "until_s 5 is not later than from_s 5",
        ),
        ({"readings": [{"sensor": "a", "value": math.nan}]}, "finite number"),
    ],
)
def test_mistyped_tables_are_refused(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        tables(**keys)
