"""Permits: for a time, by zone, place or plate, for some classes; malformed ones are one line each."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from geofence.crs import to_gcj02
from geofence.errors import SiteError
from geofence.messages import IncidentKind
from geofence.permits import Permit, Permitted, is_permitted, last_permitted, parse_permits

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
PLATE = "a" * 64
CAR = Permitted(kind=IncidentKind.ILLEGAL_PARKING, zone_id="kerb", ground_m=(3.0, 4.0), name="car")
ANY = Permit(
    id="p",
    kinds=frozenset({IncidentKind.ILLEGAL_PARKING}),
    starts_at=NOON - timedelta(hours=1),
    ends_at=NOON + timedelta(hours=1),
)
GOOD = """
[[permits]]
id = "movers"
starts_at = 2026-10-01T08:00:00+08:00
ends_at = 2026-10-01T18:00:00+08:00
place = { lat = 39.91334545536069, lng = 116.38404722455657, crs = "gcj02", radius_m = 12 }
classes = ["truck"]
"""


@pytest.mark.parametrize(
    ("permit", "thing", "is_allowed"),
    [
        (ANY, CAR, True),
        (replace(ANY, zone_id="kerb"), CAR, True),
        (replace(ANY, zone_id="walk"), CAR, False),
        (replace(ANY, center_m=(0.0, 0.0), radius_m=5.0), CAR, True),
        (replace(ANY, center_m=(0.0, 0.0), radius_m=4.9), CAR, False),
        (replace(ANY, classes=frozenset({"truck"})), CAR, False),
        (replace(ANY, plate_sha256=PLATE), CAR, False),
        (replace(ANY, plate_sha256=PLATE), replace(CAR, plate_sha256=PLATE), True),
        (replace(ANY, plate_sha256=PLATE), replace(CAR, plate_sha256="b" * 64), False),
        (ANY, replace(CAR, kind=IncidentKind.BLOCKED_SIDEWALK), False),
    ],
)
def test_a_permit_is_for_what_it_names(permit: Permit, thing: Permitted, is_allowed: bool) -> None:
    assert is_permitted([permit], thing, NOON) is is_allowed


def test_a_permit_holds_from_its_start_until_before_its_end() -> None:
    assert [is_permitted([ANY], CAR, at) for at in (ANY.starts_at, ANY.ends_at)] == [True, False]
    assert last_permitted([ANY], CAR, ANY.ends_at) == ANY.ends_at
    assert last_permitted([ANY], CAR, NOON) is None


def test_a_place_is_converted_from_its_coordinate_system() -> None:
    (permit,) = parse_permits(GOOD)
    assert permit.lat_lng == pytest.approx((39.911954, 116.377817), abs=3e-7)
    assert to_gcj02(np.array([permit.lat_lng]))[0] == pytest.approx((39.91334545536069, 116.38404722455657))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (', crs = "gcj02"', "", "permits[0].place.crs"),
        ('"gcj02"', '"moon"', "permits[0].place.crs: crs 'moon' is not known"),
        ("lat = 39.9", "lat = 139.9", "permits[0].place.lat"),
        ("2026-10-01T18:00:00+08:00", "2026-10-01T07:00:00+08:00", "is not after starts_at"),
        ("2026-10-01T18:00:00+08:00", "2026-10-01T18:00:00", "permits[0].ends_at"),
        (
            "2026-10-01T08:00:00+08:00",
            "46296",
            "starts_at: 46296 looks like the day number of a spreadsheet; it",
        ),
        (
            "2026-10-01T08:00:00+08:00",
            "1790812800000",
            "looks like seconds or milliseconds of Unix; it should be",
        ),
        ("lat = 39.91334545536069", 'lat = "39.9"', "permits[0].place.lat: '39.9' is not usable"),
        ("place = ", "# place = ", "says neither where nor who"),
        ('classes = ["truck"]', 'plate_sha256 = "京A12345"', "permits[0].plate_sha256"),
        (
            'id = "movers"',
            'rules = ["bin_overflow"]\nid = "movers"',
            "permits[0].rules[0]: 'bin_overflow' is not usable; it should be a list of illegal_parking, "
            "exposed_garbage, blocked_sidewalk",
        ),
        ('id = "movers"', 'rules = ["parking"]\nid = "movers"', "permits[0].rules[0]"),
    ],
)
def test_a_fault_is_one_clear_line(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(SiteError) as caught:
        parse_permits(GOOD.replace(old, new))
    assert str(caught.value).startswith("permits.toml: permits[0]")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
