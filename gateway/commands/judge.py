"""`street721 judge` and `street721 check-config`: the rules on recorded detections, and the files on trial."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import cv2
import typer

from dispatcher.adapters.policy_file import load_policy
from dispatcher.errors import PolicyError
from dispatcher.policy import Policy
from gateway.adapters.reference_pictures import load_references
from gateway.config import load_settings, site_folder
from gateway.errors import ConfigError
from geofence.adapters.site_drawing import draw_site
from geofence.adapters.site_folder import load_site
from geofence.errors import Faults, GeofenceError, grouped
from geofence.recorded import judge_lines
from geofence.site import Site
from geofence.site_lint import misnamed_files, warnings_of


def judge(
    detections: Annotated[
        typer.FileText,
        typer.Argument(help="JSON lines, as `detect --json` prints; - for stdin", encoding="utf-8", errors="replace"),
    ],
    site: Annotated[str, typer.Option(help="a shipped site, or the path of a site folder")] = "demo",
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object per event instead of text")] = False,
) -> None:
    """Run the street rules on recorded detections and print the incidents.

    A line is {"camera_id", "captured_at", "detections": [{"class", "confidence", "xyxy"}]}.

    Example:

        street721 judge detections.jsonl --site my-street/ --json
    """
    for line in judge_lines(load_site(site_folder(site)), detections):
        if as_json:
            sys.stdout.write(line + "\n")
            continue
        event = json.loads(line)
        cell = event["cell"] or "no cell"
        facts = f"{event['at']}  {event['event']:8s} {event['kind']:18s} {event['camera_id']}  {cell}"
        sys.stdout.write(f"{facts}  {event['reason']}\n")


def check_config(
    site: Annotated[str, typer.Option(help="a shipped site, or the path of a site folder")] = "demo",
    config: Annotated[Path | None, typer.Option(help="settings file to check as well")] = None,
    draw: Annotated[Path | None, typer.Option(help="draw zones, cells and cameras as a plan, .png or .jpg")] = None,
) -> None:
    """Check a site folder (and a settings file) before a daemon meets it: every fault in one line.

    Of more than five that say the same the first is told, with their number.

    What can be used and is still worth a look is a line that begins with "warning": control points that others
    contradict or that no camera shows so, what lies outside all cells or zones, ground of two zones or of no cell, and
    what is written without effect, such as hours that no rule asks for or a file that nothing reads.

    Examples:

        street721 check-config --site my-street/ --config my.toml

        street721 check-config --site my-street/ --draw my-street.png
    """
    if config is not None:
        load_settings(config)
        sys.stdout.write(f"{config}: good\n")
    folder = site_folder(site)
    street, policy = _load_all(folder)
    for camera in street.cameras.values():
        fit = camera.homography
        sys.stdout.write(
            f"camera {camera.id}: reprojection error {fit.rms_px:.2f} px rms, worst {fit.residual_px.max():.2f} px\n"
        )
    for line in grouped([*misnamed_files(sorted(file.name for file in folder.iterdir())), *warnings_of(street)]):
        sys.stdout.write(f"warning: {line}\n")
    if draw is not None:
        _write_plan(draw, street)
    sys.stdout.write(
        f"{folder}: good: {len(street.cameras)} cameras, {len(street.sensors)} sensors, "
        f"{len(street.zones.zones)} zones, policy {policy.version}\n"
    )


def _load_all(folder: Path) -> tuple[Site, Policy]:
    """What the daemons load of a site; the faults of its files, its policy and its pictures are told together."""
    faults = Faults()
    street: Site | None = None
    policy: Policy | None = None
    with faults.collect():
        street = load_site(folder)
    try:
        policy = load_policy(folder / "policy.toml")
    except PolicyError as error:
        faults.add(GeofenceError(str(error)))
    for camera_id in () if street is None else street.cameras:
        try:
            load_references(folder, [camera_id])
        except ConfigError as error:
            faults.add(GeofenceError(str(error)))
    faults.raise_any()
    assert street is not None
    assert policy is not None, "what cannot be loaded is a fault"
    return street, policy


def _write_plan(file: Path, street: Site) -> None:
    try:
        is_written = cv2.imwrite(str(file), draw_site(street))
    except cv2.error as error:
        raise ConfigError(f"{file} cannot be written; it should end in .png or .jpg") from error
    if not is_written:
        raise ConfigError(f"{file} cannot be written: is its folder there?")
    sys.stderr.write(f"plan: {file}\n")
