"""A site ready for its rules: cameras with their homography, zones, cells and sensors, all on one ground plane."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

from detectors.classes import ClassTable, class_by_any_name
from detectors.validation import closest, shown
from geofence.calibration import calibrate
from geofence.config import SITE_FILE, CameraConfig, SensorConfig, SensorRule, SiteConfig
from geofence.errors import CalibrationError, Faults, GeofenceError, SiteError
from geofence.ground import GroundPlane
from geofence.holidays import HOLIDAYS_FILE, NO_HOLIDAYS, Holidays
from geofence.homography import Homography
from geofence.lint import overlapping_cells
from geofence.messages import IncidentKind
from geofence.passage import Walkway
from geofence.permits import PERMITS_FILE, Permit, PermitConfig
from geofence.places import Cell, GridIndex, Zone, ZoneIndex, ZoneKind
from geofence.pose import Pose, camera_pose
from geofence.site_map import GRID_FILE, ZONES_FILE, CellShape, Rings, ZoneShape
from geofence.strip import StripDirection, direction_of

Float64s = npt.NDArray[np.float64]

MAX_DISTANCE_M = 50_000.0
# Smaller than a paving stone is no zone and no cell.
MIN_AREA_M2 = 0.1
# A passage is measured up to so many times what must stay free; wider ones are wide enough.
MEASURED_PASSAGES = 2.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Camera:
    """A calibrated camera; size_px is the picture that its control points were taken in.

    pose: the pinhole behind the homography, None where there is none
    warnings: what to know of its control points, among them those that the others contradict; one line each
    """

    id: str
    size_px: tuple[int, int]
    homography: Homography
    pose: Pose | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """All that the rules of one gateway need to know.

    cameras, sensors: by id; walkways: by index of the sidewalk in zones.zones
    sensor_places_m: [east, north] by sensor id
    zone_axes: which way every zone runs
    """

    config: SiteConfig
    classes: ClassTable
    plane: GroundPlane
    cameras: Mapping[str, Camera]
    sensors: Mapping[str, SensorConfig]
    sensor_places_m: Mapping[str, tuple[float, float]]
    zones: ZoneIndex
    grid: GridIndex
    walkways: Mapping[int, Walkway]
    zone_axes: tuple[StripDirection, ...]
    holidays: Holidays = NO_HOLIDAYS
    permits: tuple[Permit, ...] = ()

    @property
    def site_id(self) -> str:
        """Name of the site, part of every topic."""
        return self.config.site_id

    def camera(self, camera_id: str) -> Camera:
        """The camera called `camera_id`; raises GeofenceError with the closest known one."""
        if camera_id not in self.cameras:
            hint = closest(camera_id, sorted(self.cameras))
            raise GeofenceError(f"site {self.site_id} has no camera {camera_id!r}; {hint}")
        return self.cameras[camera_id]

    def axes_at(self, ground_m: Float64s) -> list[float]:
        """Direction of the lane or kerb at (N, 2) places, radians clockwise from north; NaN where no zone is."""
        axes = [math.nan] * len(ground_m)
        rows, zones = self.zones.containing(ground_m)
        for row, zone in sorted(zip(rows.tolist(), zones.tolist(), strict=True), reverse=True):
            if self.zones.zones[zone].kind != ZoneKind.COLLECTION_POINT or math.isnan(axes[row]):
                axes[row] = self.zone_axes[zone].at((float(ground_m[row, 0]), float(ground_m[row, 1])))
        return axes

    def is_in_force(self, zone: Zone, at: datetime) -> bool:
        """Whether `at` lies in the hours of a zone."""
        return zone.hours is None or zone.hours.is_active(at, self.config.timezone, self.holidays)

    def in_force_since(self, zone: Zone, at: datetime) -> datetime | None:
        """When the hours that `at` lies in began, None for a zone that always is in force."""
        return None if zone.hours is None else zone.hours.active_since(at, self.config.timezone, self.holidays)

    def min_clear_m(self, zone: Zone) -> float:
        """What must stay free on a sidewalk."""
        return self.config.min_clear_m if zone.min_clear_m is None else zone.min_clear_m

    def rule_of(self, sensor: SensorConfig) -> SensorRule | None:
        """The rule that judges a sensor, None where none does."""
        return None if sensor.rule is None else self.config.sensor_rules[sensor.rule]


def build_site(
    config: SiteConfig,
    zones: tuple[ZoneShape, ...],
    cells: tuple[CellShape, ...],
    classes: ClassTable,
    *,
    holidays: Holidays | None = None,
    permits: Sequence[PermitConfig] = (),
) -> Site:
    """Join the parsed files of a site; raises SiteError or CalibrationError, one line each.

    holidays: None for a site that has no list of them
    """
    faults = Faults()
    plane = _plane(cells)
    _refuse_far(plane, config, zones, cells, faults)
    if not faults:
        _refuse_flat(plane, zones, cells, faults)
    # What lies on another continent, or goes round nothing, has no place on the plane.
    has_places = not faults
    with faults.collect():
        refuse_unknown_names(zones, permits, classes, holidays)
    if not has_places:
        faults.raise_any()
    grid_cells = tuple(Cell(code=cell.code, polygon_m=_polygon(cell.rings, plane)) for cell in cells)
    with faults.collect():
        _refuse_overlaps(grid_cells, plane)
    zone_index = ZoneIndex(tuple(_zone(zone, plane) for zone in zones))
    walkways = _walkways(zone_index, config.min_clear_m, faults)
    cameras: dict[str, Camera] = {}
    for camera in config.cameras:
        with faults.collect():
            cameras[camera.id] = _camera(camera, plane)
    faults.raise_any()
    places_m = plane.to_ground(np.array([(sensor.lat, sensor.lng) for sensor in config.sensors], np.float64))
    return Site(
        config=config,
        classes=classes,
        plane=plane,
        cameras=MappingProxyType(cameras),
        sensors=MappingProxyType({sensor.id: sensor for sensor in config.sensors}),
        sensor_places_m=MappingProxyType(
            {
                sensor.id: (float(east), float(north))
                for sensor, (east, north) in zip(config.sensors, places_m, strict=True)
            }
        ),
        zones=zone_index,
        grid=GridIndex(grid_cells),
        walkways=MappingProxyType(walkways),
        zone_axes=tuple(direction_of(zone.polygon_m, zone.direction_deg) for zone in zone_index.zones),
        holidays=holidays or NO_HOLIDAYS,
        permits=tuple(_permit(permit, plane) for permit in permits),
    )


def refuse_unknown_names(
    zones: Sequence[ZoneShape], permits: Sequence[PermitConfig], classes: ClassTable, holidays: Holidays | None
) -> None:
    """Raises SiteError for classes, zones and lists of days that one file names and no other has."""
    faults = Faults()
    _refuse_unknown_classes(zones, permits, classes, faults)
    _refuse_unlisted_holidays(zones, holidays, faults)
    _refuse_unknown_zones(zones, permits, faults)
    faults.raise_any()


def _refuse_unknown_zones(zones: Sequence[ZoneShape], permits: Sequence[PermitConfig], faults: Faults) -> None:
    known = sorted(zone.id for zone in zones)
    for row, permit in enumerate(permits):
        if permit.zone_id is not None and permit.zone_id not in known:
            problem = f"there is no zone {shown(permit.zone_id)}; {closest(permit.zone_id, known)}"
            faults.add(SiteError(PERMITS_FILE, f"permits[{row}].zone", problem))


def _refuse_unknown_classes(
    zones: Sequence[ZoneShape], permits: Sequence[PermitConfig], classes: ClassTable, faults: Faults
) -> None:
    named = [(ZONES_FILE, f"zone {zone.id}: exempt", zone.exempt) for zone in zones]
    named += [(PERMITS_FILE, f"permit {permit.id}: classes", permit.classes) for permit in permits]
    for file, key, names in named:
        for name in sorted(names):
            if name not in classes.by_name:
                faults.add(SiteError(file, key, f"{shown(name)} is no class; {_class_meant(name, classes)}"))


def _class_meant(name: str, classes: ClassTable) -> str:
    known = class_by_any_name(classes, name)
    return closest(name, sorted(classes.by_name)) if known is None else f"that is called {known.name!r} here"


def _refuse_unlisted_holidays(zones: Sequence[ZoneShape], holidays: Holidays | None, faults: Faults) -> None:
    for zone in zones:
        if holidays is None and zone.hours is not None and zone.hours.names_holidays:
            problem = f"its hours speak of holidays (PH), and the site has no {HOLIDAYS_FILE} that lists them"
            faults.add(SiteError(ZONES_FILE, f"zone {zone.id}", problem))


def _permit(permit: PermitConfig, plane: GroundPlane) -> Permit:
    center_m = None if permit.lat_lng is None else plane.to_ground(np.array([permit.lat_lng]))[0]
    return Permit(
        id=permit.id,
        kinds=permit.kinds,
        starts_at=permit.starts_at,
        ends_at=permit.ends_at,
        zone_id=permit.zone_id,
        center_m=None if center_m is None else (float(center_m[0]), float(center_m[1])),
        radius_m=permit.radius_m,
        classes=permit.classes,
        plate_sha256=permit.plate_sha256,
    )


def _plane(cells: tuple[CellShape, ...]) -> GroundPlane:
    """The plane around the middle of the grid, the same for the same grid."""
    corners = np.vstack([cell.rings.shell for cell in cells])
    lat, lng = (corners.min(axis=0) + corners.max(axis=0)) / 2
    return GroundPlane(float(lat), float(lng))


def _refuse_far(
    plane: GroundPlane, config: SiteConfig, zones: tuple[ZoneShape, ...], cells: tuple[CellShape, ...], faults: Faults
) -> None:
    """Whatever lies far from the grid has its lat and lng swapped, or belongs to another city."""
    for file, key, lat_lng in _places(config, zones, cells):
        # The plane is made for a city; this only has to tell 50 km from a continent.
        north_m = (lat_lng[:, 0] - plane.origin_lat) * 111_000
        east_m = (lat_lng[:, 1] - plane.origin_lng) * 111_000 * np.cos(np.radians(plane.origin_lat))
        distance_m = np.hypot(east_m, north_m)
        worst = int(np.argmax(distance_m))
        if distance_m[worst] > MAX_DISTANCE_M:
            lat, lng = lat_lng[worst]
            problem = (
                f"lat {lat:g}, lng {lng:g} is {distance_m[worst] / 1000:,.0f} km from the grid's middle "
                f"(lat {plane.origin_lat:.4f}, lng {plane.origin_lng:.4f}), more than 50 km: are lat and lng swapped?"
            )
            faults.add(SiteError(file, key, problem))


def _refuse_flat(
    plane: GroundPlane, zones: tuple[ZoneShape, ...], cells: tuple[CellShape, ...], faults: Faults
) -> None:
    """Corners on one line go round nothing, whatever rounded degrees make of them."""
    shapes = [(ZONES_FILE, f"zone {zone.id}", zone.rings) for zone in zones]
    shapes += [(GRID_FILE, f"cell {cell.code}", cell.rings) for cell in cells]
    for file, key, rings in shapes:
        area_m2 = float(_polygon(rings, plane).area)
        if area_m2 < MIN_AREA_M2:
            problem = f"covers {area_m2:.2f} m²: its corners lie on one line; they should go round an area"
            faults.add(SiteError(file, key, problem))


def _refuse_overlaps(cells: tuple[Cell, ...], plane: GroundPlane) -> None:
    """A place belongs to one cell, or the same trouble would go to two streets."""
    overlaps = overlapping_cells(cells)
    if not overlaps:
        return
    worst = overlaps[0]
    lat, lng = plane.to_lat_lng(np.array([worst.center_m]))[0]
    more = f"; so do {len(overlaps) - 1} more pairs" if len(overlaps) > 1 else ""
    problem = (
        f"shares {worst.area_m2:,.1f} m² with cell {worst.second} around lat {lat:.6f}, lng {lng:.6f}{more}; "
        "cells may touch, and overlap by 1 m² at most: draw one border for both"
    )
    raise SiteError(GRID_FILE, f"cell {worst.first}", problem)


def _places(
    config: SiteConfig, zones: tuple[ZoneShape, ...], cells: tuple[CellShape, ...]
) -> Iterable[tuple[str, str, Float64s]]:
    for cell in cells:
        yield GRID_FILE, f"cell {cell.code}", cell.rings.shell
    for zone in zones:
        yield ZONES_FILE, f"zone {zone.id}", zone.rings.shell
    for row, camera in enumerate(config.cameras):
        for number, point in enumerate(camera.gcps):
            yield SITE_FILE, f"cameras[{row}].gcps[{number}]", np.array([[point.lat, point.lng]], np.float64)
    for row, sensor in enumerate(config.sensors):
        yield SITE_FILE, f"sensors[{row}] ({sensor.id})", np.array([[sensor.lat, sensor.lng]], np.float64)


def _zone(zone: ZoneShape, plane: GroundPlane) -> Zone:
    polygon_m = _polygon(zone.rings, plane)
    return Zone(
        id=zone.id,
        kind=zone.kind,
        polygon_m=polygon_m,
        hours=zone.hours,
        surface=zone.surface,
        direction_deg=zone.direction_deg,
        min_clear_m=zone.min_clear_m,
        exempt=zone.exempt,
    )


def _polygon(rings: Rings, plane: GroundPlane) -> Any:
    return shapely.Polygon(plane.to_ground(rings.shell), [plane.to_ground(hole) for hole in rings.holes])


def _camera(camera: CameraConfig, plane: GroundPlane) -> Camera:
    px = np.array([point.px for point in camera.gcps], np.float64)
    ground_m = plane.to_ground(np.array([(point.lat, point.lng) for point in camera.gcps], np.float64))
    try:
        found = calibrate(
            px,
            ground_m,
            camera_id=camera.id,
            size_px=camera.size_px,
            limit_px=camera.max_reprojection_px,
            lens=camera.lens,
        )
    except CalibrationError as error:
        raise CalibrationError(camera.id, f"{SITE_FILE}: {error.problem}") from error
    pose = camera_pose(found.homography, camera.size_px)
    return Camera(id=camera.id, size_px=camera.size_px, homography=found.homography, pose=pose, warnings=found.warnings)


def _walkways(index: ZoneIndex, min_clear_m: float, faults: Faults) -> dict[int, Walkway]:
    walkways: dict[int, Walkway] = {}
    for row, zone in enumerate(index.zones):
        if zone.kind != ZoneKind.SIDEWALK:
            continue
        wanted_m = min_clear_m if zone.min_clear_m is None else zone.min_clear_m
        walkways[row] = Walkway(zone.polygon_m, reach_m=MEASURED_PASSAGES * wanted_m)
        width_m = walkways[row].clear_width_m(shapely.Polygon())
        if width_m < wanted_m:
            whose = f"rules.{IncidentKind.BLOCKED_SIDEWALK}" if zone.min_clear_m is None else "its own"
            problem = (
                f"is only {width_m:.2f} m wide at its narrowest, less than min_clear_m = {wanted_m:g} of "
                f"{whose}: empty it would count as blocked; draw it wider or ask for less"
            )
            faults.add(SiteError(ZONES_FILE, f"zone {zone.id}", problem))
    return walkways
