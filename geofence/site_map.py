"""``zones.geojson`` and ``grid.geojson`` (RFC 7946) → rings in degrees, checked; nothing metric yet."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
import shapely
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from detectors.strict_values import Number
from detectors.validation import shown
from geofence.cell_codes import GB15, CodeProfile
from geofence.crs import CRS_EXPECTED, Crs, are_metres, parse_crs, to_wgs84
from geofence.errors import Faults, SiteError
from geofence.ground import geojson_to_lat_lng
from geofence.hours import ActiveHours, parse_hours
from geofence.places import ZoneKind
from geofence.site_text import refuse_comments, refuse_empty, refuse_invalid, refuse_twins

ZONES_FILE = "zones.geojson"
GRID_FILE = "grid.geojson"
_DEFAULT_SURFACE: Mapping[ZoneKind, str] = {ZoneKind.SIDEWALK: "sidewalk", ZoneKind.STREET: "roadway"}
MAX_FEATURES = 200_000
_ROW_NUMBERS = frozenset({"fid", "objectid", "ogc_fid"})

Float64s = npt.NDArray[np.float64]
FileT = TypeVar("FileT", bound=BaseModel)


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """A polygon in degrees: (N, 2) [lat, lng] of its outer ring and of its holes."""

    shell: Float64s
    holes: tuple[Float64s, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ZoneShape:
    """One feature of ``zones.geojson``; its settings are those of `places.Zone`."""

    id: str
    kind: ZoneKind
    rings: Rings
    hours: ActiveHours | None
    surface: str | None
    direction_deg: float | None = None
    min_clear_m: float | None = None
    exempt: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellShape:
    """One feature of ``grid.geojson``."""

    code: str
    rings: Rings


class _Foreign(BaseModel):
    """GeoJSON objects may carry members of other programs (RFC 7946, 6.1); properties are ours."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


_Position = Annotated[list[Number], Field(min_length=2, max_length=3, description="a position [lng, lat]")]
_Ring = Annotated[list[_Position], Field(min_length=4, description="a closed ring of 4 positions or more")]


class _Polygon(_Foreign):
    """A Polygon, or a MultiPolygon of one part, as many programs write every polygon."""

    type: Literal["Polygon"] = Field(description="'Polygon'")
    coordinates: list[_Ring] = Field(min_length=1, description="a list of rings of [lng, lat]")

    @model_validator(mode="before")
    @classmethod
    def _is_one_polygon(cls, found: object) -> object:
        if not isinstance(found, dict) or found.get("type") in (None, "Polygon"):
            return found
        parts = found.get("coordinates")
        if found["type"] != "MultiPolygon" or not isinstance(parts, list):
            raise ValueError(f"{shown(found['type'])} is not usable; it should be a Polygon")
        if len(parts) != 1:
            raise ValueError(f"a MultiPolygon of {len(parts)} parts; it should be split into a feature for each")
        return {"type": "Polygon", "coordinates": parts[0]}


class _CrsProperties(_Foreign):
    name: str = Field(description=CRS_EXPECTED)


class _CrsMember(_Foreign):
    properties: _CrsProperties = Field(description="an object with name")


class _Collection(_Foreign):
    """A file of features; ``crs`` is the member of GeoJSON 2008, without which RFC 7946 says WGS 84."""

    type: Literal["FeatureCollection"] = Field(description="'FeatureCollection'")
    crs: _CrsMember | None = Field(default=None, description='an object {"properties": {"name": "…"}}')


class _Properties(BaseModel):
    """What programs number rows by is not ours, and their columns are null where a row says nothing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _without_foreign(cls, found: object) -> object:
        if not isinstance(found, dict):
            return found
        return {key: value for key, value in found.items() if value is not None and key.lower() not in _ROW_NUMBERS}


class _ZoneProperties(_Properties):
    id: str = Field(pattern=r"^[\w-]{1,64}$", description="1 to 64 letters, digits, _ or -")
    kind: ZoneKind = Field(description=f"one of {', '.join(ZoneKind)}")
    hours: str | None = Field(default=None, description="hours such as '07:00-22:00'")
    surface: Literal["roadway", "sidewalk", "plaza"] | None = Field(
        default=None, description="one of roadway, sidewalk, plaza"
    )
    direction_deg: Number | None = Field(
        default=None, ge=0, lt=360, description="degrees clockwise from north, 0 or more and under 360"
    )
    min_clear_m: Number | None = Field(default=None, ge=0.3, le=10, description="metres, 0.3 … 10")
    exempt: list[str] = Field(default=[], description="a list of class names")

    @model_validator(mode="after")
    def _is_of_its_kind(self) -> _ZoneProperties:
        if self.min_clear_m is not None and self.kind != ZoneKind.SIDEWALK:
            raise ValueError(f"min_clear_m is for a sidewalk, and zone {self.id} is a {self.kind}")
        return self


class _CellProperties(_Properties):
    code: str = Field(description="a code in the form that code_profile names")


class _ZoneFeature(_Foreign):
    properties: _ZoneProperties = Field(description="an object with id and kind")
    geometry: _Polygon = Field(description="a Polygon")


class _CellFeature(_Foreign):
    properties: _CellProperties = Field(description="an object with code")
    geometry: _Polygon = Field(description="a Polygon")


class _ZonesFile(_Collection):
    features: list[_ZoneFeature] = Field(max_length=MAX_FEATURES, description="a list of features")


class _GridFile(_Collection):
    features: list[_CellFeature] = Field(
        min_length=1, max_length=MAX_FEATURES, description="a list of one cell or more"
    )


def parse_zones(text: str, *, file: str = ZONES_FILE) -> tuple[ZoneShape, ...]:
    """Zones written in `text`; raises SiteError, one line with file, key, value and what would be right."""
    parsed = _parsed(_ZonesFile, text, file)
    features = parsed.features
    faults = Faults()
    crs = _crs(parsed, file, faults)
    with faults.collect():
        refuse_twins(file, "features", [feature.properties.id for feature in features])
    zones: list[ZoneShape] = []
    for row, feature in enumerate(features):
        with faults.collect():
            zones.append(_zone_shape(feature, row, file, crs))
    faults.raise_any()
    return tuple(zones)


def _zone_shape(feature: _ZoneFeature, row: int, file: str, crs: Crs) -> ZoneShape:
    facts = feature.properties
    faults = Faults()
    hours, rings = None, Rings(np.empty((0, 2)), ())
    with faults.collect():
        hours = None if facts.hours is None else _hours(facts.hours, file, row)
    with faults.collect():
        rings = _rings(feature.geometry, file, f"features[{row}] (zone {facts.id})", crs)
    faults.raise_any()
    return ZoneShape(
        id=facts.id,
        kind=facts.kind,
        rings=rings,
        hours=hours,
        surface=facts.surface or _DEFAULT_SURFACE.get(facts.kind),
        direction_deg=facts.direction_deg,
        min_clear_m=facts.min_clear_m,
        exempt=frozenset(facts.exempt),
    )


def parse_grid(text: str, *, file: str = GRID_FILE, profile: CodeProfile = GB15) -> tuple[CellShape, ...]:
    """Unit grid cells written in `text`; raises SiteError like parse_zones."""
    parsed = _parsed(_GridFile, text, file)
    features = parsed.features
    faults = Faults()
    crs = _crs(parsed, file, faults)
    cells: list[CellShape] = []
    for row, feature in enumerate(features):
        code = feature.properties.code
        if not profile.is_right(code):
            problem = f"{shown(code)} is not a cell code; it should be {profile.expected}"
            faults.add(SiteError(file, f"features[{row}].properties.code", problem))
        with faults.collect():
            rings = _rings(feature.geometry, file, f"features[{row}] (cell {code:.20})", crs)
            cells.append(CellShape(code=code, rings=rings))
    with faults.collect():
        refuse_twins(file, "features", [feature.properties.code for feature in features], "code")
    faults.raise_any()
    return tuple(cells)


def _parsed(model: type[FileT], text: str, file: str) -> FileT:
    refuse_empty(text, file, 'a FeatureCollection: {"type": "FeatureCollection", "features": […]}')
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        if error.errors(include_url=False)[0]["type"] == "json_invalid":
            refuse_comments(text, file)
        refuse_invalid(file, error, model)


def _crs(parsed: _Collection, file: str, faults: Faults) -> Crs:
    """WGS 84 where the name is a fault: what lies in it is checked as well."""
    try:
        return Crs.WGS84 if parsed.crs is None else parse_crs(parsed.crs.properties.name)
    except ValueError as error:
        faults.add(SiteError(file, "crs.properties.name", str(error)))
        return Crs.WGS84


def _hours(text: str, file: str, row: int) -> ActiveHours:
    try:
        return parse_hours(text)
    except ValueError as error:
        raise SiteError(file, f"features[{row}].properties.hours", str(error)) from error


def _rings(polygon: _Polygon, file: str, key: str, crs: Crs) -> Rings:
    rings = [geojson_to_lat_lng(ring) for ring in polygon.coordinates]
    for ring in rings:
        if not np.array_equal(ring[0], ring[-1]):
            raise SiteError(file, key, "a ring is not closed; its last position should repeat its first")
        outside = np.flatnonzero(np.abs(ring[:, 0]) > 90)
        if len(outside):
            lat = ring[outside[0], 0]
            why = "metres of a projection? write it in WGS 84" if are_metres(lat) else "swapped?"
            raise SiteError(file, key, f"latitude {lat:g} is not -90 … 90; GeoJSON positions are [lng, lat]: {why}")
    _refuse_crossing(rings, file, key)
    rings = [to_wgs84(ring, crs) for ring in rings]
    return Rings(rings[0], tuple(rings[1:]))


def _refuse_crossing(rings: list[Float64s], file: str, key: str) -> None:
    shape: Any = shapely.Polygon(rings[0], rings[1:])
    if shapely.is_valid(shape) and shape.area > 0:
        return
    reason = str(shapely.is_valid_reason(shape))
    place = re.fullmatch(r"(.+)\[(\S+) (\S+)\]", reason)
    if place is None:
        raise SiteError(file, key, "the polygon has no area; it should be a simple ring around one")
    what = "crosses itself" if place[1] == "Self-intersection" else f"is not simple ({place[1]})"
    where = f"lat {float(place[2]):.6f}, lng {float(place[3]):.6f}"
    raise SiteError(file, key, f"the polygon {what} at {where}; put its corners in order around the area")
