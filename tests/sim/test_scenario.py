"""A scenario file: what it says, and one line for whatever is wrong with it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from sim.devices.faults import Freeze
from sim.scenario import ScenarioError, check_scenario, load_scenario, parse_scenario
from sim.street.referee import Limits
from sim.street.weather import Weather
from tests.sim.conftest import EMPTY, SMALL


def mistake(text: str) -> str:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, file="my.toml")
    message = str(caught.value)
    assert "\n" not in message
    return message


def changed(old: str, new: str, text: str = SMALL) -> str:
    assert old in text
    return text.replace(old, new, 1)


def table(name: str, **keys: str) -> str:
    return f"\n[[{name}]]\n" + "\n".join(f"{key} = {value}" for key, value in keys.items()) + "\n"


def test_the_street_that_nothing_is_learned_from_is_not_the_demo_s() -> None:
    root = Path(__file__).parents[2]
    other, demo = (
        load_scenario(root / "bench/streets/old_town.toml"),
        load_scenario(root / "configs/demo/scenario.toml"),
    )
    assert other.street.lane_width_m != demo.street.lane_width_m
    views = [
        {(round(camera.tilt_deg), round(camera.heading_deg), round(camera.x_m)) for camera in scenario.cameras}
        for scenario in (other, demo)
    ]
    assert not views[0] & views[1]
    assert {actor.kind for actor in other.actors} >= {
        "bin",
        "garbage",
        "stall",
        "motorcycle",
        "bicycle",
        "truck",
        "bus",
    }


def test_the_small_street_is_a_scenario() -> None:
    scenario = parse_scenario(SMALL)
    assert [camera.id for camera in scenario.cameras] == ["cam-a"]
    assert [actor.id for actor in scenario.actors] == ["car-a", "pile-a", "bin-a"]
    assert [sensor.id for sensor in scenario.built_fleet().sensors] == ["noise-001", "noise-002", "bin-001"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("lng = 116.4110263", "lngg = 1", "site.lngg: is no key of this table; did you mean 'lng'?"),
        ("until_s = 6", "until = 6", "actors.0 (car-a).until: is no key of this table; did you mean 'until_s'?"),
        ("tilt_deg = 20", "tilt = 20", "cameras.0 (cam-a).tilt: is no key of this table; did you mean 'tilt_deg'?"),
        ("cell_m = 40", "xyz = 4", "grid.xyz: is no key of this table; known: cell_m, columns, lat, lng, prefix, rows"),
        ('[[sensors.groups]]\nkind = "noise"', "[[sensors.groups]]", "sensors.groups.0.kind: is missing"),
        ("tilt_deg = 20\n", "", "cameras.0 (cam-a).tilt_deg: is missing"),
        ("x_m = 1.2\n", "", "actors.1 (pile-a).x_m: is missing"),
        ('does = "park"\n', "", "actors.0 (car-a).does: is missing"),
        ('"park"', '"prk"', "actors.0 (car-a).does: 'prk' is none of them; did you mean 'park'?"),
        ('kind = "car"', 'kind = "cow"', "actors.0 (car-a).kind: Input should be 'car', 'van'"),
        ("x_m = -1.3", 'x_m = "near"', "actors.0 (car-a).x_m: Input should be a valid number"),
        ("until_s = 6", "from_s = 6\nuntil_s = 6", "actors.0 (car-a): until_s 6 is not later than from_s 6"),
        ("focal_px = 270", "focal_px = 0", "cameras.0 (cam-a).focal_px: Input should be greater than 0 (found 0)"),
        ("[320, 180]", "[320, 63]", "cameras.0 (cam-a).size_px.1: Input should be greater than or equal to 64"),
        ("Asia/Shanghai", "Asia/Atlantis", "site.timezone: is no time zone"),
        ("y_m = [5, 40]", "y_m = [5, 51]", "street: zones: kerb y_m [5, 51] leaves the street"),
        ("x_m = -1.3", "x_m = 99", "actors.car-a.x_m: 99 m lies beside the street, which reaches from -17.2 to 5.2 m"),
        ("y_m = 19", "y_m = 51", "actors.car-a.y_m: 51 m lies beyond the street, which reaches from -10 to 50 m"),
        ('id = "pile-a"', 'id = "car-a"', "actors.car-a.id: another actor has it too"),
        ("tilt_deg = 20", "heading_deg = 180\ntilt_deg = 5", "cameras.0 (cam-a): sees no street: "),
        ('rule = "bin_full"', 'rule = "full"', "sensors (bin-001).rule: 'full' is no sensor_rules table: bin_full"),
        ('follows = "bin-a"', 'follows = "bin-b"', "sensors (bin-001).follows: there is no bin 'bin-b'"),
        ('follows = "bin-a"', 'follows = "car-a"', "sensors (bin-001).follows: there is no bin 'car-a'"),
        ('kind = "bin_overflow", ', "", "sensor_rules: bin_full needs a kind"),
        ("clear_below = 60, ", "", "sensor_rules: bin_full needs a kind, and numbers for raise_above and clear_below"),
        ("raise_above", "raise_below", "bin_full needs a kind, and numbers for raise_below and clear_above"),
        ("seed = 3", "seed = ", "not TOML: Invalid value (at line 1, column 8)"),
        ("+08:00", "", "begins_at: Input should have timezone info"),
    ],
)  # fmt: skip
def test_a_mistake_names_file_key_and_what_would_be_right(old: str, new: str, said: str) -> None:
    message = mistake(changed(old, new))
    assert message.startswith("my.toml: ")
    assert said in message


def test_a_fault_of_a_camera_that_is_not_there_is_refused() -> None:
    text = SMALL + table("faults", kind='"freeze"', camera='"cam-z"')
    assert mistake(text) == "my.toml: faults[0].camera: 'cam-z' is none of cam-a"


def test_a_key_of_another_kind_of_fault_is_refused() -> None:
    text = SMALL + table("faults", kind='"freeze"', camera='"cam-a"', jump_s="3")
    assert mistake(text).startswith("my.toml: faults.0.jump_s: is no key of this table; known: camera, from_s")


def test_a_wrong_key_of_a_misbehaviour_is_named_without_its_kind() -> None:
    text = SMALL + table("sensors.misbehaviour", fault='"burst"', sensor='"bin-001"', count="1")
    assert mistake(text).startswith("my.toml: sensors.misbehaviour.0.count: Input should be greater than or equal to 2")


def test_two_cameras_of_one_id_are_refused() -> None:
    camera = SMALL[SMALL.index("[[cameras]]") : SMALL.index("[[actors]]")]
    assert mistake(SMALL + camera) == "my.toml: cameras: two are called 'cam-a'; give each its own id"


def test_weather_goes_forward_in_time() -> None:
    text = SMALL + table("weather", kind='"rain"', from_s="9") + table("weather", kind='"day"', from_s="3")
    assert mistake(text) == "my.toml: weather: from_s must rise from table to table (found [9.0, 3.0])"


def test_whoever_finds_no_way_is_named() -> None:
    other = table("actors", id='"car-b"', kind='"car"', does='"park"', x_m="-1.3", y_m="19.5", from_s="3")
    message = mistake(SMALL + other)
    assert message.startswith("my.toml: actors.car-a.until_s: cannot leave -1.3, 19 at second 6: ")


def test_another_seed_is_checked_as_well() -> None:
    scenario = parse_scenario(SMALL)
    other = scenario.model_copy(update={"cameras": (scenario.cameras[0].model_copy(update={"y_m": 900.0}),)})
    with pytest.raises(ScenarioError, match="sees no street"):
        check_scenario(other, file="my.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario(tmp_path / "gone.toml")
    assert str(caught.value) == f"{tmp_path / 'gone.toml'}: cannot be read: No such file or directory"


def test_a_file_that_is_no_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_bytes(b"seed = 3 # \xff\n")
    with pytest.raises(ScenarioError, match=r"scenario\.toml: is no UTF-8 text: invalid start byte at byte 11"):
        load_scenario(tmp_path)


def test_a_folder_stands_for_its_scenario(tmp_path: Path) -> None:
    (tmp_path / "scenario.toml").write_text(SMALL, encoding="utf-8")
    assert load_scenario(tmp_path) == load_scenario(tmp_path / "scenario.toml") == parse_scenario(SMALL)


def test_the_limits_are_those_of_the_rules_and_else_the_usual_ones() -> None:
    limits = parse_scenario(SMALL).limits()
    assert limits == Limits(parking_s=3, garbage_s=2, blocked_s=2, merge_m=6, min_clear_m=1.5)
    text = changed("[rules]", "[rules]\n[rules.illegal_parking]\n[unused]", EMPTY)
    rules = text[text.index("[unused]") : text.index("[sensor_rules]")]
    assert parse_scenario(text.replace(rules, "")).limits() == Limits()


def test_weather_holds_from_its_second_on() -> None:
    scenario = parse_scenario(
        SMALL + table("weather", kind='"rain"', from_s="2") + table("weather", kind='"night"', from_s="5")
    )
    assert [scenario.weather_at(second) for second in (0, 1.9, 2, 4.9, 5, 900)] == [
        Weather.DAY, Weather.DAY, Weather.RAIN, Weather.RAIN, Weather.NIGHT, Weather.NIGHT,
    ]  # fmt: skip


def test_in_a_loop_the_weather_begins_again() -> None:
    text = "loop_s = 10\n" + SMALL + table("weather", kind='"rain"', from_s="2")
    scenario = parse_scenario(text)
    assert [scenario.weather_at(second) for second in (9.9, 10, 11.9, 12)] == [
        Weather.RAIN, Weather.DAY, Weather.DAY, Weather.RAIN,
    ]  # fmt: skip
    assert (scenario.moment(9.5), scenario.moment(10), scenario.moment(25)) == (9.5, 0, 5)


def test_a_camera_knows_its_own_faults_only() -> None:
    other = SMALL[SMALL.index("[[cameras]]") : SMALL.index("[[actors]]")].replace("cam-a", "cam-b")
    text = SMALL + other + table("faults", kind='"freeze"', camera='"cam-b"', from_s="2")
    text += table("faults", kind='"gateway_kill"', at_s="4")
    scenario = parse_scenario(text)
    assert scenario.faults_of("cam-a") == ()
    assert scenario.faults_of("cam-b") == (Freeze(kind="freeze", camera="cam-b", from_s=2, until_s=math.inf),)


def test_sensors_are_spread_within_the_grid() -> None:
    scenario = parse_scenario(changed("count = 2", "count = 200"))
    sensors = scenario.built_fleet().sensors
    places = scenario.site.frame().to_lat_lng(np.array([(one.x_m, one.y_m) for one in sensors]))
    assert None not in scenario.grid.grid().cells_at(places)
