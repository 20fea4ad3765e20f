"""A calibration drawn over its picture: the metre grid, zones and cells, control points and what a pixel is worth."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import shapely

from geofence.adapters.lettering import BgrColour, Lettering
from geofence.adapters.zone_colours import zone_colour
from geofence.calibration import Calibration
from geofence.ground_error import metres_per_pixel
from geofence.homography import Homography
from geofence.places import Cell, Zone, ZoneKind
from geofence.pose import camera_pose

Float64s = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

_LEAST_WIDTH_PX = 1280
_FARTHEST_M = 120.0
_CELL: BgrColour = (255, 255, 255)
_USED: BgrColour = (80, 240, 80)
_WRONG: BgrColour = (70, 70, 255)
_LINE: BgrColour = (255, 255, 255)
# Metres per pixel along the view that get a line, from good to hardly usable.
_WORTH: tuple[tuple[float, BgrColour], ...] = (
    (0.05, (90, 220, 90)),
    (0.1, (60, 230, 210)),
    (0.25, (40, 170, 255)),
    (0.5, (60, 90, 255)),
    (1.0, (160, 60, 220)),
)
_ARROW_SCALE = 10
_WORTH_STEP_PX = 4
# Grid lines are drawn while neighbours are so far apart.
_APART_PX = 7.0


def draw_calibration(
    picture_bgr: Image, found: Calibration, *, size_px: tuple[int, int], zones: Iterable[Zone], cells: Iterable[Cell]
) -> Image:
    """The picture (H, W, 3), at least 1280 pixels wide, with all that the calibration says.

    size_px: (width, height) that the calibration is for; a picture of another size shows the same view
    """
    scale = max(1.0, _LEAST_WIDTH_PX / size_px[0], picture_bgr.shape[1] / size_px[0])
    whole_px = (round(size_px[0] * scale), round(size_px[1] * scale))
    drawn = np.asarray(cv2.resize(picture_bgr, whole_px, interpolation=cv2.INTER_LINEAR), np.uint8)
    sheet = _Sheet(drawn, found.homography, size_px, scale, Lettering(drawn, whole_px[0] / _LEAST_WIDTH_PX))
    visible_m = visible_ground(found.homography, size_px)
    _add_legend(sheet, found)
    if visible_m is not None:
        _draw_zones(sheet, zones, visible_m)
        _draw_worth(sheet)
        _draw_grid(sheet, visible_m)
        _draw_cells(sheet, cells, visible_m)
    _draw_points(sheet, found)
    sheet.letters.write()
    return sheet.image


@dataclass(slots=True)
class _Sheet:
    """What is drawn on: the picture, enlarged by `scale`, and the view that it has."""

    image: Image
    homography: Homography
    size_px: tuple[int, int]
    scale: float
    letters: Lettering

    def to_sheet(self, ground_m: Float64s) -> Float64s:
        """(N, 2) metres → (N, 2) pixels of the sheet, NaN where they are not seen."""
        return self.homography.ground_to_pixel(ground_m) * self.scale

    def line(self, ground_m: Float64s, colour: BgrColour, width_px: int) -> None:
        """A line over the ground, drawn where it is seen."""
        for part in _seen_parts(self.to_sheet(ground_m), self.image.shape):
            cv2.polylines(self.image, [_rounded(part)], isClosed=False, color=colour, thickness=width_px, lineType=16)


def visible_ground(homography: Homography, size_px: tuple[int, int]) -> Any | None:
    """The ground in the picture up to 120 m from its nearest, a shapely Polygon [east, north]; None for none."""
    width, height = size_px
    rows_px = np.linspace(height, 0, 240)
    bottom, top = [], []
    nearest_m: Float64s | None = None
    for x in np.linspace(0, width, 33):
        ground_m = homography.pixel_to_ground(np.column_stack((np.full(len(rows_px), x), rows_px)))
        seen_m = ground_m[np.isfinite(ground_m).all(axis=1)]
        if not len(seen_m):
            continue
        nearest_m = seen_m[0] if nearest_m is None else nearest_m
        near_m = seen_m[np.linalg.norm(seen_m - nearest_m, axis=1) <= _FARTHEST_M]
        if len(near_m) > 1:
            bottom.append(near_m[0])
            top.append(near_m[-1])
    if len(bottom) < 2:
        return None
    return shapely.make_valid(shapely.Polygon([*bottom, *reversed(top)]))


def _draw_zones(sheet: _Sheet, zones: Iterable[Zone], visible_m: Any) -> None:
    for zone in zones:
        colour = zone_colour(zone.kind)
        seen = [part for part in _polygons(zone.polygon_m.intersection(visible_m)) if part.area > 0.05]
        for part in seen:
            outline = _rounded(_finite(sheet.to_sheet(_dense(part))))
            if len(outline) < 3:
                continue
            tinted = sheet.image.copy()
            cv2.fillPoly(tinted, [outline], colour, lineType=16)
            strength = 0.12 if zone.kind == ZoneKind.STREET else 0.28
            cv2.addWeighted(tinted, strength, sheet.image, 1 - strength, 0, dst=sheet.image)
            cv2.polylines(sheet.image, [outline], isClosed=True, color=colour, thickness=2, lineType=16)
        _label_largest(sheet, seen, f"{zone.id} ({zone.kind})", colour)


def _draw_cells(sheet: _Sheet, cells: Iterable[Cell], visible_m: Any) -> None:
    for cell in cells:
        seen = [part for part in _polygons(cell.polygon_m.intersection(visible_m)) if part.area > 0.5]
        for line in _lines(cell.polygon_m.boundary.intersection(visible_m)):
            for dash in _dashes(line):
                sheet.line(dash, _CELL, 2)
        _label_largest(sheet, seen, cell.code, _CELL)


def _label_largest(sheet: _Sheet, parts: list[Any], text: str, colour: BgrColour) -> None:
    """Write inside the part that takes the most of the picture; nothing where that is too small for it."""
    outlines = [_finite(sheet.to_sheet(_dense(part))) for part in parts]
    outlines = [outline for outline in outlines if len(outline) >= 3]
    if not outlines:
        return
    frame = shapely.box(0, 0, sheet.image.shape[1], sheet.image.shape[0])
    shapes = [shapely.make_valid(shapely.Polygon(outline)).intersection(frame) for outline in outlines]
    largest = max(shapes, key=lambda shape: shape.area)
    if largest.area < 600 * sheet.letters.scale**2:
        return
    spot = largest.representative_point()
    sheet.letters.label(text, (spot.x, spot.y), colour)


def _draw_grid(sheet: _Sheet, visible_m: Any) -> None:
    """A metre grid along the camera's own view, from below it: every metre thin while it can be told apart, every five
    wide and labelled."""
    origin_m, ahead = _origin(sheet, visible_m)
    right = np.array([ahead[1], -ahead[0]])
    corners = (np.array(visible_m.envelope.exterior.coords) - origin_m) @ np.column_stack((right, ahead))
    (left_m, near_m), (right_m, far_m) = np.floor(corners.min(axis=0)), np.ceil(corners.max(axis=0))
    for step_m, width_px, strength in ((1, 1, 0.3), (5, 1, 0.55)):
        # Lines of a grid that cannot be told apart are left out, by what a pixel is worth where they run.
        limit_m = step_m / _APART_PX * sheet.scale
        drawn = sheet.image.copy()
        over = _Sheet(drawn, sheet.homography, sheet.size_px, sheet.scale, sheet.letters)
        for y in np.arange(math.ceil(near_m / step_m) * step_m, far_m + 1, step_m):
            xs = np.arange(left_m, right_m + 0.5, 0.25)
            line = origin_m + xs[:, None] * right + y * ahead
            over.line(_resolved(sheet, line, limit_m, column=0), _LINE, width_px)
        for x in np.arange(math.ceil(left_m / step_m) * step_m, right_m + 1, step_m):
            ys = np.arange(near_m, far_m + 0.5, 0.25)
            line = origin_m + x * right + ys[:, None] * ahead
            over.line(_resolved(sheet, line, limit_m, column=1), _LINE, width_px)
        cv2.addWeighted(drawn, strength, sheet.image, 1 - strength, 0, dst=sheet.image)
    for y in np.arange(math.ceil(near_m / 5) * 5, far_m + 1, 5.0):
        _label_distance(sheet, origin_m + y * ahead, right, y)


def _label_distance(sheet: _Sheet, middle_m: Float64s, right: Float64s, distance_m: float) -> None:
    """The distance of a line, where it leaves the picture on the left."""
    xs = np.linspace(-60.0, 60.0, 481)
    seen_px = sheet.to_sheet(middle_m + xs[:, None] * right)
    margin = 8 * sheet.letters.scale
    inside = np.isfinite(seen_px).all(axis=1) & (seen_px[:, 0] > margin) & (seen_px[:, 1] > 0)
    inside &= (seen_px[:, 1] < sheet.image.shape[0] - margin) & (seen_px[:, 0] < sheet.image.shape[1] / 2)
    if inside.any():
        sheet.letters.free_label(f"{distance_m:g} m", tuple(seen_px[np.argmax(inside)]), _LINE)


def _resolved(sheet: _Sheet, line_m: Float64s, limit_m: float, *, column: int) -> Float64s:
    """The line with NaN where its neighbours would run into it (column 0: along the view, 1: across)."""
    px = sheet.homography.ground_to_pixel(line_m)
    worth_m = np.full(len(px), np.nan)
    is_seen = np.isfinite(px).all(axis=1)
    worth_m[is_seen] = metres_per_pixel(sheet.homography, px[is_seen])[:, column]
    return np.where((worth_m < limit_m)[:, None], line_m, np.nan)


def _origin(sheet: _Sheet, visible_m: Any) -> tuple[Float64s, Float64s]:
    """The foot of the mast and the direction of view; without a pose the middle of the lowest row, and north."""
    pose = camera_pose(sheet.homography, sheet.size_px)
    if pose is not None:
        ahead = pose.axes[2, :2]
        if np.linalg.norm(ahead) > 0.05:
            return pose.position_m[:2], np.asarray(ahead / np.linalg.norm(ahead), np.float64)
    spot = visible_m.representative_point()
    return np.array([spot.x, spot.y]), np.array([0.0, 1.0])


def _draw_worth(sheet: _Sheet) -> None:
    """A line where a pixel begins to be worth more than so many metres along the view."""
    width, height = sheet.size_px
    xs, ys = np.arange(0, width + 1, _WORTH_STEP_PX), np.arange(0, height + 1, _WORTH_STEP_PX)
    px = np.stack(np.meshgrid(xs, ys), axis=-1).reshape(-1, 2).astype(np.float64)
    worth_m = metres_per_pixel(sheet.homography, px)[:, 0].reshape(len(ys), len(xs))
    for limit_m, colour in _WORTH:
        edge = [(float(x), y) for x, column in zip(xs, worth_m.T, strict=True) if (y := _crossing(ys, column, limit_m))]
        if len(edge) < 2:
            continue
        line = np.array(edge, np.float64) * sheet.scale
        cv2.polylines(sheet.image, [_rounded(line)], isClosed=False, color=colour, thickness=2, lineType=16)
        sheet.letters.free_label(f"1 px = {limit_m:g} m", (sheet.image.shape[1], line[-1, 1]), colour, is_right=True)


def _crossing(ys: npt.NDArray[np.int64], worth_m: Float64s, limit_m: float) -> float | None:
    """The row of a column where a pixel begins to be worth more than the limit; None if that is not in the picture."""
    within = np.nan_to_num(worth_m, nan=np.inf) <= limit_m
    first = int(np.argmax(within))
    if not within[first] or first == 0:
        return None
    above, below = worth_m[first - 1], worth_m[first]
    share = (limit_m - below) / (above - below) if np.isfinite(above) else 0.0
    return float(ys[first] - share * _WORTH_STEP_PX)


def _draw_points(sheet: _Sheet, found: Calibration) -> None:
    fitted_px = found.homography.ground_to_pixel(found.ground_m)
    size = max(4, round(6 * sheet.letters.scale))
    for number, (px, fit_px, is_used) in enumerate(zip(found.px, fitted_px, found.is_used, strict=True)):
        colour = _USED if is_used else _WRONG
        # A used point's error would hardly be seen; a wrong one's is shown as it is.
        way = (fit_px - px) * (_ARROW_SCALE if is_used else 1)
        start, end = px * sheet.scale, (px + np.nan_to_num(way)) * sheet.scale
        for dark, thickness in ((True, 4), (False, 2)):
            paint = (0, 0, 0) if dark else colour
            if np.linalg.norm(end - start) > 2:
                cv2.arrowedLine(sheet.image, _spot(start), _spot(end), paint, thickness, cv2.LINE_AA, tipLength=0.25)
            cv2.circle(sheet.image, _spot(start), size, paint, thickness, cv2.LINE_AA)
        sheet.letters.label(str(number), (start[0] + 2.6 * size, start[1] - 2.2 * size), colour)


def _add_legend(sheet: _Sheet, found: Calibration) -> None:
    left_out = found.left_out_rms_px
    wrong = int((~found.is_used).sum())
    lines = [
        f"{int(found.is_used.sum())} of {len(found.px)} points used, rms {found.rms_px:.2f} px = {found.rms_m:.3f} m"
        + ("" if left_out is None else f", left out one by one {left_out:.2f} px"),
        f"green: points used, arrow {_ARROW_SCALE} x their error" + ("; red: left out, true arrow" if wrong else ""),
        "grid of 1 m and 5 m, distances from below the camera",
    ]
    sheet.letters.panel(lines)


def _polygons(shape: Any) -> list[Any]:
    return [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "Polygon" and not part.is_empty]


def _lines(shape: Any) -> list[Any]:
    return [part for part in getattr(shape, "geoms", [shape]) if part.geom_type == "LineString" and not part.is_empty]


def _dense(polygon: Any) -> Float64s:
    return np.asarray(shapely.segmentize(polygon, 0.5).exterior.coords, np.float64)


def _dashes(line: Any) -> Iterator[Float64s]:
    """Every other 1.5 m of a line."""
    for start_m in np.arange(0.0, line.length, 3.0):
        along = np.linspace(start_m, min(start_m + 1.5, line.length), 7)
        yield shapely.get_coordinates(shapely.line_interpolate_point(line, along))


def _finite(px: Float64s) -> Float64s:
    return np.asarray(px[np.isfinite(px).all(axis=1)], np.float64)


def _seen_parts(px: Float64s, shape: tuple[int, ...]) -> Iterator[Float64s]:
    """The runs of a line that lie in the picture, or not far from it."""
    margin = 200
    with np.errstate(invalid="ignore"):
        seen = (px > -margin).all(axis=1) & (px[:, 0] < shape[1] + margin) & (px[:, 1] < shape[0] + margin)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], seen.astype(np.int8), [0]))))
    for begin, end in edges.reshape(-1, 2):
        if end - begin > 1:
            yield px[begin:end]


def _rounded(px: Float64s) -> npt.NDArray[np.int32]:
    return np.rint(np.clip(px, -30_000, 30_000)).astype(np.int32)


def _spot(px: Float64s) -> tuple[int, int]:
    return round(float(px[0])), round(float(px[1]))
