"""A site drawn as a plan, north up: zones, cells, what each camera sees, sensors and places with a permit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from geofence.adapters.calibration_drawing import visible_ground
from geofence.adapters.lettering import BgrColour, Lettering
from geofence.adapters.zone_colours import zone_colour
from geofence.lint import inside_of
from geofence.places import Zone
from geofence.pose import Pose
from geofence.site import Camera, Site

Float64s = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

_WIDTH_PX, _LEAST_HEIGHT_PX, _MOST_HEIGHT_PX = 1600, 500, 2400
_MARGIN_M = 15.0
_GROUND: BgrColour = (45, 42, 40)
_CELL: BgrColour = (170, 170, 170)
_CAMERA: BgrColour = (60, 220, 250)
_SENSOR: BgrColour = (250, 200, 90)
_PERMIT: BgrColour = (120, 240, 120)
_ZONE_SHARE = 0.45
# Zones that lie so near to each other have their names on one side.
_TOUCHING_M = 0.5
_BESIDE_PX = 14


def draw_site(site: Site) -> Image:
    """The plan, (H, 1600, 3) BGR."""
    plan = _Plan(*_extent(site))
    for cell in site.grid.cells:
        plan.outline(cell.polygon_m, _CELL, 1)
    _fill_zones(plan, site)
    for camera in site.cameras.values():
        _draw_camera(plan, camera)
    for permit in site.permits:
        if permit.center_m is not None:
            plan.outline(shapely.Point(permit.center_m).buffer(permit.radius_m), _PERMIT, 2)
            plan.letters.label(permit.id, plan.spot(permit.center_m), _PERMIT)
    for cell in site.grid.cells:
        seen = shapely.intersection(cell.polygon_m, plan.frame)
        if seen.area > 0:
            west, _, _, north = seen.bounds
            x, y = plan.spot((west, north))
            plan.letters.free_label(cell.code, (x + 6, y + 18), _CELL)
    for sensor_id, place_m in site.sensor_places_m.items():
        plan.dot(place_m, _SENSOR)
        plan.letters.free_label(sensor_id, plan.spot(place_m, below_px=16), _SENSOR)
    plan.letters.panel([f"{site.site_id}: {len(site.zones.zones)} zones, {len(site.grid.cells)} cells; north is up"])
    _draw_scale(plan)
    plan.letters.write()
    return plan.image


class _Plan:
    """What is drawn on, and where on it a place on the ground is."""

    def __init__(self, low_m: Float64s, high_m: Float64s) -> None:
        self.px_per_m = _WIDTH_PX / (high_m[0] - low_m[0])
        height_px = math.ceil((high_m[1] - low_m[1]) * self.px_per_m)
        self.image: Image = np.full((height_px, _WIDTH_PX, 3), _GROUND, np.uint8)
        self.frame = shapely.box(*low_m, *high_m)
        self.letters = Lettering(self.image, 1.0)
        self._corner_m = np.array([low_m[0], high_m[1]])

    def pixels(self, ground_m: Any) -> Float64s:
        """(N, 2) metres → (N, 2) pixels."""
        away_m = np.asarray(ground_m, np.float64).reshape(-1, 2) - self._corner_m
        return np.asarray(away_m * (self.px_per_m, -self.px_per_m), np.float64)

    def spot(self, ground_m: tuple[float, float], below_px: float = 0.0) -> tuple[float, float]:
        """Where a text at a place goes."""
        x, y = self.pixels(ground_m)[0]
        return float(x), float(y) + below_px

    def outline(self, polygon_m: Any, colour: BgrColour, width_px: int) -> None:
        """The borders of a polygon."""
        for line in self.rings(polygon_m):
            cv2.polylines(self.image, [line], isClosed=True, color=colour, thickness=width_px, lineType=cv2.LINE_AA)

    def rings(self, polygon_m: Any) -> list[npt.NDArray[np.int32]]:
        """The rings of a polygon or of several, in whole pixels, as far as the plan goes."""
        parts = shapely.get_parts(shapely.intersection(polygon_m, self.frame))
        rings = [ring for part in parts if part.geom_type == "Polygon" for ring in (part.exterior, *part.interiors)]
        return [np.round(self.pixels(ring.coords)).astype(np.int32) for ring in rings]

    def dot(self, ground_m: tuple[float, float], colour: BgrColour) -> None:
        """A place."""
        x, y = self.spot(ground_m)
        cv2.circle(self.image, (round(x), round(y)), 5, colour, -1, cv2.LINE_AA)


def _extent(site: Site) -> tuple[Float64s, Float64s]:
    """[east, north] of the lower left and the upper right corner: of zones or all cells, sensors, cameras, views."""
    shapes = [zone.polygon_m for zone in site.zones.zones] or [cell.polygon_m for cell in site.grid.cells]
    shapes += [shapely.Point(place_m) for place_m in site.sensor_places_m.values()]
    shapes += [view for camera in site.cameras.values() if (view := _view_of(camera)) is not None]
    shapes += [shapely.Point(place_m) for camera in site.cameras.values() if (place_m := _stands_at(camera))]
    west, south, east, north = shapely.total_bounds(np.array(shapes, dtype=object))
    low_m, high_m = np.array([west, south]) - _MARGIN_M, np.array([east, north]) + _MARGIN_M
    width_m, height_m = high_m - low_m
    wider_m = max(0.0, height_m * _WIDTH_PX / _MOST_HEIGHT_PX - width_m) / 2
    higher_m = max(0.0, width_m * _LEAST_HEIGHT_PX / _WIDTH_PX - height_m) / 2
    return low_m - (wider_m, higher_m), high_m + (wider_m, higher_m)


def _fill_zones(plan: _Plan, site: Site) -> None:
    for zone in site.zones.zones:
        rings = plan.rings(zone.polygon_m)
        if not rings:
            continue
        filled = plan.image.copy()
        cv2.fillPoly(filled, rings, zone_colour(zone.kind))
        cv2.addWeighted(filled, _ZONE_SHARE, plan.image, 1 - _ZONE_SHARE, 0, dst=plan.image)
        plan.outline(zone.polygon_m, zone_colour(zone.kind), 2)
    joined = shapely.get_parts(shapely.union_all([zone.polygon_m.buffer(_TOUCHING_M) for zone in site.zones.zones]))
    for zone in site.zones.zones:
        _name_zone(plan, zone, joined)


def _name_zone(plan: _Plan, zone: Zone, joined: Sequence[Any]) -> None:
    """The zone's name in it, or, where that would cover it, east of all zones that are joined with it."""
    text, colour = f"{zone.id} ({zone.kind})", zone_colour(zone.kind)
    place_m = inside_of(zone.polygon_m)
    spot = plan.spot(place_m)
    width_m, height_m = (side / plan.px_per_m / 2 for side in plan.letters.measure(text))
    east_m, north_m = place_m
    lettered = shapely.box(east_m - width_m, north_m - height_m, east_m + width_m, north_m + height_m)
    if zone.polygon_m.contains(lettered):
        plan.letters.label(text, spot, colour)
        return
    edge = plan.spot((_east_end_m(place_m, joined), north_m))
    begin = plan.letters.label_beside(text, (edge[0] + _BESIDE_PX, edge[1]), colour)
    if begin is not None:
        ends = [tuple(map(round, end)) for end in (spot, begin)]
        cv2.line(plan.image, ends[0], ends[1], colour, 1, cv2.LINE_AA)


def _east_end_m(place_m: tuple[float, float], joined: Sequence[Any]) -> float:
    """How far east joined zones reach beside a place in one of them."""
    part = next(part for part in joined if part.contains(shapely.Point(place_m)))
    return float(shapely.intersection(part, shapely.LineString([place_m, (part.bounds[2] + 1, place_m[1])])).bounds[2])


def _draw_camera(plan: _Plan, camera: Camera) -> None:
    view = _view_of(camera)
    if view is not None:
        plan.outline(view, _CAMERA, 1)
    place_m = _stands_at(camera)
    if place_m is not None:
        plan.dot(place_m, _CAMERA)
        plan.letters.label(camera.id, plan.spot(place_m, below_px=16), _CAMERA)


def _view_of(camera: Camera) -> Any | None:
    """The ground that a camera sees, None where that is no polygon."""
    view = visible_ground(camera.homography, camera.size_px)
    return view if view is not None and view.is_valid else None


def _stands_at(camera: Camera) -> tuple[float, float] | None:
    pose: Pose | None = camera.pose
    return None if pose is None else (float(pose.position_m[0]), float(pose.position_m[1]))


def _draw_scale(plan: _Plan) -> None:
    """A bar of a round length, in the lower right corner."""
    wanted_m = 250 / plan.px_per_m
    step = 10 ** math.floor(math.log10(wanted_m))
    length_m = max(one * step for one in (1, 2, 5) if one * step <= wanted_m)
    height, width = plan.image.shape[:2]
    end = (width - 30, height - 30)
    start = (round(end[0] - length_m * plan.px_per_m), end[1])
    cv2.line(plan.image, start, end, (255, 255, 255), 4)
    plan.letters.label(f"{length_m:g} m", ((start[0] + end[0]) / 2, end[1] - 16), (255, 255, 255))
