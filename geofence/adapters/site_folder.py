"""Reads a site folder from disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from detectors.classes import ClassTable, load_classes
from geofence.cell_codes import ANY_CODE
from geofence.config import SITE_FILE, SiteConfig, usable_site_toml
from geofence.errors import Faults, SiteError
from geofence.holidays import HOLIDAYS_FILE, NO_HOLIDAYS, Holidays, parse_holidays
from geofence.permits import PERMITS_FILE, PermitConfig, parse_permits
from geofence.sight import refuse_an_unclear_crs
from geofence.site import Site, build_site, refuse_unknown_names
from geofence.site_map import GRID_FILE, ZONES_FILE, CellShape, ZoneShape, parse_grid, parse_zones


def load_site(folder: Path, classes: ClassTable | None = None) -> Site:
    """The site described by site.toml, zones.geojson and grid.geojson in `folder`, and what holidays.toml and
    permits.toml say where it has them.

    Raises SiteError or CalibrationError: one line that names file, key, value and what would be right, and the others
    that were found (`every`).
    """
    return _load(folder, classes, with_cameras=True)[1]


def load_uncalibrated(folder: Path, classes: ClassTable | None = None) -> tuple[SiteConfig, Site]:
    """The site without its cameras, and what site.toml says of them: for control points that are still on trial.

    Raises SiteError as `load_site` does.
    """
    return _load(folder, classes, with_cameras=False)


def _load(folder: Path, classes: ClassTable | None, *, with_cameras: bool) -> tuple[SiteConfig, Site]:
    """A file that is faulty in part is used as far as it is right, so that one run tells what others have wrong."""
    faults, known = Faults(), classes or load_classes()
    config: SiteConfig | None = None
    zones: tuple[ZoneShape, ...] | None = None
    cells: tuple[CellShape, ...] = ()
    holidays: Holidays | None = NO_HOLIDAYS
    permits: tuple[PermitConfig, ...] = ()
    site: Site | None = None
    with faults.collect():
        config = usable_site_toml(_read(folder, SITE_FILE), faults)
    with faults.collect():
        zones = parse_zones(_read(folder, ZONES_FILE))
    with faults.collect():
        cells = parse_grid(_read(folder, GRID_FILE), profile=ANY_CODE if config is None else config.code_profile)
    with faults.collect():
        holidays = _holidays(folder)
    with faults.collect():
        permits = _permits(folder)
    if zones is None:
        zones, permits = (), tuple(replace(permit, zone_id=None) for permit in permits)
    with faults.collect():
        if config is None or not cells:
            refuse_unknown_names(zones, permits, known, holidays)
        else:
            usable = config if with_cameras else replace(config, cameras=())
            site = build_site(usable, zones, cells, known, holidays=holidays, permits=permits)
    faults.raise_any()
    assert config is not None
    assert site is not None, "what keeps a site from being built is a fault"
    refuse_an_unclear_crs(site)
    return config, site


def _holidays(folder: Path) -> Holidays | None:
    return parse_holidays(_read(folder, HOLIDAYS_FILE)) if (folder / HOLIDAYS_FILE).exists() else None


def _permits(folder: Path) -> tuple[PermitConfig, ...]:
    return parse_permits(_read(folder, PERMITS_FILE)) if (folder / PERMITS_FILE).exists() else ()


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8-sig")
    except OSError as error:
        problem = f"cannot be read from {folder} ({error.strerror}); a site has {SITE_FILE}, {ZONES_FILE}, {GRID_FILE}"
        raise SiteError(name, "(whole file)", problem) from error
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}; save it as UTF-8"
        raise SiteError(name, "(whole file)", problem) from error
