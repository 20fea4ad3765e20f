from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.config import PayloadLimits, TimeLimits
from ingest.errors import PayloadError
from ingest.messages import Reading, SensorId, TimeSource
from ingest.payloads import DecodedReadings, decode_readings
from ingest.reasons import Reason

NOW = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)
SENSOR = SensorId("bin-01")


def decode(payload: bytes | str, limits: PayloadLimits | None = None) -> DecodedReadings:
    raw = payload.encode() if isinstance(payload, str) else payload
    return decode_readings(raw, sensor_id=SENSOR, received_at=NOW, limits=limits or PayloadLimits())


def values(decoded: DecodedReadings) -> dict[str, float]:
    return {reading.metric: reading.value for reading in decoded.readings}


def refusal(payload: bytes | str, limits: PayloadLimits | None = None) -> PayloadError:
    with pytest.raises(PayloadError) as caught:
        decode(payload, limits)
    assert "\n" not in str(caught.value)
    return caught.value


# ---- bare numbers


@pytest.mark.parametrize(
    ("text", "value"),
    [("21.5", 21.5), (" -3 \n", -3.0), ("+.5", 0.5), ("1e3", 1000.0), ("0", 0.0), ("true", 1.0), ("false", 0.0)],
)
def test_bare_number_is_one_reading_at_gateway_time(text: str, value: float) -> None:
    assert decode(text).readings == (
        Reading(
            sensor_id=SENSOR,
            metric="value",
            value=value,
            unit=None,
            measured_at=NOW,
            received_at=NOW,
            time_source=TimeSource.GATEWAY,
        ),
    )


@pytest.mark.parametrize(
    "text",
    ["NaN", "nan", "Infinity", "-inf", "1_000", "0x10", "12 13", "1,5", "٣", "hello", "1e400", "9" * 200, "null"],
)
def test_what_is_no_finite_number_is_refused(text: str) -> None:
    assert refusal(text).reason == Reason.NOT_A_NUMBER


@pytest.mark.parametrize("payload", [b"", b"  \r\n"])
def test_empty_message_is_refused(payload: bytes) -> None:
    assert refusal(payload).reason == Reason.EMPTY


def test_invalid_utf8_names_the_byte() -> None:
    error = refusal(b'{"values": {"a": \xff}}')
    assert error.reason == Reason.INVALID_UTF8
    assert "byte 17" in error.detail


# ---- an object with ts and values


def test_values_share_the_device_time() -> None:
    decoded = decode('{"ts": "2026-03-01T15:59:58.25+08:00", "values": {"level": 81, "open": true}}')
    assert values(decoded) == {"level": 81.0, "open": 1.0}
    assert {r.measured_at for r in decoded.readings} == {datetime(2026, 3, 1, 7, 59, 58, 250_000, tzinfo=UTC)}
    assert {r.time_source for r in decoded.readings} == {TimeSource.DEVICE}


@pytest.mark.parametrize(
    "ts", [1772352000, 1772352000.0, 1772352000000, '"2026-03-01T08:00:00Z"', '"2026-03-01t08:00:00z"']
)
def test_every_way_to_write_a_time_means_the_same(ts: object) -> None:
    (reading,) = decode(f'{{"ts": {ts}, "values": {{"a": 1}}}}').readings
    assert (reading.measured_at, reading.time_source) == (NOW, TimeSource.DEVICE)


@pytest.mark.parametrize("payload", ['{"values": {"a": 1}}', '{"ts": null, "values": {"a": 1}, "seq": 7}'])
def test_without_a_time_the_gateway_clock_counts(payload: str) -> None:
    (reading,) = decode(payload).readings
    assert (reading.measured_at, reading.time_source) == (NOW, TimeSource.GATEWAY)


@pytest.mark.parametrize(
    "ts", ['"yesterday"', '"2026-03-01"', '"2026-03-01T08:00:00"', '"2026-13-01T08:00:00Z"', "true", "1e300", "9" * 60]
)
def test_unreadable_time_is_refused(ts: str) -> None:
    assert refusal(f'{{"ts": {ts}, "values": {{"a": 1}}}}').reason == Reason.INVALID_TIME


def test_reading_from_1970_is_refused_with_both_clocks() -> None:
    error = refusal('{"ts": 0, "values": {"a": 1}}')
    assert error.reason == Reason.IMPLAUSIBLE_TIME
    assert "reading says 1970-01-01T00:00:00Z, gateway clock says 2026-03-01T08:00:00Z" in error.detail


@pytest.mark.parametrize(
    ("age_s", "is_taken"), [(7 * 86400, True), (7 * 86400 + 1, False), (-300, True), (-301, False)]
)
def test_a_week_late_and_five_minutes_early_are_the_limits(age_s: int, is_taken: bool) -> None:
    payload = json.dumps({"ts": (NOW - timedelta(seconds=age_s)).isoformat(), "values": {"a": 1}})
    if is_taken:
        assert values(decode(payload)) == {"a": 1.0}
    else:
        assert refusal(payload).reason == Reason.IMPLAUSIBLE_TIME


def test_time_limits_are_settings() -> None:
    limits = PayloadLimits(time=TimeLimits(max_age_s=10, max_ahead_s=1))
    assert refusal('{"ts": "2026-03-01T07:59:49Z", "values": {"a": 1}}', limits).reason == Reason.IMPLAUSIBLE_TIME


def test_text_beside_a_number_is_ignored_by_name() -> None:
    decoded = decode('{"values": {"fw": "1.2", "level": 5, "gps": {"x": 1}, "none": null, "list": [1]}}')
    assert values(decoded) == {"level": 5.0}
    assert decoded.ignored == ("fw", "gps", "none", "list")


@pytest.mark.parametrize("payload", ['{"values": {}}', '{"values": {"fw": "1.2"}}'])
def test_message_without_any_number_is_refused(payload: str) -> None:
    assert refusal(payload).reason == Reason.NO_NUMERIC_VALUE


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9007199254740993", "9" * 400])
def test_number_that_no_float_holds_is_refused(number: str) -> None:
    assert refusal(f'{{"values": {{"a": {number}}}}}').reason == Reason.NOT_A_NUMBER


@pytest.mark.parametrize(
    "payload",
    ["{", "{}", '{"values": [1]}', '{"values": 3}', '{"ts": [], "values": {"a": 1}}', '{"values": {"a": 1}} x'],
)
def test_other_json_is_refused(payload: str) -> None:
    error = refusal(payload)
    assert error.reason == Reason.INVALID_JSON
    assert 'expected {"ts": …, "values": {…}}' in error.detail


@pytest.mark.parametrize("payload", ["[" * 60_000, '{"values":' * 6_000, '{"values": {"a": ' + "[" * 30_000])
def test_deep_nesting_is_refused_not_a_crash(payload: str) -> None:
    assert refusal(payload).reason in (Reason.INVALID_JSON, Reason.INVALID_SENML)


@pytest.mark.parametrize("name", ['""', '"a\\u0000"', '"a\\nb"', '"a\\\\"', f'"{"x" * 129}"'])
def test_names_that_cannot_be_stored_are_refused(name: str) -> None:
    assert refusal(f'{{"values": {{{name}: 1}}}}').reason == Reason.INVALID_NAME


def test_size_and_number_of_values_are_bounded() -> None:
    assert refusal(b" " * 65_537).reason == Reason.TOO_LARGE
    many = {f"v{n}": n for n in range(501)}
    assert refusal(json.dumps({"values": many})).reason == Reason.TOO_LARGE
    assert refusal(json.dumps([{"n": name, "v": n} for name, n in many.items()])).reason == Reason.TOO_LARGE
    many.popitem()
    assert len(decode(json.dumps({"values": many})).readings) == 500


# ---- SenML


def test_senml_base_fields_govern_what_follows() -> None:
    pack = [
        {"bn": "urn:dev:ow:10e2073a:", "bt": 1772351990, "bu": "Cel", "n": "temp", "v": 23.1},
        {"n": "hum", "u": "%RH", "v": 50, "t": 5},
        {"bn": "urn:dev:ow:2/", "bt": 1772352000, "n": "lid", "vb": True},
    ]
    readings = decode(json.dumps(pack)).readings
    assert [(r.metric, r.value, r.unit) for r in readings] == [
        ("temp", 23.1, "Cel"),
        ("hum", 50.0, "%RH"),
        ("lid", 1.0, "Cel"),
    ]
    assert [(NOW - r.measured_at).total_seconds() for r in readings] == [10, 5, 0]
    assert {r.sensor_id for r in readings} == {SENSOR}
    assert {r.time_source for r in readings} == {TimeSource.DEVICE}


def test_senml_small_times_are_relative_to_now() -> None:
    readings = decode('[{"n": "a", "v": 1}, {"n": "b", "v": 2, "t": -60}, {"n": "c", "v": 3, "t": 30.5}]').readings
    assert [(r.measured_at - NOW).total_seconds() for r in readings] == [0, -60, 30.5]
    assert {r.time_source for r in readings} == {TimeSource.GATEWAY}


def test_senml_time_just_below_2_to_28_is_relative_and_so_implausible() -> None:
    error = refusal(json.dumps([{"n": "a", "v": 1, "t": 2**28 - 1}]))
    assert error.reason == Reason.IMPLAUSIBLE_TIME
    assert "2034" in error.detail


def test_senml_base_value_is_added() -> None:
    assert values(decode('[{"bv": 20, "n": "a", "v": 1.5}, {"n": "b", "v": 0}]')) == {"a": 21.5, "b": 20.0}


def test_senml_text_and_sums_are_ignored_beside_a_number() -> None:
    decoded = decode('[{"n": "a", "v": 1}, {"n": "fw", "vs": "1.2"}, {"n": "raw", "vd": "aGk"}, {"n": "kwh", "s": 7}]')
    assert values(decoded) == {"a": 1.0}
    assert decoded.ignored == ("fw", "raw", "kwh")
    assert refusal('[{"n": "fw", "vs": "1.2"}]').reason == Reason.NO_NUMERIC_VALUE


@pytest.mark.parametrize(
    ("pack", "line"),
    [
        ('[{"n": "a"}]', "record 1 has no value"),
        ('[{"n": "a", "v": 1}, {"n": "b"}]', "record 2 has no value"),
        ('[{"n": "a", "v": 1, "vb": true}]', "more than one"),
        ('[{"v": 1}]', "has the name ''"),
        ('[{"n": "ä", "v": 1}]', "has the name"),
        ('[{"n": "_a", "v": 1}]', "has the name"),
        ('[{"n": "a", "v": "1"}]', "no number"),
        ('[{"n": "a", "v": true}]', "no number"),
        ('[{"n": "a", "v": 1, "x_": 1}]', "must be understood"),
        ('[{"bver": 11, "n": "a", "v": 1}]', "version 11"),
        ('[{"n": "a", "v": 1, "t": 1e300}]', "has the time"),
        ("[1]", "expected SenML records"),
    ],
)
def test_broken_senml_is_refused(pack: str, line: str) -> None:
    error = refusal(pack)
    assert error.reason == Reason.INVALID_SENML
    assert line in error.detail


def test_empty_senml_pack_holds_no_number() -> None:
    assert refusal("[]").reason == Reason.NO_NUMERIC_VALUE


def test_senml_overflow_is_refused() -> None:
    assert refusal(f'[{{"bv": 1.5, "n": "a", "v": {"9" * 400}}}]').reason == Reason.NOT_A_NUMBER


# ---- anything

JSON_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON_VALUES = st.recursive(
    JSON_SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
SENML_FIELDS = st.dictionaries(
    st.sampled_from(["bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd", "s", "t", "ut", "x_"]),
    JSON_SCALARS,
    max_size=6,
)


def decodes_or_refuses(payload: bytes) -> None:
    refused: PayloadError | None = None
    try:
        decoded = decode(payload)
    except PayloadError as error:
        refused = error
    if refused is not None:
        assert refused.reason in list(Reason)
        assert "\n" not in str(refused)
        str(refused).encode("utf-8")
        return
    assert decoded.readings
    for reading in decoded.readings:
        assert math.isfinite(reading.value)
        assert timedelta(days=-7) <= reading.measured_at - NOW <= timedelta(minutes=5)
        reading.metric.encode("utf-8")


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(payload: bytes) -> None:
    decodes_or_refuses(payload)


@given(JSON_VALUES, JSON_VALUES)
def test_any_values_message_is_decoded_or_refused(ts: Any, content: Any) -> None:
    decodes_or_refuses(json.dumps({"ts": ts, "values": content}).encode())


@given(st.lists(SENML_FIELDS | JSON_VALUES, max_size=4))
def test_any_senml_pack_is_decoded_or_refused(pack: list[Any]) -> None:
    decodes_or_refuses(json.dumps(pack).encode())


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True),
        st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.integers(-(2**53), 2**53),
        min_size=1,
        max_size=8,
    )
)
def test_numbers_come_out_as_python_json_reads_them(content: dict[str, float]) -> None:
    payload = json.dumps({"values": content})
    assert values(decode(payload)) == {name: float(x) for name, x in json.loads(payload)["values"].items()}


@given(st.datetimes(datetime(2026, 2, 23), datetime(2026, 3, 1)), st.integers(-14 * 60, 14 * 60))
def test_any_offset_means_the_same_instant(local: datetime, offset_minutes: int) -> None:
    instant = local.replace(tzinfo=UTC)
    sign, (hours, minutes) = "-" if offset_minutes < 0 else "+", divmod(abs(offset_minutes), 60)
    shifted = (instant + timedelta(minutes=offset_minutes)).replace(tzinfo=None)
    text = f"{shifted.isoformat(timespec='microseconds')}{sign}{hours:02d}:{minutes:02d}"
    (reading,) = decode(json.dumps({"ts": text, "values": {"a": 1}})).readings
    assert reading.measured_at == instant
