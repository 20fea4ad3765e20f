"""Site folders: a whole one loads; every broken one gives one clear line."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from geofence.adapters.site_folder import load_site
from geofence.errors import CalibrationError, GeofenceError, SiteError
from geofence.lens import Lens
from tests.sites import ONE_CAMERA

NAMES = ("site.toml", "zones.geojson", "grid.geojson")
Edit = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in NAMES:
        shutil.copy(ONE_CAMERA / name, tmp_path / name)
    return tmp_path


def line_after(folder: Path, name: str, edit: Edit) -> str:
    before = (folder / name).read_text(encoding="utf-8")
    after = edit(before)
    assert after != before
    (folder / name).write_text(after, encoding="utf-8")
    with pytest.raises(GeofenceError) as caught:
        load_site(folder)
    assert isinstance(caught.value, SiteError | CalibrationError)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_copy_of_a_whole_folder_loads(folder: Path) -> None:
    assert load_site(folder).site_id == "demo"


def test_the_plane_does_not_depend_on_the_order_of_cells(folder: Path) -> None:
    first = load_site(folder).plane
    grid = json.loads((folder / "grid.geojson").read_text())
    grid["features"].reverse()
    (folder / "grid.geojson").write_text(json.dumps(grid))
    assert load_site(folder).plane == first


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(SiteError) as caught:
        load_site(folder)
    assert str(caught.value) == (
        f"{name}: (whole file): cannot be read from {folder} (No such file or directory); "
        "a site has site.toml, zones.geojson, grid.geojson"
    )


def test_a_file_that_is_not_utf8_is_refused(folder: Path) -> None:
    (folder / "site.toml").write_bytes('site_id = "演示"'.encode("gb18030"))
    with pytest.raises(SiteError, match=r"site\.toml: \(whole file\): is not UTF-8 at byte 11; save it as UTF-8"):
        load_site(folder)


def keep_gcps(*numbers: int) -> Edit:
    def edit(text: str) -> str:
        head, tail = text.split("gcps = [\n")
        rows = tail.splitlines(keepends=True)
        return head + "gcps = [\n" + "".join(rows[number] for number in numbers) + "]\n"

    return edit


def test_three_collinear_ground_points_are_refused(folder: Path) -> None:
    # Points 1, 4, 9 of the site lie straight ahead of the camera.
    assert line_after(folder, "site.toml", keep_gcps(1, 4, 9, 5)) == (
        "camera cam-01: site.toml: gcps 0, 1, 2 (counted from 0) lie on one line in the picture; "
        "move or add points off it"
    )


def test_three_points_are_too_few(folder: Path) -> None:
    assert line_after(folder, "site.toml", keep_gcps(0, 2, 5)) == (
        "camera cam-01: site.toml: there are 3 gcps; at least 4 are needed, 6 or more to find a wrong one"
    )


def test_a_point_measured_wrongly_is_named_and_left_out(folder: Path) -> None:
    right = load_site(folder).cameras["cam-01"]
    text = (folder / "site.toml").read_text(encoding="utf-8")
    (folder / "site.toml").write_text(text.replace("px = [480.0, 334.7]", "px = [480.0, 374.7]"), encoding="utf-8")
    camera = load_site(folder).cameras["cam-01"]
    (warning,) = camera.warnings
    assert warning.startswith("gcps[4] px=[480, 374.7] is 40.0 px from where the other points put it, and was left out")
    place_px = np.array([[300.0, 400.0], [900.0, 500.0], [480.0, 120.0]])
    off_m = camera.homography.pixel_to_ground(place_px) - right.homography.pixel_to_ground(place_px)
    assert np.abs(off_m).max() < 0.05


def test_a_wrong_point_among_four_cannot_be_named_and_is_refused(folder: Path) -> None:
    def edit(text: str) -> str:
        return keep_gcps(0, 2, 4, 5, 9)(text).replace("px = [480.0, 334.7]", "px = [480.0, 374.7]")

    line = line_after(folder, "site.toml", edit)
    assert line.startswith("camera cam-01: site.toml: 5 gcps disagree by up to ")
    assert "which one is wrong can only be told from 6 or more" in line


def test_a_lens_bends_the_camera_of_the_site(folder: Path) -> None:
    straight = load_site(folder).cameras["cam-01"].homography
    text = (folder / "site.toml").read_text(encoding="utf-8")
    points = re.compile(r"\bpx = \[([\d.]+), ([\d.]+)\]")
    lens = Lens(focal_px=800.0, center_px=(480.0, 270.0), k1=-0.2, k2=0.02)

    def bent(match: re.Match[str]) -> str:
        x, y = lens.bend(np.array([[float(match[1]), float(match[2])]]))[0]
        return f"px = [{x:.3f}, {y:.3f}]"

    with_lens = text.replace('id = "cam-01"', 'id = "cam-01"\nlens = { focal_px = 800, k1 = -0.2, k2 = 0.02 }')
    (folder / "site.toml").write_text(points.sub(bent, with_lens), encoding="utf-8")
    camera = load_site(folder).cameras["cam-01"].homography
    place_px = np.array([[300.0, 400.0], [900.0, 500.0], [480.0, 120.0]])
    assert np.allclose(camera.pixel_to_ground(lens.bend(place_px)), straight.pixel_to_ground(place_px), atol=0.05)
    assert camera.residual_px.max() < 0.5


def test_the_wrong_lens_is_a_calibration_error(folder: Path) -> None:
    line = line_after(
        folder,
        "site.toml",
        lambda text: text.replace('id = "cam-01"', 'id = "cam-01"\nlens = { focal_px = 800, k1 = -0.2 }'),
    )
    assert line == "camera cam-01: site.toml: fewer than 8 of 12 gcps agree to within 0.5 px; measure again"


def test_every_fault_of_every_file_is_told(folder: Path) -> None:
    """Two in site.toml, two in zones.geojson, one in grid.geojson."""
    changes = {
        "site.toml": [("max_reprojection_px = 0.5", "max_reprojection_px = -1"), ('timezone = "', 'time_zone = "')],
        "zones.geojson": [('"no_parking"', '"parking"'), ('"street"', '"road"')],
        "grid.geojson": [("110101001001003", "11010100100100")],
    }
    for name, pairs in changes.items():
        text = (folder / name).read_text(encoding="utf-8")
        for old, new in pairs:
            assert old in text
            text = text.replace(old, new)
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.raises(SiteError) as caught:
        load_site(folder)
    lines = [str(one) for one in caught.value.every]
    assert [line.partition(":")[0] for line in lines] == ["site.toml"] * 2 + ["zones.geojson"] * 2 + ["grid.geojson"]
    assert "unknown key 'time_zone'; did you mean 'timezone'?" in lines[0]
    assert "features[0].properties.kind" in lines[2]


def replaced(folder: Path, name: str, *changes: tuple[str, str]) -> None:
    text = (folder / name).read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / name).write_text(text, encoding="utf-8")


def every_line(folder: Path) -> list[str]:
    with pytest.raises(GeofenceError) as caught:
        load_site(folder)
    return [str(one) for one in caught.value.every]


def test_what_names_something_of_another_file_is_told_although_that_one_is_faulty_too(folder: Path) -> None:
    """An unknown key, too few control points, and a permit for a zone that is not there."""
    text = keep_gcps(0, 2, 5)((folder / "site.toml").read_text(encoding="utf-8"))
    (folder / "site.toml").write_text("speed = 3\n" + text, encoding="utf-8")
    (folder / "permits.toml").write_text(
        '[[permits]]\nid = "a"\nzone = "kerb-l"\nclasses = ["货车"]\n'
        "starts_at = 2026-10-01T08:00:00+08:00\nends_at = 2026-10-01T18:00:00+08:00\n",
        encoding="utf-8",
    )
    unknown, named, zone, camera = every_line(folder)
    assert unknown.startswith("site.toml: speed: unknown key 'speed'")
    assert named == "permits.toml: permit a: classes: '货车' is no class; that is called 'truck' here"
    assert zone.startswith("permits.toml: permits[0].zone: there is no zone 'kerb-l'; did you mean")
    assert camera.startswith("camera cam-01: site.toml: there are 3 gcps")


def test_what_only_follows_from_a_fault_is_no_fault(folder: Path) -> None:
    """Zones that cannot be read are not unknown to a permit, nor days to hours, nor codes of an unknown profile."""
    replaced(folder, "zones.geojson", ('"kind": "street"', '"kind": "road"'))
    replaced(folder, "site.toml", ('timezone = "', 'code_profile = "gb"\ntimezone = "'))
    (folder / "holidays.toml").write_text("off = [1]", encoding="utf-8")
    (folder / "permits.toml").write_text(
        '[[permits]]\nid = "a"\nzone = "kerb-1"\n'
        "starts_at = 2026-10-01T08:00:00+08:00\nends_at = 2026-10-01T18:00:00+08:00\n"
    )
    assert [line.split(":")[0] for line in every_line(folder)] == ["site.toml", "zones.geojson", "holidays.toml"]


def test_unreadable_holidays_are_no_missing_ones(folder: Path) -> None:
    replaced(folder, "zones.geojson", ('"kind": "no_parking"', '"kind": "no_parking", "hours": "07:00-22:00; PH off"'))
    (folder / "holidays.toml").write_text("off = [1]", encoding="utf-8")
    (line,) = every_line(folder)
    assert line.startswith("holidays.toml: off[0]")


def test_files_may_begin_with_a_mark_of_their_bytes_order(folder: Path) -> None:
    """Notepad and spreadsheets write one at the head of UTF-8."""
    (folder / "holidays.toml").write_bytes(b"off = [2026-10-01]")
    (folder / "permits.toml").write_bytes(b"permits = []")
    for file in folder.iterdir():
        file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    assert load_site(folder).site_id == "demo"


@pytest.mark.parametrize(("name", "what"), [("zones.geojson", "zone kerb-1"), ("grid.geojson", "cell ")])
def test_what_has_no_area_is_refused(folder: Path, name: str, what: str) -> None:
    """In degrees three corners on one line still go round some billionths."""
    content = json.loads((folder / name).read_text(encoding="utf-8"))
    corners = [[116.411, 39.9152], [116.4111, 39.9153], [116.4112, 39.9154], [116.411, 39.9152]]
    content["features"][0]["geometry"]["coordinates"] = [corners]
    (folder / name).write_text(json.dumps(content), encoding="utf-8")
    (line,) = every_line(folder)
    assert line.startswith(f"{name}: {what}")
    assert line.endswith("covers 0.00 m²: its corners lie on one line; they should go round an area")


def test_several_cameras_that_cannot_be_calibrated_are_all_told(folder: Path) -> None:
    text = keep_gcps(0, 2, 5)((folder / "site.toml").read_text(encoding="utf-8"))
    head, tail = text.split("[[cameras]]")
    (folder / "site.toml").write_text(
        head + "[[cameras]]" + tail + "\n[[cameras]]" + tail.replace('"cam-01"', '"cam-02"'), encoding="utf-8"
    )
    with pytest.raises(CalibrationError) as caught:
        load_site(folder)
    assert [str(one).partition(":")[0] for one in caught.value.every] == ["camera cam-01", "camera cam-02"]


def test_a_zone_that_crosses_itself_says_where(folder: Path) -> None:
    def cross(text: str) -> str:
        zones = json.loads(text)
        ring = zones["features"][1]["geometry"]["coordinates"][0]
        ring[1], ring[2] = ring[2], ring[1]
        return json.dumps(zones)

    line = line_after(folder, "zones.geojson", cross)
    assert line.startswith("zones.geojson: features[1] (zone sidewalk-1): the polygon crosses itself at lat 39.9153")


def test_a_sidewalk_narrower_than_what_must_stay_free_is_refused(folder: Path) -> None:
    line = line_after(folder, "site.toml", lambda text: text.replace("min_clear_m = 1.5", "min_clear_m = 3.5"))
    assert line.startswith(
        "zones.geojson: zone sidewalk-1: is only 3.00 m wide at its narrowest, less than min_clear_m = 3.5 of "
    )


def test_a_sensor_in_another_city_is_refused(folder: Path) -> None:
    line = line_after(folder, "site.toml", lambda text: text.replace("lat = 39.916416", "lat = 31.2", 1))
    assert line.startswith("site.toml: sensors[0] (bin-001): lat 31.2, lng 116.407 is ")
    assert line.endswith(
        "km from the grid's middle (lat 39.9150, lng 116.4105), more than 50 km: are lat and lng swapped?"
    )


def test_swapped_degrees_that_are_both_possible_are_noticed_by_distance(tmp_path: Path) -> None:
    """Ürümqi: 43.8 north, 87.6 east are both possible latitudes."""
    ring = [[87.60, 43.80], [87.61, 43.80], [87.61, 43.81], [87.60, 43.81], [87.60, 43.80]]
    cell = {
        "type": "Feature",
        "properties": {"code": "650102001001001"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    (tmp_path / "grid.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [cell]}))
    (tmp_path / "zones.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    (tmp_path / "site.toml").write_text(
        'site_id = "u"\nsensors = [{id = "b", metric = "level", lat = 87.6, lng = 43.8, rule = "r"}]\n'
        'sensor_rules.r = {kind = "bin_overflow", raise_above = 85, clear_below = 60}\n'
    )
    with pytest.raises(SiteError, match=r"sensors\[0\] \(b\): lat 87\.6, lng 43\.8 is .* are lat and lng swapped\?"):
        load_site(tmp_path)


def test_an_unknown_camera_suggests_the_known_one(folder: Path) -> None:
    with pytest.raises(GeofenceError, match="site demo has no camera 'cam-1'; did you mean 'cam-01'"):
        load_site(folder).camera("cam-1")


def test_sensors_keep_their_places(folder: Path) -> None:
    site = load_site(folder)
    sensor = site.sensors["bin-007"]
    place = site.plane.to_lat_lng(np.array([site.sensor_places_m["bin-007"]]))[0]
    assert place == pytest.approx([sensor.lat, sensor.lng], abs=1e-9)
