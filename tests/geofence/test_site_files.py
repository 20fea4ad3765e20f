"""What site files may say beyond shapes: days, permits, exemptions, directions, coordinate systems, code profiles."""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from geofence.adapters.site_folder import load_site
from geofence.crs import to_gcj02
from geofence.errors import SiteError
from geofence.site_lint import misnamed_files, warnings_of
from tests.sites import ONE_CAMERA

SHANGHAI = ZoneInfo("Asia/Shanghai")
Feature = dict[str, Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("site.toml", "zones.geojson", "grid.geojson"):
        shutil.copy(ONE_CAMERA / name, tmp_path / name)
    return tmp_path


def edit(folder: Path, name: str, change: Callable[[list[Feature]], None], crs: str | None = None) -> None:
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    change(content["features"])
    if crs is not None:
        content["crs"] = {"type": "name", "properties": {"name": crs}}
    (folder / name).write_text(json.dumps(content), encoding="utf-8")


def sets(kind: str, **properties: Any) -> Callable[[list[Feature]], None]:
    def change(features: list[Feature]) -> None:
        next(one for one in features if one["properties"]["kind"] == kind)["properties"].update(properties)

    return change


def refusal(folder: Path) -> str:
    with pytest.raises(SiteError) as caught:
        load_site(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_hours_that_speak_of_holidays_want_a_list_of_them(folder: Path) -> None:
    edit(folder, "zones.geojson", sets("no_parking", hours="07:00-22:00; PH off"))
    assert "the site has no holidays.toml" in refusal(folder)
    (folder / "holidays.toml").write_text("off = [2026-10-01]")
    site = load_site(folder)
    (zone,) = [one for one in site.zones.zones if one.kind == "no_parking"]
    assert [site.is_in_force(zone, datetime(2026, 10, d, 12, tzinfo=SHANGHAI)) for d in (1, 2)] == [False, True]


def test_a_direction_goes_before_the_shape(folder: Path) -> None:
    edit(folder, "zones.geojson", sets("no_parking", direction_deg=200))
    site = load_site(folder)
    (number,) = [n for n, one in enumerate(site.zones.zones) if one.kind == "no_parking"]
    assert site.zone_axes[number].at((0.0, 0.0)) == pytest.approx(math.radians(20))


def test_a_sidewalk_may_ask_for_its_own_width(folder: Path) -> None:
    edit(folder, "zones.geojson", sets("sidewalk", min_clear_m=2.0))
    site = load_site(folder)
    (zone,) = [one for one in site.zones.zones if one.kind == "sidewalk"]
    assert site.min_clear_m(zone) == 2.0
    edit(folder, "zones.geojson", sets("sidewalk", min_clear_m=3.5))
    assert "less than min_clear_m = 3.5 of its own" in refusal(folder)
    edit(folder, "zones.geojson", sets("no_parking", min_clear_m=3.5))
    assert "min_clear_m is for a sidewalk" in refusal(folder)


def test_an_exempt_class_must_be_one(folder: Path) -> None:
    edit(folder, "zones.geojson", sets("no_parking", exempt=["buss"]))
    assert "exempt: 'buss' is no class; did you mean 'bus'" in refusal(folder)


def test_files_in_gcj02_give_the_same_site(folder: Path) -> None:
    before = load_site(folder)

    def moved(features: list[Feature]) -> None:
        for feature in features:
            rings = feature["geometry"]["coordinates"]
            feature["geometry"]["coordinates"] = [
                to_gcj02(np.array(ring)[:, 1::-1])[:, ::-1].tolist() for ring in rings
            ]

    edit(folder, "zones.geojson", moved, crs="GCJ-02")
    edit(folder, "grid.geojson", moved, crs="GCJ-02")
    after = load_site(folder)
    for old, new in zip(before.zones.zones, after.zones.zones, strict=True):
        assert old.polygon_m.hausdorff_distance(new.polygon_m) < 0.001
    assert before.grid.ground_to_cell(np.zeros((1, 2))) == after.grid.ground_to_cell(np.zeros((1, 2)))


def test_gcj02_points_that_say_they_were_wgs84_land_in_another_place(folder: Path) -> None:
    site = load_site(folder)
    lat_lng = site.plane.to_lat_lng(np.zeros((1, 2)))
    wrong_m = site.plane.to_ground(to_gcj02(lat_lng))[0]
    assert np.hypot(*wrong_m) > 300
    assert site.grid.ground_to_cell(wrong_m[None])[0] != site.grid.ground_to_cell(np.zeros((1, 2)))[0]


@pytest.mark.parametrize("name", ["zones.geojson", "grid.geojson"])
def test_a_coordinate_system_that_is_not_known_is_refused(folder: Path, name: str) -> None:
    edit(folder, name, lambda _: None, crs="EPSG:3857")
    assert refusal(folder).startswith(f"{name}: crs.properties.name: crs 'EPSG:3857' is not known")


def test_a_code_profile_decides_how_long_codes_are(folder: Path) -> None:
    text = (folder / "site.toml").read_text(encoding="utf-8")
    (folder / "site.toml").write_text('code_profile = "local16"\n' + text, encoding="utf-8")
    assert "it should be 16 of 0-9 A-Z" in refusal(folder)

    def lengthen(features: list[Feature]) -> None:
        for one in features:
            one["properties"]["code"] += "1"

    edit(folder, "grid.geojson", lengthen)
    assert len(load_site(folder).grid.cells[0].code) == 16


def test_a_permit_for_an_unknown_zone_is_refused(folder: Path) -> None:
    (folder / "permits.toml").write_text(
        '[[permits]]\nid = "a"\nzone = "nowhere"\n'
        "starts_at = 2026-10-01T08:00:00+08:00\nends_at = 2026-10-01T18:00:00+08:00\n"
    )
    assert refusal(folder).startswith("permits.toml: permits[0].zone: there is no zone 'nowhere'")


def test_the_shipped_street_gives_no_warning() -> None:
    assert warnings_of(load_site(ONE_CAMERA)) == []


def test_a_site_that_does_not_name_its_crs_is_read_as_wgs84_with_a_warning(folder: Path) -> None:
    site_toml = folder / "site.toml"
    site_toml.write_text(site_toml.read_text(encoding="utf-8").replace('crs = "wgs84"\n', ""), encoding="utf-8")
    (line,) = warnings_of(load_site(folder))
    assert line == 'site.toml: crs: not named, taken for WGS 84; write crs = "wgs84" at its head, or crs = "gcj02"'


def test_points_of_a_chinese_map_that_do_not_say_so_are_refused(folder: Path) -> None:
    """Read as WGS 84 they lie half a kilometre beside every zone."""
    site_toml = folder / "site.toml"
    named = site_toml.read_text(encoding="utf-8")

    def moved(match: re.Match[str]) -> str:
        lat, lng = to_gcj02(np.array([[float(match[2]), float(match[1])]]))[0]
        return f"lng = {lng:.8f}, lat = {lat:.8f}"

    def moved_sensor(match: re.Match[str]) -> str:
        lat, lng = to_gcj02(np.array([[float(match[1]), float(match[2])]]))[0]
        return f"lat = {lat:.8f}, lng = {lng:.8f}, rule"

    text, count = re.subn(r"lng = ([\d.]+), lat = ([\d.]+)", moved, named)
    assert count >= 4
    text = re.sub(r"lat = ([\d.]+), lng = ([\d.]+), rule", moved_sensor, text)
    site_toml.write_text(text.replace('crs = "wgs84"\n', ""), encoding="utf-8")
    assert refusal(folder).startswith("site.toml: crs: not named, and camera cam-01 sees a zone only where its")
    site_toml.write_text(text.replace('crs = "wgs84"', 'crs = "gcj02"'), encoding="utf-8")
    assert warnings_of(load_site(folder)) == []


def test_a_sensor_outside_all_cells_is_warned_of(folder: Path) -> None:
    site_toml = folder / "site.toml"
    text = site_toml.read_text(encoding="utf-8")
    site_toml.write_text(text.replace("lat = 39.916416, lng", "lat = 39.926416, lng"), encoding="utf-8")
    (line,) = warnings_of(load_site(folder))
    assert line == ("site.toml: sensor bin-001: lies further than 20 m from all cells, so what it tells has none")


@pytest.mark.parametrize(("absence_s", "is_told"), [(19, False), (20, False), (21, True)])
def test_an_absence_that_outlasts_the_limit_is_warned_of(folder: Path, absence_s: int, is_told: bool) -> None:
    site_toml = folder / "site.toml"
    text = site_toml.read_text(encoding="utf-8")
    changed = text.replace("min_dwell_s = 20, absence_s = 6", f"min_dwell_s = 20, absence_s = {absence_s}")
    site_toml.write_text(changed, encoding="utf-8")
    lines = warnings_of(load_site(folder))
    assert [line.partition(" is")[0] for line in lines] == (
        ["site.toml: rules.illegal_parking: absence_s = 21"] if is_told else []
    )


@pytest.mark.parametrize(
    ("kind", "hours", "says"),
    [
        ("street", "07:00-22:00", "has hours, and no rule asks a street for them"),
        ("collection_point", "07:00-22:00", "has hours, and no rule asks a collection_point for them"),
        ("no_parking", "Mo-Fr 07:00-09:00; Mo-Fr 17:00-19:00", "rule 1 of its hours, counted from 1, has no effect"),
    ],
)
def test_hours_without_effect_are_warned_of(folder: Path, kind: str, hours: str, says: str) -> None:
    edit(folder, "zones.geojson", sets(kind, hours=hours))
    (line,) = warnings_of(load_site(folder))
    assert line.startswith("zones.geojson: zone ")
    assert says in line


def test_a_picture_that_no_pinhole_takes_is_warned_of(folder: Path) -> None:
    """Control points that were measured in a picture of another shape."""
    site_toml = folder / "site.toml"
    text = site_toml.read_text(encoding="utf-8")
    text = re.sub(r"\bpx = \[([\d.]+),", lambda match: f"px = [{float(match[1]) / 4:.3f},", text)
    site_toml.write_text(text.replace("size_px = [960, 540]", "size_px = [240, 540]"), encoding="utf-8")
    lines = warnings_of(load_site(folder))
    assert any(
        "cam-01: no pinhole shows the ground as its gcps say; is size_px [240, 540] [width" in line for line in lines
    )


@pytest.mark.parametrize(
    ("names", "lines"),
    [
        (["site.toml", "permits.toml", "holidays.toml", "permits-2025.toml"], []),
        (["permit.toml"], ["permit.toml: nothing reads it; did you mean 'permits.toml'?"]),
        (["Holidays.toml"], ["Holidays.toml: nothing reads it; did you mean 'holidays.toml'?"]),
        (["permits.toml.txt"], ["permits.toml.txt: nothing reads it; did you mean 'permits.toml'?"]),
        (["policy.toml", "README.md", "scenario.toml", "notes.txt"], []),
    ],
)
def test_a_file_that_nothing_reads_is_told_where_it_is_called_like_one(names: list[str], lines: list[str]) -> None:
    assert misnamed_files(names) == lines


def test_what_is_worth_a_look_is_told(folder: Path) -> None:
    def add(features: list[Feature]) -> None:
        twin = json.loads(json.dumps(features[0]))
        twin["properties"]["id"] = "twin"
        features.append(twin)

    edit(folder, "zones.geojson", add)
    (folder / "holidays.toml").write_text("off = [2026-10-01]")
    lines = warnings_of(load_site(folder))
    assert any("of the same kind" in line and "twin" in line for line in lines)
    assert any(line.startswith("holidays.toml: lists days off") for line in lines)


def test_a_camera_that_sees_no_zone_is_warned_of(folder: Path) -> None:
    """GCJ-02 points that are taken for WGS 84 lie half a kilometre away."""
    text = (folder / "site.toml").read_text(encoding="utf-8")
    moved = re.sub(r"lng = 116\.(\d+)", lambda match: f"lng = {float('116.' + match[1]) + 0.006:.7f}", text)
    (folder / "site.toml").write_text(moved, encoding="utf-8")
    assert any("sees no zone within 120 m" in line for line in warnings_of(load_site(folder)))


def test_a_wrong_control_point_is_warned_of(folder: Path) -> None:
    text = (folder / "site.toml").read_text(encoding="utf-8")
    (folder / "site.toml").write_text(text.replace("px = [480.0, 334.7]", "px = [480.0, 374.7]"), encoding="utf-8")
    (line,) = warnings_of(load_site(folder))
    assert line.startswith("site.toml: camera cam-01: gcps[4] px=[480, 374.7] is 40.0 px from where the other points")


def test_two_permits_of_one_name_are_refused(folder: Path) -> None:
    permit = """[[permits]]
id = "one"
starts_at = 2026-10-01T08:00:00+08:00
ends_at = 2026-10-01T18:00:00+08:00
zone = "kerb-1"
"""
    (folder / "permits.toml").write_text(permit * 2, encoding="utf-8")
    with pytest.raises(SiteError, match=r"permits\[1\]\.id: 'one' is taken by permits\[0\]"):
        load_site(folder)
