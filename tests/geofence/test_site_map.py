"""zones.geojson and grid.geojson: what they mean, and one clear line for every mistake."""

from __future__ import annotations

import json
from typing import Any

import pytest

from geofence.errors import SiteError
from geofence.places import ZoneKind
from geofence.site_map import parse_grid, parse_zones

SQUARE = [[116.410, 39.915], [116.411, 39.915], [116.411, 39.916], [116.410, 39.916], [116.410, 39.915]]
BOW_TIE = [[116.410, 39.915], [116.411, 39.916], [116.411, 39.915], [116.410, 39.916], [116.410, 39.915]]


def collection(*features: tuple[dict[str, Any], Any]) -> str:
    return json.dumps(
        {
            "type": "FeatureCollection",
            "name": "from a desktop GIS",
            "features": [
                {"type": "Feature", "properties": facts, "geometry": {"type": "Polygon", "coordinates": [ring]}}
                for facts, ring in features
            ],
        }
    )


def zone(ring: Any = SQUARE, **facts: Any) -> tuple[dict[str, Any], Any]:
    return {"id": "kerb-1", "kind": "no_parking", **facts}, ring


def zone_line(text: str) -> str:
    with pytest.raises(SiteError) as caught:
        parse_zones(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def zone_lines(text: str) -> list[str]:
    with pytest.raises(SiteError) as caught:
        parse_zones(text)
    return [str(one) for one in caught.value.every]


def grid_line(text: str) -> str:
    with pytest.raises(SiteError) as caught:
        parse_grid(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_zone_has_its_ring_in_lat_lng() -> None:
    (found,) = parse_zones(collection(zone(hours="07:00-22:00", surface="plaza")))
    assert (found.id, found.kind, found.surface) == ("kerb-1", ZoneKind.NO_PARKING, "plaza")
    assert found.rings.shell[0].tolist() == [39.915, 116.410]
    assert found.hours is not None


@pytest.mark.parametrize(
    ("kind", "surface"),
    [("sidewalk", "sidewalk"), ("street", "roadway"), ("no_parking", None), ("collection_point", None)],
)
def test_surface_follows_the_kind_where_it_is_certain(kind: str, surface: str | None) -> None:
    assert parse_zones(collection(zone(kind=kind)))[0].surface == surface


def test_no_zones_at_all_is_a_site_with_sensors_only() -> None:
    assert parse_zones(collection()) == ()


def test_a_polygon_that_crosses_itself_says_where() -> None:
    assert zone_line(collection(zone(BOW_TIE))) == (
        "zones.geojson: features[0] (zone kerb-1): the polygon crosses itself at "
        "lat 39.915500, lng 116.410500; put its corners in order around the area"
    )


def test_a_polygon_without_area_is_refused() -> None:
    flat = [SQUARE[0], SQUARE[1], SQUARE[1], SQUARE[0]]
    assert zone_line(collection(zone(flat))).startswith("zones.geojson: features[0] (zone kerb-1): the polygon ")


def test_an_open_ring_is_refused() -> None:
    assert zone_line(collection(zone(SQUARE[:-1]))) == (
        "zones.geojson: features[0] (zone kerb-1): a ring is not closed; its last position should repeat its first"
    )


def test_swapped_positions_are_refused() -> None:
    swapped = [[lat, lng] for lng, lat in SQUARE]
    assert zone_line(collection(zone(swapped))) == (
        "zones.geojson: features[0] (zone kerb-1): latitude 116.41 is not -90 … 90; "
        "GeoJSON positions are [lng, lat]: swapped?"
    )


def test_metres_of_a_projection_are_named() -> None:
    metres = [[(lng - 116) * 1e6, lat * 1e5] for lng, lat in SQUARE]
    assert zone_line(collection(zone(metres))).endswith("[lng, lat]: metres of a projection? write it in WGS 84")


@pytest.mark.parametrize(
    ("facts", "line"),
    [
        (
            {"hours": "25:00-26:00"},
            "zones.geojson: features[0].properties.hours: '25:00-26:00' is not usable; it should be hours such as",
        ),
        (
            {"kind": "no_parkin"},
            "zones.geojson: features[0].properties.kind: 'no_parkin' is not usable; it should be one of no_parking, ",
        ),
        (
            {"surfce": "plaza"},
            "zones.geojson: features[0].properties.surfce: unknown key 'surfce'; did you mean 'surface'?",
        ),
        (
            {"surface": "gravel"},
            "zones.geojson: features[0].properties.surface: 'gravel' is not usable; it should be one of roadway, ",
        ),
        ({"id": "a:b"}, "zones.geojson: features[0].properties.id: 'a:b' is not usable; it should be 1 to 64 "),
    ],
)
def test_a_mistaken_property_gives_one_line(facts: dict[str, Any], line: str) -> None:
    assert zone_line(collection(zone(**facts))).startswith(line)


def test_coordinates_and_degrees_in_quotes_are_refused() -> None:
    assert "features[0].geometry.coordinates[0][0][0]: '116.41' is" in zone_line(
        collection(zone([["116.41", 39.915], *SQUARE[1:]]))
    )
    assert "direction_deg: '90' is not usable" in zone_line(collection(zone(direction_deg="90")))


def test_two_zones_of_one_name_are_refused() -> None:
    assert zone_line(collection(zone(), zone())) == (
        "zones.geojson: features[1].id: 'kerb-1' is taken by features[0]; give it its own id"
    )


def test_a_file_that_is_not_json_is_refused_in_one_line() -> None:
    assert zone_line("{not json").startswith("zones.geojson: (whole file): not JSON: ")


def test_another_geometry_is_refused() -> None:
    text = collection(zone()).replace('"Polygon"', '"LineString"')
    line = "zones.geojson: features[0].geometry: 'LineString' is not usable; it should be a Polygon"
    assert zone_lines(text) == [line]


def multi_polygon(*parts: Any) -> str:
    geometry = {"type": "MultiPolygon", "coordinates": [[part] for part in parts]}
    content = json.loads(collection(zone()))
    content["features"][0]["geometry"] = geometry
    return json.dumps(content)


def test_a_multi_polygon_of_one_part_is_that_polygon() -> None:
    (found,) = parse_zones(multi_polygon(SQUARE))
    assert found.rings.shell.tolist() == [[lat, lng] for lng, lat in SQUARE]


def test_a_multi_polygon_of_two_parts_is_to_be_split() -> None:
    assert zone_lines(multi_polygon(SQUARE, SQUARE)) == [
        "zones.geojson: features[0].geometry: a MultiPolygon of 2 parts; it should be split into a feature for each"
    ]


def test_what_other_programs_add_to_every_row_is_passed_over() -> None:
    """A number for the row, and null for a column that says nothing."""
    (found,) = parse_zones(collection(zone(fid=3, OBJECTID=4, hours=None, exempt=None)))
    assert (found.hours, found.exempt) == (None, frozenset())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty; it should have a FeatureCollection: {"),
        ("// zones\n{}", "not JSON: there is a comment on line 1; JSON has none, take it out"),
        ('{"type": "FeatureCollection", # zones\n', "not JSON: there is a comment on line 1; JSON has none"),
        ('{"see": "https://example.org",}', "not JSON: trailing comma at line 1"),
    ],
)
def test_a_file_that_is_no_json_says_why(text: str, says: str) -> None:
    assert says in zone_line(text)


def test_two_zones_of_one_name_and_a_crossing_one_are_all_told() -> None:
    lines = zone_lines(collection(zone(), zone(BOW_TIE), zone(hours="25:00-26:00")))
    assert [line.partition(":")[2].split(":")[0] for line in lines] == [
        " features[1].id",
        " features[2].id",
        " features[1] (zone kerb-1)",
        " features[2].properties.hours",
    ]


def test_a_grid_cell_has_its_code() -> None:
    (found,) = parse_grid(collection(({"code": "110101001001001"}, SQUARE)))
    assert found.code == "110101001001001"
    assert parse_grid(collection(({"code": "11010100100100A"}, SQUARE)))[0].code.endswith("A")


@pytest.mark.parametrize("code", ["11010100100100", "1101010010010011", "11010100100100a", "11010100100100-", ""])
def test_a_code_that_is_not_fifteen_digits_or_capitals_is_refused(code: str) -> None:
    assert grid_line(collection(({"code": code}, SQUARE))) == (
        f"grid.geojson: features[0].properties.code: {code!r} is not a cell code; it should be 15 of 0-9 A-Z"
    )


def test_two_cells_of_one_code_are_refused() -> None:
    cell = ({"code": "110101001001001"}, SQUARE)
    assert grid_line(collection(cell, cell)) == (
        "grid.geojson: features[1].code: '110101001001001' is taken by features[0]; give it its own code"
    )


def test_an_empty_grid_is_refused() -> None:
    assert "a list of one cell or more" in grid_line(collection())
