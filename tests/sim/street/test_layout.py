"""The table of a street becomes surfaces, zones, bays and lights at the right places."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from sim.street.layout import StreetPart, build_street
from sim.street.street import Rect, Side, Street, ZoneKind


def street(*, seed: int = 7, **keys: Any) -> Street:
    return build_street(StreetPart.model_validate({"y_m": (-10, 50), **keys}), seed=seed)


def test_the_carriageway_lies_left_of_the_right_kerb() -> None:
    built = street()
    assert built.carriageway_x_m == (-12.0, 0.0)
    assert built.sidewalk_right_x_m == (0.0, 3.0)
    assert built.sidewalk_left_x_m == (-15.0, -12.0)


def test_traffic_keeps_right() -> None:
    assert [(lane.x_m, lane.width_m, lane.direction) for lane in street().lanes] == [(-4.25, 3.5, 1), (-7.75, 3.5, -1)]


@pytest.mark.parametrize(
    ("kind", "side", "x_m"),
    [
        ("no_parking", "right", (-2.5, 0.0)),
        ("no_parking", "left", (-12.0, -9.5)),
        ("sidewalk", "right", (0.0, 3.0)),
        ("sidewalk", "left", (-15.0, -12.0)),
        ("street", "right", (-9.5, -2.5)),
        ("street", "left", (-9.5, -2.5)),
    ],
)
def test_a_zone_takes_the_strip_that_its_kind_is_about(kind: str, side: str, x_m: tuple[float, float]) -> None:
    (zone,) = street(zones=[{"id": "z", "kind": kind, "side": side, "y_m": (5, 40)}]).zones
    assert (zone.kind, zone.area) == (ZoneKind(kind), Rect(x0=x_m[0], y0=5, x1=x_m[1], y1=40))


def test_a_zone_with_x_m_lies_there() -> None:
    (zone,) = street(zones=[{"id": "z", "kind": "collection_point", "x_m": (3, 5), "y_m": (5, 9)}]).zones
    assert zone.area == Rect(x0=3, y0=5, x1=5, y1=9)
    assert zone.surface == "plaza"


def test_bays_stand_in_a_row_in_their_kerb_strip() -> None:
    bays = street(bays=[{"side": "left", "y_m": 10, "count": 2, "length_m": 6}]).bays
    assert [bay.area for bay in bays] == [Rect(x0=-12, y0=10, x1=-9.5, y1=16), Rect(x0=-12, y0=16, x1=-9.5, y1=22)]
    assert len({bay.id for bay in bays}) == 2


def test_a_light_is_green_first_and_then_red() -> None:
    (crossing,) = street(crossings=[{"y_m": (20, 24), "green_s": 10, "red_s": 5, "offset_s": 2}]).crossings
    assert crossing.signal is not None
    assert [crossing.signal.is_green(second) for second in (1.9, 2.0, 11.9, 12.0, 16.9, 17.0)] == [
        False, True, True, False, False, True,
    ]  # fmt: skip


def test_a_crossing_without_seconds_has_no_light() -> None:
    assert street(crossings=[{"y_m": (20, 24)}]).crossings[0].signal is None


def test_houses_stand_behind_the_planting_on_both_sides() -> None:
    houses = street().buildings
    assert {round(house.x_m, 6) for house in houses if house.side is Side.RIGHT} == {5.2}
    assert {round(house.x_m, 6) for house in houses if house.side is Side.LEFT} == {-17.2}


def test_houses_and_trees_follow_the_seed() -> None:
    assert street(seed=7) == street(seed=7)
    assert street(seed=7).buildings != street(seed=8).buildings
    assert street(seed=7).trees != street(seed=8).trees


def test_no_tree_stands_in_a_collection_point() -> None:
    recess = {"id": "c", "kind": "collection_point", "x_m": (3, 5), "y_m": (0, 40)}
    right = [tree.y_m for tree in street(zones=[recess]).trees if tree.x_m > 0]
    assert right
    assert not [y_m for y_m in right if -1 < y_m < 41]
    assert [tree.y_m for tree in street().trees if tree.x_m > 0 and 0 < tree.y_m < 40]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"y_m": (0, 19)}, "it should be 20 m long or more"),
        ({"zones": [{"id": "z", "kind": "street", "y_m": (5, 50.1)}]}, "z y_m .* leaves the street, which goes from"),
        ({"zones": [{"id": "z", "kind": "street", "y_m": (5, 5)}]}, r"\[5, 5\] does not rise"),
        ({"zones": [{"id": "z", "kind": "street", "y_m": (5, 6)}] * 2}, "two zones are called 'z'"),
        ({"zones": [{"id": "z", "kind": "collection_point", "y_m": (5, 6)}]}, "needs x_m"),
        ({"crossings": [{"y_m": (20, 24), "green_s": 10}]}, "needs both green_s and red_s"),
        ({"crossings": [{"y_m": (24, 20)}]}, "does not rise"),
        ({"crossings": [{"y_m": (48, 52)}]}, "leaves the street"),
        ({"bays": [{"y_m": 40, "count": 2, "length_m": 6}]}, "leaves the street"),
    ],
)
def test_a_street_that_cannot_be_is_refused(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        street(**keys)
