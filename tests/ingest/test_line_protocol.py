from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from influxdb_client.client.write.point import Point

from ingest.line_protocol import to_line
from ingest.messages import Reading, SensorId, TimeSource

NOW = datetime(2026, 3, 1, 8, 0, 0, 123_456, tzinfo=UTC)


def reading(metric: str = "level", value: float = 82.5, sensor_id: str = "bin-01", at: datetime = NOW) -> Reading:
    return Reading(
        sensor_id=SensorId(sensor_id),
        metric=metric,
        value=value,
        unit=None,
        measured_at=at,
        received_at=NOW,
        time_source=TimeSource.DEVICE,
    )


def test_one_reading_is_one_line_in_nanoseconds() -> None:
    assert to_line(reading(), site="demo") == "reading,sensor=bin-01,site=demo level=82.5 1772352000123456000"


def test_comma_equals_and_space_are_escaped() -> None:
    line = to_line(reading(metric="PM 2,5=x", sensor_id="a=b"), site="old town")
    assert line == r"reading,sensor=a\=b,site=old\ town PM\ 2\,5\=x=82.5 1772352000123456000"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_value_that_is_not_finite_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        to_line(reading(value=value), site="demo")


@pytest.mark.parametrize("name", ["", "a\nb", "a\\", "a\x00", "\x7f"])
def test_name_that_cannot_be_written_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        to_line(reading(metric=name), site="demo")
    with pytest.raises(ValueError, match="cannot be written"):
        to_line(reading(sensor_id=name), site="demo")


NAMES = st.text(st.characters(exclude_characters="\\", exclude_categories=["C", "Z"]) | st.just(" "), min_size=1)


@given(
    NAMES,
    NAMES,
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(datetime(1971, 1, 1), datetime(2200, 1, 1)).map(lambda t: t.replace(tzinfo=UTC)),
)
def test_line_says_what_the_influx_library_says(metric: str, sensor_id: str, value: float, at: datetime) -> None:
    nanoseconds = ((at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)) * 1000
    tags = {"sensor": sensor_id, "site": "demo"}
    record = {"measurement": "reading", "tags": tags, "fields": {metric: value}, "time": nanoseconds}
    theirs = Point.from_dict(record).to_line_protocol().rsplit(" ", 2)
    ours = to_line(reading(metric, value, sensor_id, at), site="demo").rsplit(" ", 2)
    assert ours[0].replace("\\ ", " ") == theirs[0].replace("\\ ", " ")
    assert ours[2] == theirs[2]
    assert float(ours[1].rpartition("=")[2]) == value
    assert ours[1].rpartition("=")[0] == theirs[1].rpartition("=")[0]
