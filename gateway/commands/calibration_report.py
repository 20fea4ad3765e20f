"""A calibration as facts for JSON, as a text for a person, and as lines for site.toml."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from geofence.calibration import Calibration
from geofence.config import ControlPoint
from geofence.ground_error import ground_error, reaches
from geofence.lens import Lens
from geofence.pose import camera_pose

REACH_LIMITS_M = (0.05, 0.1, 0.25, 0.5, 1.0)
_TEXT_COLUMNS, _TEXT_ROWS = 8, 6
# A reader of the table wants to know that it is far, not how far.
_FAR_M = 10.0


def as_facts(camera_id: str, found: Calibration, *, size_px: tuple[int, int]) -> dict[str, Any]:
    """All numbers of a calibration; what is not known is null."""
    pose = camera_pose(found.homography, size_px)
    return {
        "camera_id": camera_id,
        "size_px": list(size_px),
        "points": [
            {
                "px": [round(float(side), 2) for side in found.px[row]],
                "is_used": bool(found.is_used[row]),
                "residual_px": _number(found.residual_px[row]),
                "residual_m": _number(found.residual_m[row]),
                "left_out_px": _number(found.left_out_px[row]),
                "left_out_m": _number(found.left_out_m[row]),
            }
            for row in range(len(found.px))
        ],
        "rms_px": _number(found.rms_px),
        "rms_m": _number(found.rms_m),
        "left_out_rms_px": None if found.left_out_rms_px is None else _number(found.left_out_rms_px),
        "covered_share": _number(found.covered_share),
        "lens": _lens_facts(found.homography.lens),
        "pose": None
        if pose is None
        else {
            "height_m": _number(pose.height_m),
            "tilt_deg": _number(pose.tilt_deg),
            "focal_px": _number(pose.focal_px),
            "is_focal_measured": pose.is_focal_measured,
        },
        "reaches": [
            {"limit_m": reach.limit_m, "to_m": _number(reach.to_m), "to_row_px": _number(reach.to_row_px)}
            for reach in reaches(found.homography, size_px, REACH_LIMITS_M)
        ],
        "metres_per_px": _grid_facts(found, size_px, columns=16, rows=9),
        "coarse_metres_per_px": _grid_facts(found, size_px, columns=_TEXT_COLUMNS, rows=_TEXT_ROWS),
        "warnings": list(found.warnings),
    }


def as_text(facts: dict[str, Any]) -> str:
    """The same for a person, without what takes a machine to read."""
    lines = [f"camera {facts['camera_id']}: {sum(point['is_used'] for point in facts['points'])} of "
             f"{len(facts['points'])} points used"]  # fmt: skip
    lines += ["", " gcp        px_x     px_y   error px   error m   left out px   left out m"]
    for number, point in enumerate(facts["points"]):
        values = (point["residual_px"], point["residual_m"], point["left_out_px"], point["left_out_m"])
        cells = [f"{'-' if value is None else format(value, '.2f'):>{width}}" for value, width in zip(values, (11, 10, 14, 13), strict=True)]  # fmt: skip  # noqa: E501
        mark = "" if point["is_used"] else "   WRONG"
        lines.append(f"{number:4d} {point['px'][0]:11.1f} {point['px'][1]:8.1f}{''.join(cells)}{mark}")
    left_out = facts["left_out_rms_px"]
    lines += ["", f"rms {facts['rms_px']:.2f} px, {facts['rms_m']:.3f} m"]
    lines[-1] += "" if left_out is None else f"; of points left out one by one {left_out:.2f} px"
    lines += [f"the points span {facts['covered_share']:.0%} of the picture", *_view_lines(facts)]
    lines += ["", *_worth_lines(facts), "", *_reach_lines(facts)]
    lines += ["", *(f"warning: {warning}" for warning in facts["warnings"])] if facts["warnings"] else []
    return "\n".join(lines) + "\n"


def as_toml(measured: Sequence[ControlPoint], found: Calibration) -> str:
    """The camera's lines for site.toml: the points that agree, and the lens."""
    rows = [
        f"  {{ px = [{point.px[0]:.1f}, {point.px[1]:.1f}], lng = {point.lng:.7f}, lat = {point.lat:.7f} }},"
        for point, is_used in zip(measured, found.is_used, strict=True)
        if is_used
    ]
    lines = ["gcps = [", *rows, "]"]
    lens = found.homography.lens
    if lens is not None:
        center = f"[{lens.center_px[0]:.1f}, {lens.center_px[1]:.1f}]"
        lines.append(
            f"lens = {{ focal_px = {lens.focal_px:.1f}, center_px = {center}, k1 = {lens.k1:.5f}, k2 = {lens.k2:.5f} }}"
        )
    return "\n".join(lines) + "\n"


def _view_lines(facts: dict[str, Any]) -> list[str]:
    pose, lens = facts["pose"], facts["lens"]
    lines = []
    if pose is None:
        lines.append("no pinhole camera shows the ground like this: is the picture stretched, or cut at one side?")
    else:
        source = "" if pose["is_focal_measured"] else " (assumed: the ground does not tell it)"
        lines.append(
            f"camera {pose['height_m']:.1f} m above the ground, looks {pose['tilt_deg']:.0f}° down, "
            f"focal length {pose['focal_px']:.0f} px{source}"
        )
    if lens is not None:
        lines.append(f"lens k1 = {lens['k1']:.4f}, k2 = {lens['k2']:.4f} at focal_px = {lens['focal_px']:.1f}")
    return lines


def _worth_lines(facts: dict[str, Any]) -> list[str]:
    """A table of the picture: along the view / across it."""
    grid = facts["coarse_metres_per_px"]
    lines = ["metres per pixel, along the view / across it (- no ground, far over 10):"]
    for y_px, along, across in zip(grid["y_px"], grid["along_m"], grid["across_m"], strict=True):
        row = [_worth(*pair) for pair in zip(along, across, strict=True)]
        lines.append(f"y {y_px:5.0f}  " + " ".join(f"{text:>11s}" for text in row))
    lines.append("x        " + " ".join(f"{x_px:11.0f}" for x_px in grid["x_px"]))
    return lines


def _worth(along_m: float | None, across_m: float | None) -> str:
    if along_m is None or across_m is None:
        return "-"
    return "far" if along_m > _FAR_M else f"{along_m:.3f}/{across_m:.3f}"


def _reach_lines(facts: dict[str, Any]) -> list[str]:
    return [
        f"1 px is at most {reach['limit_m']:g} m up to {reach['to_m']:.0f} m from the nearest ground in the middle "
        f"(row {reach['to_row_px']:.0f})"
        for reach in facts["reaches"]
    ]


def _grid_facts(found: Calibration, size_px: tuple[int, int], *, columns: int, rows: int) -> dict[str, Any]:
    grid = ground_error(found.homography, size_px, columns=columns, rows=rows)
    return {
        "x_px": [round(float(x), 1) for x in grid.px[0, :, 0]],
        "y_px": [round(float(y), 1) for y in grid.px[:, 0, 1]],
        "along_m": _table(grid.along_m),
        "across_m": _table(grid.across_m),
    }


def _table(values: npt.NDArray[np.float64]) -> list[list[float | None]]:
    return [[_number(value) for value in row] for row in values]


def _lens_facts(lens: Lens | None) -> dict[str, Any] | None:
    if lens is None:
        return None
    center_px = [round(side, 2) for side in lens.center_px]
    return {"focal_px": _number(lens.focal_px), "center_px": center_px, "k1": _number(lens.k1), "k2": _number(lens.k2)}


def _number(value: float) -> float | None:
    """Five decimals; None for what JSON has no word for."""
    return round(float(value), 5) if math.isfinite(value) else None
