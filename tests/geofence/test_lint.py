"""Cells that claim the same ground are found, whatever their shape, and a site with such cells is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geofence.adapters.site_folder import load_site
from geofence.cell_codes import GB15
from geofence.errors import SiteError
from geofence.lint import foreign_cells, gaps_between, overlapping_cells, overlapping_zones, zones_without_cell
from geofence.places import Cell, Zone, ZoneKind
from tests.sites import ONE_CAMERA


def cell(code: str, x: float, y: float, wide: float = 10.0, high: float = 10.0) -> Cell:
    return Cell(code=code, polygon_m=shapely.box(x, y, x + wide, y + high))


@pytest.mark.parametrize(("shift_m", "is_found"), [(0.0, False), (0.09, False), (0.11, True)])
def test_cells_may_touch_and_overlap_by_a_square_metre(shift_m: float, is_found: bool) -> None:
    assert bool(overlapping_cells([cell("a", 0, 0), cell("b", 10 - shift_m, 0)])) is is_found


def test_an_overlap_names_both_cells_its_area_and_its_place() -> None:
    small, large = overlapping_cells([cell("c", 18, 0), cell("a", 0, 0), cell("b", 9.5, 0)])[::-1]
    assert (large.first, large.second, small.first, small.second) == ("b", "c", "a", "b")
    assert (large.area_m2, small.area_m2) == pytest.approx((15, 5))
    assert small.center_m == pytest.approx((9.75, 5))


CELLS = st.lists(
    st.tuples(st.floats(0, 60), st.floats(0, 60), st.floats(1, 20), st.floats(1, 20)), min_size=1, max_size=8
)


@given(CELLS)
def test_pairs_are_those_of_every_cell_with_every_other(places: list[tuple[float, float, float, float]]) -> None:
    cells = [cell(f"{number}", *place) for number, place in enumerate(places)]
    expected = {
        (one.code, other.code)
        for number, one in enumerate(cells)
        for other in cells[number + 1 :]
        if one.polygon_m.intersection(other.polygon_m).area > 1.0
    }
    assert {(found.first, found.second) for found in overlapping_cells(cells)} == expected


def test_a_site_whose_cells_overlap_is_refused_in_one_line(tmp_path: Path) -> None:
    for name in ("site.toml", "zones.geojson"):
        (tmp_path / name).write_bytes((ONE_CAMERA / name).read_bytes())
    grid = json.loads((ONE_CAMERA / "grid.geojson").read_text(encoding="utf-8"))
    first, second = grid["features"][:2]
    second["geometry"] = first["geometry"]
    (tmp_path / "grid.geojson").write_text(json.dumps(grid), encoding="utf-8")
    codes = sorted(one["properties"]["code"] for one in (first, second))
    with pytest.raises(SiteError) as caught:
        load_site(tmp_path)
    line = str(caught.value)
    assert line.startswith(f"grid.geojson: cell {codes[0]}: shares ")
    assert f"with cell {codes[1]} around lat " in line
    assert re.search(r"shares [\d,]+\.\d m² with", line)
    assert "\n" not in line


def zone(name: str, kind: ZoneKind, x: float) -> Zone:
    return Zone(id=name, kind=kind, polygon_m=shapely.box(x, 0, x + 10, 10), hours=None, surface=None)


def test_zones_of_one_kind_may_not_share_ground_and_those_of_two_may() -> None:
    kerb, walk = ZoneKind.NO_PARKING, ZoneKind.SIDEWALK
    assert overlapping_zones([zone("a", kerb, 0), zone("b", walk, 5)]) == []
    (found,) = overlapping_zones([zone("a", kerb, 0), zone("b", kerb, 5)])
    assert (found.first, found.second) == ("a", "b")
    assert found.area_m2 == pytest.approx(50)


def test_a_gap_is_ground_that_cells_enclose_and_none_claims() -> None:
    around = [cell(str(n), x, y) for n, (x, y) in enumerate((x, y) for x in (0, 10, 20) for y in (0, 10, 20))]
    assert gaps_between(around) == []
    (gap,) = gaps_between([one for one in around if one.code != "4"])
    assert gap.area_m2 == pytest.approx(100)
    assert all(10 < side < 20 for side in gap.center_m)


def test_a_zone_outside_all_cells_is_named() -> None:
    zones = [zone("in", ZoneKind.STREET, 0), zone("out", ZoneKind.STREET, 5)]
    assert zones_without_cell(zones, [cell("a", 0, 0)]) == ["out"]


def test_codes_of_another_county_are_listed_up_to_five() -> None:
    at_home = [cell(f"11010100100{n:04d}", 0, 0) for n in range(9)]
    assert foreign_cells(at_home, GB15) is None
    guests = [cell(f"31010100100{n:04d}", 0, 0) for n in range(7)]
    said = foreign_cells(at_home + guests, GB15)
    assert said is not None
    assert said.startswith("310101001000000, ")
    assert said.endswith(" and 2 more")


@pytest.mark.parametrize(("apart_m", "is_found"), [(0.2, False), (0.5, True), (5.0, True), (19.0, True), (25.0, False)])
def test_a_strip_between_neighbours_is_a_gap(apart_m: float, is_found: bool) -> None:
    gaps = gaps_between([cell("a", 0, 0), cell("b", 10 + apart_m, 0)])
    assert bool(gaps) is is_found
    if gaps:
        assert gaps[0].area_m2 == pytest.approx(10 * apart_m, rel=0.01)


def test_steps_and_corners_of_a_grid_are_no_gaps() -> None:
    assert gaps_between([cell("a", 0, 0), cell("b", 10, 0), cell("c", 0, 10), cell("d", 10, -10)]) == []
