"""Reads a site folder from disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from detectors.classes import ClassTable, load_classes
from geofence.config import SITE_FILE, SiteConfig, parse_site_toml
from geofence.errors import SiteError
from geofence.site import Site, build_site
from geofence.site_map import GRID_FILE, ZONES_FILE, parse_grid, parse_zones


def load_site(folder: Path, classes: ClassTable | None = None) -> Site:
    """The site described by site.toml, zones.geojson and grid.geojson in `folder`.

    Raises SiteError or CalibrationError: one line that names file, key, value and what would be right.
    """
    config = parse_site_toml(_read(folder, SITE_FILE))
    zones = parse_zones(_read(folder, ZONES_FILE))
    cells = parse_grid(_read(folder, GRID_FILE))
    return build_site(config, zones, cells, classes or load_classes())


def load_uncalibrated(folder: Path, classes: ClassTable | None = None) -> tuple[SiteConfig, Site]:
    """The site without its cameras, and what site.toml says of them: for control points that are still on trial.

    Raises SiteError as `load_site` does.
    """
    config = parse_site_toml(_read(folder, SITE_FILE))
    zones = parse_zones(_read(folder, ZONES_FILE))
    cells = parse_grid(_read(folder, GRID_FILE))
    return config, build_site(replace(config, cameras=()), zones, cells, classes or load_classes())


def _read(folder: Path, name: str) -> str:
    try:
        return (folder / name).read_text(encoding="utf-8")
    except OSError as error:
        problem = f"cannot be read from {folder} ({error.strerror}); a site has {SITE_FILE}, {ZONES_FILE}, {GRID_FILE}"
        raise SiteError(name, "(whole file)", problem) from error
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 at byte {error.start}; save it as UTF-8"
        raise SiteError(name, "(whole file)", problem) from error
