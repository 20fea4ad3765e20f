"""The table of classes: what ships, and one clear line for whatever is wrong with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from detectors.classes import ClassTableError, Role, class_by_any_name, class_named, load_classes, parse_classes

NAMES = ["person", "bicycle", "car", "motorcycle", "bus", "truck", "garbage", "garbage_bin", "overflow"]
DISTRICT_NAMES = ["van", "tricycle", "e_bike", "stall", "goods", "works", "unknown_object"]

ROW = """
[[classes]]
id = 0
name = "car"
name_zh = "小汽车"
role = "vehicle"
length_m = 4.6
width_m = 1.8
height_m = 1.5
"""


def test_shipped_table_has_the_models_nine_classes_and_then_what_a_district_may_add() -> None:
    table = load_classes()
    assert [row.name for row in table.classes] == NAMES + DISTRICT_NAMES
    assert sorted(row.id for row in table.classes) == list(range(16))


def test_roles_say_which_rule_judges_a_class() -> None:
    table = load_classes()
    assert table.ids_with(Role.VEHICLE) == {2, 4, 5, 9}
    assert table.ids_with(Role.GARBAGE, Role.OVERFLOW) == {6, 8}
    assert table.ids_with(Role.TWO_WHEELER, Role.BIN) == {1, 3, 7, 10, 11}
    assert table.ids_with(Role.OBSTACLE) == {12, 13, 14, 15}


def test_a_class_is_found_by_whatever_others_call_it() -> None:
    table = load_classes()
    spellings = ["e_bike", "E-Bike", "electric bicycle", "  Electric_Bicycle ", "电动自行车", "电瓶车"]
    assert {class_by_any_name(table, name) for name in spellings} == {table.by_name["e_bike"]}
    assert class_by_any_name(table, "Motorbike") is table.by_name["motorcycle"]
    assert class_by_any_name(table, "dog") is None


def test_every_class_that_shares_a_thing_with_another_shares_it_with_one_kind() -> None:
    groups: dict[str, set[str]] = {}
    for row in load_classes().classes:
        groups.setdefault(row.box_group, set()).add(row.name)
    assert {name: members for name, members in groups.items() if len(members) > 1} == {
        "vehicle": {"car", "bus", "truck", "van", "bicycle", "motorcycle", "e_bike", "tricycle"},
        "container": {"garbage_bin", "overflow"},
    }


def test_a_class_without_a_group_is_one_by_itself() -> None:
    assert parse_classes(ROW).by_name["car"].box_group == "car"


@pytest.mark.parametrize("alias", ["Car", "小汽车", "taxi"])
def test_a_name_that_could_mean_two_classes_is_refused(alias: str) -> None:
    first = ROW + 'also = ["taxi"]\n'
    second = (
        ROW.replace("id = 0", "id = 1").replace('"car"', '"cab"').replace("小汽车", "的士") + f'also = ["{alias}"]\n'
    )
    with pytest.raises(ClassTableError) as caught:
        parse_classes(first + second)
    assert str(caught.value) == (
        f"classes.toml: classes[1].also: {alias.lower()!r} is a name of classes[0] too; every name must mean one class"
    )


def test_rows_are_found_by_id_and_by_name() -> None:
    table = load_classes()
    assert table.by_id[2] is table.by_name["car"]
    assert table.by_name["garbage_bin"].name_zh == "垃圾桶"
    assert table.by_name["bus"].length_m > table.by_name["car"].length_m


def test_every_class_is_longer_than_wide_or_square() -> None:
    assert all(row.length_m >= row.width_m > 0 for row in load_classes().classes)


def test_a_class_is_added_by_a_row_alone() -> None:
    stall = ROW.replace("id = 0", "id = 1").replace('"car"', '"stall"').replace('"vehicle"', '"obstacle"')
    stall = stall.replace("小汽车", "摊位")
    table = parse_classes(ROW + stall)
    assert table.ids_with(Role.OBSTACLE) == {1}
    assert class_named(table, "stall").id == 1


def test_table_loads_from_any_folder(tmp_path: Path) -> None:
    code = "from detectors.classes import load_classes; print(len(load_classes().classes))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, check=True
    )
    assert done.stdout == "16\n"


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("width_m", "widht_m", "classes.toml: classes[0].widht_m: unknown key 'widht_m'; did you mean 'width_m'?"),
        ('role = "vehicle"\n', "", "classes.toml: classes[0].role: missing; it should be one of vehicle, "),
        ('"vehicle"', '"flyer"', "classes.toml: classes[0].role: 'flyer' is not usable; it should be one of vehicle"),
        ("4.6", "-4.6", "classes.toml: classes[0].length_m: -4.6 is not usable; it should be metres, more than 0"),
        ("id = 0", 'id = "0"', "classes.toml: classes[0].id: '0' is not usable; it should be a whole number"),
        ('"car"', '"Car"', "classes.toml: classes[0].name: 'Car' is not usable; it should be a lower-case word"),
        ("id = 0", "id =", "classes.toml: (whole file): not TOML: "),
        ("id = 0", 'id = 0\nalso = "taxi"', "classes.toml: classes[0].also: 'taxi' is not usable; it should be a list"),
        (
            "id = 0",
            'id = 0\nbox_group = ""',
            "classes.toml: classes[0].box_group: '' is not usable; it should be a low",
        ),
    ],
)
def test_a_bad_row_gives_one_line(before: str, after: str, line: str) -> None:
    with pytest.raises(ClassTableError) as caught:
        parse_classes(ROW.replace(before, after))
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)


def test_an_id_used_twice_names_both_rows() -> None:
    with pytest.raises(ClassTableError) as caught:
        parse_classes(ROW + ROW.replace('"car"', '"van"'))
    assert str(caught.value) == (
        "classes.toml: classes[1].id: '0' stands at classes[0] too; every id must be used once"
    )


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(ClassTableError, match=r"classes\[1\]\.name: 'car' stands at classes\[0\] too"):
        parse_classes(ROW + ROW.replace("id = 0", "id = 1"))


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ClassTableError, match=r"classes\.toml: classes: .*at least one"):
        parse_classes("classes = []")


def test_an_unknown_class_suggests_the_closest() -> None:
    with pytest.raises(ValueError, match="unknown class 'garbag'; did you mean 'garbage'"):
        class_named(load_classes(), "garbag")
