"""Readings as line protocol, the text that InfluxDB and VictoriaMetrics take in."""

from __future__ import annotations

import math
import re

from ingest.instants import to_us
from ingest.messages import Reading

MEASUREMENT = "reading"

_SPECIAL = re.compile(r"([,= ])")
# Line protocol has no way to write these.
_UNWRITABLE = re.compile(r"[\\\x00-\x1f\x7f]")


def to_line(reading: Reading, *, site: str) -> str:
    """Return ``reading,sensor=…,site=… metric=value nanoseconds``, without a line end.

    The same reading always gives the same line, so that writing it twice stores it once.
    ValueError for a name that line protocol cannot hold, or a value that is not finite.
    """
    if not math.isfinite(reading.value):
        raise ValueError(f"value {reading.value} is not finite")
    tags = f"sensor={_escaped(reading.sensor_id)},site={_escaped(site)}"
    field = f"{_escaped(reading.metric)}={float(reading.value)!r}"
    return f"{MEASUREMENT},{tags} {field} {to_us(reading.measured_at) * 1000}"


def _escaped(text: str) -> str:
    if not text or _UNWRITABLE.search(text):
        raise ValueError(f"{text!r} cannot be written: it is empty, or has a control character or backslash")
    return _SPECIAL.sub(r"\\\1", text)
