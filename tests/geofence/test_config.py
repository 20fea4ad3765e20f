"""site.toml: defaults, units, and one clear line for every mistake."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from geofence.config import parse_site_toml
from geofence.errors import SiteError
from geofence.lens import Lens
from geofence.messages import IncidentKind

SITE = """
site_id = "demo"
sensors = [
  { id = "bin-001", metric = "level", lat = 39.915, lng = 116.410, rule = "bin_full" },
  { id = "bin-002", metric = "level", lat = 39.916, lng = 116.411, rule = "bin_full" },
]

[[cameras]]
id = "cam-01"
size_px = [960, 540]
gcps = [
  { px = [100, 500], lng = 116.4100, lat = 39.9150 },
  { px = [900, 500], lng = 116.4101, lat = 39.9150 },
  { px = [600, 200], lng = 116.4101, lat = 39.9153 },
  { px = [300, 200], lng = 116.4100, lat = 39.9153 },
]

[rules.illegal_parking]
min_dwell_s = 240

[sensor_rules.bin_full]
kind = "bin_overflow"
raise_above = 85
clear_below = 60
hold_s = 30
clear_hold_s = 60
"""


def line_of(before: str, after: str) -> str:
    assert before in SITE
    with pytest.raises(SiteError) as caught:
        parse_site_toml(SITE.replace(before, after, 1))
    assert caught.value.others == ()
    return str(caught.value)


def test_values_come_through_with_their_units() -> None:
    config = parse_site_toml(SITE)
    assert config.site_id == "demo"
    assert config.cameras[0].size_px == (960, 540)
    assert config.cameras[0].gcps[2].px == (600.0, 200.0)
    assert (config.cameras[0].gcps[2].lat, config.cameras[0].gcps[2].lng) == (39.9153, 116.4101)
    assert config.dwell[IncidentKind.ILLEGAL_PARKING].min_dwell_s == 240
    rule = config.sensor_rules["bin_full"]
    assert (rule.is_high_bad, rule.raise_at, rule.clear_at) == (True, 85, 60)
    assert (rule.hold_s, rule.clear_hold_s) == (30, 60)


def test_defaults_are_those_of_the_street() -> None:
    config = parse_site_toml('site_id = "s"')
    assert config.timezone == ZoneInfo("Asia/Shanghai")
    assert config.dwell[IncidentKind.ILLEGAL_PARKING].min_dwell_s == 300
    assert config.dwell[IncidentKind.EXPOSED_GARBAGE].min_dwell_s == 600
    assert config.dwell[IncidentKind.BLOCKED_SIDEWALK].min_dwell_s == 300
    assert config.min_clear_m == 1.5
    assert (config.cameras, config.sensors) == ((), ())


def test_a_camera_without_a_lens_has_none() -> None:
    assert parse_site_toml(SITE).cameras[0].lens is None


@pytest.mark.parametrize("k1", [-1.0, 1.0])
def test_a_lens_is_centred_in_the_picture_unless_it_says_where(k1: float) -> None:
    def lens_of(table: str) -> Lens | None:
        return parse_site_toml(SITE.replace("gcps = [", f"lens = {{ {table} }}\ngcps = [", 1)).cameras[0].lens

    assert lens_of(f"focal_px = 520, k1 = {k1}") == Lens(focal_px=520, center_px=(480, 270), k1=k1, k2=0)
    moved = lens_of("focal_px = 520, k2 = 0.01, center_px = [470, 280.5]")
    assert moved == Lens(focal_px=520, center_px=(470, 280.5), k1=0, k2=0.01)


def test_a_sensor_may_have_no_rule() -> None:
    config = parse_site_toml(SITE.replace(', rule = "bin_full" },\n]', " },\n]"))
    assert [sensor.rule for sensor in config.sensors] == ["bin_full", None]


def test_camera_limit_defaults_to_five_pixels() -> None:
    assert parse_site_toml(SITE).cameras[0].max_reprojection_px == 5.0


def test_a_rule_for_low_values_reads_the_other_way_round() -> None:
    text = SITE.replace("raise_above = 85", "raise_below = 10").replace("clear_below = 60", "clear_above = 20")
    rule = parse_site_toml(text).sensor_rules["bin_full"]
    assert (rule.is_high_bad, rule.raise_at, rule.clear_at) == (False, 10, 20)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (
            "min_dwell_s = 240",
            "min_dwel_s = 240",
            "site.toml: rules.illegal_parking.min_dwel_s: unknown key 'min_dwel_s'; did you mean 'min_dwell_s'?",
        ),
        (
            "[rules.illegal_parking]",
            "[rules.ilegal_parking]",
            "site.toml: rules.ilegal_parking: unknown key 'ilegal_parking'; did you mean 'illegal_parking'?",
        ),
        ("size_px =", "sizepx =", "site.toml: cameras[0].sizepx: unknown key 'sizepx'; did you mean 'size_px'?"),
        (
            "min_dwell_s = 240",
            "min_dwell_s = -1",
            "site.toml: rules.illegal_parking.min_dwell_s: -1 is not usable; "
            "it should be seconds, 0 or more and at most a week",
        ),
        (
            "min_dwell_s = 240",
            "min_dwell_s = nan",
            "site.toml: rules.illegal_parking.min_dwell_s: nan is not usable; "
            "it should be seconds, 0 or more and at most a week",
        ),
        (
            "min_dwell_s = 240",
            "min_dwell_s = true",
            "site.toml: rules.illegal_parking.min_dwell_s: True is not usable; "
            "it should be seconds, 0 or more and at most a week",
        ),
        (
            "min_dwell_s = 240",
            'min_dwell_s = "300"',
            "site.toml: rules.illegal_parking.min_dwell_s: '300' is not usable; "
            "it should be seconds, 0 or more and at most a week",
        ),
        (
            "lat = 39.915, lng = 116.410,",
            'lat = "39.915", lng = 116.410,',
            "site.toml: sensors[0].lat: '39.915' is not usable; it should be a latitude, -90 … 90 degrees",
        ),
        (
            "lng = 116.4100, lat = 39.9150",
            "lon = 116.4100, lat = 39.9150",
            "site.toml: cameras[0].gcps[0].lon: unknown key 'lon'; did you mean 'lng'?",
        ),
        (
            'site_id = "demo"',
            "",
            "site.toml: site_id: missing; it should be 1 to 64 of A-Z a-z 0-9 _ - (it becomes part of a topic)",
        ),
        (
            'site_id = "demo"',
            'site_id = "a/b"',
            "site.toml: site_id: 'a/b' is not usable; "
            "it should be 1 to 64 of A-Z a-z 0-9 _ - (it becomes part of a topic)",
        ),
        (
            "[960, 540]",
            "[960, 0]",
            "site.toml: cameras[0].size_px[1]: 0 is not usable; "
            "it should be [width, height] in pixels, whole numbers above 0",
        ),
        (
            'rule = "bin_full" },\n]',
            'rule = "bin_ful" },\n]',
            "site.toml: sensors[1].rule: 'bin_ful' of sensor bin-002 is no table under sensor_rules; "
            "did you mean 'bin_full'?",
        ),
        (
            '"bin-002"',
            '"bin-001"',
            "site.toml: sensors[1].id: 'bin-001' is taken by sensors[0]; give it its own id",
        ),
        (
            "lat = 39.915, lng = 116.410,",
            "lat = 116.410, lng = 39.915,",
            "site.toml: sensors[0].lat: 116.41 is not usable; a latitude is -90 … 90 degrees: are lat and lng swapped?",
        ),
        (
            "lng = 116.4100, lat = 39.9150",
            "lat = 116.4100, lng = 39.9150",
            "site.toml: cameras[0].gcps[0].lat: 116.41 is not usable; a latitude is -90 … 90 degrees: "
            "are lat and lng swapped?",
        ),
        (
            "lng = 116.4100, lat = 39.9150",
            "lng = 116.4100, lat = 4418620.5",
            "site.toml: cameras[0].gcps[0].lat: 4.41862e+06 is not usable; a latitude is -90 … 90 degrees: "
            "4,418,620 looks like metres of a projection: give it in WGS 84",
        ),
        (
            "lng = 116.4100, lat = 39.9150",
            "lng = 449650.2, lat = 39.9150",
            "site.toml: cameras[0].gcps[0].lng: 449650 is not usable; a longitude is -180 … 180 degrees: "
            "449,650 looks like metres of a projection: give it in WGS 84",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [540, 960]",
            "site.toml: cameras[0]: gcps[1].px [900, 500] lies outside size_px [540, 960], and inside [960, 540]: "
            "are width and height, or x and y, exchanged?",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [960, 540]\nlens = { focal_px = 4.0 }",
            "site.toml: cameras[0]: lens.focal_px 4 is not usable; it should be pixels of the picture, not mm: "
            "over 96 for a picture of this size",
        ),
        (
            "px = [900, 500]",
            "px = [961, 500]",
            "site.toml: cameras[0]: gcps[1].px [961, 500] lies outside size_px [960, 540]",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [960, 540]\nlens = { focal_px = 0 }",
            "site.toml: cameras[0].lens.focal_px: 0 is not usable; "
            "it should be the focal length in pixels, more than 0",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [960, 540]\nlens = { k1 = -0.1 }",
            "site.toml: cameras[0].lens.focal_px: missing; it should be the focal length in pixels, more than 0",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [960, 540]\nlens = { focal_px = 800, k1 = -1.01 }",
            "site.toml: cameras[0].lens.k1: -1.01 is not usable; it should be a coefficient, -1 … 1, without unit",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [960, 540]\nlens = { focal_px = 800, k2 = nan }",
            "site.toml: cameras[0].lens.k2: nan is not usable; it should be a coefficient, -1 … 1, without unit",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [960, 540]\nlens = { focal_px = 800, k3 = 0.1 }",
            "site.toml: cameras[0].lens.k3: unknown key 'k3'; known: center_px, focal_px, k1, k2",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [960, 540]\nlens = { focal_px = 800, center_px = [480, 541] }",
            "site.toml: cameras[0]: lens.center_px [480, 541] lies outside size_px [960, 540]",
        ),
        (
            "size_px = [960, 540]",
            "size_px = [960, 540]\nlens = 800",
            "site.toml: cameras[0].lens: 800 is not usable; it should be a table such as "
            "{focal_px = 800, k1 = -0.1, k2 = 0}",
        ),
        (
            ', rule = "bin_full" },\n]',
            ', rul = "bin_full" },\n]',
            "site.toml: sensors[1].rul: unknown key 'rul'; did you mean 'rule'?",
        ),
        (
            "raise_above = 85\n",
            "",
            "site.toml: sensor_rules.bin_full: needs either raise_above with clear_below, "
            "or raise_below with clear_above",
        ),
        (
            "clear_below = 60",
            "clear_below = 90",
            "site.toml: sensor_rules.bin_full: clear_below 90 is over raise_above 85",
        ),
        (
            '"bin_overflow"',
            '"bin_overflw"',
            "site.toml: sensor_rules.bin_full.kind: 'bin_overflw' is not usable; it should be "
            "one of illegal_parking, exposed_garbage, blocked_sidewalk, bin_overflow",
        ),
        (
            'site_id = "demo"',
            'site_id = "demo"\ntimezone = "Asia/Peking"',
            "site.toml: timezone: 'Asia/Peking' is no time zone; it should be a name such as 'Asia/Shanghai'",
        ),
    ],
)
def test_a_mistake_gives_one_line_with_file_key_value_and_cure(before: str, after: str, line: str) -> None:
    assert line_of(before, after) == line


def test_broken_toml_names_the_line() -> None:
    line = line_of("[rules.illegal_parking]", "[rules.illegal_parking")
    assert line.startswith("site.toml: (whole file): not TOML: ")
    assert "(at line 18" in line


def test_two_cameras_of_one_name_are_refused() -> None:
    camera = SITE[SITE.index("[[cameras]]") : SITE.index("[rules.")]
    with pytest.raises(SiteError, match=r"cameras\[1\]\.id: 'cam-01' is taken by cameras\[0\]"):
        parse_site_toml(SITE.replace("[rules.", f"{camera}\n[rules.", 1))


def lines_of(*changes: tuple[str, str]) -> list[str]:
    text = SITE
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    with pytest.raises(SiteError) as caught:
        parse_site_toml(text)
    return [str(one) for one in caught.value.every]


def test_all_sensors_of_an_unknown_rule_are_told() -> None:
    lines = lines_of(('rule = "bin_full"', 'rule = "bin_ful"'))
    assert [line.split(":")[1] for line in lines] == [" sensors[0].rule", " sensors[1].rule"]


def test_faults_of_different_kinds_are_told_together() -> None:
    """An unknown key, a shared id, a rule that is not there and a time zone: each hides none of the others."""
    lines = lines_of(
        ("min_dwell_s = 240", "min_dwel_s = 240"),
        ('id = "bin-002"', 'id = "cam-01"'),
        ('lng = 116.411, rule = "bin_full"', 'lng = 116.411, rule = "bin_ful"'),
        ('site_id = "demo"', 'site_id = "demo"\ntimezone = "Peking"'),
    )
    assert [line.split(":")[1] for line in lines] == [
        " rules.illegal_parking.min_dwel_s",
        " sensors[1].id",
        " sensors[1].rule",
        " timezone",
    ]
    assert "'cam-01' is taken by cameras[0]; give it its own id" in lines[1]


def test_rules_that_cannot_be_read_make_no_other_fault() -> None:
    assert lines_of(("hold_s = 30", "hold_s = '30'")) == [
        "site.toml: sensor_rules.bin_full.hold_s: '30' is not usable; "
        "it should be seconds, 0 or more and at most a week"
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("raise_above = 85", "raise_abov = 85"),
        ("size_px = [960, 540]", "size_px = [960, 400]\nlensses = 1"),
        ("[rules.illegal_parking]", "[rules.illegal_parkin]"),
        ('site_id = "demo"', 'sitee_id = "demo"'),
        ('site_id = "demo"', "site_id = 7"),
        ("lng = 116.4100, lat = 39.9150", "lon = 116.4100, lat = 39.9150"),
    ],
)
def test_what_shows_only_without_a_fault_waits_for_the_next_run(before: str, after: str) -> None:
    assert len(lines_of((before, after))) == 1


def test_an_empty_file_says_what_it_lacks() -> None:
    with pytest.raises(SiteError, match=r"site\.toml: \(whole file\): is empty; it should have site_id = "):
        parse_site_toml("\n")


def test_error_carries_its_facts() -> None:
    with pytest.raises(SiteError) as caught:
        parse_site_toml(SITE.replace("hold_s = 30", "hold_s = '30x'"))
    error = caught.value
    assert (error.file, error.key) == ("site.toml", "sensor_rules.bin_full.hold_s")
    assert error.problem.startswith("'30x' is not usable")
