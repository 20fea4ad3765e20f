"""Settings of a site, ``site.toml``, read into frozen values."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from detectors.strict_values import Number, Whole
from detectors.validation import closest, shown
from geofence.cell_codes import ANY_CODE, GB15, PROFILES, CodeProfile
from geofence.crs import CRS_EXPECTED, Crs, check_lat, check_lng, parse_crs, to_wgs84
from geofence.dwell import DwellSettings
from geofence.errors import Faults, SiteError
from geofence.lens import Lens
from geofence.messages import IncidentKind
from geofence.site_text import refuse_invalid, refuse_twins, toml_table

SITE_FILE = "site.toml"
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TIMEZONE = "Asia/Shanghai"
_LEAST_CLEAR_M = 0.3
# A lens of less sees 157 degrees across, which no radial polynomial describes.
_LEAST_FOCAL_SHARE = 0.1
ID_EXPECTED = "1 to 64 of A-Z a-z 0-9 _ - (it becomes part of a topic)"


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPoint:
    """A point known both in the picture (pixels) and on earth (WGS 84 degrees)."""

    px: tuple[float, float]
    lat: float
    lng: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraConfig:
    """A fixed camera, its control points, and its lens where that bends the picture."""

    id: str
    size_px: tuple[int, int]
    gcps: tuple[ControlPoint, ...]
    max_reprojection_px: float
    lens: Lens | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorConfig:
    """A sensor, where it is, and the name of the rule for its metric; without one its readings are only stored."""

    id: str
    metric: str
    lat: float
    lng: float
    rule: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorRule:
    """Threshold with hysteresis and hold times.

    is_high_bad: a value over `raise_at` is trouble, one under `clear_at` is not; else the other way round
    hold_s, clear_hold_s: how long readings must say so before the state changes
    heartbeat_s: at most one update of an open incident in this time
    """

    kind: IncidentKind
    is_high_bad: bool
    raise_at: float
    clear_at: float
    hold_s: float
    clear_hold_s: float
    heartbeat_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """All of ``site.toml``.

    dwell: one entry for each rule that cameras judge; min_clear_m: what a sidewalk must leave free
    code_profile: how the codes of its cells are put together; crs: what the file itself is written in
    is_crs_named: whether it says so, or is taken for WGS 84
    """

    site_id: str
    timezone: ZoneInfo
    cameras: tuple[CameraConfig, ...]
    sensors: tuple[SensorConfig, ...]
    dwell: Mapping[IncidentKind, DwellSettings]
    min_clear_m: float
    sensor_rules: Mapping[str, SensorRule]
    code_profile: CodeProfile = GB15
    crs: Crs = Crs.WGS84
    is_crs_named: bool = True


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def _check_id(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError(f"{shown(value)} is not usable; it should be {ID_EXPECTED}")
    return value


_Lng = Annotated[Number, AfterValidator(check_lng), Field(description="a longitude, -180 … 180 degrees")]
_Lat = Annotated[Number, AfterValidator(check_lat), Field(description="a latitude, -90 … 90 degrees")]
_Seconds = Annotated[Number, Field(ge=0, le=7 * 86400, description="seconds, 0 or more and at most a week")]
_PositiveSeconds = Annotated[Number, Field(gt=0, le=7 * 86400, description="seconds, more than 0 and at most a week")]
_Metres = Annotated[Number, Field(ge=0, le=100, description="metres, 0 or more and at most 100")]


class _ControlPoint(_Strict):
    px: tuple[Number, Number] = Field(description="[x, y] in pixels of the picture")
    lng: _Lng
    lat: _Lat


_Coefficient = Annotated[Number, Field(ge=-1, le=1, description="a coefficient, -1 … 1, without unit")]


class _Lens(_Strict):
    focal_px: Number = Field(gt=0, description="the focal length in pixels, more than 0")
    center_px: tuple[Number, Number] | None = Field(default=None, description="[x, y] in pixels of the picture")
    k1: _Coefficient = 0.0
    k2: _Coefficient = 0.0


class _Camera(_Strict):
    id: str = Field(description=ID_EXPECTED)
    size_px: tuple[Annotated[Whole, Field(gt=0)], Annotated[Whole, Field(gt=0)]] = Field(
        description="[width, height] in pixels, whole numbers above 0"
    )
    gcps: list[_ControlPoint] = Field(description="a list of {px = [x, y], lng = …, lat = …}, 4 points or more")
    max_reprojection_px: Number = Field(default=5.0, gt=0, description="pixels, more than 0")
    lens: _Lens | None = Field(default=None, description="a table such as {focal_px = 800, k1 = -0.1, k2 = 0}")

    _id = field_validator("id")(_check_id)

    @model_validator(mode="after")
    def _points_in_picture(self) -> _Camera:
        width, height = self.size_px
        points = {f"gcps[{number}].px": point.px for number, point in enumerate(self.gcps)}
        if self.lens is not None and self.lens.center_px is not None:
            points["lens.center_px"] = self.lens.center_px
        for key, (x, y) in points.items():
            if not (0 <= x <= width and 0 <= y <= height):
                is_turned = all(0 <= x <= height and 0 <= y <= width for x, y in points.values())
                why = (
                    f", and inside [{height}, {width}]: are width and height, or x and y, exchanged?"
                    if is_turned
                    else ""
                )
                raise ValueError(f"{key} [{x:g}, {y:g}] lies outside size_px [{width}, {height}]{why}")
        return self

    @model_validator(mode="after")
    def _focal_length_in_pixels(self) -> _Camera:
        least_px = _LEAST_FOCAL_SHARE * max(self.size_px)
        if self.lens is not None and self.lens.focal_px < least_px:
            problem = f"{self.lens.focal_px:g} is not usable; it should be pixels of the picture, not mm"
            raise ValueError(f"lens.focal_px {problem}: over {least_px:g} for a picture of this size")
        return self


class _Sensor(_Strict):
    id: str = Field(description=ID_EXPECTED)
    metric: str = Field(min_length=1, description="the name of a value, such as 'level'")
    lat: _Lat
    lng: _Lng
    rule: str | None = Field(default=None, description="the name of a table under sensor_rules, or left out")

    _id = field_validator("id")(_check_id)


_DEFAULT = DwellSettings(min_dwell_s=0.0)


class _Dwell(_Strict):
    absence_s: _PositiveSeconds = _DEFAULT.absence_s
    max_miss_s: _Seconds = _DEFAULT.max_miss_s
    max_gap_s: _PositiveSeconds = _DEFAULT.max_gap_s
    same_place_m: _Metres = _DEFAULT.same_place_m
    heartbeat_s: _PositiveSeconds = _DEFAULT.heartbeat_s
    merge_m: _Metres = _DEFAULT.merge_m


class _Parking(_Dwell):
    min_dwell_s: _Seconds = 300.0


class _Garbage(_Dwell):
    min_dwell_s: _Seconds = 600.0
    merge_m: _Metres = 10.0


class _Sidewalk(_Dwell):
    min_dwell_s: _Seconds = 300.0
    merge_m: _Metres = 15.0
    min_clear_m: Number = Field(default=1.5, ge=_LEAST_CLEAR_M, le=10, description="metres, 0.3 … 10")


class _Rules(_Strict):
    illegal_parking: _Parking = Field(default=_Parking(), description="a table such as {min_dwell_s = 300}")
    exposed_garbage: _Garbage = Field(default=_Garbage(), description="a table such as {min_dwell_s = 600}")
    blocked_sidewalk: _Sidewalk = Field(default=_Sidewalk(), description="a table such as {min_dwell_s = 300}")


class _SensorRule(_Strict):
    kind: IncidentKind = Field(description=f"one of {', '.join(IncidentKind)}")
    raise_above: Number | None = Field(default=None, description="a number")
    clear_below: Number | None = Field(default=None, description="a number")
    raise_below: Number | None = Field(default=None, description="a number")
    clear_above: Number | None = Field(default=None, description="a number")
    hold_s: _Seconds = 0.0
    clear_hold_s: _Seconds = 0.0
    heartbeat_s: _PositiveSeconds = 300.0

    @model_validator(mode="after")
    def _one_direction(self) -> _SensorRule:
        above = self.raise_above is not None and self.clear_below is not None
        below = self.raise_below is not None and self.clear_above is not None
        given = sum(v is not None for v in (self.raise_above, self.clear_below, self.raise_below, self.clear_above))
        if above == below or given != 2:
            raise ValueError("needs either raise_above with clear_below, or raise_below with clear_above")
        if self.raise_above is not None and self.clear_below is not None and self.clear_below > self.raise_above:
            raise ValueError(f"clear_below {self.clear_below:g} is over raise_above {self.raise_above:g}")
        if self.raise_below is not None and self.clear_above is not None and self.clear_above < self.raise_below:
            raise ValueError(f"clear_above {self.clear_above:g} is under raise_below {self.raise_below:g}")
        return self

    def as_rule(self) -> SensorRule:
        is_high_bad = self.raise_above is not None
        raise_at, clear_at = (
            (self.raise_above, self.clear_below) if is_high_bad else (self.raise_below, self.clear_above)
        )
        return SensorRule(
            kind=self.kind,
            is_high_bad=is_high_bad,
            raise_at=float(raise_at or 0),
            clear_at=float(clear_at or 0),
            hold_s=self.hold_s,
            clear_hold_s=self.clear_hold_s,
            heartbeat_s=self.heartbeat_s,
        )


class _SiteFile(_Strict):
    site_id: str = Field(description=ID_EXPECTED)
    timezone: str = Field(default=_TIMEZONE, description="a time zone such as 'Asia/Shanghai'")
    crs: str = Field(default=Crs.WGS84.value, description=CRS_EXPECTED)
    code_profile: str = Field(default=GB15.name, description=f"one of {', '.join(PROFILES)}")
    cameras: list[_Camera] = Field(default=[], description="a list of [[cameras]]")
    sensors: list[_Sensor] = Field(default=[], description="a list of sensors")
    rules: _Rules = Field(default=_Rules(), description="tables such as [rules.illegal_parking]")
    sensor_rules: dict[str, _SensorRule] = Field(default={}, description="tables such as [sensor_rules.bin_full]")

    _id = field_validator("site_id")(_check_id)


def parse_site_toml(text: str, *, file: str = SITE_FILE) -> SiteConfig:
    """Settings written in `text`; raises SiteError, one line with file, key, value and what would be right."""
    faults = Faults()
    config = usable_site_toml(text, faults, file=file)
    faults.raise_any()
    return config


def usable_site_toml(text: str, faults: Faults, *, file: str = SITE_FILE) -> SiteConfig:
    """What of `text` can be used; what cannot is added to `faults` and left out. Raises SiteError if it is no TOML.

    What only follows from a fault is none: where rules cannot be read, a sidewalk need not leave more free than any
    must; where the code profile cannot, every code is right.
    """
    table = toml_table(text, file, expected='site_id = "…" and tables such as [[cameras]]')
    try:
        parsed, left_out = _SiteFile.model_validate(table), frozenset[str]()
    except ValidationError as error:
        with faults.collect():
            refuse_invalid(file, error, _SiteFile)
        parsed, left_out = _usable_part(table, error)
    _refuse_shared_ids(file, parsed, faults)
    if "sensor_rules" not in left_out:
        _refuse_unknown_rules(file, parsed, faults)
    timezone, crs, code_profile = ZoneInfo(_TIMEZONE), Crs.WGS84, ANY_CODE
    with faults.collect():
        timezone = _timezone(file, parsed.timezone)
    with faults.collect():
        crs = _crs(file, parsed.crs)
    with faults.collect():
        code_profile = ANY_CODE if "code_profile" in left_out else _code_profile(file, parsed.code_profile)
    return SiteConfig(
        site_id=parsed.site_id,
        timezone=timezone,
        cameras=tuple(_camera(camera, crs) for camera in parsed.cameras),
        sensors=tuple(_sensor(sensor, crs) for sensor in parsed.sensors),
        dwell=MappingProxyType(_dwell(parsed.rules)),
        min_clear_m=parsed.rules.blocked_sidewalk.min_clear_m,
        sensor_rules=MappingProxyType({name: rule.as_rule() for name, rule in parsed.sensor_rules.items()}),
        code_profile=code_profile,
        crs=crs,
        is_crs_named="crs" in parsed.model_fields_set,
    )


def _usable_part(table: dict[str, Any], error: ValidationError) -> tuple[_SiteFile, frozenset[str]]:
    """What is left without faults, and without those that show only then; keys at the head that were left out."""
    rest, left_out = _without_faults(table, error)
    try:
        return _SiteFile.model_validate(rest), left_out
    except ValidationError as next_error:
        parsed, also_left_out = _usable_part(rest, next_error)
        return parsed, left_out | also_left_out


def _without_faults(table: dict[str, Any], error: ValidationError) -> tuple[dict[str, Any], frozenset[str]]:
    """The table without its unknown keys and without whatever at its head holds another fault; what was left out."""
    rest = copy.deepcopy(table)
    problems = error.errors(include_url=False)
    for problem in problems:
        if problem["type"] == "extra_forbidden":
            holder: Any = rest
            for part in problem["loc"][:-1]:
                holder = holder[part]
            del holder[problem["loc"][-1]]
    left_out = {str(one["loc"][0]) for one in problems if one["type"] != "extra_forbidden"}
    rest = {key: value for key, value in rest.items() if key not in left_out}
    if any(problem["loc"][0] == "rules" for problem in problems):
        rest["rules"] = {IncidentKind.BLOCKED_SIDEWALK.value: {"min_clear_m": _LEAST_CLEAR_M}}
    return {"site_id": "unknown", **rest}, frozenset(left_out)


def _refuse_shared_ids(file: str, parsed: _SiteFile, faults: Faults) -> None:
    cameras, sensors = ([one.id for one in ones] for ones in (parsed.cameras, parsed.sensors))
    with faults.collect():
        refuse_twins(file, "cameras", cameras)
    with faults.collect():
        refuse_twins(file, "sensors", sensors)
    for row, sensor_id in enumerate(sensors):
        if sensor_id in cameras:
            problem = f"{sensor_id!r} is taken by cameras[{cameras.index(sensor_id)}]; give it its own id"
            faults.add(SiteError(file, f"sensors[{row}].id", problem))


def _refuse_unknown_rules(file: str, parsed: _SiteFile, faults: Faults) -> None:
    known = sorted(parsed.sensor_rules)
    for row, sensor in enumerate(parsed.sensors):
        if sensor.rule is not None and sensor.rule not in parsed.sensor_rules:
            problem = (
                f"{shown(sensor.rule)} of sensor {sensor.id} is no table under sensor_rules; "
                f"{closest(sensor.rule, known)}"
            )
            faults.add(SiteError(file, f"sensors[{row}].rule", problem))


def _timezone(file: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        problem = f"{shown(name)} is no time zone; it should be a name such as 'Asia/Shanghai'"
        raise SiteError(file, "timezone", problem) from error


def _crs(file: str, name: str) -> Crs:
    try:
        return parse_crs(name)
    except ValueError as error:
        raise SiteError(file, "crs", str(error)) from error


def _code_profile(file: str, name: str) -> CodeProfile:
    if name not in PROFILES:
        problem = (
            f"{shown(name)} is no way in which cell codes are put together; it should be one of {', '.join(PROFILES)}"
        )
        raise SiteError(file, "code_profile", problem)
    return PROFILES[name]


def _wgs84(lat: float, lng: float, crs: Crs) -> tuple[float, float]:
    lat, lng = to_wgs84(np.array([[lat, lng]]), crs)[0]
    return float(lat), float(lng)


def _sensor(sensor: _Sensor, crs: Crs) -> SensorConfig:
    lat, lng = _wgs84(sensor.lat, sensor.lng, crs)
    return SensorConfig(id=sensor.id, metric=sensor.metric, lat=lat, lng=lng, rule=sensor.rule)


def _control_point(point: _ControlPoint, crs: Crs) -> ControlPoint:
    lat, lng = _wgs84(point.lat, point.lng, crs)
    return ControlPoint(px=point.px, lat=lat, lng=lng)


def _camera(camera: _Camera, crs: Crs) -> CameraConfig:
    return CameraConfig(
        id=camera.id,
        size_px=camera.size_px,
        gcps=tuple(_control_point(point, crs) for point in camera.gcps),
        max_reprojection_px=camera.max_reprojection_px,
        lens=None if camera.lens is None else _lens(camera.lens, camera.size_px),
    )


def _lens(lens: _Lens, size_px: tuple[int, int]) -> Lens:
    center_px = lens.center_px or (size_px[0] / 2, size_px[1] / 2)
    return Lens(focal_px=lens.focal_px, center_px=center_px, k1=lens.k1, k2=lens.k2)


def _dwell(rules: _Rules) -> dict[IncidentKind, DwellSettings]:
    def settings(rule: _Parking | _Garbage | _Sidewalk) -> DwellSettings:
        values: dict[str, Any] = rule.model_dump(exclude={"min_clear_m"})
        return DwellSettings(**values)

    return {
        IncidentKind.ILLEGAL_PARKING: settings(rules.illegal_parking),
        IncidentKind.EXPOSED_GARBAGE: settings(rules.exposed_garbage),
        IncidentKind.BLOCKED_SIDEWALK: settings(rules.blocked_sidewalk),
    }
