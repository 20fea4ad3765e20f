"""``permits.toml``: what may stand where it else must not, for a time: by zone, by place, or by number plate."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import dist
from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from detectors.strict_values import TIME_EXPECTED, Moment, Number
from geofence.crs import CRS_EXPECTED, check_lat, check_lng, parse_crs, to_wgs84
from geofence.errors import Faults, SiteError
from geofence.messages import IncidentKind
from geofence.site_text import refuse_invalid, refuse_twins, toml_table

PERMITS_FILE = "permits.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitConfig:
    """One permit as written. lat, lng: WGS 84 degrees, None for one without a place."""

    id: str
    kinds: frozenset[IncidentKind]
    starts_at: datetime
    ends_at: datetime
    zone_id: str | None
    lat_lng: tuple[float, float] | None
    radius_m: float
    classes: frozenset[str]
    plate_sha256: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """What may stand, from `starts_at` until before `ends_at`.

    kinds: the rules that it lifts; zone_id, center_m: where, None for anywhere; classes: of what, none for anything
    plate_sha256: of the one vehicle that it is for, in hexadecimal, None for any
    """

    id: str
    kinds: frozenset[IncidentKind]
    starts_at: datetime
    ends_at: datetime
    zone_id: str | None = None
    center_m: tuple[float, float] | None = None
    radius_m: float = 0.0
    classes: frozenset[str] = frozenset()
    plate_sha256: str | None = None

    def covers(self, thing: Permitted) -> bool:
        """Whether it is for this thing at this place, at whatever time."""
        return (
            thing.kind in self.kinds
            and self.zone_id in (None, thing.zone_id)
            and (self.center_m is None or dist(self.center_m, thing.ground_m) <= self.radius_m)
            and (not self.classes or thing.name in self.classes)
            and self.plate_sha256 in (None, thing.plate_sha256)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """A thing that would break a rule, as permits ask for it."""

    kind: IncidentKind
    zone_id: str
    ground_m: tuple[float, float]
    name: str
    plate_sha256: str | None = None


def is_permitted(permits: Iterable[Permit], thing: Permitted, at: datetime) -> bool:
    """Whether one of the permits holds for the thing at `at`."""
    return any(permit.starts_at <= at < permit.ends_at and permit.covers(thing) for permit in permits)


def last_permitted(permits: Iterable[Permit], thing: Permitted, at: datetime) -> datetime | None:
    """When the last permit for a thing ended before `at`, None where none did."""
    return max((one.ends_at for one in permits if one.ends_at <= at and one.covers(thing)), default=None)


class _Place(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    lat: Annotated[Number, AfterValidator(check_lat)] = Field(description="a latitude, -90 … 90 degrees")
    lng: Annotated[Number, AfterValidator(check_lng)] = Field(description="a longitude, -180 … 180 degrees")
    crs: str = Field(description=CRS_EXPECTED)
    radius_m: Number = Field(gt=0, le=1000, description="metres, more than 0 and at most 1000")


# A full bin is no thing that stands somewhere: no permit lifts its rule.
_Lifted = Literal[IncidentKind.ILLEGAL_PARKING, IncidentKind.EXPOSED_GARBAGE, IncidentKind.BLOCKED_SIDEWALK]


class _Permit(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[\w-]{1,64}$", description="1 to 64 letters, digits, _ or -")
    rules: list[_Lifted] = Field(
        default=[IncidentKind.ILLEGAL_PARKING], min_length=1, description=f"a list of {', '.join(get_args(_Lifted))}"
    )
    starts_at: Moment = Field(description=TIME_EXPECTED)
    ends_at: Moment = Field(description=TIME_EXPECTED)
    zone: str | None = Field(default=None, description="the id of a zone")
    place: _Place | None = Field(default=None, description="a table {lat, lng, crs, radius_m}")
    classes: list[str] = Field(default=[], description="a list of class names")
    plate_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="64 of 0-9 a-f, the SHA-256 of the plate in UTF-8; the plate itself stays out"
    )

    @model_validator(mode="after")
    def _is_bounded(self) -> _Permit:
        if self.ends_at <= self.starts_at:
            raise ValueError(f"ends_at {self.ends_at.isoformat()} is not after starts_at {self.starts_at.isoformat()}")
        if self.zone is None and self.place is None and self.plate_sha256 is None:
            raise ValueError("says neither where nor who; it should have a zone, a place or a plate_sha256")
        return self


class _PermitsFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    permits: list[_Permit] = Field(default=[], description="a list of [[permits]]")


def parse_permits(text: str, *, file: str = PERMITS_FILE) -> tuple[PermitConfig, ...]:
    """Permits written in `text`; raises SiteError, one line with file, key, value and what would be right."""
    try:
        permits: Sequence[_Permit] = _PermitsFile.model_validate(toml_table(text, file)).permits
    except ValidationError as error:
        refuse_invalid(file, error, _PermitsFile)
    faults = Faults()
    with faults.collect():
        refuse_twins(file, "permits", [permit.id for permit in permits])
    found: list[PermitConfig] = []
    for row, permit in enumerate(permits):
        with faults.collect():
            found.append(_config(permit, file, row))
    faults.raise_any()
    return tuple(found)


def _config(permit: _Permit, file: str, row: int) -> PermitConfig:
    return PermitConfig(
        id=permit.id,
        kinds=frozenset(permit.rules),
        starts_at=permit.starts_at,
        ends_at=permit.ends_at,
        zone_id=permit.zone,
        lat_lng=None if permit.place is None else _lat_lng(permit.place, file, row),
        radius_m=0.0 if permit.place is None else permit.place.radius_m,
        classes=frozenset(permit.classes),
        plate_sha256=permit.plate_sha256,
    )


def _lat_lng(place: _Place, file: str, row: int) -> tuple[float, float]:
    try:
        lat, lng = to_wgs84(np.array([[place.lat, place.lng]]), parse_crs(place.crs))[0]
    except ValueError as error:
        raise SiteError(file, f"permits[{row}].place.crs", str(error)) from error
    return float(lat), float(lng)
