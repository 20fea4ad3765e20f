"""Control points from CSV: every point says its coordinate system, every fault its line."""

from __future__ import annotations

import pytest

from geofence.control_points import parse_control_points
from geofence.errors import SiteError

GOOD = ["px_x, px_y, lat, lng, crs", "100, 200.5, 39.9, 116.4, WGS84", "1,2,39.8,116.3,wgs84"]


def test_points_are_read_in_order() -> None:
    first, second = parse_control_points(GOOD, file="p.csv")
    assert (first.px, first.lat, first.lng) == ((100.0, 200.5), 39.9, 116.4)
    assert second.px == (1.0, 2.0)


def test_points_without_a_column_take_the_one_that_is_given() -> None:
    lines = ["lat,lng,px_x,px_y", "39.9,116.4,1,2"]
    assert parse_control_points(lines, file="p.csv", crs="wgs84")[0].lat == 39.9
    with pytest.raises(SiteError, match=r"p\.csv: line 2: does not say its coordinate system"):
        parse_control_points(lines, file="p.csv")


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "line 1: has no column px_x, px_y, lat, lng"),
        (["px_x,px_y,lat,lon,crs"], "line 1: has no column lng"),
        (["px_x,px_y,lat,lng,csr"], "line 1: column 'csr' is not known; did you mean 'crs'"),
        ([GOOD[0], "1,2,abc,116,wgs84"], "line 2: lat 'abc' is no number"),
        ([GOOD[0], "1,2,,116,wgs84"], "line 2: lat '' is no number"),
        ([GOOD[0], "1,2,nan,116,wgs84"], "line 2: lat 'nan' is no number"),
        (
            [GOOD[0], "1,2,116.4,39.9,wgs84"],
            "line 2: 116.4 is not usable; a latitude is -90 … 90 degrees: are lat and lng",
        ),
        (
            [GOOD[0], "1,2,4418620,449650,wgs84"],
            "degrees: 4,418,620 looks like metres of a projection: give it in WGS 84",
        ),
        ([GOOD[0], "1,2,39,9,116,4,wgs84"], "line 2: has ['4', 'wgs84'] beyond the columns of line 1; a number has a"),
        ([*GOOD, "1,2,39,116,moon"], "line 4: crs 'moon' is not known"),
        ([GOOD[0], "1,2,39"], "line 2: lng '' is no number"),
    ],
)
def test_a_fault_names_its_line(lines: list[str], says: str) -> None:
    with pytest.raises(SiteError) as caught:
        parse_control_points(lines, file="p.csv")
    assert says in str(caught.value)


def test_points_in_gcj02_are_converted() -> None:
    (point,) = parse_control_points([GOOD[0], "1,2,39.91334545536069,116.38404722455657,GCJ-02"], file="p.csv")
    assert (point.lat, point.lng) == pytest.approx((39.911954, 116.377817), abs=3e-7)
