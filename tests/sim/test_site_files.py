"""The generated site: what the product reads back from it, and where it then puts what the cameras show."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from geofence.adapters.site_folder import load_site
from geofence.site import Site
from sim.adapters.site_folder import write_site
from sim.devices.filming import Shot
from sim.drawing.painter import Shown
from sim.play import Play
from sim.scenario import Scenario, ScenarioError, parse_scenario
from sim.site_files import grid_geojson, site_toml, zones_geojson
from sim.street.weather import Weather
from tests.sim.conftest import CAMERA, EMPTY, SMALL

Float64s = npt.NDArray[np.float64]

PLAIN = CAMERA.replace("cam-a", "plain")
BARREL = CAMERA.replace("cam-a", "barrel").replace("x_m = -1", "x_m = -8") + "heading_deg = 12\nk1 = -0.05\n"
CUSHION = CAMERA.replace("cam-a", "cushion").replace("y_m = 0", "y_m = 50") + "heading_deg = 184\nk1 = 0.03\n"
BOTH = CAMERA.replace("cam-a", "both").replace("tilt_deg = 20", "tilt_deg = 32") + "k1 = -0.25\nk2 = 0.12\n"
CROWD = "\n[[actors]]\n" + "\n[[actors]]\n".join(
    f'id = "pile-{x}-{y}"\nkind = "garbage"\ndoes = "stand"\nx_m = {x}\ny_m = {y}\nheading_deg = {7 * y}\n'
    for x in (-10.5, -6, -1.2, 1.4)
    for y in (4, 10, 17, 25, 33, 41, 47)
)
# How far a place may be off, metres: without and with distortion.
EXACT_M, BENT_M = 0.1, 0.3


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return parse_scenario(EMPTY.replace(CAMERA, PLAIN + BARREL + CUSHION + BOTH) + CROWD)


@pytest.fixture(scope="module")
def site(scenario: Scenario, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    write_site(scenario, folder)
    return load_site(folder)


@pytest.fixture(scope="module")
def truth(scenario: Scenario) -> dict[str, list[dict[str, Any]]]:
    """What truth.jsonl says of everything on the street, in view or not, by camera."""
    play = Play(scenario, begins_at=scenario.begins_at)
    bodies = play.world.bodies_at(0.0)
    shown = tuple(Shown(body=body, xyxy=(0, 0, 9, 9), full_xyxy=(0, 0, 9, 9), visible_fraction=1) for body in bodies)
    objects = {}
    for camera in scenario.cameras:
        shot = Shot(
            second=0, weather=Weather.DAY, pose=camera.pinhole(), shown=shown, outgoing=(), readable=(), faults=()
        )
        objects[camera.id] = json.loads(play.truth.frame_line(camera.id, shot, images=()))["objects"]
    return objects


def _corners(objects: list[dict[str, Any]]) -> tuple[Float64s, Float64s]:
    """Pixels (N, 2) and [lat, lng] (N, 2) of all corners of footprints that lie in the picture."""
    rows = [item for item in objects if item["footprint_px"] is not None]
    px = np.array([item["footprint_px"] for item in rows], np.float64).reshape(-1, 2)
    places = [[(corner["lat"], corner["lng"]) for corner in item["footprint"]] for item in rows]
    inside = ((px >= 0) & (px <= (320, 180))).all(axis=1)
    return px[inside], np.array(places, np.float64).reshape(-1, 2)[inside]


CAMERAS = pytest.mark.parametrize(
    ("camera_id", "limit_m"), [("plain", EXACT_M), ("barrel", BENT_M), ("cushion", BENT_M), ("both", BENT_M)]
)


@CAMERAS
def test_the_product_puts_every_pixel_of_a_footprint_where_it_is(
    site: Site, truth: dict[str, list[dict[str, Any]]], camera_id: str, limit_m: float
) -> None:
    px, places = _corners(truth[camera_id])
    assert len(px) >= 20
    found_m = site.cameras[camera_id].homography.pixel_to_ground(px)
    off_m = np.linalg.norm(found_m - site.plane.to_ground(places), axis=1)
    assert off_m.max() < limit_m


@CAMERAS
def test_the_product_puts_every_place_of_a_footprint_on_its_pixel(
    site: Site, truth: dict[str, list[dict[str, Any]]], camera_id: str, limit_m: float
) -> None:
    px, places = _corners(truth[camera_id])
    found_px = site.cameras[camera_id].homography.ground_to_pixel(site.plane.to_ground(places))
    assert np.linalg.norm(found_px - px, axis=1).max() < 0.5


def test_cells_of_the_truth_are_those_of_the_product(site: Site, scenario: Scenario) -> None:
    frame, grid = scenario.site.frame(), scenario.grid.grid()
    street_m = np.random.default_rng(5).uniform((-60, -60), (60, 90), (500, 2))
    places = frame.to_lat_lng(street_m)
    from_border_m = np.abs((grid.middle.to_local(places) / 40 + 0.5) % 1 - 0.5).min(axis=1) * 40
    inner = places[from_border_m > 0.5]
    theirs = [place.code for place in site.grid.ground_to_cell(site.plane.to_ground(inner))]
    pairs = [(own, other) for own, other in zip(grid.cells_at(inner), theirs, strict=True) if own is not None]
    assert len(pairs) > 200
    assert len({own for own, _ in pairs}) > 8
    assert [own for own, _ in pairs] == [other for _, other in pairs]


def test_zones_lie_where_the_street_has_them(site: Site, scenario: Scenario) -> None:
    frame, street = scenario.site.frame(), scenario.built_street()
    assert [zone.id for zone in site.zones.zones] == [zone.id for zone in street.zones]
    for own, zone in zip(street.zones, site.zones.zones, strict=True):
        corners_m = site.plane.to_ground(frame.to_lat_lng(own.area.corners()))
        assert np.array(zone.polygon_m.exterior.coords)[:4] == pytest.approx(corners_m, abs=0.01)
        assert zone.kind.value == own.kind.value


def test_sensors_stand_where_the_street_has_them(site: Site, scenario: Scenario) -> None:
    for sensor in scenario.built_fleet().sensors:
        (place,) = site.plane.to_ground(scenario.site.frame().to_lat_lng(np.array([(sensor.x_m, sensor.y_m)])))
        assert site.sensor_places_m[sensor.id] == pytest.approx(tuple(place), abs=0.1)


def test_control_points_lie_in_the_picture_and_on_the_street(scenario: Scenario) -> None:
    street = scenario.built_street()
    written = tomllib.loads(site_toml(scenario, street, ()))
    for camera, part in zip(written["cameras"], scenario.cameras, strict=True):
        assert len(camera["gcps"]) >= 6
        places = np.array([(point["lat"], point["lng"]) for point in camera["gcps"]])
        x_m, y_m = scenario.site.frame().to_local(places).T
        assert (x_m >= -15.001).all()
        assert (x_m <= 3.001).all()
        assert (np.hypot(x_m - part.x_m, y_m - part.y_m) < 90).all()


def test_control_points_are_no_further_than_a_surveyor_can_point(scenario: Scenario) -> None:
    text = EMPTY.replace("y_m = [-10, 50]", "y_m = [-10, 300]").replace("tilt_deg = 20", "tilt_deg = 13.6")
    long = parse_scenario(text)
    (camera,) = tomllib.loads(site_toml(long, long.built_street(), ()))["cameras"]
    places = np.array([(point["lat"], point["lng"]) for point in camera["gcps"]])
    x_m, y_m = long.site.frame().to_local(places).T
    assert 40 < np.hypot(x_m + 1, y_m).max() < 90


def test_a_lens_is_told_of_where_there_is_one(scenario: Scenario) -> None:
    cameras = tomllib.loads(site_toml(scenario, scenario.built_street(), ()))["cameras"]
    assert {camera["id"]: camera.get("lens") for camera in cameras} == {
        "plain": None,
        "barrel": {"focal_px": 270, "k1": -0.05, "k2": 0},
        "cushion": {"focal_px": 270, "k1": 0.03, "k2": 0},
        "both": {"focal_px": 270, "k1": -0.25, "k2": 0.12},
    }


def test_a_surveyors_error_is_within_what_the_site_allows(tmp_path: Path) -> None:
    noisy = parse_scenario(SMALL.replace("tilt_deg = 20", "tilt_deg = 20\ngcp_noise_px = 1.5"))
    write_site(noisy, tmp_path)
    camera = load_site(tmp_path).cameras["cam-a"]
    assert 0.5 < camera.homography.rms_px < 4
    exact = site_toml(parse_scenario(SMALL), noisy.built_street(), ())
    assert (tmp_path / "site.toml").read_text(encoding="utf-8") != exact


def test_limits_and_rules_arrive_as_they_are_written(tmp_path: Path) -> None:
    scenario = parse_scenario(SMALL.replace("hold_s = 1,", "hold_s = 1234567,"))
    written = tomllib.loads(site_toml(scenario, scenario.built_street(), scenario.built_fleet().sensors))
    assert written["rules"] == scenario.rules
    assert written["sensor_rules"] == scenario.sensor_rules
    assert (written["site_id"], written["timezone"]) == ("small", "Asia/Shanghai")
    assert [(one["id"], one["metric"], one.get("rule")) for one in written["sensors"]] == [
        ("noise-001", "laeq_db", None),
        ("noise-002", "laeq_db", None),
        ("bin-001", "level", "bin_full"),
    ]


def test_a_street_without_sensors_or_zones_is_valid_too() -> None:
    text = EMPTY[: EMPTY.index("[[sensors.groups]]")] + CAMERA
    start, end = text.index("zones = ["), text.index("[traffic]")
    scenario = parse_scenario(text[:start] + text[end:])
    assert tomllib.loads(site_toml(scenario, scenario.built_street(), ()))["sensors"] == []
    assert json.loads(zones_geojson(scenario, scenario.built_street()))["features"] == []


def test_cells_are_closed_rings_with_longitude_first(scenario: Scenario) -> None:
    features = json.loads(grid_geojson(scenario))["features"]
    assert [feature["properties"]["code"] for feature in features] == list(scenario.grid.grid().codes())
    (ring,) = features[0]["geometry"]["coordinates"]
    assert ring[0] == ring[-1]
    assert all(
        math.isclose(lng, 116.411, abs_tol=0.01) and math.isclose(lat, 39.915, abs_tol=0.01) for lng, lat in ring
    )


def test_a_camera_with_too_little_street_for_control_points_is_named() -> None:
    scenario = parse_scenario(SMALL)
    away = scenario.cameras[0].model_copy(update={"heading_deg": 180.0})
    turned = scenario.model_copy(update={"cameras": (away,)})
    with pytest.raises(ScenarioError, match=r"^my.toml: cameras.0 \(cam-a\): shows only \d places for control points"):
        site_toml(turned, turned.built_street(), (), file="my.toml")
