"""`street721 calibrate`: a camera's control points on trial, its error over the picture, and all of it drawn."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import numpy.typing as npt
import typer

from detectors.validation import closest
from gateway.adapters.reference_pictures import save_reference as store_reference
from gateway.commands.calibration_report import as_facts, as_text, as_toml
from gateway.config import site_folder
from gateway.errors import ConfigError
from geofence.adapters.calibration_drawing import draw_calibration
from geofence.adapters.site_folder import load_uncalibrated
from geofence.calibration import calibrate as put_on_trial
from geofence.config import CameraConfig, ControlPoint, SiteConfig
from geofence.control_points import parse_control_points
from geofence.crs import Crs, to_gcj02
from geofence.site import MAX_DISTANCE_M

Image = npt.NDArray[np.uint8]
_ASPECT_TOLERANCE = 0.01
_NO_PICTURE = 90


def calibrate(
    site: Annotated[str, typer.Argument(help="a shipped site, or the path of a site folder", show_default=False)],
    camera: Annotated[str, typer.Option(help="id of the camera in site.toml")],
    frame: Annotated[Path | None, typer.Option(help="a picture of the camera, to draw on or to keep")] = None,
    points: Annotated[
        Path | None, typer.Option(help="CSV px_x,px_y,lat,lng,crs in place of the gcps of site.toml")
    ] = None,
    crs: Annotated[str | None, typer.Option(help="coordinate system of points that name none, such as wgs84")] = None,
    fit_lens: Annotated[bool, typer.Option("--fit-lens", help="find the lens's k1 (and k2) as well")] = False,
    limit_px: Annotated[
        float | None, typer.Option(min=0.1, help="points agree within so many pixels; default: max_reprojection_px")
    ] = None,
    draw: Annotated[Path | None, typer.Option(help="picture to write, with grid, zones, cells and points")] = None,
    write: Annotated[bool, typer.Option("--write", help="print the lines for site.toml as well")] = False,
    save_reference: Annotated[
        bool, typer.Option("--save-reference", help="keep the frame in the site folder, to notice a shifted camera by")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object instead of text")] = False,
) -> None:
    """Check a camera's control points, or new ones: which are wrong, and what a pixel is worth on the ground.

    Examples:

        street721 calibrate my-street/ --camera cam-01 --frame now.jpg --draw checked.jpg

        street721 calibrate my-street/ --camera cam-01 --points measured.csv --crs wgs84 --fit-lens --write
    """
    if crs is not None and points is None:
        raise typer.BadParameter("--crs is for the points given with --points; those of site.toml are in its own crs")
    folder = site_folder(site)
    config, street = load_uncalibrated(folder)
    known = _camera(config, camera)
    if save_reference and frame is None:
        raise typer.BadParameter("--save-reference keeps the picture given with --frame; give one")
    picture = None if frame is None else _picture(frame, known.size_px)
    measured = known.gcps if points is None else _read_points(points, crs)
    ground_m = street.plane.to_ground(np.array([(point.lat, point.lng) for point in measured], np.float64))
    _refuse_outside(measured, ground_m, known.size_px)
    found = put_on_trial(
        np.array([point.px for point in measured], np.float64),
        ground_m,
        camera_id=camera,
        size_px=known.size_px,
        limit_px=limit_px or known.max_reprojection_px,
        lens=known.lens,
        is_lens_wanted=fit_lens,
    )
    facts = as_facts(camera, found, size_px=known.size_px)
    toml = as_toml(_as_written(measured, config.crs), found)
    sys.stdout.write(json.dumps(facts | ({"toml": toml} if write else {})) + "\n" if as_json else as_text(facts))
    if write and not as_json:
        sys.stdout.write(f"\nfor [[cameras]] {camera} in site.toml:\n\n{toml}")
    if draw is not None:
        ground = np.full((known.size_px[1], known.size_px[0], 3), _NO_PICTURE, np.uint8) if picture is None else picture
        zones, cells = street.zones.zones, street.grid.cells
        _write_picture(draw, draw_calibration(ground, found, size_px=known.size_px, zones=zones, cells=cells))
    if save_reference and picture is not None:
        sys.stderr.write(f"reference: {store_reference(folder, camera, picture)}\n")


def _camera(config: SiteConfig, camera_id: str) -> CameraConfig:
    cameras = {camera.id: camera for camera in config.cameras}
    if camera_id not in cameras:
        raise ConfigError(f"site {config.site_id} has no camera {camera_id!r}; {closest(camera_id, sorted(cameras))}")
    return cameras[camera_id]


def _as_written(points: tuple[ControlPoint, ...], crs: Crs) -> tuple[ControlPoint, ...]:
    """Points as site.toml wants them, which may be in another coordinate system."""
    if crs is Crs.WGS84:
        return points
    lat_lng = to_gcj02(np.array([(point.lat, point.lng) for point in points]))
    return tuple(
        ControlPoint(px=point.px, lat=float(lat), lng=float(lng))
        for point, (lat, lng) in zip(points, lat_lng, strict=True)
    )


def _read_points(file: Path, crs: str | None) -> tuple[ControlPoint, ...]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is not UTF-8 at byte {error.start}; save it as UTF-8") from error
    return parse_control_points(text.splitlines(), file=file.name, crs=None if crs is None else crs.lower())


def _refuse_outside(measured: tuple[ControlPoint, ...], ground_m: Any, size_px: tuple[int, int]) -> None:
    for number, (point, place_m) in enumerate(zip(measured, ground_m, strict=True)):
        x, y = point.px
        if not (0 <= x <= size_px[0] and 0 <= y <= size_px[1]):
            raise ConfigError(f"point {number} px [{x:g}, {y:g}] lies outside size_px {list(size_px)}")
        if not np.linalg.norm(place_m) <= MAX_DISTANCE_M:
            place = f"lat {point.lat:g}, lng {point.lng:g}"
            raise ConfigError(f"point {number} {place} is over 50 km from the site's grid: are lat and lng swapped?")


def _picture(file: Path, size_px: tuple[int, int]) -> Image:
    picture = cv2.imdecode(np.frombuffer(_bytes(file), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        raise ConfigError(f"{file} is no picture that can be read")
    height, width = picture.shape[:2]
    if abs(width / height * size_px[1] / size_px[0] - 1) > _ASPECT_TOLERANCE:
        raise ConfigError(f"{file} is {width} x {height} pixels, of another shape than size_px {list(size_px)}")
    return np.asarray(picture, np.uint8)


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes() or b"\0"
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error


def _write_picture(file: Path, picture_bgr: Image) -> None:
    try:
        is_written = cv2.imwrite(str(file), picture_bgr)
    except cv2.error as error:
        raise ConfigError(f"{file} cannot be written; its name should end in .jpg or .png") from error
    if not is_written:
        raise ConfigError(f"{file} cannot be written; is its folder there?")
