"""The policy file: a whole one, and each fault is one line that says what would be right."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from dispatcher.adapters.policy_file import load_policy
from dispatcher.config import parse_policy
from dispatcher.errors import PolicyError
from dispatcher.policy import Policy
from dispatcher.sla import Limit, Unit
from geofence.messages import IncidentKind


def test_a_policy_has_twelve_departments_and_twenty_categories(policy: Policy) -> None:
    assert (len(policy.departments), len(policy.categories)) == (12, 20)


def test_a_policy_knows_the_exchange_days(policy: Policy) -> None:
    assert not policy.calendar.is_work_day(date(2026, 10, 7))
    assert policy.calendar.is_work_day(date(2026, 10, 10))
    assert not policy.calendar.is_work_day(date(2026, 10, 11))


def test_category_without_a_limit_takes_the_default(policy_text: str) -> None:
    wanted = 'handle = { n = 4, unit = "work_hour" }\nleads = [{ lead = "HW", assist = ["JD"] }]'
    assert wanted in policy_text
    changed = parse_policy(policy_text.replace(wanted, wanted.partition("\n")[2]), "p")
    assert changed.categories["exposed_garbage"].handle == Limit(2, Unit.WORK_DAY)


@pytest.mark.parametrize(
    ("kind", "subject", "surface", "code", "lead"),
    [
        (IncidentKind.EXPOSED_GARBAGE, "garbage", "sidewalk", "06010", "HW"),
        (IncidentKind.EXPOSED_GARBAGE, "overflow", "sidewalk", "06042", "HW"),
        (IncidentKind.BIN_OVERFLOW, "level", None, "06042", "HW"),
        (IncidentKind.ILLEGAL_PARKING, "car", "roadway", "09009", "JJ"),
        (IncidentKind.ILLEGAL_PARKING, "car", "sidewalk", "09009", "CG"),
        (IncidentKind.ILLEGAL_PARKING, "occupied", None, "09009", "CG"),
        (IncidentKind.BLOCKED_SIDEWALK, "bicycle", "sidewalk", "09010", "CG"),
        (IncidentKind.BLOCKED_SIDEWALK, "motorcycle", "sidewalk", "09010", "CG"),
        (IncidentKind.BLOCKED_SIDEWALK, "garbage_bin", "sidewalk", "06036", "JD"),
        (IncidentKind.BLOCKED_SIDEWALK, "e_bike", "sidewalk", "09010", "CG"),
        (IncidentKind.BLOCKED_SIDEWALK, "stall", "sidewalk", "09006", "CG"),
        (IncidentKind.BLOCKED_SIDEWALK, "goods", "sidewalk", "06036", "JD"),
        (IncidentKind.BLOCKED_SIDEWALK, "works", "sidewalk", "08002", "ZJ"),
        (IncidentKind.BLOCKED_SIDEWALK, "unknown_object", "sidewalk", "06036", "JD"),
        (IncidentKind.BLOCKED_SIDEWALK, "car", "sidewalk", "09009", "CG"),
        (IncidentKind.BLOCKED_SIDEWALK, "something new", "sidewalk", "06036", "JD"),
    ],
)
def test_a_policy_routes_each_trouble_to_one_department(
    policy: Policy, *, kind: IncidentKind, subject: str, surface: str | None, code: str, lead: str
) -> None:
    route = policy.route(kind, subject, surface)
    assert (route.category.code, route.lead) == (code, lead)
    assert route.lead not in route.assist


FAULTS = [
    ('version = "2026.11-1"', 'versoin = "1"', "versoin = '1': unknown key; did you mean 'version'?", "version"),
    ('adcode = "110101"', 'adcode = "11010"', "adcode = '11010': ", "pattern"),
    ('timezone = "Asia/Shanghai"', 'timezone = "Peking"', "timezone = 'Peking': should be a zone name", ""),
    ('"13:30-17:30"]', '"13:30-24:30"]', "calendar.slots[1] = '13:30-24:30': should look like '09:00-12:00'", ""),
    ('"13:30-17:30"]', '"13:30-13:30"]', "calendar.slots[1] = '13:30-13:30': should end after", ""),
    ('"13:30-17:30"]', '"11:30-17:30"]', "calendar.slots[1] = '11:30-17:30': should start at or after 12:00", ""),
    ('code = "06010"', "code = 6010", "categories[0].code = 6010: should be a valid string", ""),
    ('code = "06010"', 'code = "6010"', "categories[0].code = '6010': ", "pattern"),
    ('code = "06011"', 'code = "06010"', "categories[1].code = '06010': is used twice", ""),
    ('key = "long_term_spoil"', 'key = "exposed_garbage"', "categories[1].key = 'exposed_garbage': is used", ""),
    ('id = "HW"', 'id = "CG"', "departments[1].id = 'CG': is used twice", ""),
    ('unit = "work_hour"', 'unit = "hour"', "categories[0].handle.unit = 'hour': should be 'minute'", ""),
    ("{ n = 4,", "{ n = 0,", "categories[0].handle.n = 0: should be greater than 0", ""),
    ("amber_share = 0.8", "amber_share = 80", "defaults.amber_share = 80: should be less than 1", ""),
    ('lead = "HW", assist = ["JD"]', 'lead = "XX"', "categories[0].leads[0] = 'XX': unknown department", "CG, HW"),
    ('assist = ["JD"] }', 'assist = ["HW"] }', "categories[0].leads[0].assist = 'HW': should not repeat", ""),
    ('  { lead = "CG" },\n', "", "categories[8].leads = 'vehicle_parking': the last rule should have no", ""),
    (
        'leads = [{ lead = "HW" }]',
        'leads = [{ lead = "HW" }, { lead = "CG" }]',
        "categories[2].leads = 'bin_overflow': only the last rule should have no condition",
        "",
    ),
    ('  { category = "exposed_garbage" },\n', "", "routes.exposed_garbage = 'exposed_garbage': the last", ""),
    ('bin_overflow = [{ category = "bin_overflow" }]\n', "", "routes.bin_overflow = 'bin_overflow': the last", ""),
    ('[{ category = "bin_overflow" }]', '[{ category = "bin" }]', "routes.bin_overflow[0].category = 'bin'", ""),
    ('surface = ["roadway"]', 'surface = ["water"]', "categories[8].leads[0].surface[0] = 'water': should", ""),
    ("[2026-01-04,", "[2026-01-02,", "calendar.extra_work_days = '2026-01-02': is a holiday as well", ""),
    ("[2026-01-04,", "[2026-01-06,", "calendar.extra_work_days = '2026-01-06': should be a Saturday", ""),
    ("[2026-01-04,", "[46026,", "calendar.extra_work_days[0] = 46026: 46026 looks like the day number of a", "a date"),
    ("[calendar]", "[calendar", "TOML = ", "valid TOML"),
]


@pytest.mark.parametrize(("right", "wrong", "begins", "holds"), FAULTS)
def test_each_fault_is_one_line_with_file_key_value_and_what_would_be_right(
    policy_text: str, right: str, wrong: str, begins: str, holds: str
) -> None:
    assert right in policy_text
    with pytest.raises(PolicyError) as caught:
        parse_policy(policy_text.replace(right, wrong, 1), "street/policy.toml")
    line = str(caught.value)
    assert line.startswith(f"street/policy.toml: {begins}")
    assert holds in line
    assert "\n" not in line


def test_department_that_never_leads_or_assists_is_refused(policy_text: str) -> None:
    unused = policy_text.replace('[[departments]]\nid = "CG"', '[[departments]]\nid = "QQ"\nname_zh = "q"\n'
                                 'name_en = "q"\n\n[[departments]]\nid = "CG"', 1)  # fmt: skip
    with pytest.raises(PolicyError, match="departments = 'QQ': should lead or assist"):
        parse_policy(unused, "p")


def test_missing_key_is_named(policy_text: str) -> None:
    with pytest.raises(PolicyError, match="adcode = None: is missing"):
        parse_policy(policy_text.replace('adcode = "110101"', "", 1), "p")


def test_unreadable_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="should be a readable policy file"):
        load_policy(tmp_path / "none.toml")
    (tmp_path / "latin.toml").write_bytes(b"version = '\xe9'")
    with pytest.raises(PolicyError, match="should be UTF-8 text"):
        load_policy(tmp_path / "latin.toml")


def test_a_policy_may_begin_with_a_mark_of_its_bytes_order(tmp_path: Path, policy_text: str, policy: Policy) -> None:
    file = tmp_path / "policy.toml"
    file.write_bytes(b"\xef\xbb\xbf" + policy_text.encode())
    assert load_policy(file) == policy


def test_an_empty_policy_says_so() -> None:
    with pytest.raises(PolicyError, match=r"street/policy\.toml: TOML = '': is empty; should have version"):
        parse_policy("\n", "street/policy.toml")


def test_policy_file_loads_from_disk(tmp_path: Path, policy_text: str, policy: Policy) -> None:
    (tmp_path / "policy.toml").write_text(policy_text, encoding="utf-8")
    assert load_policy(tmp_path / "policy.toml") == policy
