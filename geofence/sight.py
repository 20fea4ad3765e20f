"""What ground a camera sees, and whether a zone lies on it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geofence.config import SITE_FILE
from geofence.crs import Crs, to_wgs84
from geofence.errors import SiteError
from geofence.site import Camera, Site

Float64s = npt.NDArray[np.float64]

# How far a camera sees what matters, metres; pixels of the net that is laid over its picture, each way.
VIEW_M = 120.0
NET = 48


def sees_a_zone(site: Site, camera: Camera) -> bool:
    """Whether a zone lies under any of a net of pixels, as far as a camera is worth listening to."""
    return _is_in_a_zone(site, _seen_m(camera))


def refuse_an_unclear_crs(site: Site) -> None:
    """Raises SiteError where site.toml names no coordinate system and its points are likely to be in GCJ-02.

    They are taken for WGS 84 where the zones agree; not so where a camera looks past all zones, and upon one as soon
    as its points are read as those of a Chinese map.
    """
    if site.config.is_crs_named:
        return
    for camera in site.cameras.values():
        seen_m = _seen_m(camera)
        if site.zones.zones and not _is_in_a_zone(site, seen_m) and _is_in_a_zone(site, _as_of_gcj02(site, seen_m)):
            problem = (
                f"not named, and camera {camera.id} sees a zone only where its gcps are GCJ-02; "
                'write crs = "gcj02" at the head of the file, or crs = "wgs84" where that is what they are'
            )
            raise SiteError(SITE_FILE, "crs", problem)


def _seen_m(camera: Camera) -> Float64s:
    """(N, 2) places, metres, that a net of pixels shows."""
    width, height = camera.size_px
    across, down = np.meshgrid(np.linspace(0, width, NET), np.linspace(0, height, NET))
    ground_m = camera.homography.pixel_to_ground(np.column_stack((across.ravel(), down.ravel())))
    ground_m = ground_m[np.isfinite(ground_m).all(axis=1)]
    if camera.pose is not None:
        foot_m = np.array(camera.pose.position_m[:2])
        ground_m = ground_m[np.linalg.norm(ground_m - foot_m, axis=1) <= VIEW_M]
    return ground_m


def _as_of_gcj02(site: Site, ground_m: Float64s) -> Float64s:
    """Where places lie whose degrees are those of a Chinese map."""
    return site.plane.to_ground(to_wgs84(site.plane.to_lat_lng(ground_m), Crs.GCJ02)) if len(ground_m) else ground_m


def _is_in_a_zone(site: Site, ground_m: Float64s) -> bool:
    return len(ground_m) > 0 and len(site.zones.containing(ground_m)[0]) > 0
