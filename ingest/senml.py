"""SenML JSON packs (RFC 8428), resolved: base fields applied, times made absolute."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from ingest.errors import PayloadError
from ingest.instants import EPOCH
from ingest.messages import TimeSource
from ingest.reasons import Reason
from ingest.validation import first_fault, is_broken_json

# RFC 8428, 4.5.3: smaller times are relative to now, larger ones count from 1970.
FIRST_ABSOLUTE_TIME_S = 2**28
VERSION = 10

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*", re.ASCII)
_EXPECTED = 'SenML records such as [{"bn": "…", "n": "…", "v": 1.5}]'


class Measurement(NamedTuple):
    """One named value of a message, not yet known to be a number."""

    name: str
    value: float | bool | str | None
    unit: str | None
    measured_at: datetime
    time_source: TimeSource


class _Record(BaseModel):
    """One record as sent. Base fields also govern the records after it."""

    model_config = ConfigDict(extra="allow", strict=True)

    base_name: str | None = Field(default=None, alias="bn")
    base_time_s: float | None = Field(default=None, alias="bt")
    base_unit: str | None = Field(default=None, alias="bu")
    base_value: float | None = Field(default=None, alias="bv")
    base_version: int | None = Field(default=None, alias="bver")
    name: str | None = Field(default=None, alias="n")
    unit: str | None = Field(default=None, alias="u")
    # Any: a union of int and float would report a text as "no valid integer".
    value: Any = Field(default=None, alias="v")
    text: str | None = Field(default=None, alias="vs")
    boolean: bool | None = Field(default=None, alias="vb")
    data: str | None = Field(default=None, alias="vd")
    total: float | None = Field(default=None, alias="s")
    time_s: float | None = Field(default=None, alias="t")


_PACK = TypeAdapter(list[_Record])


@dataclass(slots=True)
class _Base:
    """The base fields in force."""

    received_at: datetime
    name: str = ""
    time_s: float = 0.0
    unit: str | None = None
    value: float | None = None

    def take_over(self, record: _Record) -> None:
        self.name = self.name if record.base_name is None else record.base_name
        self.time_s = self.time_s if record.base_time_s is None else record.base_time_s
        self.unit = self.unit if record.base_unit is None else record.base_unit
        self.value = self.value if record.base_value is None else record.base_value


def resolve_senml(text: str, *, received_at: datetime, max_records: int) -> list[Measurement]:
    """Return the records of a pack with name, time and unit resolved; PayloadError(invalid_senml) otherwise.

    The name is the last part of the resolved one: the topic says whose sensor it is.
    A relative time is the gateway's, an absolute one the device's.
    """
    base = _Base(received_at=received_at)
    records = _parse(text)
    if len(records) > max_records:
        raise PayloadError(Reason.TOO_LARGE, f"{len(records)} records, a message may have at most {max_records}")
    return [_resolve(record, number, base) for number, record in enumerate(records, start=1)]


def _parse(text: str) -> list[_Record]:
    try:
        return _PACK.validate_json(text)
    except ValidationError as error:
        reason = Reason.INVALID_JSON if is_broken_json(error) else Reason.INVALID_SENML
        raise PayloadError(reason, first_fault(error, expected=_EXPECTED)) from None


def _resolve(record: _Record, number: int, base: _Base) -> Measurement:
    _check_record(record, number)
    base.take_over(record)
    measured_at, source = _time_of(record, number, base)
    return Measurement(
        name=_last_part(base.name + (record.name or ""), number),
        value=_value_of(record, base),
        unit=record.unit if record.unit is not None else base.unit,
        measured_at=measured_at,
        time_source=source,
    )


def _check_record(record: _Record, number: int) -> None:
    values = [record.value, record.text, record.boolean, record.data]
    if record.value is not None and (isinstance(record.value, bool) or not isinstance(record.value, int | float)):
        raise _fault(number, "has a v that is no number; texts go into vs, true and false into vb")
    given = sum(value is not None for value in values)
    if given > 1:
        raise _fault(number, "has more than one of v, vs, vb and vd; a record holds one value")
    if given == 0 and record.total is None:
        raise _fault(number, "has no value; expected one of v, vb, vs, vd or s")
    if record.base_version is not None and record.base_version > VERSION:
        raise _fault(number, f"has version {record.base_version}, known is {VERSION}")
    must_understand = [label for label in record.model_extra or {} if label.endswith("_")]
    if must_understand:
        raise _fault(number, f"has the field {must_understand[0][:40]!r}, which must be understood and is not")


def _time_of(record: _Record, number: int, base: _Base) -> tuple[datetime, TimeSource]:
    time_s = base.time_s + (record.time_s or 0.0)
    try:
        offset = timedelta(seconds=time_s)
        if time_s >= FIRST_ABSOLUTE_TIME_S:
            return EPOCH + offset, TimeSource.DEVICE
        return base.received_at + offset, TimeSource.GATEWAY
    except (ValueError, OverflowError):
        raise _fault(number, f"has the time {time_s!r}; expected seconds since 1970 or relative to now") from None


def _value_of(record: _Record, base: _Base) -> float | bool | str | None:
    if record.value is not None:
        return record.value if base.value is None else _sum(record.value, base.value)
    return record.boolean if record.boolean is not None else record.text


def _sum(value: float, base_value: float) -> float:
    try:
        return value + base_value
    except OverflowError:
        return math.inf  # refused as a value that no float can hold


def _last_part(name: str, number: int) -> str:
    if not _NAME.fullmatch(name):
        raise _fault(
            number, f"has the name {name[:60]!r}; expected letters, digits and - : . / _ , a letter or digit first"
        )
    parts = [part for part in re.split(r"[:/]", name) if part]
    return parts[-1]


def _fault(number: int, problem: str) -> PayloadError:
    return PayloadError(Reason.INVALID_SENML, f"record {number} {problem}")
